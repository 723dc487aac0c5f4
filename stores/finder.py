"""Lists of shops: by what was typed, by place, by region; each with the same few queries for any number of outlets."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import datetime
from functools import cache
from typing import Any, NamedTuple

from django.contrib.postgres.fields import ArrayField
from django.db.models import DateField, F, FloatField, Func, IntegerField, Q, SmallIntegerField, TextField, Value
from django.db.models.functions import Cast, Coalesce
from django.utils.translation import get_language

from api.prepared import IsAnyOf, Parameter, Planned, PlannedOnce
from catalog.models import is_english
from stores.geography import Point, distance_km
from stores.hours import NO_WEEK, SHANGHAI, Opening, closures_of, opening_at, weeks_of
from stores.models import Outlet, PlaceKey, Region, outlets_address
from stores.place_words import COUNTY_OFFSET, NEARNESS, as_far_as_known, distances
from stores.querysets import OutletQuerySet, towns_of
from stores.questions import Question, no_such_page
from stores.search import Hit, find_places

# Nobody reads more on a small screen, and each row weighs.
ROWS = 20
# So many regions are offered before the shops themselves.
MOST_PLACES = 8


class OutletRow(NamedTuple):
    """
    One shop in a list. `distance` is None where nobody asked from where; `available` where nobody asked for what.

    `km` is how far it is as far as that is known, and `is_vague` whether only its county is.
    """

    code: str
    name: str
    address: str
    opening: Opening
    distance: str | None
    available: int | None
    call_first: bool = False
    km: int = 0
    is_vague: bool = False


@dataclass(frozen=True)
class Found:
    """One page of a list: regions (on the first page), then shops; and whether there are more."""

    places: Sequence[Hit]
    outlets: Sequence[OutletRow]
    has_more: bool

    def __bool__(self) -> bool:
        return bool(self.places or self.outlets)


def find_by_text(question: Question, moment: datetime) -> Found:
    """Return the regions and shops that answer `question.text`, the best first. At most five queries."""
    hits = find_places(question.text)
    places = [hit for hit in hits if hit.level < Region.Level.TOWN][:MOST_PLACES]
    asked = codes_of(hits)
    # What the regions take of the first page, the later pages make up for.
    first = ROWS * (question.page - 1) - len(places)
    rows: list[OutletRow] = []
    has_more = False
    if asked["codes"]:
        rows, has_more = _rows(_named, asked, question, moment, start=max(first, 0), stop=first + ROWS)
    if question.page > 1 and not rows:
        raise no_such_page()
    return Found(places if question.page == 1 else [], rows, has_more)


def find_near(point: Point, question: Question, moment: datetime) -> Found:
    """
    Return the open shops nearest to `point`. At most two queries.

    Which shops a page has is decided by their points, as the index has them. On the page they stand by what it can say:
    a shop 4 km away comes before one of which nothing is known but that it is within 60 km.
    """
    found = _page(_near, {"latitude": point.latitude, "longitude": point.longitude}, question, moment)
    return Found([], sorted(found.outlets, key=NEARNESS), found.has_more)


def find_in_region(region: Region, question: Question, moment: datetime) -> Found:
    """Return the shops of a region in the order of their codes. At most two queries."""
    first, last = towns_of(region.prefix)
    return _page(_inside, {"first": first, "last": last}, question, moment)


def codes_of(hits: Sequence[Hit]) -> dict[str, list[str]]:
    """Return the codes of the towns and outlets among `hits`, the best first, as `named` takes them."""
    return {
        "codes": [hit.code for hit in hits if hit.level >= Region.Level.TOWN],
        "towns": [hit.code for hit in hits if hit.level == Region.Level.TOWN],
        "own": [hit.code for hit in hits if hit.level == PlaceKey.OUTLET_LEVEL],
    }


def named(outlets: OutletQuerySet, codes: Any, towns: Any, own: Any) -> OutletQuerySet:
    """Keep the outlets of `towns` and those with an `own` code; `rank` is where in `codes` each was found."""
    rank = Coalesce(_PlaceIn(codes, "town_id"), _PlaceIn(codes, "code"))
    return outlets.filter(Q(IsAnyOf("town", towns)) | Q(IsAnyOf("code", own))).annotate(rank=rank)


def _named() -> OutletQuerySet:
    asked = {name: Parameter(name, ArrayField(TextField())) for name in ("codes", "towns", "own")}
    return named(Outlet.objects.visible(), **asked).order_by("rank", "code")


def _near() -> OutletQuerySet:
    latitude, longitude = (Parameter(name, FloatField()) for name in ("latitude", "longitude"))
    return Outlet.objects.open().nearest((latitude, longitude))


def _inside() -> OutletQuerySet:
    first, last = (Parameter(name, TextField()) for name in ("first", "last"))
    return Outlet.objects.visible().between(first, last).order_by("town_id", "code")


Outlets = Callable[[], OutletQuerySet]


def _page(outlets: Outlets, asked: dict[str, Any], question: Question, moment: datetime) -> Found:
    first = ROWS * (question.page - 1)
    rows, has_more = _rows(outlets, asked, question, moment, start=first, stop=first + ROWS)
    if question.page > 1 and not rows:
        raise no_such_page()
    return Found([], rows, has_more)


@cache
def _prepared(outlets: Outlets, with_stock: bool, only_having: bool) -> Planned:
    """Return the question for what a row of a list says of the outlets, by the parameters of `outlets` and its own."""

    def make() -> Any:
        phone = Parameter("phone", SmallIntegerField())
        found = outlets().with_closures(Parameter("today", DateField()))
        found = found.having(phone) if only_having else found
        found = found.with_stock_of(phone) if with_stock else found
        nothing = Value(None, IntegerField())
        return found.values_list(
            "code",
            "name_zh",
            "name_en",
            "state",
            "timetable_id",
            "closures",
            "chord" if "chord" in found.query.annotations else nothing,
            "coordinate_accuracy_km",
            "coordinate_source",
            "available" if with_stock else nothing,
            "call_first",
        )

    return Planned(make) if outlets is _near else PlannedOnce(make)


def _rows(
    outlets: Outlets, asked: dict[str, Any], question: Question, moment: datetime, *, start: int, stop: int
) -> tuple[list[OutletRow], bool]:
    """Return the rows from `start` to before `stop`, and whether there are more. Two queries."""
    prepared = _prepared(outlets, question.phone is not None, question.phone is not None and question.only_having)
    phone = question.phone.pk if question.phone else None
    today = moment.astimezone(SHANGHAI).date()
    found = prepared.rows(**asked, phone=phone, today=today, offset=start, limit=stop + 1 - start)
    return _in_words(found[: stop - start], moment), len(found) > stop - start


def _in_words(found: list[tuple[Any, ...]], moment: datetime) -> list[OutletRow]:
    """Return what `_prepared` found as rows in the active language. One query."""
    weeks, now = weeks_of(row[4] for row in found), moment.astimezone(SHANGHAI)
    language = get_language()
    list_address, distance_words, in_english = outlets_address(language), distances(language), is_english(language)
    # Most shops of a list keep the same hours.
    openings: dict[tuple[str, ...], Opening] = {}
    rows = []
    for code, chinese, english, state, timetable, closures, chord, accuracy, source, available, call_first in found:
        key = (timetable, state, *closures)
        opening = openings.get(key)
        if opening is None:
            week = weeks.get(timetable, NO_WEEK)
            opening = openings[key] = opening_at(now, week, closures_of(tuple(closures)), state)
        distance, km, is_vague = None, 0, source == COUNTY_OFFSET
        if chord is not None:
            is_within, km = as_far_as_known(distance_km(chord), accuracy, is_vague)
            distance = distance_words(is_within, km)
        name = english if in_english else chinese
        address = f"{list_address}{code}/"
        rows.append(OutletRow(code, name, address, opening, distance, available, call_first, km, is_vague))
    return rows


class _PlaceIn(Func):
    """At which place of a list of codes a column's value stands; null where it is not in it."""

    function = "array_position"
    output_field = IntegerField()

    def __init__(self, codes: Any, field: str) -> None:
        super().__init__(Cast(codes, ArrayField(TextField())), Cast(F(field), TextField()))
