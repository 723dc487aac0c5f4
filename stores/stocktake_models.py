"""A count of an outlet's shelves that is under way: a draft until it is booked."""

from __future__ import annotations

from django.db import models
from django.db.models import F, Q
from django.utils.translation import gettext_lazy as _

from stores.actors import PATTERN as ACTOR


class Stocktake(models.Model):
    """
    Shelves of one outlet that are being counted, by however many people and over however long.

    An outlet has one under way at a time. One that is over is empty: the ledger has what was booked, under keys that
    begin with `key`.
    """

    class End(models.TextChoices):
        BOOKED = "booked", _("booked")
        DROPPED = "dropped", _("thrown away")

    outlet = models.ForeignKey("stores.Outlet", models.PROTECT, related_name="stocktakes")
    opened_by = models.CharField(max_length=60)
    opened_at = models.DateTimeField()
    end = models.CharField(max_length=7, choices=End, blank=True)
    closed_by = models.CharField(max_length=60, blank=True)
    closed_at = models.DateTimeField(null=True)

    class Meta:
        ordering = ["-opened_at"]
        constraints = [
            models.UniqueConstraint(fields=["outlet"], condition=Q(closed_at__isnull=True), name="stocktake_open_once"),
            models.CheckConstraint(
                condition=Q(closed_at__isnull=True, closed_by="", end="")
                | Q(closed_at__gte=F("opened_at"), closed_by__regex=ACTOR, end__in=["booked", "dropped"]),
                name="stocktake_was_closed_by_somebody",
            ),
            models.CheckConstraint(condition=Q(opened_by__regex=ACTOR), name="stocktake_was_opened_by_somebody"),
        ]

    def __str__(self) -> str:
        return f"{self.pk} at {self.outlet_id}"

    @property
    def key(self) -> str:
        return f"stocktake:{self.pk}"


class StocktakeLine(models.Model):
    """How many of a phone somebody found on the shelf, and at which moment: what moves later is no difference."""

    pk = models.CompositePrimaryKey("stocktake", "phone")
    stocktake = models.ForeignKey(Stocktake, models.CASCADE, related_name="lines", db_index=False)
    phone = models.ForeignKey("catalog.Phone", models.PROTECT, related_name="+", db_index=False)
    counted = models.PositiveIntegerField()
    counted_at = models.DateTimeField()
    counted_by = models.CharField(max_length=60)
    # The form it came with: sent again because the answer was lost, it must not count as of a later moment.
    form_key = models.CharField(max_length=32, blank=True)

    class Meta:
        ordering = ["stocktake", "phone"]
        constraints = [
            models.CheckConstraint(condition=Q(counted__lte=10_000), name="stocktakeline_count_is_possible"),
            models.CheckConstraint(condition=Q(counted_by__regex=ACTOR), name="stocktakeline_says_who"),
        ]

    def __str__(self) -> str:
        return f"{self.stocktake_id}: {self.counted} of {self.phone_id}"


class StocktakeScan(models.Model):
    """A single phone that was seen on the shelf by its IMEI; each once."""

    pk = models.CompositePrimaryKey("stocktake", "number")
    stocktake = models.ForeignKey(Stocktake, models.CASCADE, related_name="scans", db_index=False)
    number = models.CharField(max_length=15)
    phone = models.ForeignKey("catalog.Phone", models.PROTECT, related_name="+", db_index=False)
    scanned_at = models.DateTimeField()

    class Meta:
        ordering = ["stocktake", "scanned_at"]
        constraints = [
            models.CheckConstraint(
                condition=Q(number__regex=r"^([0-9]{15}|[0-9A-F]{14})$"), name="stocktakescan_number_is_well_formed"
            ),
        ]

    def __str__(self) -> str:
        return f"{self.stocktake_id}: {self.number}"
