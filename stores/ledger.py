"""
The one place that writes the chain of stock levels and ledger lines.

A deed's lines and levels are written by one statement, which is all or nothing by itself: it locks the rows in the
order of their phones, judges them all, and writes either every line or none. Deeds at one outlet only; every statement
here stays within it (so outlets can live on different servers).
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from functools import cache
from typing import NamedTuple

from django.db import connection

from api.prepared import Planned
from stores.models import StockMovement
from stores.refusals import OperationKeyReused

Kind = StockMovement.Kind


# No box of the trade holds more; a larger number is a slip.
MOST_AT_ONCE = 10_000


class Act(NamedTuple):
    """
    Who does a deed and why. An outlet carries out one `key` once; `actor` is of `stores.actors`.

    `reference` names what the deed belongs to: "order:...", "transfer:...", "stocktake:...".
    """

    key: str
    actor: str
    reference: str = ""
    reason: str = ""


class Change(NamedTuple):
    """What an operation does to one phone of a shelf."""

    phone_id: int
    on_hand: int
    reserved: int


class Shelf(NamedTuple):
    """A stock level as the operation found it, under its lock."""

    phone_id: int
    on_hand: int
    reserved: int
    safety_stock: int
    outlet_trades: bool

    @property
    def available(self) -> int:
        return max(self.on_hand - self.reserved - self.safety_stock, 0)

    @property
    def unpromised(self) -> int:
        """What can be given to somebody who stands at the counter."""
        return max(self.on_hand - self.reserved, 0)


class Line(NamedTuple):
    """One line of the ledger as it was written: the change, and what stands there since."""

    phone_id: int
    seq: int
    change_on_hand: int
    change_reserved: int
    on_hand: int
    reserved: int

    @classmethod
    def of(cls, row: StockMovement) -> Line:
        return cls(row.phone_id, row.seq, row.change_on_hand, row.change_reserved, row.on_hand, row.reserved)


class Operation(NamedTuple):
    """
    One deed at one outlet: its kind and the fields of its Act.
    """

    outlet_id: int
    kind: Kind
    key: str
    actor: str
    reference: str = ""
    reason: str = ""


class Outcome(NamedTuple):
    """Either `lines` were written (or had been, when `repeated`), or `shelves` say why not. Ordered by phone."""

    lines: tuple[Line, ...]
    shelves: tuple[Shelf, ...]
    repeated: bool = False


# What must hold for every shelf before anything is written, in the words of `stores_is_possible`.
POSSIBLE = "possible"  # nothing falls below zero
PROMISABLE = "promisable"  # the outlet trades and has so many available
UNPROMISED = "unpromised"  # so many are on hand that nobody was promised


@Planned
def _several() -> str:
    """
    Write several lines at once.

    The function (migration 0025) locks the levels in the order of their phones, judges them all, and writes the lines,
    the levels, a note for the totals and what partners are told, or nothing. It returns the columns of Shelf, then
    those of Line but for the phone.
    """
    return """
        SELECT * FROM stores_write_lines(%(outlet_id)s, %(phones)s, %(on_hand)s, %(reserved)s, %(condition)s,
                                         %(kind)s, %(reference)s, %(actor)s, %(reason)s, %(key)s)
    """


@cache
def _posting(kind: Kind, condition: str) -> Planned:
    """
    Return the same for one line: through the door of migration 0033, which writes level and line by itself.

    So the database need not look up whether they agree. Each word that is not a parameter is one less to send.
    """
    statement = f"""
        INSERT INTO stores_posting (outlet_id, phone_id, change_on_hand, change_reserved, condition,
                                    kind, reference, actor, reason, operation_key)
        VALUES (%(outlet_id)s, %(phone_id)s, %(on_hand)s, %(reserved)s, '{condition}',
                '{kind.value}', %(reference)s, %(actor)s, %(reason)s, %(key)s)
        RETURNING old_on_hand, old_reserved, safety_stock, outlet_trades, seq
    """
    return Planned(lambda: statement)


def write(operation: Operation, changes: Iterable[Change], condition: str = POSSIBLE) -> Outcome:
    """
    Write `changes` into the ledger of the operation's outlet, all or none.

    Every locked shelf must meet `condition`. A phone may be named once. When the operation was carried
    out before, nothing is written and its lines are returned. More than one change needs a transaction around the call.

    Raises OperationKeyReused when the key stands for another operation.
    """
    changes = sorted(changes)
    lines, shelves = (_post if len(changes) == 1 else _write_lines)(operation, changes, condition)
    if lines and len(lines) < len(changes):
        # Another operation of this key was under way, with other phones.
        raise OperationKeyReused(operation.outlet_id, operation.key)
    if not lines and (done := _lines_of(operation, changes)):
        return Outcome(done, shelves, repeated=True)
    return Outcome(lines, shelves)


def _post(
    operation: Operation, changes: Sequence[Change], condition: str
) -> tuple[tuple[Line, ...], tuple[Shelf, ...]]:
    """Write one line; return it, if it was written, and its shelf, if there is one."""
    ((phone_id, on_hand, reserved),) = changes
    rows = _posting(operation.kind, condition).rows(
        outlet_id=operation.outlet_id,
        phone_id=phone_id,
        on_hand=on_hand,
        reserved=reserved,
        reference=operation.reference,
        actor=operation.actor,
        reason=operation.reason,
        key=operation.key,
    )
    if not rows:
        return (), ()
    ((old_on_hand, old_reserved, safety_stock, outlet_trades, seq),) = rows
    shelves = (Shelf(phone_id, old_on_hand, old_reserved, safety_stock, outlet_trades),)
    if seq is None:
        return (), shelves
    return (Line(phone_id, seq, on_hand, reserved, old_on_hand + on_hand, old_reserved + reserved),), shelves


def _write_lines(
    operation: Operation, changes: Sequence[Change], condition: str
) -> tuple[tuple[Line, ...], tuple[Shelf, ...]]:
    """Write several lines, all or none; return them and the shelves that there are, by phone."""
    phones, on_hand, reserved = map(list, zip(*changes, strict=True))
    rows = _several.rows(
        outlet_id=operation.outlet_id,
        phones=phones,
        on_hand=on_hand,
        reserved=reserved,
        condition=condition,
        kind=operation.kind.value,
        reference=operation.reference,
        actor=operation.actor,
        reason=operation.reason,
        key=operation.key,
    )
    rows.sort()
    lines = tuple(Line(row[0], *row[5:]) for row in rows if row[5] is not None)
    return lines, tuple(Shelf(*row[:5]) for row in rows)


def _lines_of(operation: Operation, changes: list[Change]) -> tuple[Line, ...]:
    """
    Return what was written under the operation's key, nothing if it is new.

    Raises OperationKeyReused when that was not the same request.
    """
    written = list(
        StockMovement.objects.filter(outlet_id=operation.outlet_id, operation_key=operation.key).order_by("phone_id")
    )
    asked = [(operation.kind, operation.reference, *change) for change in changes]
    done = [(row.kind, row.reference, row.phone_id, row.change_on_hand, row.change_reserved) for row in written]
    if written and asked != done:
        raise OperationKeyReused(operation.outlet_id, operation.key)
    return tuple(Line.of(row) for row in written)


_OPEN_SHELVES = """
WITH line AS (
    INSERT INTO stores_stockmovement (
        outlet_id, phone_id, seq, kind, change_on_hand, change_reserved, on_hand, reserved,
        reference, actor, reason, operation_key, operation_line, created_at)
    SELECT %s, phone_id, 1, 'opening', 0, 0, 0, 0, %s, %s, '', 'opening', phone_id, clock_timestamp()
    FROM unnest(%s::smallint[]) AS w (phone_id) ORDER BY phone_id
    -- Of any of the unique keys: whoever comes second meets the first that the other has written.
    ON CONFLICT DO NOTHING
    RETURNING outlet_id, phone_id, seq, created_at
)
INSERT INTO stores_stocklevel (outlet_id, phone_id, seq, on_hand, reserved, safety_stock, reorder_point,
                               moved_at, outlet_trades, county_code, position)
SELECT line.outlet_id, line.phone_id, line.seq, 0, 0, 0, 0, line.created_at, o.trades, o.county_code, o.position
FROM line JOIN stores_outlet o ON o.id = line.outlet_id
"""


def open_shelves(operation: Operation, phone_ids: Iterable[int]) -> None:
    """Give the outlet an empty stock level, with its opening line, for each of the phones that has none."""
    with connection.cursor() as cursor:
        cursor.execute(
            _OPEN_SHELVES, [operation.outlet_id, operation.reference, operation.actor, sorted(set(phone_ids))]
        )
