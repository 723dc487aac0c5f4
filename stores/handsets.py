"""
What becomes of single phones when stock moves: each movement that names units writes an event for each of them.

The events of a handset form a chain like the ledger's, and each belongs to the ledger line that it was part of.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import NamedTuple

from django.db import connection
from django.db.models import Count, F, OuterRef, QuerySet, Subquery
from django.db.models.functions import Coalesce

from stores.ledger import Kind, Line, Operation, Outcome
from stores.models import Handset, HandsetEvent, StockLevel
from stores.refusals import OperationKeyReused, UnitProblem, UnitRefused
from stores.unit_numbers import Unit

State = Handset.State


class Found(NamedTuple):
    """What is on record of a handset."""

    handset_id: int
    phone_id: int
    outlet_id: int
    state: str
    seq: int


class Step(NamedTuple):
    """What a kind of movement does to a unit: from one of the states (None: not on record) `before` to `after`."""

    before: frozenset[str | None]
    after: Handset.State
    only_from_here: bool = True


# The database holds the same in `handsetevent_is_possible`.
STEPS = {
    Kind.RECEIVED: Step(frozenset({None}), State.ON_SHELF),
    # A unit that was only counted when it arrived is recorded when it leaves.
    Kind.HANDED_OVER: Step(frozenset({None, State.ON_SHELF}), State.SOLD),
    Kind.WALK_IN_SALE: Step(frozenset({None, State.ON_SHELF}), State.SOLD),
    Kind.RETURNED: Step(frozenset({State.SOLD}), State.ON_SHELF, only_from_here=False),
    Kind.DAMAGED: Step(frozenset({None, State.ON_SHELF}), State.WRITTEN_OFF),
    # Not seen by who scanned the shelf.
    Kind.COUNTED: Step(frozenset({State.ON_SHELF}), State.WRITTEN_OFF),
    # Found again, where nobody looked for it any more.
    Kind.ADJUSTED: Step(frozenset({None, State.WRITTEN_OFF, State.IN_TRANSIT}), State.ON_SHELF, only_from_here=False),
    Kind.TRANSFER_OUT: Step(frozenset({None, State.ON_SHELF}), State.IN_TRANSIT),
    Kind.TRANSFER_IN: Step(frozenset({None, State.IN_TRANSIT}), State.ON_SHELF, only_from_here=False),
}

_FIND = """
SELECT n.number, h.id, h.phone_id, h.outlet_id, h.state, h.seq
FROM stores_handset h JOIN stores_handsetnumber n ON n.handset_id = h.id
WHERE n.number = ANY(%s) ORDER BY h.id
"""
# Whoever only looks takes no lock: shelves are locked before handsets, and a look may come before the shelf's deed.
_LOCK = _FIND + "FOR UPDATE OF h"

_WRITE = """
WITH unit AS (
    SELECT coalesce(handset_id, nextval(pg_get_serial_sequence('stores_handset', 'id'))) AS handset_id,
           handset_id IS NULL AS is_new, phone_id, line_seq, prev_seq, prev_state, prev_outlet_id, numbers
    FROM unnest(%s::bigint[], %s::smallint[], %s::bigint[], %s::int[], %s::text[], %s::bigint[], %s::text[])
         AS w (handset_id, phone_id, line_seq, prev_seq, prev_state, prev_outlet_id, numbers)
), event AS (
    INSERT INTO stores_handsetevent (handset_id, seq, kind, state, outlet_id, phone_id, line_seq,
                                     prev_seq, prev_state, prev_outlet_id, created_at)
    SELECT handset_id, coalesce(prev_seq, 0) + 1, %s, %s, %s, phone_id, line_seq,
           prev_seq, prev_state, prev_outlet_id, clock_timestamp()
    FROM unit RETURNING handset_id, seq, state, outlet_id, phone_id
), moved AS (
    UPDATE stores_handset h SET seq = event.seq, state = event.state, outlet_id = event.outlet_id
    FROM event WHERE h.id = event.handset_id
), made AS (
    INSERT INTO stores_handset (id, phone_id, outlet_id, state, seq)
    SELECT event.handset_id, event.phone_id, outlet_id, state, seq
    FROM event JOIN unit USING (handset_id) WHERE unit.is_new
)
INSERT INTO stores_handsetnumber (number, handset_id, slot)
SELECT n.number, unit.handset_id, n.slot
FROM unit, unnest(string_to_array(unit.numbers, ' ')) WITH ORDINALITY AS n (number, slot)
WHERE unit.is_new ORDER BY n.number
ON CONFLICT (number) DO NOTHING RETURNING number
"""


def follow(operation: Operation, outcome: Outcome, units: Mapping[int, Sequence[Unit]]) -> None:
    """
    Write what happened to `units` (phone_id: units) by the lines of an operation, in its transaction.

    Raises UnitRefused; OperationKeyReused when the operation is a repetition that names other units.
    """
    given = {unit: phone_id for phone_id, each in units.items() for unit in each}
    if outcome.repeated:
        recorded = units_of(operation.outlet_id, outcome.lines)
        if not same_units(list(given), [unit for each in recorded.values() for unit in each]):
            raise OperationKeyReused(operation.outlet_id, operation.key)
    elif given:
        found = _find(operation, given, sum(len(each) for each in units.values()), _LOCK)
        _write(operation, outcome, given, found)


def check(outlet_id: int, kind: Kind, units: Mapping[int, Sequence[Unit]]) -> None:
    """
    Say before the deed whether `units` (phone_id: units) can be part of a movement of this kind at the outlet now.

    Raises UnitRefused. Promises nothing: the deed itself looks again.
    """
    given = {unit: phone_id for phone_id, each in units.items() for unit in each}
    if given:
        _find(Operation(outlet_id, kind, "", ""), given, sum(len(each) for each in units.values()), _FIND)


def units_of(outlet_id: int, lines: Sequence[Line]) -> dict[int, list[Unit]]:
    """Return the units (by phone_id) that were recorded with these lines of an outlet."""
    events = HandsetEvent.objects.filter(
        outlet_id=outlet_id,
        phone_id__in=[line.phone_id for line in lines],
        line_seq__in=[line.seq for line in lines],
    ).prefetch_related("handset__numbers")
    written = {(line.phone_id, line.seq) for line in lines}
    units: dict[int, list[Unit]] = {}
    for event in events:
        if (event.phone_id, event.line_seq) in written:
            numbers = tuple(number.number for number in event.handset.numbers.all())
            units.setdefault(event.phone_id, []).append(numbers)
    return units


def unseen(outlet_id: int) -> dict[int, int]:
    """
    Return by phone (id) how many more handsets are known on a shelf than stand there, for the shelves where it is so.

    A count by number, or an order that was declined, says that some are gone, but not which: only scanning tells. One
    query.
    """
    level = StockLevel.objects.filter(outlet=outlet_id, phone=OuterRef("phone")).values("on_hand")
    known = Handset.objects.filter(outlet=outlet_id, state=State.ON_SHELF).order_by().values("phone")
    counted = known.annotate(known=Count("pk"), on_hand=Coalesce(Subquery(level), 0)).filter(known__gt=F("on_hand"))
    return {row["phone"]: row["known"] - row["on_hand"] for row in counted}


def same_units(scanned: Sequence[Unit], recorded: Sequence[Unit]) -> bool:
    """Say whether these are the same phones; of a phone with two numbers, one may have been scanned."""
    unit_of = {number: unit for unit in recorded for number in unit}
    found = [{unit_of.get(number) for number in unit} for unit in scanned]
    return len(scanned) == len(recorded) == len({unit for units in found for unit in units if unit})


def life(number: str) -> QuerySet[HandsetEvent]:
    """Return what happened to the handset of this number, from its receipt on."""
    return HandsetEvent.objects.filter(handset__numbers__number=number).select_related("outlet", "phone")


def _find(operation: Operation, given: Mapping[Unit, int], named: int, sql: str) -> dict[Unit, Found | None]:
    """Return the handsets on record by unit; raise UnitRefused for those that cannot take this step."""
    numbers = [number for unit in given for number in unit]
    if len(given) < named or len(set(numbers)) < len(numbers):
        twice = {number for number in numbers if numbers.count(number) > 1} or set(numbers)
        raise UnitRefused(operation.outlet_id, [UnitProblem(number, "named_twice") for number in sorted(twice)])
    with connection.cursor() as cursor:
        cursor.execute(sql, [numbers])
        record = {row[0]: Found(*row[1:]) for row in cursor.fetchall()}
    found: dict[Unit, Found | None] = {}
    problems = []
    for unit, phone_id in given.items():
        known = {record[number] for number in unit if number in record}
        found[unit] = next(iter(known), None)
        if len(known) > 1:
            problems.append(UnitProblem(unit[0], "two_units"))
        elif problem := _problem(operation, unit, phone_id, found[unit]):
            problems.append(problem)
    if problems:
        raise UnitRefused(operation.outlet_id, problems)
    return found


def _problem(operation: Operation, unit: Unit, phone_id: int, found: Found | None) -> UnitProblem | None:
    step = STEPS[operation.kind]
    if found is None:
        return None if None in step.before else UnitProblem(unit[0], "unknown")
    where = (found.outlet_id, found.phone_id)
    if found.state not in step.before:
        return UnitProblem(unit[0], found.state, *where)
    if found.phone_id != phone_id:
        return UnitProblem(unit[0], "other_phone", *where)
    if step.only_from_here and found.outlet_id != operation.outlet_id:
        return UnitProblem(unit[0], "elsewhere", *where)
    return None


def _write(
    operation: Operation, outcome: Outcome, given: Mapping[Unit, int], found: Mapping[Unit, Found | None]
) -> None:
    line_of = {line.phone_id: line.seq for line in outcome.lines}
    rows = []
    for unit, phone_id in given.items():
        before = found[unit]
        link = (before.seq, before.state, before.outlet_id) if before else (None, None, None)
        rows.append((before and before.handset_id, phone_id, line_of[phone_id], *link, " ".join(unit)))
    columns = [list(column) for column in zip(*rows, strict=True)]
    with connection.cursor() as cursor:
        state = STEPS[operation.kind].after
        cursor.execute(_WRITE, [*columns, operation.kind.value, state.value, operation.outlet_id])
        written = {number for (number,) in cursor.fetchall()}
    new = {number for unit, before in found.items() if before is None for number in unit}
    if new != written:
        # Somebody recorded the same number at this very moment.
        raise UnitRefused(operation.outlet_id, [UnitProblem(number, "on_shelf") for number in sorted(new - written)])
