"""Reading the figures of a report from the tables that `office.rollup` keeps: fixed statements, whatever the size."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator, Sequence
from datetime import date, timedelta
from typing import Any, NamedTuple

from django.db import connection

from office.report_measures import Sums, added_up
from office.report_models import LEVELS, SUMMED
from office.report_places import Place, Spot
from office.report_questions import Question
from stores.models import Outlet

# A line is told apart by this key: a code or id of a place, a phone's id, or a day.
Key = str | int | date

_FLOWS = """
SELECT {key}, {sums} FROM office_{table} WHERE {place} = ANY(%(places)s) AND phone_id = ANY(%(phones)s)
    AND day BETWEEN %(first)s AND %(last)s GROUP BY 1
"""
# The newest row up to a day, for each place and phone: one look into the index for each.
_LEVELS = """
SELECT {key}, {levels} FROM unnest(%(places)s) AS place CROSS JOIN unnest(%(phones)s) AS phone
CROSS JOIN LATERAL (
    SELECT on_hand, promised, missing FROM office_{table} d
    WHERE d.{place} = place AND d.phone_id = phone AND d.day <= %(last)s ORDER BY d.day DESC LIMIT 1
) AS newest GROUP BY 1
"""
# Levels day by day: those before the first day, and every change of them since.
_LEVELS_BY_DAY = """
SELECT phone, NULL::date AS day, on_hand, promised, missing
FROM unnest(%(phones)s) AS phone CROSS JOIN LATERAL (
    SELECT on_hand, promised, missing FROM office_{table} d
    WHERE d.{place} = ANY(%(places)s) AND d.phone_id = phone AND d.day < %(first)s ORDER BY d.day DESC LIMIT 1
) AS newest
UNION ALL
SELECT phone_id, day, on_hand, promised, missing FROM office_{table}
WHERE {place} = ANY(%(places)s) AND phone_id = ANY(%(phones)s) AND day BETWEEN %(first)s AND %(last)s
ORDER BY day NULLS FIRST
"""


class Line(NamedTuple):
    """One line of a report: what it is about, its sums, and the place or the phones that it leads to, if any."""

    name: str
    sums: Sums
    spot: Spot | None = None
    filter: tuple[str, str] | None = None
    day: date | None = None


class Report(NamedTuple):
    """The answer to a question: its lines, the largest first or day by day, and what all of them are together."""

    lines: list[Line]
    total: Sums


def read_report(place: Place, question: Question) -> Report:
    """Return the answer. One query where the measure is about flows or levels alone, two where about both."""
    if question.by == "day":
        days = _by_day(place, question)
        newest = {name: days[-1].sums[name] for name in LEVELS}
        total = added_up([line.sums for line in days], question.length) | newest
        return Report(days, total)
    sums = _sums(place, question)
    lines = list(_lines(place, question, sums))
    total = added_up([line.sums for line in lines], question.length)
    # Where nothing happened there is nothing to say, but of a place: that it was so.
    shown = [line for line in lines if question.by == "place" or any(line.sums[name] for name in (*SUMMED, *LEVELS))]
    main = question.measure.main.value
    return Report(sorted(shown, key=lambda line: (-(main(line.sums) or 0), line.name)), total)


def _lines(place: Place, question: Question, sums: dict[Key, Sums]) -> Iterator[Line]:
    """Yield the lines in the order of the places or phones."""
    none = added_up([], question.length)
    if question.by == "place":
        for spot in place.inside:
            key = spot.pk
            if key in sums or not isinstance(spot, Outlet) or spot.state != Outlet.State.CLOSED:
                yield Line(spot.name, sums.get(key, none), spot=spot)
        return
    groups: dict[tuple[str, str], list[Sums]] = defaultdict(list)
    for phone in question.phones:
        thing = phone if question.by == "phone" else getattr(phone, question.by)
        groups[str(thing.name if question.by == "phone" else thing), thing.slug].append(sums.get(phone.pk, none))
    for (name, slug), several in groups.items():
        yield Line(name, added_up(several, question.length), filter=(question.by, slug))


def _sums(place: Place, question: Question) -> dict[Key, Sums]:
    """Return the sums of each place inside, or of each phone of the place."""
    by_place = question.by == "place"
    codes: Sequence[Any] = [spot.pk for spot in place.inside] if by_place else [_key(place)]
    found: dict[Key, dict[str, int]] = defaultdict(lambda: added_up([], question.length))
    if question.measure.flows:
        sql = _FLOWS.format(key="{place}" if by_place else "phone_id", sums=_summed(SUMMED), **_HOLES)
        for key, *numbers in _rows(sql, place, codes, question, by_place=by_place):
            found[key] |= dict(zip(SUMMED, numbers, strict=True))
    if question.measure.levels:
        sql = _LEVELS.format(key="place" if by_place else "phone", levels=_summed(LEVELS), **_HOLES)
        for key, *numbers in _rows(sql, place, codes, question, by_place=by_place):
            found[key] |= dict(zip(LEVELS, numbers, strict=True))
    return dict(found)


def _by_day(place: Place, question: Question) -> list[Line]:
    """Return a line for each day of the question, the oldest first."""
    days = [question.first + timedelta(days=number) for number in range(question.length)]
    found: dict[date, dict[str, int]] = {day: added_up([], 1) for day in days}
    if question.measure.flows:
        sql = _FLOWS.format(key="day", sums=_summed(SUMMED), **_HOLES)
        for day, *numbers in _rows(sql, place, [_key(place)], question):
            found[day] |= dict(zip(SUMMED, numbers, strict=True))
    if question.measure.levels:
        evenings: dict[int, tuple[int, ...]] = {}
        rows = iter(_rows(_LEVELS_BY_DAY, place, [_key(place)], question))
        row = next(rows, None)
        for day in days:
            while row is not None and (row[1] is None or row[1] <= day):
                evenings[row[0]] = row[2:]
                row = next(rows, None)
            sums = [sum(column) for column in zip(*evenings.values(), strict=True)] or [0] * len(LEVELS)
            found[day] |= dict(zip(LEVELS, sums, strict=True))
    return [Line(day.isoformat(), sums, day=day) for day, sums in found.items()]


def _key(place: Place) -> Key:
    return place.outlet.pk if place.outlet else place.code


# The table and its column of places are filled in last, when it is known whose figures are asked for.
_HOLES = {"table": "{table}", "place": "{place}"}


def _summed(names: Sequence[str]) -> str:
    return ", ".join(f"sum({name})::bigint" for name in names)


def _rows(
    sql: str, place: Place, codes: Sequence[Any], question: Question, *, by_place: bool = False
) -> list[tuple[Any, ...]]:
    of_outlets = place.outlet is not None or (by_place and place.has_outlets)
    parameters: dict[str, Any] = {
        "places": list(codes),
        "phones": [phone.pk for phone in question.phones],
        "first": question.first,
        "last": question.last,
    }
    table, column, kind = ("outletday", "outlet_id", "bigint") if of_outlets else ("regionday", "region_code", "text")
    sql = sql.format(table=table, place=column)
    for name, cast in (("places", f"{kind}[]"), ("phones", "smallint[]")):
        sql = sql.replace(f"%({name})s", f"%({name})s::{cast}")
    with connection.cursor() as cursor:
        cursor.execute(sql, parameters)
        return cursor.fetchall()
