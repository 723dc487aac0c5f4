from django.apps import AppConfig


class OfficeConfig(AppConfig):
    """Head office: roles, audit trail, reports, and what will run out."""

    name = "office"
