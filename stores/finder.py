"""Lists of shops: by what was typed, by place, by region; each with the same few queries for any number of outlets."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import datetime
from functools import cache
from typing import Any, NamedTuple

from django.contrib.postgres.fields import ArrayField
from django.db.models import F, Func, IntegerField, Q, QuerySet, TextField, Value
from django.db.models.functions import Cast, Coalesce
from django.urls import reverse

from catalog.models import local_text
from stores.geography import Point, distance_km
from stores.hours import NO_WEEK, SHANGHAI, Closure, Opening, opening_at, weeks_of
from stores.models import Outlet, PlaceKey, Region
from stores.place_words import distance_in_words
from stores.questions import Question, no_such_page
from stores.search import Hit, find_places

# Nobody reads more on a small screen, and each row weighs.
ROWS = 20
# So many regions are offered before the shops themselves.
MOST_PLACES = 8


class OutletRow(NamedTuple):
    """One shop in a list. `distance` is None where nobody asked from where; `available` where nobody asked for what."""

    code: str
    name: str
    address: str
    opening: Opening
    distance: str | None
    available: int | None


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
    codes = [hit.code for hit in hits if hit.level >= Region.Level.TOWN]
    towns = [hit.code for hit in hits if hit.level == Region.Level.TOWN]
    own = [hit.code for hit in hits if hit.level == PlaceKey.OUTLET_LEVEL]
    rank = Coalesce(_PlaceIn(codes, "town_id"), _PlaceIn(codes, "code"))
    outlets = Outlet.objects.visible().filter(Q(town__in=towns) | Q(code__in=own)).order_by(rank, "code")
    # What the regions take of the first page, the later pages make up for.
    first = ROWS * (question.page - 1) - len(places)
    rows, has_more = _rows(outlets, question, moment, start=max(first, 0), stop=first + ROWS)
    if question.page > 1 and not rows:
        raise no_such_page()
    return Found(places if question.page == 1 else [], rows, has_more)


def find_near(point: Point, question: Question, moment: datetime) -> Found:
    """Return the open shops nearest to `point`. At most two queries."""
    return _page(Outlet.objects.open().nearest(point), question, moment)


def find_in_region(region: Region, question: Question, moment: datetime) -> Found:
    """Return the shops of a region in the order of their codes. At most two queries."""
    return _page(Outlet.objects.visible().in_region(region).order_by("town_id", "code"), question, moment)


def _page(outlets: QuerySet[Outlet], question: Question, moment: datetime) -> Found:
    first = ROWS * (question.page - 1)
    rows, has_more = _rows(outlets, question, moment, start=first, stop=first + ROWS)
    if question.page > 1 and not rows:
        raise no_such_page()
    return Found([], rows, has_more)


_FIELDS = ("code", "name_zh", "name_en", "state", "timetable_id", "closures")
_DISTANCE_FIELDS = ("chord", "coordinate_accuracy_km", "coordinate_source")


def _rows(outlets: Any, question: Question, moment: datetime, *, start: int, stop: int) -> tuple[list[OutletRow], bool]:
    """Return the rows from `start` to before `stop`, and whether there are more. Two queries."""
    fields = list(_FIELDS)
    if question.phone and question.only_having:
        outlets = outlets.having(question.phone)
    if question.phone:
        outlets = outlets.with_stock_of(question.phone)
        fields.append("available")
    if "chord" in outlets.query.annotations:
        fields += _DISTANCE_FIELDS
    outlets = outlets.with_closures(moment.astimezone(SHANGHAI).date())
    found = list(outlets.values(*fields)[start : stop + 1])
    weeks = weeks_of(row["timetable_id"] for row in found)
    list_address = reverse("stores:outlets")

    @cache
    def opening(timetable: int, state: str, closures: tuple[Closure, ...]) -> Opening:
        return opening_at(moment, weeks.get(timetable, NO_WEEK), closures, state)

    rows = [_row(row, opening, list_address) for row in found[: stop - start]]
    return rows, len(found) > stop - start


def _row(row: dict[str, Any], opening: Callable[..., Opening], list_address: str) -> OutletRow:
    distance = None
    if "chord" in row:
        is_vague = row["coordinate_source"] == Outlet.CoordinateSource.COUNTY_OFFSET
        distance = distance_in_words(distance_km(row["chord"]), row["coordinate_accuracy_km"], is_vague=is_vague)
    closures = tuple(Closure.from_json(period) for period in row["closures"])
    return OutletRow(
        code=row["code"],
        name=local_text(row["name_zh"], row["name_en"]),
        address=f"{list_address}{row['code']}/",
        opening=opening(row["timetable_id"], row["state"], closures),
        distance=distance,
        available=row.get("available"),
    )


class _PlaceIn(Func):
    """At which place of a list of codes a column's value stands; null where it is not in it."""

    function = "array_position"
    output_field = IntegerField()

    def __init__(self, codes: list[str], field: str) -> None:
        texts = ArrayField(TextField())
        super().__init__(Cast(Value(codes, texts), texts), Cast(F(field), TextField()))
