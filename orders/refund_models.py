"""What customers got back for phones that they brought back."""

from __future__ import annotations

from datetime import datetime

from django.db import models
from django.db.models import F, Q
from django.db.models.functions import Now
from django.utils import timezone

from catalog.models import Phone
from orders import numbers
from orders.record_models import Payment, outlet_key
from stores.actors import PATTERN as ACTOR
from stores.models import Handset


class Refund(models.Model):
    """
    What was given back for a phone that was taken back. Never changed, and holds nothing of the customer.

    It stands beside the sale, so a sale of a unit has one at most: (outlet, phone, seq) is the line of the ledger by
    which `handset` was sold, with the order `number` or to somebody who walked in (null). `price_fen` is what this
    phone cost then, `receipt_fen` what the whole receipt says. (back_outlet, phone, back_seq) is the line by which it
    came back. The database's own foreign keys are in migrations 0013 and 0017.
    """

    pk = models.CompositePrimaryKey("outlet", "phone", "seq", "handset")
    outlet = outlet_key()
    phone = models.ForeignKey(Phone, models.DO_NOTHING, related_name="+", db_index=False, db_constraint=False)
    seq = models.BigIntegerField()
    handset = models.ForeignKey(Handset, models.DO_NOTHING, related_name="+", db_index=False, db_constraint=False)
    number = models.CharField(max_length=numbers.DIGITS, null=True)  # noqa: DJ001 - null as in a key
    receipt_fen = models.PositiveIntegerField()
    price_fen = models.PositiveIntegerField()
    amount_fen = models.PositiveIntegerField()
    method = models.CharField(max_length=6, choices=Payment.Method)
    actor = models.CharField(max_length=60)
    back_outlet = outlet_key()
    back_seq = models.BigIntegerField()
    given_at = models.DateTimeField(db_default=Now())

    class Meta:
        ordering = ["given_at"]
        constraints = [
            models.UniqueConstraint(fields=["back_outlet", "phone", "back_seq"], name="refund_once_a_return"),
            models.CheckConstraint(
                # Of what was paid beforehand the counter gives nothing back.
                condition=Q(amount_fen__lte=F("price_fen")) & Q(amount_fen__lte=F("receipt_fen")),
                name="refund_is_at_most_what_was_paid",
            ),
            models.CheckConstraint(
                condition=Q(number__isnull=False) | Q(price_fen=F("receipt_fen")),
                name="refund_of_a_walk_in_has_its_price",
            ),
            models.CheckConstraint(
                condition=Q(method__in=["cash", "wechat", "alipay", "card"]), name="refund_method_is_known"
            ),
            models.CheckConstraint(condition=Q(actor__regex=ACTOR), name="refund_was_given_by_somebody"),
        ]

    def __str__(self) -> str:
        return f"{self.amount_fen} of {self.price_fen}"

    @property
    def at(self) -> datetime:
        return timezone.localtime(self.given_at)

    def number_at(self, outlet_code: str) -> str:
        """Return the number that stands on the receipt, from the outlet that took the phone back."""
        return f"{outlet_code}/{self.phone_id}/{self.back_seq}"
