"""Sales at the counter without an order: what was paid, and the receipt that goes out by text message."""

from __future__ import annotations

from datetime import datetime

from django.db import models
from django.db.models import Q
from django.db.models.functions import Now

from catalog.models import Phone, SaleWindow
from orders.message_models import Message
from orders.mobiles import MOBILE_LENGTH
from orders.record_models import Payment, outlet_key
from orders.states import Language
from stores.actors import PATTERN as ACTOR


class WalkInSale(models.Model):
    """
    What somebody at the counter paid for a phone, and the sale window whose price that was, if any. Never changed, and
    holds nothing of the customer.

    It belongs to the line of the ledger (outlet, phone, seq) by which the phone left the shelf; the database's own
    foreign key is in migration 0009.
    """

    pk = models.CompositePrimaryKey("outlet", "phone", "seq")
    outlet = outlet_key()
    phone = models.ForeignKey(Phone, models.PROTECT, related_name="+", db_index=False)
    seq = models.BigIntegerField()
    price_fen = models.PositiveIntegerField()
    window = models.ForeignKey(SaleWindow, models.PROTECT, null=True, related_name="+", db_index=False)
    terms = models.CharField(max_length=20)
    method = models.CharField(max_length=6, choices=Payment.Method)
    actor = models.CharField(max_length=60)
    sold_at = models.DateTimeField(db_default=Now())

    class Meta:
        ordering = ["-sold_at"]
        indexes = [
            models.Index(fields=["outlet", "-sold_at"], name="walkinsale_newest"),
            models.Index("outlet", "window", "phone", name="walkinsale_by_window", condition=Q(window__isnull=False)),
        ]
        constraints = [
            models.CheckConstraint(condition=Q(price_fen__gt=0), name="walkinsale_price_is_positive"),
            models.CheckConstraint(
                condition=Q(method__in=["cash", "wechat", "alipay", "card"]), name="walkinsale_method_is_known"
            ),
            models.CheckConstraint(condition=Q(actor__regex=ACTOR), name="walkinsale_was_made_by_somebody"),
        ]

    def __str__(self) -> str:
        return self.number_at("?")

    def number_at(self, outlet_code: str) -> str:
        """Return the number that stands on the receipt."""
        return f"{outlet_code}/{self.phone_id}/{self.seq}"


class WalkInMessageQuerySet(models.QuerySet["WalkInMessage"]):
    def due(self, now: datetime) -> WalkInMessageQuerySet:
        """Those that somebody should send now; those of a sender that died come round again."""
        return self.filter(state=Message.State.WAITING, next_attempt_at__lte=now)


class WalkInMessage(models.Model):
    """
    The receipt of a walk-in sale on its way to the number that the customer gave, once.

    Nothing else needs that number, so it is erased as soon as the message is sent or given up.
    """

    pk = models.CompositePrimaryKey("outlet", "phone", "seq")
    # The key of the sale says that outlet and phone exist.
    outlet = outlet_key()
    phone = models.ForeignKey(Phone, models.DO_NOTHING, related_name="+", db_index=False, db_constraint=False)
    seq = models.BigIntegerField()
    sale = models.ForeignObject(
        WalkInSale, models.DO_NOTHING, ["outlet", "phone", "seq"], ["outlet", "phone", "seq"], related_name="messages"
    )
    mobile = models.CharField(max_length=MOBILE_LENGTH, blank=True)
    language = models.CharField(max_length=7, choices=Language)
    state = models.CharField(max_length=8, choices=Message.State, default=Message.State.WAITING)
    attempts = models.PositiveSmallIntegerField(default=0)
    next_attempt_at = models.DateTimeField(db_default=Now())
    created_at = models.DateTimeField(db_default=Now())
    sent_at = models.DateTimeField(null=True)
    segments = models.PositiveSmallIntegerField(null=True)
    receipt = models.CharField(max_length=100, blank=True)
    error = models.CharField(max_length=200, blank=True)

    objects = WalkInMessageQuerySet.as_manager()

    class Meta:
        indexes = [models.Index("next_attempt_at", name="walkinmessage_waiting", condition=Q(state="waiting"))]
        constraints = [
            models.CheckConstraint(
                condition=Q(state="waiting", mobile__regex=r"^\+861[0-9]{10}$")
                | Q(state__in=["sent", "given_up", "outdated"], mobile=""),
                name="walkinmessage_knows_a_number_while_it_waits",
            ),
            models.CheckConstraint(condition=Q(language__in=Language.values), name="walkinmessage_language_is_known"),
        ]

    def __str__(self) -> str:
        return f"{self.out_id} {self.state}"

    @property
    def out_id(self) -> str:
        """Names the message towards the gateway: the same at every attempt, so that it is sent once."""
        return f"{self.outlet_id}-{self.phone_id}-{self.seq}-walk_in"
