"""
Orders and what belongs to them.

Every table carries the outlet and is keyed by it, so that all rows of an order lie on one server with the stock of its
outlet. What must always hold is held by the database: see migration 0002_chains_and_guards.
"""

from __future__ import annotations

from datetime import datetime
from typing import Any

from django.db import models
from django.db.models import F, Q
from django.db.models.functions import Now
from django.urls import reverse
from django.utils.crypto import constant_time_compare
from django.utils.translation import gettext_lazy as _

from catalog.models import Phone, local_text
from orders import numbers, pickup_codes
from orders.mobiles import MOBILE_LENGTH, NAME_LENGTH, mask_mobile, mask_name
from stores.models import Outlet, Region


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

    def for_lookup(self, number: str, last_four: str) -> Order | None:
        """Return the order of this number, as typed, if its mobile number ends so; None if not, or none is such."""
        read = numbers.read_number(number)
        order = self.numbered(read).select_related("outlet").first() if read else None
        # Compared even where there is no order, so that the time it takes tells nothing.
        same = constant_time_compare(order.mobile[-4:] if order else "none", last_four)
        return order if order and order.mobile and same else None

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
    outlet = models.ForeignKey(Outlet, models.PROTECT, related_name="orders", db_index=False)
    number = models.CharField(max_length=numbers.DIGITS)
    state = models.CharField(max_length=9, choices=State)
    change_seq = models.PositiveSmallIntegerField()
    name = models.CharField(max_length=NAME_LENGTH, blank=True)
    mobile = models.CharField(max_length=MOBILE_LENGTH, blank=True)
    language = models.CharField(max_length=7, choices=Language)
    channel = models.CharField(max_length=7, choices=Channel)
    # Made by the page when the form was shown: the same form sent twice is one order.
    form_key = models.CharField(max_length=60)
    pickup_fingerprint = models.BinaryField(max_length=32)
    line_count = models.PositiveSmallIntegerField()
    total_fen = models.PositiveIntegerField()
    prepaid_fen = models.PositiveIntegerField(default=0)
    paid_fen = models.PositiveIntegerField(null=True)
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
            models.CheckConstraint(
                condition=Q(state__in=["placed", "ready", "collected", "cancelled", "declined", "expired"]),
                name="order_state_is_known",
            ),
            models.CheckConstraint(condition=Q(channel__in=Channel.values), name="order_channel_is_known"),
            models.CheckConstraint(condition=Q(language__in=Language.values), name="order_language_is_known"),
            models.CheckConstraint(condition=Q(line_count__gte=1, total_fen__gt=0), name="order_is_for_something"),
            models.CheckConstraint(
                # A comparison with null would let it pass.
                condition=Q(state="collected", paid_fen__isnull=False, paid_fen=F("total_fen") - F("prepaid_fen"))
                | (~Q(state="collected") & Q(paid_fen=None)),
                name="order_is_paid_when_collected",
            ),
            models.CheckConstraint(
                condition=(_IS_OPEN & Q(ended_at=None)) | (~_IS_OPEN & Q(ended_at__isnull=False)),
                name="order_end_has_its_moment",
            ),
            models.CheckConstraint(
                condition=Q(erased_at=None, name__gt="", mobile__regex=r"^\+861[0-9]{10}$")
                | Q(erased_at__isnull=False, name="", mobile="", ended_at__isnull=False),
                name="order_knows_its_customer_until_erased",
            ),
        ]

    def __str__(self) -> str:
        return self.number

    def get_absolute_url(self) -> str:
        return reverse("orders:order", args=[self.number])

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


def _order_key(related_name: str) -> Any:
    """The way to the order of a row that belongs to one; the database's own foreign key is in migration 0002."""
    return models.ForeignObject(
        Order,
        models.DO_NOTHING,
        from_fields=["outlet", "number"],
        to_fields=["outlet", "number"],
        related_name=related_name,
    )


def _outlet_key() -> Any:
    # The key to the order says that the outlet exists.
    return models.ForeignKey(Outlet, models.DO_NOTHING, related_name="+", db_index=False, db_constraint=False)


class OrderLine(models.Model):
    """One phone of an order as it was when the order was placed: name, price and terms. Never changed."""

    pk = models.CompositePrimaryKey("outlet", "number", "position")
    outlet = _outlet_key()
    number = models.CharField(max_length=numbers.DIGITS)
    line_count = models.PositiveSmallIntegerField()
    position = models.PositiveSmallIntegerField()
    phone = models.ForeignKey(Phone, models.PROTECT, related_name="+", db_index=False)
    quantity = models.PositiveSmallIntegerField()
    name_zh = models.CharField(max_length=80)
    name_en = models.CharField(max_length=80)
    price_fen = models.PositiveIntegerField()
    terms = models.CharField(max_length=20)
    # Sum of the lines up to this one; the order's total is that of its last line, and a foreign key says so.
    running_fen = models.PositiveIntegerField()
    prev_position = models.PositiveSmallIntegerField(null=True)
    prev_running_fen = models.PositiveIntegerField(null=True)
    order = _order_key("lines")

    class Meta:
        ordering = ["outlet", "number", "position"]
        constraints = [
            models.UniqueConstraint(fields=["outlet", "number", "phone"], name="orderline_once_a_phone"),
            models.UniqueConstraint(fields=["outlet", "number", "position", "running_fen"], name="orderline_link"),
            models.CheckConstraint(condition=Q(position__lte=F("line_count")), name="orderline_is_one_of_its_order"),
            models.CheckConstraint(condition=Q(quantity__range=(1, 99)), name="orderline_quantity_is_sensible"),
            models.CheckConstraint(condition=Q(price_fen__gt=0), name="orderline_price_is_positive"),
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
    outlet = _outlet_key()
    number = models.CharField(max_length=numbers.DIGITS)
    seq = models.PositiveSmallIntegerField()
    kind = models.CharField(max_length=9, choices=Kind)
    state = models.CharField(max_length=9, choices=State)
    prev_seq = models.PositiveSmallIntegerField(null=True)
    prev_state = models.CharField(max_length=9, choices=State, null=True)  # noqa: DJ001 - null as in the chain's key
    actor = models.CharField(max_length=60)
    reason = models.CharField(max_length=200, blank=True)
    created_at = models.DateTimeField(db_default=Now())
    order = _order_key("history")

    class Meta:
        ordering = ["outlet", "number", "seq"]
        constraints = [
            models.UniqueConstraint(fields=["outlet", "number", "seq", "state"], name="orderchange_link"),
            models.CheckConstraint(condition=Q(actor__gt=""), name="orderchange_says_who"),
        ]

    def __str__(self) -> str:
        return f"{self.number} #{self.seq} {self.kind}"


class Payment(models.Model):
    """What was taken at the counter when an order was handed over. Never changed."""

    class Method(models.TextChoices):
        CASH = "cash", _("cash")
        POS = "pos", _("bank card")
        OTHER = "other", _("other")

    pk = models.CompositePrimaryKey("outlet", "number")
    outlet = _outlet_key()
    number = models.CharField(max_length=numbers.DIGITS)
    method = models.CharField(max_length=5, choices=Method)
    amount_fen = models.PositiveIntegerField()
    actor = models.CharField(max_length=60)
    taken_at = models.DateTimeField(db_default=Now())
    order = _order_key("payments")

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["outlet", "number", "amount_fen"], name="payment_link"),
            models.CheckConstraint(condition=Q(method__in=["cash", "pos", "other"]), name="payment_method_is_known"),
        ]

    def __str__(self) -> str:
        return f"{self.number} {self.amount_fen} {self.method}"


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

    class State(models.TextChoices):
        WAITING = "waiting", _("waiting")
        SENT = "sent", _("sent")
        GIVEN_UP = "given_up", _("given up")
        OUTDATED = "outdated", _("no longer true when its turn came")

    pk = models.CompositePrimaryKey("outlet", "number", "change_seq", "kind")
    outlet = models.ForeignKey(Outlet, models.DO_NOTHING, related_name="+", db_index=False, db_constraint=False)
    number = models.CharField(max_length=numbers.DIGITS)
    change_seq = models.PositiveSmallIntegerField()
    kind = models.CharField(max_length=9, choices=Kind)
    state = models.CharField(max_length=8, choices=State, default=State.WAITING)
    attempts = models.PositiveSmallIntegerField(default=0)
    next_attempt_at = models.DateTimeField(db_default=Now())
    created_at = models.DateTimeField(db_default=Now())
    sent_at = models.DateTimeField(null=True)
    segments = models.PositiveSmallIntegerField(null=True)
    receipt = models.CharField(max_length=100, blank=True, help_text=_("the gateway's own name for it"))
    error = models.CharField(max_length=200, blank=True)
    order = _order_key("messages")

    objects = MessageQuerySet.as_manager()

    class Meta:
        ordering = ["created_at"]
        indexes = [
            models.Index("next_attempt_at", name="message_waiting", condition=Q(state="waiting")),
        ]
        constraints = [
            models.CheckConstraint(
                condition=Q(state="sent", sent_at__isnull=False) | (~Q(state="sent") & Q(sent_at=None)),
                name="message_sent_has_its_moment",
            ),
            models.CheckConstraint(
                condition=Q(state__in=["waiting", "sent", "given_up", "outdated"]), name="message_state_is_known"
            ),
            models.CheckConstraint(
                condition=Q(
                    kind__in=[
                        "placed",
                        "ready",
                        "reminder",
                        "expired",
                        "declined",
                        "cancelled",
                        "moved",
                        "escalated",
                    ]
                ),
                name="message_kind_is_known",
            ),
        ]

    def __str__(self) -> str:
        return f"{self.out_id} {self.state}"

    @property
    def out_id(self) -> str:
        """Names the message towards the gateway: the same at every attempt, so that it is sent once."""
        return f"{self.number}-{self.change_seq}-{self.kind}"
