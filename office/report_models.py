"""What happened on each day, added up: the tables that reports read. Derived data, kept by `office.rollup` alone."""

from __future__ import annotations

from django.db import models

from catalog.models import Phone

# What happened on a day, in phones.
FLOWS = (
    "handed_over", "walk_in", "returned", "received", "transferred", "corrected",
    "reserved", "released", "moved", "placed", "set_aside", "cancelled", "declined", "expired",
)  # fmt: skip
# How long setting aside took: seconds, added up over phones, and how many phones were done within so many hours.
WAITING = ("set_aside_seconds", "within_1_hour", "within_4_hours", "within_24_hours")
SUMMED = (*FLOWS, *WAITING)
# What there was when the day ended.
LEVELS = ("on_hand", "promised", "missing")


class Figures(models.Model):
    """
    One day, in Asia/Shanghai, of one phone at one place: what happened, and what there was when the day ended.

    All are numbers of phones. `transferred`, `corrected` and `moved` are net; opening stock, counts, adjustments and
    damage are corrections. An order that moves to another outlet is `reserved` and `placed` where it was first, and
    `moved` at both: what came from elsewhere less what went there. `missing` is what was promised beyond what was on
    hand. A day on which nothing happened has no row.
    """

    day = models.DateField()
    handed_over = models.IntegerField()
    walk_in = models.IntegerField()
    returned = models.IntegerField()
    received = models.IntegerField()
    transferred = models.IntegerField()
    corrected = models.IntegerField()
    reserved = models.IntegerField()
    released = models.IntegerField()
    moved = models.IntegerField(default=0)
    placed = models.IntegerField()
    set_aside = models.IntegerField()
    cancelled = models.IntegerField()
    declined = models.IntegerField()
    expired = models.IntegerField()
    set_aside_seconds = models.BigIntegerField()
    within_1_hour = models.IntegerField()
    within_4_hours = models.IntegerField()
    within_24_hours = models.IntegerField()
    on_hand = models.IntegerField()
    promised = models.IntegerField()
    missing = models.IntegerField()

    class Meta:
        abstract = True


class OutletDay(Figures):
    """The figures of one outlet. `county_code` is where it lay when they were added up."""

    pk = models.CompositePrimaryKey("outlet", "phone", "day")
    outlet = models.ForeignKey("stores.Outlet", models.CASCADE, related_name="+", db_index=False, db_constraint=False)
    phone = models.ForeignKey(Phone, models.CASCADE, related_name="+", db_index=False, db_constraint=False)
    county_code = models.CharField(max_length=6)
    # By how much the levels were higher in the evening than in the morning.
    change_on_hand = models.IntegerField()
    change_promised = models.IntegerField()
    change_missing = models.IntegerField()

    class Meta:
        indexes = [models.Index(fields=["day"], name="outletday_by_day")]

    def __str__(self) -> str:
        return f"{self.outlet_id} {self.phone_id} {self.day}"


class RegionDay(Figures):
    """The figures of all outlets of a county, city, province or (code "") the country, added up."""

    pk = models.CompositePrimaryKey("region_code", "phone", "day")
    region_code = models.CharField(max_length=6)
    phone = models.ForeignKey(Phone, models.CASCADE, related_name="+", db_index=False, db_constraint=False)

    class Meta:
        indexes = [models.Index(fields=["day"], name="regionday_by_day")]

    def __str__(self) -> str:
        return f"{self.region_code or 'country'} {self.phone_id} {self.day}"


class RollupDay(models.Model):
    """
    A day that was added up: from how many lines of the ledger and of the orders' histories, and up to which moment.

    The numbers are null of a day that was not over then, and is only added to. Neither is ever
    changed or taken away, so a day that still has as many lines has the same ones.
    """

    day = models.DateField(primary_key=True)
    lines = models.BigIntegerField(null=True)
    changes = models.BigIntegerField(null=True)
    rolled_up_at = models.DateTimeField()

    def __str__(self) -> str:
        return f"{self.day}"
