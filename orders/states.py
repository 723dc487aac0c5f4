"""What an order can be: how it came, in which language its customer reads, and how it stands."""

from django.db import models
from django.utils.translation import gettext_lazy as _


class Channel(models.TextChoices):
    """The door that an order came through."""

    WEB = "web", _("web site")
    DESK = "desk", _("counter")
    HOTLINE = "hotline", _("hotline")
    SMS = "sms", _("text message")
    API = "api", _("partner")


class Language(models.TextChoices):
    """What messages about the order are written in."""

    CHINESE = "zh-hans", "简体中文"
    ENGLISH = "en", "English"


class State(models.TextChoices):
    PLACED = "placed", _("placed")
    READY = "ready", _("ready")
    COLLECTED = "collected", _("collected")
    CANCELLED = "cancelled", _("cancelled")
    DECLINED = "declined", _("declined")
    EXPIRED = "expired", _("expired")


OPEN_STATES = (State.PLACED, State.READY)
