"""The outbox: messages to customers."""

from __future__ import annotations

from datetime import datetime

from django.db import models
from django.db.models import Q
from django.db.models.functions import Now
from django.utils.translation import gettext_lazy as _

from orders import numbers
from orders.record_models import order_key, outlet_key


class MessageQuerySet(models.QuerySet["Message"]):
    def due(self, now: datetime) -> MessageQuerySet:
        """Messages that somebody should send now; those of a sender that died come round again."""
        return self.filter(state=Message.State.WAITING, next_attempt_at__lte=now)

    def given_up(self) -> MessageQuerySet:
        return self.filter(state=Message.State.GIVEN_UP).order_by("next_attempt_at")


class Message(models.Model):
    """
    One message to a customer: the outbox. Written with the change it tells of, sent by `orders.messages.outbox`.

    It names neither text nor number: the text holds the pickup code, and both are made from the order when it is sent.
    """

    class Kind(models.TextChoices):
        PLACED = "placed", _("placed")
        READY = "ready", _("ready")
        REMINDER = "reminder", _("reminder")
        EXPIRED = "expired", _("expired")
        DECLINED = "declined", _("declined")
        CANCELLED = "cancelled", _("cancelled")
        MOVED = "moved", _("moved")
        ESCALATED = "escalated", _("delayed")
        RECEIPT = "receipt", _("receipt")

    class State(models.TextChoices):
        WAITING = "waiting", _("waiting")
        SENT = "sent", _("sent")
        GIVEN_UP = "given_up", _("given up")
        OUTDATED = "outdated", _("no longer true when its turn came")

    pk = models.CompositePrimaryKey("outlet", "number", "change_seq", "kind")
    outlet = outlet_key()
    number = models.CharField(max_length=numbers.DIGITS)
    change_seq = models.SmallIntegerField()
    kind = models.CharField(max_length=9, choices=Kind)
    state = models.CharField(max_length=8, choices=State, default=State.WAITING)
    attempts = models.SmallIntegerField(default=0)
    next_attempt_at = models.DateTimeField(db_default=Now())
    created_at = models.DateTimeField(db_default=Now())
    sent_at = models.DateTimeField(null=True)
    segments = models.SmallIntegerField(null=True)
    receipt = models.CharField(max_length=100, blank=True, help_text=_("the gateway's own name for it"))
    error = models.CharField(max_length=200, blank=True)
    order = order_key("messages")

    objects = MessageQuerySet.as_manager()

    class Meta:
        ordering = ["created_at"]
        indexes = [
            models.Index("next_attempt_at", name="message_waiting", condition=Q(state="waiting")),
            models.Index("next_attempt_at", name="message_given_up", condition=Q(state="given_up")),
        ]

    def __str__(self) -> str:
        return f"{self.out_id} {self.state}"

    @property
    def mobile(self) -> str:
        """Where it goes; empty when the order has been erased."""
        return self.order.mobile

    @property
    def out_id(self) -> str:
        """Names the message towards the gateway: the same at every attempt, so that it is sent once."""
        return f"{self.number}-{self.change_seq}-{self.kind}"
