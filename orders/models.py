"""
Orders; the models of what belongs to them come along from their own files.

Every table carries the outlet and is keyed by it, so that all rows of an order lie on one server with the stock of its
outlet. What must always hold is held by the database: see migrations 0002_chains_and_guards and
0019_rows_are_held_by_triggers.
"""

from __future__ import annotations

import re
from datetime import datetime

from django.db import models
from django.db.models import Q
from django.db.models.functions import Right

from orders import numbers, pickup_codes
from orders.addresses import address_of
from orders.message_models import Message
from orders.mobiles import MOBILE_LENGTH, NAME_LENGTH, mask_mobile, mask_name
from orders.record_models import OrderChange, OrderLine, Payment
from orders.refund_models import Refund
from orders.sale_models import SaleUse
from orders.states import OPEN_STATES, Channel, Language, State
from orders.walk_in_models import WalkInMessage, WalkInSale
from stores.models import Outlet, Region

__all__ = [
    "OPEN_STATES",
    "Channel",
    "Language",
    "Message",
    "Order",
    "OrderChange",
    "OrderLine",
    "Payment",
    "Refund",
    "SaleUse",
    "State",
    "WalkInMessage",
    "WalkInSale",
]


_IS_OPEN = Q(state__in=["placed", "ready"])


class OrderQuerySet(models.QuerySet["Order"]):
    def open(self) -> OrderQuerySet:
        """Orders that stock is set aside for."""
        return self.filter(_IS_OPEN)

    def at(self, outlet: Outlet) -> OrderQuerySet:
        return self.filter(outlet=outlet)

    def in_region(self, region: Region) -> OrderQuerySet:
        """Orders at the outlets inside `region`, whatever its level."""
        return self.filter(outlet__in=Outlet.objects.in_region(region))

    def numbered(self, number: str) -> OrderQuerySet:
        """The order of a well-formed number; looks at its own outlet alone."""
        return self.filter(outlet_id=numbers.outlet_of(number), number=number)

    def with_last_four(self, digits: str) -> OrderQuerySet:
        """The orders of the whole country whose mobile number ends in these four digits."""
        return self.alias(last_four=Right("mobile", 4)).filter(mobile__gt="", last_four=digits)

    def for_lookup(self, number: str, last_four: str) -> Order | None:
        """Return the order of this number, as typed, if its mobile number ends so; None if not, or none is such."""
        read = numbers.read_number(number)
        if not read or not re.fullmatch("[0-9]{4}", last_four, re.ASCII):
            return None
        # The database compares: wrong digits and an unknown number both give no row, after the same work.
        return self.numbered(read).filter(mobile__endswith=last_four).select_related("outlet").first()

    def with_pickup_code(self, outlet: Outlet, code: str) -> OrderQuerySet:
        """The open order, if any, that this code fetches at this outlet."""
        return self.open().filter(outlet=outlet, pickup_fingerprint=pickup_codes.fingerprint(outlet.pk, code))

    def overdue(self, now: datetime) -> OrderQuerySet:
        """Open orders that are no longer kept."""
        return self.open().filter(held_until__lte=now)

    def escalated(self) -> OrderQuerySet:
        """Orders that their outlet has not set aside in time: for whoever answers for the outlet."""
        return self.filter(state=State.PLACED, escalated_at__isnull=False).order_by("escalated_at")


class Order(models.Model):
    """
    A customer's reservation at one outlet.

    `state` and the moments beside it change together with `change_seq`, the number of the newest line of the order's
    history; foreign keys and a guard see to it. Only `orders.checkout` and `orders.history` write it.
    """

    pk = models.CompositePrimaryKey("outlet", "number")
    # Its lines are of shelves of this outlet, so there is one.
    outlet = models.ForeignKey(Outlet, models.PROTECT, related_name="orders", db_index=False, db_constraint=False)
    number = models.CharField(max_length=numbers.DIGITS)
    state = models.CharField(max_length=9, choices=State)
    change_seq = models.SmallIntegerField()
    name = models.CharField(max_length=NAME_LENGTH, blank=True)
    mobile = models.CharField(max_length=MOBILE_LENGTH, blank=True)
    language = models.CharField(max_length=7, choices=Language)
    channel = models.CharField(max_length=7, choices=Channel)
    # Made by the page when the form was shown: the same form sent twice is one order.
    form_key = models.CharField(max_length=60)
    pickup_fingerprint = models.BinaryField(max_length=32)
    line_count = models.SmallIntegerField()
    total_fen = models.IntegerField()
    prepaid_fen = models.IntegerField(default=0)
    paid_fen = models.IntegerField(null=True)
    placed_at = models.DateTimeField()
    ready_at = models.DateTimeField(null=True)
    held_until = models.DateTimeField()
    extended_at = models.DateTimeField(null=True)
    reminded_at = models.DateTimeField(null=True)
    escalated_at = models.DateTimeField(null=True)
    ended_at = models.DateTimeField(null=True)
    erased_at = models.DateTimeField(null=True)
    # The number under which it lives on at another outlet, and the one it came from.
    moved_to = models.CharField(max_length=numbers.DIGITS, blank=True)
    moved_from = models.CharField(max_length=numbers.DIGITS, blank=True)

    objects = OrderQuerySet.as_manager()

    class Meta:
        ordering = ["-placed_at"]
        indexes = [
            models.Index("mobile", name="order_by_mobile", condition=Q(mobile__gt="")),
            models.Index(Right("mobile", 4), "placed_at", name="order_by_last_four", condition=Q(mobile__gt="")),
            models.Index("placed_at", "number", name="order_by_placed"),
            models.Index("held_until", name="order_open_by_hold", condition=_IS_OPEN),
            models.Index("placed_at", name="order_to_escalate", condition=Q(state="placed", escalated_at=None)),
            models.Index("ended_at", name="order_to_erase", condition=Q(ended_at__isnull=False, erased_at=None)),
        ]
        constraints = [
            models.UniqueConstraint(fields=["outlet", "form_key"], name="order_once_a_form"),
            models.UniqueConstraint(fields=["outlet", "number", "line_count"], name="order_line_count_link"),
            models.UniqueConstraint(
                fields=["outlet", "pickup_fingerprint"], name="order_pickup_code_is_its_own", condition=_IS_OPEN
            ),
        ]

    def __str__(self) -> str:
        return self.number

    def get_absolute_url(self) -> str:
        return address_of(self.number)

    @property
    def is_open(self) -> bool:
        return self.state in OPEN_STATES

    @property
    def can_be_moved(self) -> bool:
        """While not yet set aside; a declined order, too, since its customer still wants the phone."""
        return self.state in (State.PLACED, State.DECLINED) and not self.moved_to and not self.erased_at

    @property
    def can_be_extended(self) -> bool:
        return self.is_open and self.extended_at is None

    @property
    def pickup_code(self) -> str:
        """Derived with the key of the settings; no table holds it."""
        return pickup_codes.derive_code(self.number)

    @property
    def spoken_number(self) -> str:
        return numbers.spoken(self.number)

    @property
    def due_fen(self) -> int:
        """What is to be paid at the counter."""
        return self.total_fen - self.prepaid_fen

    @property
    def masked_name(self) -> str:
        return mask_name(self.name)

    @property
    def masked_mobile(self) -> str:
        return mask_mobile(self.mobile)
