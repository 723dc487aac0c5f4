"""What the pages of one shop and one region tell, gathered in a fixed number of queries."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, NamedTuple

from django.db import DEFAULT_DB_ALIAS
from django.db.models import BigIntegerField, CharField, DateField, FloatField
from django.urls import reverse
from django.utils.translation import get_language
from django.utils.translation import gettext as _

from api.prepared import Parameter, Planned
from catalog.catalogue import current_catalogue
from catalog.errors import GoneForGood, NotHere, Suggestion
from catalog.models import Phone, is_english, speaks_english
from stores.geography import Point, distance_between, distance_km
from stores.hours import (
    NO_WEEK,
    SHANGHAI,
    Closure,
    Opening,
    Week,
    closures_of,
    day_in_words,
    opening_at,
    week_in_words,
    weeks_of,
)
from stores.models import AVAILABLE, Outlet, Region, RegionStock, StockLevel, outlets_address
from stores.place_words import (
    COUNTY_OFFSET,
    NEARNESS,
    as_far_as_known,
    distance_in_words,
    distances,
    way_from_seat,
)

# Where else a phone is that this shop has not got: so many shops.
ELSEWHERE = 3
# Among so many of the nearest shops most phones are found; the others are searched for one by one.
NEIGHBOURS = 16
# Shops of the same town to suggest where a code is wrong.
MOST_SUGGESTIONS = 5


class Elsewhere(NamedTuple):
    """A shop that has a phone, and how far it is from the one asked about; `is_vague`: only its county is known."""

    name: str
    address: str
    distance: str
    km: int
    is_vague: bool


class NamedPlace(NamedTuple):
    """A region in a list: its name, the address of its page, and how many shops it has."""

    name: str
    address: str
    outlet_count: int


class Shelf(NamedTuple):
    """What a shop has of one phone, and where else it is if there is none. `counted` where the shelves differ in it."""

    phone: Phone
    available: int
    counted: str
    elsewhere: list[Elsewhere]


@dataclass(frozen=True)
class OutletPage:
    """
    One shop: where, when, and what is on its shelves.

    `distance` only where somebody said from where; `counted` is the day of all its counts, if it is one day.
    """

    outlet: Outlet
    regions: list[Region]
    opening: Opening
    hours: Week
    week: list[tuple[str, str]]
    closures: tuple[Closure, ...]
    shelves: list[Shelf]
    counted: str
    way: str
    distance: str | None


def outlet_page(code: str, moment: datetime, point: Point | None = None) -> OutletPage:
    """
    Return what the page of the outlet tells at `moment`. Four queries, whatever the number of outlets.

    Raises NotHere for an unknown code, GoneForGood for an outlet that is closed for good.
    """
    outlet, closures = find_outlet(code, moment)
    weeks = weeks_of([outlet.timetable_id])
    week = weeks.get(outlet.timetable_id, NO_WEEK)
    distance = None
    if point:
        km = distance_between(point, Point(outlet.latitude, outlet.longitude))
        distance = distance_in_words(km, outlet.coordinate_accuracy_km, is_vague=outlet.place_is_vague)
    regions = around(outlet.town)
    shelves, counted = _shelves(outlet)
    return OutletPage(
        outlet=outlet,
        regions=regions,
        opening=opening_at(moment, week, closures, outlet.state),
        hours=week,
        week=week_in_words(week),
        closures=closures,
        shelves=shelves,
        counted=counted,
        way=way_from_seat(outlet, regions[-2]),
        distance=distance,
    )


def find_outlet(code: str, moment: datetime) -> tuple[Outlet, tuple[Closure, ...]]:
    """
    Return the outlet, its town with the regions around it loaded, and on which days it is closed. One query.

    Raises NotHere for an unknown code, GoneForGood for an outlet that is closed for good.
    """
    rows = _outlet_of_code.rows(code=code, today=moment.astimezone(SHANGHAI).date())
    if not rows:
        raise NotHere(_("We have no shop with this code."), _shops_of(code.partition("-")[0]))
    periods, *values = rows[0]
    outlet = Outlet.from_db(DEFAULT_DB_ALIAS, _OUTLET_FIELDS, values[: len(_OUTLET_FIELDS)])
    outlet.town = _region_from(values[len(_OUTLET_FIELDS) :])
    if outlet.state == Outlet.State.CLOSED:
        raise GoneForGood(_("This shop has closed for good."), _nearest_to(outlet))
    return outlet, closures_of(tuple(periods))


_PLACE_FIELDS = ("coordinate_source", "coordinate_accuracy_km")
_OUTLET_FIELDS = (
    "id",
    "code",
    "name_zh",
    "name_en",
    "town_id",
    "address_zh",
    "address_en",
    "telephone",
    "latitude",
    "longitude",
    *_PLACE_FIELDS,
    "state",
    "timetable_id",
    "updated_at",
    "call_first",
)
_REGION_FIELDS = ("code", "level", "parent_id", "name_zh", "name_en", "latitude", "longitude", "outlet_count")


def _with_those_around(path: str) -> list[str]:
    """Return the columns of the region at `path` and of those that it lies in, for `_region_from`."""
    steps = [f"{path}{'parent__' * step}" for step in range(len(Region.Level))]
    return [f"{step}{field}" for step in steps for field in _REGION_FIELDS]


def _region_from(values: Sequence[Any]) -> Region:
    """Return the region whose columns these are, its parents loaded."""
    region = Region.from_db(DEFAULT_DB_ALIAS, _REGION_FIELDS, values[: len(_REGION_FIELDS)])
    if region.parent_id:
        region.parent = _region_from(values[len(_REGION_FIELDS) :])
    return region


@Planned
def _outlet_of_code() -> Any:
    outlets = Outlet.objects.filter(code=Parameter("code", CharField())).order_by()
    outlets = outlets.with_closures(Parameter("today", DateField()))
    return outlets.values_list("closures", *_OUTLET_FIELDS, *_with_those_around("town__"))


def _shops_of(town_code: str) -> list[Suggestion]:
    """Return shops of the town that an unknown code names, or else the region around it."""
    shops = list(Outlet.objects.visible().filter(town=town_code).order_by("code")[:MOST_SUGGESTIONS])
    return [Suggestion(shop.name, shop.get_absolute_url()) for shop in shops] or regions_like(town_code)


def _nearest_to(outlet: Outlet) -> list[Suggestion]:
    shops = Outlet.objects.open().nearest(Point(outlet.latitude, outlet.longitude))[:ELSEWHERE]
    return [Suggestion(shop.name, shop.get_absolute_url()) for shop in shops]


def _shelves(outlet: Outlet) -> tuple[list[Shelf], str]:
    """Return the shelves, and the day on which they were all counted. Two queries."""
    levels = _levels_of_outlet.rows(outlet=outlet.pk)
    day_of = {counted_at: _day(counted_at) for counted_at in {level[2] for level in levels}}
    found = {phone: (available, day_of[counted_at]) for phone, available, counted_at in levels}
    days = {day for _available, day in found.values()}
    phones = current_catalogue().listed
    available = {phone.pk: found[phone.pk][0] if outlet.is_open and phone.pk in found else 0 for phone in phones}
    elsewhere = _elsewhere(outlet, [phone for phone, number in available.items() if not number])
    shelves = [
        Shelf(
            phone,
            available[phone.pk],
            found[phone.pk][1] if phone.pk in found and len(days) > 1 else "",
            elsewhere.get(phone.pk, []),
        )
        for phone in phones
    ]
    # What is there comes first; both parts in the order of the catalogue.
    return sorted(shelves, key=lambda shelf: not shelf.available), days.pop() if len(days) == 1 else ""


@Planned
def _levels_of_outlet() -> Any:
    levels = StockLevel.objects.filter(outlet=Parameter("outlet", BigIntegerField()))
    return levels.with_counted_at().values_list("phone", AVAILABLE, "counted_at")


def _day(counted_at: datetime | None) -> str:
    return day_in_words(counted_at.astimezone(SHANGHAI)) if counted_at else ""


@Planned
def _nearest_shops() -> Any:
    latitude, longitude = (Parameter(name, FloatField()) for name in ("latitude", "longitude"))
    shops = Outlet.objects.open().nearest((latitude, longitude)).with_phones()
    return shops.values_list("phones", "code", "name_zh", "name_en", "chord", *_PLACE_FIELDS)


# Each phone's nearest shelves come from the index by phone and place, so a rare phone is found as fast as a common one;
# the index serves only integers of its own type.
@Planned
def _nearest_shelves() -> str:
    return f"""
        SELECT missing.phone_id, other.code, other.name_zh, other.name_en, near.chord, other.coordinate_source,
            other.coordinate_accuracy_km
        FROM unnest(%(phones)s::smallint[]) AS missing (phone_id) CROSS JOIN LATERAL (
            SELECT outlet_id, position <-> (SELECT position FROM stores_outlet WHERE id = %(outlet)s::bigint) AS chord
            FROM stores_stocklevel
            WHERE phone_id = missing.phone_id AND is_available
            ORDER BY position <-> (SELECT position FROM stores_outlet WHERE id = %(outlet)s::bigint)
            LIMIT {ELSEWHERE}
        ) AS near JOIN stores_outlet other ON other.id = near.outlet_id
        ORDER BY missing.phone_id, near.chord
    """


def _elsewhere(outlet: Outlet, phones: list[int]) -> dict[int, list[Elsewhere]]:
    """
    Return the nearest shops that have each of `phones`. One query; two where a phone is rare around here.

    Most phones are in a few of the nearest shops, and those are found at once for all phones. Those few stand in the
    order of what can be said of their distance.
    """
    if not phones:
        return {}
    in_words = _shops_in_words(outlet)
    shops: dict[int, list[Elsewhere]] = {phone: [] for phone in phones}
    near = _nearest_shops.rows(limit=NEIGHBOURS, latitude=outlet.latitude, longitude=outlet.longitude)
    for there, *values in near:
        lacking = [shops[phone] for phone in there if phone in shops and len(shops[phone]) < ELSEWHERE]
        if lacking:
            shop = in_words(*values)
            for found in lacking:
                found.append(shop)
    rare = [phone for phone, found in shops.items() if len(found) < ELSEWHERE]
    if rare and len(near) == NEIGHBOURS:
        shops |= {phone: [] for phone in rare}
        for phone, *values in _nearest_shelves.rows(phones=rare, outlet=outlet.pk):
            shops[phone].append(in_words(*values))
    return {phone: sorted(found, key=NEARNESS) for phone, found in shops.items()}


def _shops_in_words(outlet: Outlet) -> Callable[..., Elsewhere]:
    """Return what makes a row of the two questions above a shop as seen from `outlet`."""
    language = get_language()
    list_address, distance_words, in_english = outlets_address(language), distances(language), is_english(language)
    is_vague_here, accuracy_here = outlet.place_is_vague, outlet.coordinate_accuracy_km

    def in_words(code: str, chinese: str, english: str, chord: float, source: str, accuracy: int) -> Elsewhere:
        is_vague = is_vague_here or source == COUNTY_OFFSET
        is_within, km = as_far_as_known(distance_km(chord), max(accuracy, accuracy_here), is_vague)
        name = english if in_english else chinese
        return Elsewhere(name, f"{list_address}{code}/", distance_words(is_within, km), km, source == COUNTY_OFFSET)

    return in_words


def around(region: Region) -> list[Region]:
    """Return a region after those it lies in, the province first. No query if the parents are loaded."""
    return [*around(region.parent), region] if region.parent else [region]


def find_region(code: str) -> Region:
    """Return the region with those around it. Raises NotHere, with the regions whose code begins alike. One query."""
    rows = _region_of_code.rows(code=code)
    if not rows:
        raise NotHere(_("We know no place with this code."), regions_like(code))
    return _region_from(rows[0])


@Planned
def _region_of_code() -> Any:
    regions = Region.objects.filter(code=Parameter("code", CharField())).order_by()
    return regions.values_list(*_with_those_around(""))


def children_of(region: Region) -> list[NamedPlace]:
    """Return the regions right inside `region`, in the order of their codes. One query."""
    in_english = speaks_english()
    place = region.get_absolute_url().removesuffix(f"{region.code}/")
    return [
        NamedPlace(english if in_english else chinese, f"{place}{code}/", outlet_count)
        for code, chinese, english, outlet_count in _children.rows(parent=region.pk)
    ]


@Planned
def _children() -> Any:
    children = Region.objects.filter(parent=Parameter("parent", CharField()))
    return children.values_list("code", "name_zh", "name_en", "outlet_count")


def regions_like(code: str) -> list[Suggestion]:
    """Return the county, city and province that a code lies in by its digits, the smallest first; else all of them."""
    codes = [code[:6], f"{code[:4]}00", f"{code[:2]}0000"]
    regions = Region.objects.filter(code__in=codes).order_by("-level")
    found = [Suggestion(region.name, region.get_absolute_url()) for region in regions]
    return found or [Suggestion(_("All provinces"), reverse("stores:outlets"))]


def outlets_with_each_phone(region: Region) -> dict[int, int]:
    """Return how many open outlets of the region have each phone (by its key); none where a phone is left out."""
    return dict(_stock_of_region.rows(region=region.pk))


@Planned
def _stock_of_region() -> Any:
    return RegionStock.objects.filter(region=Parameter("region", CharField())).values_list("phone", "outlets_with")
