from django.apps import AppConfig


class OfficeConfig(AppConfig):
    """Head office: roles, audit trail, reports, and what will run out."""

    name = "office"

    def ready(self) -> None:
        from office.back_office.words import give_words

        give_words()
