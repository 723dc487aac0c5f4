from django.apps import AppConfig


class StoresConfig(AppConfig):
    """Regions, outlets and their stock."""

    name = "stores"
    default_auto_field = "django.db.models.BigAutoField"
