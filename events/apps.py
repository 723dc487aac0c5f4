from django.apps import AppConfig


class EventsConfig(AppConfig):
    """What happened that a partner may see, written down in the transaction in which it happened."""

    name = "events"
