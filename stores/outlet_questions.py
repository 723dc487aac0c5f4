"""Lists of outlets for programs: planned once for every way to narrow them, and read as plain rows."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from datetime import date, datetime
from functools import cache
from typing import Any, NamedTuple

from django.contrib.postgres.fields import ArrayField
from django.db.models import (
    DateField,
    DateTimeField,
    Field,
    FloatField,
    IntegerField,
    SmallIntegerField,
    TextField,
    Value,
)

from api.pagination import MOST, USUAL_LIMIT, Key, Question, behind_the
from api.prepared import Parameter, Planned, PlannedOnce, Prepared
from stores.finder import codes_of, named
from stores.hours import NO_WEEK, Closure, Week, closures_of, weeks_of
from stores.models import Outlet
from stores.querysets import OutletQuerySet, towns_of
from stores.search import find_places

# How many are mostly asked for. Each is a statement of its own, and a connection keeps what it has planned.
PLANNED_LIMITS = (20, USUAL_LIMIT, MOST)
# Of what type a column is that a list is ordered by.
FIELDS: dict[type, Field] = {str: TextField(), int: IntegerField(), float: FloatField()}


class Town(NamedTuple):
    """The town that an outlet is in: OF_TOWN."""

    code: str
    level: int
    name_zh: str
    name_en: str
    latitude: float | None
    longitude: float | None
    outlet_count: int


class Row(NamedTuple):
    """An outlet: COLUMNS, and what was worked out of others."""

    code: str
    name_zh: str
    name_en: str
    address_zh: str
    address_en: str
    town_id: str
    state: str
    telephone: str
    latitude: float
    longitude: float
    coordinate_source: str
    coordinate_accuracy_km: int
    updated_at: datetime
    closures: tuple[Closure, ...]
    week: Week
    chord: float | None
    rank: int | None
    town: Town | None


OF_TOWN = Town._fields
COLUMNS = Row._fields[: Row._fields.index("closures")]


class Narrowing(NamedTuple):
    """One thing that a list can be narrowed by: as a condition with parameters, and their values for what was asked."""

    keep: Callable[[OutletQuerySet], OutletQuerySet]
    values: Callable[[Any], dict[str, Any]]


def _named(outlets: OutletQuerySet) -> OutletQuerySet:
    return named(outlets, **{key: Parameter(key, ArrayField(TextField())) for key in ("codes", "towns", "own")})


def _around(outlets: OutletQuerySet) -> OutletQuerySet:
    latitude, longitude = (Parameter(name, FloatField()) for name in ("latitude", "longitude"))
    return outlets.open().nearest((latitude, longitude))


# In the order in which they are applied.
NARROWINGS = {
    "code": Narrowing(lambda outlets: outlets.filter(code=Parameter("code", TextField())), lambda code: {"code": code}),
    "q": Narrowing(_named, lambda text: codes_of(find_places(text))),
    "near": Narrowing(_around, lambda point: dict(zip(("latitude", "longitude"), point, strict=True))),
    "has": Narrowing(
        lambda outlets: outlets.having(Parameter("phone", SmallIntegerField())), lambda phone: {"phone": phone.pk}
    ),
    "region": Narrowing(
        lambda outlets: outlets.between(Parameter("first", TextField()), Parameter("last", TextField())),
        lambda region: dict(zip(("first", "last"), towns_of(region.prefix), strict=True)),
    ),
    "updated_since": Narrowing(
        lambda outlets: outlets.filter(updated_at__gte=Parameter("since", DateTimeField())),
        lambda moment: {"since": moment},
    ),
}


class OutletQuestion(Question):
    """A list of outlets, `today` for closures to come; outlets that have closed for good only where changes count."""

    model = Outlet

    def __init__(self, today: date, *, with_town: bool) -> None:
        self.with_town = with_town
        self.narrowed: frozenset[str] = frozenset()
        self.values: dict[str, Any] = {"today": today}

    def all(self) -> OutletQuestion:
        return self

    def narrow(self, name: str, asked: Any) -> None:
        """Keep only what one of NARROWINGS keeps for what was asked of it."""
        self.narrowed |= {name}
        self.values |= NARROWINGS[name].values(asked)

    def entries(self, order: tuple[Key, ...], behind: Sequence[Any] | None, limit: int) -> list[Row]:
        """Return the first rows in this order, behind one with these values. Two queries at most."""
        question = _question(self.narrowed, order, behind is not None, self.with_town)
        values = self.values | {f"behind_{key.name}": value for key, value in zip(order, behind or (), strict=False)}
        return self._entries(_rows(question, limit, **values))

    def one(self) -> Row | None:
        """Return the outlet of the code that this was narrowed by, if it is there. Two queries at most."""
        found = self._entries(_question(self.narrowed, (), False, self.with_town).rows(**self.values))
        return found[0] if found else None

    def _entries(self, found: list[tuple[Any, ...]]) -> list[Row]:
        weeks = weeks_of(row[0] for row in found)
        return [self._row(row, weeks.get(row[0], NO_WEEK)) for row in found]

    def _row(self, found: tuple[Any, ...], week: Week) -> Row:
        _timetable, closures, chord, rank, *columns = found
        town = Town._make(columns[len(COLUMNS) :]) if self.with_town else None
        closed = closures_of(tuple(closures)) if closures else ()
        return Row._make((*columns[: len(COLUMNS)], closed, week, chord, rank, town))


def _rows(question: Planned, limit: int, **values: Any) -> list[tuple[Any, ...]]:
    """Return the rows of a page, and one more that tells whether there is another."""
    rows = Planned.rows if limit - 1 in PLANNED_LIMITS else Prepared.rows
    return rows(question, limit=limit, **values)


@cache
def _question(narrowed: frozenset[str], order: tuple[Key, ...], is_behind: bool, with_town: bool) -> Planned:
    def make() -> Any:
        outlets = Outlet.objects.all() if "updated_since" in narrowed else Outlet.objects.visible()
        outlets = outlets.with_closures(Parameter("today", DateField()))
        for name, narrowing in NARROWINGS.items():
            outlets = narrowing.keep(outlets) if name in narrowed else outlets
        if is_behind:
            outlets = outlets.filter(
                behind_the(order, [Parameter(f"behind_{key.name}", FIELDS[key.type]) for key in order])
            )
        computed = outlets.query.annotations
        measures = [name if name in computed else Value(None, IntegerField()) for name in ("chord", "rank")]
        columns = [*COLUMNS, *(f"town__{name}" for name in OF_TOWN if with_town)]
        return outlets.order_by(*(key.name for key in order)).values_list(
            "timetable_id", "closures", *measures, *columns
        )

    return PlannedOnce(make) if "q" in narrowed else Planned(make)


class Brief(NamedTuple):
    """What a list of shelves asks of an outlet."""

    pk: int
    code: str
    state: str


class EveryOutlet(Question):
    """All outlets but those that have closed for good, by their codes."""

    model = Outlet

    def all(self) -> EveryOutlet:
        return self

    def entries(self, order: tuple[Key, ...], behind: Sequence[Any] | None, limit: int) -> list[Brief]:
        (code,) = behind or ("",)
        return [Brief._make(row) for row in _rows(_every_outlet, limit, behind=code)]


@Planned
def _every_outlet() -> Any:
    outlets = Outlet.objects.visible().filter(code__gt=Parameter("behind", TextField()))
    return outlets.order_by("code").values_list(*Brief._fields)
