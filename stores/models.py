"""Regions, outlets, their hours, and what stands on their shelves."""

from __future__ import annotations

from django.contrib.postgres.indexes import GistIndex
from django.db import models
from django.db.models import ExpressionWrapper, F, Q
from django.db.models.functions import Left
from django.urls import reverse
from django.utils.translation import gettext_lazy as _

from catalog.models import Phone, local_text
from stores.geography import CubeField, SpherePoint
from stores.querysets import AVAILABLE as AVAILABLE
from stores.querysets import OutletQuerySet


class Region(models.Model):
    """
    One node of the tree province > city > county > town.

    `code` is the division code: six digits (GB/T 2260) down to the county, nine (National Bureau of Statistics) for a
    town. A region's code begins with the digits that matter of the one it lies in.
    """

    class Level(models.IntegerChoices):
        PROVINCE = 1, _("province")
        CITY = 2, _("city")
        COUNTY = 3, _("county")
        TOWN = 4, _("town")

    # How many digits of a code name the region itself; the rest are zeros.
    PREFIX_DIGITS = {Level.PROVINCE: 2, Level.CITY: 4, Level.COUNTY: 6, Level.TOWN: 9}

    code = models.CharField(max_length=9, primary_key=True)
    level = models.PositiveSmallIntegerField(choices=Level)
    parent = models.ForeignKey("self", models.PROTECT, null=True, related_name="children")
    name_zh = models.CharField(max_length=40)
    name_pinyin = models.CharField(max_length=120)
    name_en = models.CharField(max_length=120)
    pinyin_initials = models.CharField(max_length=30)
    latitude = models.FloatField(null=True)
    longitude = models.FloatField(null=True)
    # Outlets that customers can see in this region; kept by `stores.regions.recount_outlets`.
    outlet_count = models.PositiveIntegerField(default=0)

    class Meta:
        ordering = ["code"]
        constraints = [
            models.CheckConstraint(
                condition=Q(level__in=[1, 2, 3], code__regex=r"^[0-9]{6}$") | Q(level=4, code__regex=r"^[0-9]{9}$"),
                name="region_code_suits_its_level",
            ),
            models.CheckConstraint(
                condition=Q(level=1, parent__isnull=True) | Q(level__in=[2, 3, 4], parent__isnull=False),
                name="region_below_province_has_a_parent",
            ),
            models.CheckConstraint(
                condition=Q(latitude__isnull=True, longitude__isnull=True)
                | Q(latitude__range=(-90, 90), longitude__range=(-180, 180)),
                name="region_is_on_earth",
            ),
        ]

    def __str__(self) -> str:
        return self.name

    def get_absolute_url(self) -> str:
        return reverse("stores:region", args=[self.code])

    @property
    def name(self) -> str:
        return local_text(self.name_zh, self.name_en)

    @property
    def prefix(self) -> str:
        """The digits that the codes of everything inside this region begin with."""
        return self.code[: self.PREFIX_DIGITS[Region.Level(self.level)]]


class Timetable(models.Model):
    """A pattern of weekly hours, shared by the outlets that keep it."""

    slug = models.SlugField(max_length=40, unique=True)
    name_zh = models.CharField(max_length=60)
    name_en = models.CharField(max_length=80)

    class Meta:
        ordering = ["slug"]

    def __str__(self) -> str:
        return local_text(self.name_zh, self.name_en)


class TimetableHours(models.Model):
    """From when to when a timetable is open on one weekday, in Asia/Shanghai; a weekday may have several."""

    timetable = models.ForeignKey(Timetable, models.CASCADE, related_name="hours")
    weekday = models.PositiveSmallIntegerField(help_text=_("0 is Monday, as in Python"))
    opens = models.TimeField()
    closes = models.TimeField()

    class Meta:
        ordering = ["timetable", "weekday", "opens"]
        constraints = [
            models.UniqueConstraint(fields=["timetable", "weekday", "opens"], name="hours_open_once_at_a_time"),
            models.CheckConstraint(condition=Q(weekday__lte=6), name="hours_are_on_a_weekday"),
            models.CheckConstraint(condition=Q(closes__gt=F("opens")), name="hours_close_after_they_open"),
        ]

    def __str__(self) -> str:
        return f"{self.weekday} {self.opens:%H:%M}-{self.closes:%H:%M}"


class Outlet(models.Model):
    """One shop of the retailer."""

    class State(models.TextChoices):
        PLANNED = "planned", _("opening soon")
        OPEN = "open", _("open")
        SUSPENDED = "suspended", _("closed for now")
        CLOSED = "closed", _("closed for good")

    class CoordinateSource(models.TextChoices):
        """How the point is known; see the README of the data."""

        TOWN = "town", _("the town's own point")
        VILLAGE = "village", _("the point of the village in the address")
        COUNTY_SEAT = "county_seat", _("the point of the county seat")
        COUNTY_OFFSET = "county_offset", _("somewhere in the county")

    code = models.CharField(max_length=20, unique=True)
    name_zh = models.CharField(max_length=80)
    name_en = models.CharField(max_length=160)
    town = models.ForeignKey(Region, models.PROTECT, related_name="outlets")
    address_zh = models.CharField(max_length=200)
    address_en = models.CharField(max_length=300)
    telephone = models.CharField(max_length=20, blank=True)
    latitude = models.FloatField()
    longitude = models.FloatField()
    coordinate_source = models.CharField(max_length=13, choices=CoordinateSource)
    coordinate_accuracy_km = models.PositiveSmallIntegerField()
    geonames_id = models.PositiveIntegerField(null=True, blank=True)
    state = models.CharField(max_length=9, choices=State, default=State.OPEN)
    timetable = models.ForeignKey(Timetable, models.PROTECT, related_name="outlets")
    position = models.GeneratedField(
        expression=SpherePoint("latitude", "longitude"), output_field=CubeField(), db_persist=True
    )
    # What the stock levels of the outlet carry a copy of, held true by a foreign key.
    trades = models.GeneratedField(
        expression=ExpressionWrapper(Q(state="open"), models.BooleanField()),
        output_field=models.BooleanField(),
        db_persist=True,
    )
    county_code = models.GeneratedField(
        expression=Left(F("town_id"), 6), output_field=models.CharField(max_length=6), db_persist=True
    )

    objects = OutletQuerySet.as_manager()

    class Meta:
        ordering = ["code"]
        indexes = [
            GistIndex("position", name="outlet_position", condition=Q(state="open")),
        ]
        constraints = [
            models.CheckConstraint(condition=Q(code__regex=r"^[0-9]{9}-[0-9]{2}$"), name="outlet_code_is_well_formed"),
            models.CheckConstraint(
                condition=Q(latitude__range=(-90, 90), longitude__range=(-180, 180)),
                name="outlet_is_on_earth",
            ),
            models.CheckConstraint(
                condition=Q(state__in=["planned", "open", "suspended", "closed"]),
                name="outlet_state_is_known",
            ),
            models.CheckConstraint(
                condition=Q(coordinate_source__in=["town", "village", "county_seat", "county_offset"]),
                name="outlet_coordinate_source_is_known",
            ),
        ]

    def __str__(self) -> str:
        return self.name

    def get_absolute_url(self) -> str:
        return reverse("stores:outlet", args=[self.code])

    @property
    def name(self) -> str:
        return local_text(self.name_zh, self.name_en)

    @property
    def address(self) -> str:
        return local_text(self.address_zh, self.address_en)

    @property
    def is_open(self) -> bool:
        """Whether the shop does business at all; its hours are another matter."""
        return self.state == self.State.OPEN

    @property
    def place_is_vague(self) -> bool:
        """Whether only the county of the shop is known, so that a distance is "about"."""
        return self.coordinate_source == self.CoordinateSource.COUNTY_OFFSET


class ClosedPeriod(models.Model):
    """Whole days, first and last included, on which an outlet does not open."""

    outlet = models.ForeignKey(Outlet, models.CASCADE, related_name="closed_periods")
    first_day = models.DateField()
    last_day = models.DateField()
    reason_zh = models.CharField(max_length=60)
    reason_en = models.CharField(max_length=80)

    class Meta:
        ordering = ["outlet", "first_day"]
        constraints = [
            models.UniqueConstraint(fields=["outlet", "first_day"], name="closedperiod_begins_once"),
            models.CheckConstraint(condition=Q(last_day__gte=F("first_day")), name="closedperiod_ends_after_it_begins"),
        ]

    def __str__(self) -> str:
        return f"{self.first_day} - {self.last_day}"


class StockLevel(models.Model):
    """
    How many of one phone an outlet holds, and how many of those are promised.

    The head of the ledger chain: a foreign key ties (outlet, phone, seq, on_hand, reserved) to the StockMovement that
    explains it. Only `stores.ledger` writes it. Whether and where the outlet trades is copied here (a foreign key that
    cascades keeps the copy true), so that a reservation asks this row alone and one index finds the nearest stock.
    """

    pk = models.CompositePrimaryKey("outlet", "phone")
    outlet = models.ForeignKey(Outlet, models.PROTECT, related_name="stock_levels", db_index=False)
    phone = models.ForeignKey(Phone, models.PROTECT, related_name="stock_levels", db_index=False)
    seq = models.BigIntegerField()
    on_hand = models.PositiveIntegerField()
    reserved = models.PositiveIntegerField()
    safety_stock = models.PositiveSmallIntegerField(default=0)
    reorder_point = models.PositiveSmallIntegerField(default=0, help_text=_("0: the outlet does not keep this phone"))
    counted_at = models.DateTimeField(null=True)
    moved_at = models.DateTimeField(help_text=_("when the newest line of its ledger was written"))
    outlet_trades = models.BooleanField()
    county_code = models.CharField(max_length=6)
    position = CubeField()
    is_available = models.GeneratedField(
        expression=ExpressionWrapper(
            Q(outlet_trades=True, on_hand__gt=F("reserved") + F("safety_stock")), models.BooleanField()
        ),
        output_field=models.BooleanField(),
        db_persist=True,
    )

    class Meta:
        indexes = [
            # Changes only when availability does, so most reservations leave every index alone.
            GistIndex("phone", "position", name="stocklevel_nearest", condition=Q(is_available=True)),
        ]
        constraints = [
            # Not reserved <= on_hand: a count of the shelf may find less than was promised, and the shelf is right.
            models.CheckConstraint(
                condition=Q(on_hand__gte=0, reserved__gte=0, safety_stock__gte=0),
                name="stocklevel_counts_are_not_negative",
            ),
        ]

    def __str__(self) -> str:
        return f"{self.outlet_id} {self.phone_id}: {self.on_hand} - {self.reserved}"

    @property
    def available(self) -> int:
        """What the outlet can promise; the same rule as AVAILABLE."""
        return max(self.on_hand - self.reserved - self.safety_stock, 0)


class StockMovement(models.Model):
    """
    One line of the ledger: what changed on a shelf, what stands there since, who did it and why. Never changed.

    Lines of one outlet and phone form a chain by `seq`; the database holds each line to the one before it.
    """

    class Kind(models.TextChoices):
        OPENING = "opening", _("opening stock")
        RECEIVED = "received", _("received")
        RESERVED = "reserved", _("reserved")
        RELEASED = "released", _("released")
        HANDED_OVER = "handed_over", _("handed over")
        WALK_IN_SALE = "walk_in_sale", _("sold at the counter")
        RETURNED = "returned", _("returned")
        DAMAGED = "damaged", _("damaged")
        ADJUSTED = "adjusted", _("adjusted")
        COUNTED = "counted", _("counted")
        TRANSFER_OUT = "transfer_out", _("sent to another outlet")
        TRANSFER_IN = "transfer_in", _("received from another outlet")

    pk = models.CompositePrimaryKey("outlet", "phone", "seq")
    # The chain leads back to a stock level, whose own keys hold outlet and phone: once is enough, and quicker.
    outlet = models.ForeignKey(Outlet, models.PROTECT, related_name="+", db_index=False, db_constraint=False)
    phone = models.ForeignKey(Phone, models.PROTECT, related_name="+", db_index=False, db_constraint=False)
    seq = models.BigIntegerField()
    kind = models.CharField(max_length=12, choices=Kind)
    change_on_hand = models.IntegerField()
    change_reserved = models.IntegerField()
    on_hand = models.PositiveIntegerField()
    reserved = models.PositiveIntegerField()
    prev_seq = models.BigIntegerField(null=True)
    prev_on_hand = models.PositiveIntegerField(null=True)
    prev_reserved = models.PositiveIntegerField(null=True)
    reference = models.CharField(max_length=60, blank=True)
    actor = models.CharField(max_length=60)
    reason = models.CharField(max_length=200, blank=True)
    # Once is once: an operation's lines are numbered from 1, so a key can serve one operation of an outlet only.
    operation_key = models.CharField(max_length=60)
    operation_line = models.SmallIntegerField()
    # What a count found on the shelf, and when; movements after that moment are in the change.
    counted = models.PositiveIntegerField(null=True)
    counted_at = models.DateTimeField(null=True)
    created_at = models.DateTimeField()

    class Meta:
        ordering = ["outlet", "phone", "seq"]
        constraints = [
            models.UniqueConstraint(
                fields=["outlet", "phone", "seq", "on_hand", "reserved"], name="stockmovement_link"
            ),
            models.UniqueConstraint(
                fields=["outlet", "operation_key", "operation_line"], name="stockmovement_operation_once"
            ),
            models.CheckConstraint(
                condition=Q(kind="counted", counted__isnull=False, counted_at__isnull=False)
                | Q(~Q(kind="counted"), counted__isnull=True, counted_at__isnull=True),
                name="stockmovement_count_says_what_and_when",
            ),
            models.CheckConstraint(
                condition=Q(
                    kind__in=[
                        "opening",
                        "received",
                        "reserved",
                        "released",
                        "handed_over",
                        "walk_in_sale",
                        "returned",
                        "damaged",
                        "adjusted",
                        "counted",
                        "transfer_out",
                        "transfer_in",
                    ]
                ),
                name="stockmovement_kind_is_known",
            ),
        ]

    def __str__(self) -> str:
        return f"{self.outlet_id} {self.phone_id} #{self.seq} {self.kind}"


class PlaceKey(models.Model):
    """
    One way to ask for a place: a piece of its name as it might be typed. Derived data, made by `stores.search`.

    `code` is a region's or an outlet's, so that everything inside a region is a range of codes. No foreign key: a
    rebuild writes them by the hundred thousand, and a key whose place has gone joins to nothing.
    """

    class Kind(models.IntegerChoices):
        # A name from its first letter, Chinese or romanised, alone or after that of the county.
        NAME = 0
        # The first letters of its syllables.
        INITIALS = 1
        # What is left of a Chinese name from the second, third, ... character on.
        INSIDE = 2
        # A romanised name read backwards, to find those whose second half was typed without a slip.
        REVERSED = 3

    # An outlet counts as the level below the town.
    OUTLET_LEVEL = 5

    pk = models.CompositePrimaryKey("key", "kind", "code")
    key = models.CharField(max_length=160, db_collation="C")
    kind = models.PositiveSmallIntegerField(choices=Kind)
    code = models.CharField(max_length=20)
    level = models.PositiveSmallIntegerField()

    class Meta:
        indexes = [models.Index("key", name="placekey_above_towns", condition=Q(level__lt=4))]

    def __str__(self) -> str:
        return f"{self.key} {self.code}"


class RegionMap(models.Model):
    """The outlets of one region (null: of the country) as dots on a small grid. Derived data, by `stores.maps`."""

    region = models.ForeignKey(Region, models.CASCADE, null=True, related_name="+", db_index=False)
    width = models.PositiveSmallIntegerField()
    height = models.PositiveSmallIntegerField()
    # An SVG path: one line of no length for each dot.
    path = models.TextField()

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["region"], name="regionmap_once_a_region", nulls_distinct=False),
        ]

    def __str__(self) -> str:
        return f"{self.region_id} {self.width}x{self.height}"


class RegionStock(models.Model):
    """What all open outlets of one region (null: of the country) have of one phone, added up."""

    region = models.ForeignKey(Region, models.CASCADE, null=True, related_name="stock")
    phone = models.ForeignKey(Phone, models.CASCADE, related_name="+", db_index=False)
    outlets_with = models.PositiveIntegerField(help_text=_("outlets that can promise at least one"))
    on_hand = models.PositiveIntegerField()
    reserved = models.PositiveIntegerField()
    available = models.PositiveIntegerField()

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["region", "phone"], name="regionstock_once_a_phone", nulls_distinct=False),
        ]

    def __str__(self) -> str:
        return f"{self.region_id} {self.phone_id}: {self.available}"


class RegionStockChange(models.Model):
    """
    What a change of a shelf means for the totals of its county, until `stores.totals` folds it into RegionStock.

    Rows are only ever added and folded away, so no two callers wait for each other over a total.
    """

    county_code = models.CharField(max_length=6)
    phone = models.ForeignKey(Phone, models.CASCADE, related_name="+", db_index=False)
    outlets_with = models.IntegerField()
    on_hand = models.IntegerField()
    reserved = models.IntegerField()
    available = models.IntegerField()

    def __str__(self) -> str:
        return f"{self.county_code} {self.phone_id}: {self.available:+}"
