"""Regions, outlets, their hours, and how places are asked for; the models of stock come along from their own files."""

from __future__ import annotations

from functools import cache

from django.contrib.postgres.indexes import GistIndex
from django.db import models
from django.db.models import ExpressionWrapper, F, Q
from django.db.models.functions import Left, Now
from django.urls import get_script_prefix, reverse
from django.utils.translation import get_language
from django.utils.translation import gettext_lazy as _

from catalog.models import local_text
from stores.box_models import Box, BoxCount, BoxScan
from stores.form_models import DoneForm
from stores.geography import CubeField, SpherePoint
from stores.people_models import Assignment, Person, Role
from stores.presence_models import DeskSeen
from stores.querysets import AVAILABLE, OutletQuerySet
from stores.stock_models import LastCounts, RegionStock, RegionStockChange, StockLevel, StockMovement
from stores.stocktake_models import Stocktake, StocktakeLine, StocktakeScan
from stores.unit_models import Handset, HandsetEvent, HandsetNumber, Shortfall, Transfer, TransferLine

__all__ = [
    "AVAILABLE",
    "Assignment",
    "Box",
    "BoxCount",
    "BoxScan",
    "ClosedPeriod",
    "DeskSeen",
    "DoneForm",
    "Handset",
    "HandsetEvent",
    "HandsetNumber",
    "IndexedPlace",
    "LastCounts",
    "Outlet",
    "Person",
    "PlaceKey",
    "Region",
    "RegionMap",
    "RegionStock",
    "RegionStockChange",
    "Role",
    "Shortfall",
    "StockLevel",
    "StockMovement",
    "Stocktake",
    "StocktakeLine",
    "StocktakeScan",
    "Timetable",
    "TimetableHours",
    "Transfer",
    "TransferLine",
]


@cache
def _address(name: str, language: str | None, script_prefix: str) -> str:
    """Return the address that those of all codes begin with. Lists have many, and working one out takes its time."""
    return reverse(name, args=["0"]).removesuffix("0/")


def outlets_address(language: str | None) -> str:
    """Return what the addresses of all outlets begin with, in the active text size. `language` is the active one."""
    return _address("stores:outlet", language, get_script_prefix())


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
            # Without them nobody would find it, nor what lies in it.
            models.CheckConstraint(condition=Q(name_pinyin__regex="^[^[:space:]]"), name="region_has_its_pinyin"),
            models.CheckConstraint(
                condition=Q(pinyin_initials__regex="^[a-z]+$"), name="region_initials_are_small_letters"
            ),
        ]

    def __str__(self) -> str:
        return self.name

    def get_absolute_url(self) -> str:
        return f"{_address('stores:region', get_language(), get_script_prefix())}{self.code}/"

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
    # When what programs are told of it changed last; the database keeps it, whoever writes and however many at once.
    updated_at = models.DateTimeField(db_default=Now(), editable=False)
    # Nobody has heard of its clerks for a while; see `stores.presence`.
    call_first = models.BooleanField(default=False, db_default=False)
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
            models.Index("updated_at", "code", name="outlet_by_update"),
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
        return f"{outlets_address(get_language())}{self.code}/"

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


class IndexedPlace(models.Model):
    """A region or outlet with the names, as a digest, that its keys were made of. Derived data, by `stores.search`."""

    code = models.CharField(max_length=20, primary_key=True)
    made_of = models.UUIDField()

    def __str__(self) -> str:
        return self.code


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

    @property
    def dot_size(self) -> float:
        """How wide to draw a dot, in cells: large enough to be seen where there are few."""
        return 0.8 if self.path.count("h") > 100 else 1.6
