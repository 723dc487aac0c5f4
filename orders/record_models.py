"""What belongs to an order and is never changed: its lines, its history, its payment."""

from __future__ import annotations

from typing import Any

from django.db import models
from django.db.models import Q
from django.db.models.functions import Now
from django.utils.translation import gettext_lazy as _

from catalog.models import Phone, local_text
from orders import numbers
from orders.states import State
from stores.actors import PATTERN as ACTOR
from stores.models import Outlet


def order_key(related_name: str) -> Any:
    """The way to the order of a row that belongs to one; the database's own foreign key is in migration 0002."""
    return models.ForeignObject(
        "orders.Order",
        models.DO_NOTHING,
        from_fields=["outlet", "number"],
        to_fields=["outlet", "number"],
        related_name=related_name,
    )


def outlet_key() -> Any:
    # The key to the order says that the outlet exists.
    return models.ForeignKey(Outlet, models.DO_NOTHING, related_name="+", db_index=False, db_constraint=False)


class OrderLine(models.Model):
    """One phone of an order as it was when the order was placed: name, price and terms. Never changed."""

    pk = models.CompositePrimaryKey("outlet", "number", "position")
    outlet = outlet_key()
    number = models.CharField(max_length=numbers.DIGITS)
    line_count = models.SmallIntegerField()
    position = models.SmallIntegerField()
    # The key to the shelf, in migration 0021, says that there are such an outlet and such a phone.
    phone = models.ForeignKey(Phone, models.PROTECT, related_name="+", db_index=False, db_constraint=False)
    quantity = models.SmallIntegerField()
    name_zh = models.CharField(max_length=80)
    name_en = models.CharField(max_length=80)
    price_fen = models.IntegerField()
    terms = models.CharField(max_length=20)
    # Sum of the lines up to this one; the order's total is that of its last line, and a foreign key says so.
    running_fen = models.IntegerField()
    prev_position = models.SmallIntegerField(null=True)
    prev_running_fen = models.IntegerField(null=True)
    order = order_key("lines")

    class Meta:
        ordering = ["outlet", "number", "position"]
        constraints = [
            models.UniqueConstraint(fields=["outlet", "number", "phone"], name="orderline_once_a_phone"),
            # What a refund of the phone is held to.
            models.UniqueConstraint(fields=["outlet", "number", "phone", "price_fen"], name="orderline_price_link"),
            models.UniqueConstraint(fields=["outlet", "number", "position", "running_fen"], name="orderline_link"),
        ]

    def __str__(self) -> str:
        return f"{self.number} {self.quantity} x {self.name_en}"

    @property
    def name(self) -> str:
        return local_text(self.name_zh, self.name_en)

    @property
    def amount_fen(self) -> int:
        return self.quantity * self.price_fen


class OrderChange(models.Model):
    """One line of an order's history: what happened, who did it, when and why. Never changed, and holds no name."""

    class Kind(models.TextChoices):
        PLACED = "placed", _("placed")
        READY = "ready", _("set aside")
        COLLECTED = "collected", _("handed over")
        CANCELLED = "cancelled", _("cancelled")
        DECLINED = "declined", _("declined")
        EXPIRED = "expired", _("expired")
        MOVED = "moved", _("moved to another outlet")
        EXTENDED = "extended", _("kept longer")
        ESCALATED = "escalated", _("not set aside in time")

    pk = models.CompositePrimaryKey("outlet", "number", "seq")
    outlet = outlet_key()
    number = models.CharField(max_length=numbers.DIGITS)
    seq = models.SmallIntegerField()
    kind = models.CharField(max_length=9, choices=Kind)
    state = models.CharField(max_length=9, choices=State)
    prev_seq = models.SmallIntegerField(null=True)
    prev_state = models.CharField(max_length=9, choices=State, null=True)  # noqa: DJ001 - null as in the chain's key
    actor = models.CharField(max_length=60)
    reason = models.CharField(max_length=200, blank=True)
    created_at = models.DateTimeField(db_default=Now())
    order = order_key("history")

    class Meta:
        ordering = ["outlet", "number", "seq"]
        constraints = [
            models.UniqueConstraint(fields=["outlet", "number", "seq", "state"], name="orderchange_link"),
        ]

    def __str__(self) -> str:
        return f"{self.number} #{self.seq} {self.kind}"


class Payment(models.Model):
    """What was taken at the counter when an order was handed over. Never changed."""

    class Method(models.TextChoices):
        CASH = "cash", _("cash")
        WECHAT = "wechat", _("WeChat Pay")
        ALIPAY = "alipay", _("Alipay")
        CARD = "card", _("bank card")

    pk = models.CompositePrimaryKey("outlet", "number")
    outlet = outlet_key()
    number = models.CharField(max_length=numbers.DIGITS)
    method = models.CharField(max_length=6, choices=Method)
    amount_fen = models.PositiveIntegerField()
    actor = models.CharField(max_length=60)
    # Made by the page when the form was shown, so that who sends it again is told that it was done.
    form_key = models.CharField(max_length=32, blank=True)
    taken_at = models.DateTimeField(db_default=Now())
    order = order_key("payments")

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["outlet", "number", "amount_fen"], name="payment_link"),
            models.UniqueConstraint(
                fields=["outlet", "form_key"], name="payment_once_a_form", condition=~Q(form_key="")
            ),
            models.CheckConstraint(
                condition=Q(method__in=["cash", "wechat", "alipay", "card"]), name="payment_method_is_known"
            ),
            models.CheckConstraint(condition=Q(actor__regex=ACTOR), name="payment_was_taken_by_somebody"),
        ]

    def __str__(self) -> str:
        return f"{self.number} {self.amount_fen} {self.method}"
