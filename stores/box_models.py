"""Boxes of phones that somebody is scanning: what is in them is a draft until it is booked."""

from __future__ import annotations

from django.db import models
from django.db.models import F, Q
from django.utils.translation import gettext_lazy as _

from stores.actors import PATTERN as ACTOR


class Box(models.Model):
    """
    Phones that arrive or are about to leave, scanned or counted one after another, and not booked yet.

    A box belongs to the counter, not to a person: whoever comes back to it goes on where the other stopped. So an
    outlet has one open box of deliveries, and one for each end of a transfer. `version` grows with each change, so
    that nobody books what somebody else has changed meanwhile. A box that is closed is empty: the ledger has what was
    booked, under the box's `key`.
    """

    class Purpose(models.TextChoices):
        DELIVERY = "delivery", _("delivery of a supplier")
        SENDING = "sending", _("transfer to another outlet")
        ARRIVING = "arriving", _("transfer from another outlet")

    class End(models.TextChoices):
        BOOKED = "booked", _("booked")
        DROPPED = "dropped", _("thrown away")

    outlet = models.ForeignKey("stores.Outlet", models.PROTECT, related_name="boxes")
    purpose = models.CharField(max_length=8, choices=Purpose)
    transfer = models.ForeignKey("stores.Transfer", models.PROTECT, null=True, related_name="boxes")
    note = models.CharField(max_length=40, blank=True, help_text=_("number of the delivery note"))
    # The phone that is being scanned, and whether two numbers are scanned of each.
    phone = models.ForeignKey("catalog.Phone", models.PROTECT, null=True, related_name="+", db_index=False)
    has_pairs = models.BooleanField(default=False)
    version = models.IntegerField(default=0)
    opened_by = models.CharField(max_length=60)
    opened_at = models.DateTimeField()
    end = models.CharField(max_length=7, choices=End, blank=True)
    closed_by = models.CharField(max_length=60, blank=True)
    closed_at = models.DateTimeField(null=True)

    class Meta:
        ordering = ["-opened_at"]
        constraints = [
            models.UniqueConstraint(
                fields=["outlet", "purpose", "transfer"],
                condition=Q(closed_at__isnull=True),
                nulls_distinct=False,
                name="box_open_once",
            ),
            models.CheckConstraint(
                condition=Q(purpose="delivery", transfer__isnull=True)
                | Q(purpose__in=["sending", "arriving"], transfer__isnull=False, note=""),
                name="box_is_of_a_delivery_or_a_transfer",
            ),
            models.CheckConstraint(
                condition=Q(closed_at__isnull=True, closed_by="", end="")
                | Q(closed_at__gte=F("opened_at"), closed_by__regex=ACTOR, end__in=["booked", "dropped"]),
                name="box_was_closed_by_somebody",
            ),
            models.CheckConstraint(condition=Q(opened_by__regex=ACTOR), name="box_was_opened_by_somebody"),
        ]

    def __str__(self) -> str:
        return f"{self.pk}: {self.purpose} at {self.outlet_id}, version {self.version}"

    @property
    def key(self) -> str:
        """The operation key under which the box is booked."""
        return f"box:{self.pk}"

    @property
    def is_open(self) -> bool:
        return self.closed_at is None


class BoxScan(models.Model):
    """
    One number that was scanned into a box, the `seq`th. Taken back by deleting it: the last one first.

    The two numbers of one phone are two rows: `unit` is the seq of the first, `slot` 1 or 2.
    """

    pk = models.CompositePrimaryKey("box", "seq")
    box = models.ForeignKey(Box, models.CASCADE, related_name="scans", db_index=False)
    seq = models.IntegerField()
    number = models.CharField(max_length=15)
    unit = models.IntegerField()
    slot = models.PositiveSmallIntegerField(default=1)
    phone = models.ForeignKey("catalog.Phone", models.PROTECT, related_name="+", db_index=False)
    awaits_second = models.BooleanField(default=False)
    is_damaged = models.BooleanField(default=False)

    class Meta:
        ordering = ["box", "seq"]
        constraints = [
            models.UniqueConstraint(fields=["box", "number"], name="boxscan_once_a_number"),
            models.UniqueConstraint(fields=["box", "unit", "slot"], name="boxscan_once_a_slot"),
            models.CheckConstraint(
                condition=Q(slot=1, unit=F("seq")) | Q(slot=2, unit__lt=F("seq"), awaits_second=False),
                name="boxscan_is_first_or_second",
            ),
        ]

    def __str__(self) -> str:
        return f"{self.box_id} #{self.seq} {self.number}"


class BoxCount(models.Model):
    """How many of one phone are in a box beside those that were scanned; `damaged` of them are."""

    pk = models.CompositePrimaryKey("box", "phone")
    box = models.ForeignKey(Box, models.CASCADE, related_name="counts", db_index=False)
    phone = models.ForeignKey("catalog.Phone", models.PROTECT, related_name="+", db_index=False)
    counted = models.PositiveIntegerField()
    damaged = models.PositiveIntegerField(default=0)

    class Meta:
        ordering = ["box", "phone"]
        constraints = [
            models.CheckConstraint(
                condition=Q(counted__range=(1, 10_000), damaged__lte=F("counted")),
                name="boxcount_is_a_number_of_phones",
            ),
        ]

    def __str__(self) -> str:
        return f"{self.box_id} {self.phone_id}: {self.counted}"
