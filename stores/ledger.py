"""
The one place that writes the chain of stock levels and ledger lines.

A deed's lines and levels are written by one statement, which is all or nothing by itself: it locks the rows in the
order of their phones, judges them all, and writes either every line or none. Deeds at one outlet only; every statement
here stays within it (so outlets can live on different servers).
"""

from __future__ import annotations

from collections.abc import Iterable
from contextlib import AbstractContextManager, nullcontext
from typing import Any, NamedTuple

from django.db import connection, transaction

from stores.models import StockMovement
from stores.refusals import OperationKeyReused

Kind = StockMovement.Kind


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


class Line(NamedTuple):
    """One line of the ledger as it was written: the change, and what stands there since."""

    phone_id: int
    seq: int
    change_on_hand: int
    change_reserved: int
    on_hand: int
    reserved: int


class Operation(NamedTuple):
    """
    One deed at one outlet: what it is called, who does it and why.

    `key` makes repetition harmless: an outlet carries out an operation of one key once. `actor` is "kind:id" (person,
    partner, system); `reference` names what it belongs to (order, transfer, stocktake, count job).
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


# What must hold for every shelf before anything is written; `l` is the locked row, `w` the wanted change.
ANYTHING_POSSIBLE = "l.on_hand + w.on_hand >= 0 AND l.reserved + w.reserved >= 0"
PROMISABLE = "l.outlet_trades AND l.on_hand - l.reserved - l.safety_stock >= w.reserved"
UNPROMISED = "l.on_hand - l.reserved + w.on_hand >= 0"

# How a shelf counts in the totals of its county: the twin of stores.models.AVAILABLE.
_AVAILABLE = "greatest({0}.on_hand - {0}.reserved - b.safety_stock, 0)"
_AVAILABLE_NOW, _AVAILABLE_BEFORE = _AVAILABLE.format("n"), _AVAILABLE.format("b")
NOTE_TOTALS = f"""
    INSERT INTO stores_regionstockchange (county_code, phone_id, outlets_with, on_hand, reserved, available)
    SELECT b.county_code, b.phone_id, ({_AVAILABLE_NOW} > 0)::int - ({_AVAILABLE_BEFORE} > 0)::int,
           n.on_hand - b.on_hand, n.reserved - b.reserved, {_AVAILABLE_NOW} - {_AVAILABLE_BEFORE}
    FROM line n JOIN before b USING (outlet_id, phone_id) WHERE b.outlet_trades
"""

_WRITE = """
WITH before AS MATERIALIZED (
    SELECT l.outlet_id, l.phone_id, l.seq, l.on_hand, l.reserved, l.safety_stock, l.outlet_trades, l.county_code,
           w.on_hand AS change_on_hand, w.reserved AS change_reserved, w.line, {condition} AS possible
    FROM unnest(%s::smallint[], %s::int[], %s::int[]) WITH ORDINALITY AS w (phone_id, on_hand, reserved, line)
    JOIN stores_stocklevel l ON l.outlet_id = %s AND l.phone_id = w.phone_id
    ORDER BY l.phone_id FOR UPDATE OF l
), line AS (
    INSERT INTO stores_stockmovement (
        outlet_id, phone_id, seq, kind, change_on_hand, change_reserved, on_hand, reserved,
        prev_seq, prev_on_hand, prev_reserved, reference, actor, reason, operation_key, operation_line, created_at)
    SELECT outlet_id, phone_id, seq + 1, %s, change_on_hand, change_reserved,
           on_hand + change_on_hand, reserved + change_reserved, seq, on_hand, reserved,
           %s, %s, %s, %s, line, clock_timestamp()
    FROM before WHERE (SELECT count(*) = %s AND bool_and(possible) FROM before)
    ON CONFLICT (outlet_id, operation_key, operation_line) DO NOTHING
    RETURNING outlet_id, phone_id, seq, on_hand, reserved, created_at
), head AS (
    UPDATE stores_stocklevel l
    SET seq = line.seq, on_hand = line.on_hand, reserved = line.reserved, moved_at = line.created_at
    FROM line WHERE l.outlet_id = line.outlet_id AND l.phone_id = line.phone_id
), noted AS ({note_totals})
SELECT b.phone_id, b.on_hand, b.reserved, b.safety_stock, b.outlet_trades,
       line.seq, b.change_on_hand, b.change_reserved, line.on_hand, line.reserved
FROM before b LEFT JOIN line USING (outlet_id, phone_id) ORDER BY b.phone_id
"""


def write(operation: Operation, changes: Iterable[Change], condition: str = ANYTHING_POSSIBLE) -> Outcome:
    """
    Write `changes` into the ledger of the operation's outlet, all or none.

    `condition` is the SQL that every locked row must meet. A phone may be named once. When the operation was carried
    out before, nothing is written and its lines are returned.

    Raises OperationKeyReused when the key stands for another operation.
    """
    changes = sorted(changes)
    phones, on_hand, reserved = (list(column) for column in zip(*changes, strict=True))
    parameters: list[Any] = [phones, on_hand, reserved, operation.outlet_id, operation.kind.value]
    parameters += [operation.reference, operation.actor, operation.reason, operation.key, len(changes)]
    with _all_or_nothing(len(changes)), connection.cursor() as cursor:
        cursor.execute(_WRITE.format(condition=condition, note_totals=NOTE_TOTALS), parameters)
        rows = cursor.fetchall()
        lines = tuple(Line(row[0], *row[5:]) for row in rows if row[5] is not None)
        if lines and len(lines) < len(changes):
            # Another operation of this key was under way, with other phones.
            raise OperationKeyReused(operation.outlet_id, operation.key)
    shelves = tuple(Shelf(*row[:5]) for row in rows)
    if not lines and (done := _lines_of(operation, changes)):
        return Outcome(done, shelves, repeated=True)
    return Outcome(lines, shelves)


def _all_or_nothing(lines: int) -> AbstractContextManager[Any]:
    """One line is one statement's work, and that needs no transaction around it."""
    return nullcontext() if lines == 1 else transaction.atomic()


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
    return tuple(
        Line(row.phone_id, row.seq, row.change_on_hand, row.change_reserved, row.on_hand, row.reserved)
        for row in written
    )


_OPEN_SHELVES = """
WITH line AS (
    INSERT INTO stores_stockmovement (
        outlet_id, phone_id, seq, kind, change_on_hand, change_reserved, on_hand, reserved,
        reference, actor, reason, operation_key, operation_line, created_at)
    SELECT %s, phone_id, 1, 'opening', 0, 0, 0, 0, %s, %s, '', 'opening', phone_id, clock_timestamp()
    FROM unnest(%s::smallint[]) AS w (phone_id) ORDER BY phone_id
    ON CONFLICT (outlet_id, phone_id, seq) DO NOTHING
    RETURNING outlet_id, phone_id, seq, on_hand, reserved, created_at
)
INSERT INTO stores_stocklevel (outlet_id, phone_id, seq, on_hand, reserved, safety_stock, reorder_point, moved_at,
                               outlet_trades, county_code, position)
SELECT line.outlet_id, line.phone_id, line.seq, line.on_hand, line.reserved, 0, 0, line.created_at,
       o.trades, o.county_code, o.position
FROM line JOIN stores_outlet o ON o.id = line.outlet_id
"""


def open_shelves(operation: Operation, phone_ids: Iterable[int]) -> None:
    """Give the outlet an empty stock level, with its opening line, for each of the phones that has none."""
    with connection.cursor() as cursor:
        cursor.execute(
            _OPEN_SHELVES, [operation.outlet_id, operation.reference, operation.actor, sorted(set(phone_ids))]
        )


# A count in bulk. The rows are locked by a statement of their own, so that the next one sees every line that was
# written before the locks were granted. `stores_counts_to_write` is made by `stores.counts`.
_LOCK_COUNTED = """
SELECT FROM stores_counts_to_write w JOIN stores_stocklevel l USING (outlet_id, phone_id)
WHERE w.batch = %s AND NOT w.is_new ORDER BY l.outlet_id, l.phone_id FOR UPDATE OF l
"""
_NOTE_TOTALS_TOGETHER = f"""
    INSERT INTO stores_regionstockchange (county_code, phone_id, outlets_with, on_hand, reserved, available)
    SELECT b.county_code, b.phone_id, sum(({_AVAILABLE_NOW} > 0)::int - ({_AVAILABLE_BEFORE} > 0)::int),
           sum(n.on_hand - b.on_hand), sum(n.reserved - b.reserved), sum({_AVAILABLE_NOW} - {_AVAILABLE_BEFORE})
    FROM line n JOIN before b USING (outlet_id, phone_id) WHERE b.outlet_trades
    GROUP BY b.county_code, b.phone_id
"""
# What moved on a shelf since the count was taken, other counts left aside; lines of a shelf are in order of time.
_MOVED_SINCE = """
    SELECT sum(m.change_on_hand) FROM stores_stockmovement m
    WHERE m.outlet_id = l.outlet_id AND m.phone_id = l.phone_id AND m.kind NOT IN ('counted', 'opening')
      AND m.seq > (
          SELECT coalesce(max(p.seq), 0) FROM (
              SELECT seq FROM stores_stockmovement p
              WHERE p.outlet_id = l.outlet_id AND p.phone_id = l.phone_id AND p.created_at <= w.counted_at
              ORDER BY seq DESC LIMIT 1) p)
"""
_WRITE_COUNTS = f"""
WITH before AS MATERIALIZED (
    SELECT l.outlet_id, l.phone_id, l.seq, l.on_hand, l.reserved, l.safety_stock, l.outlet_trades, l.county_code,
           w.counted, w.counted_at,
           greatest(w.counted + CASE WHEN l.moved_at > w.counted_at THEN coalesce(({_MOVED_SINCE}), 0) ELSE 0 END, 0)
               AS found
    FROM stores_counts_to_write w JOIN stores_stocklevel l USING (outlet_id, phone_id)
    WHERE w.batch = %(batch)s AND NOT w.is_new AND (l.counted_at IS NULL OR w.counted_at > l.counted_at)
), line AS (
    INSERT INTO stores_stockmovement (
        outlet_id, phone_id, seq, kind, change_on_hand, change_reserved, on_hand, reserved,
        prev_seq, prev_on_hand, prev_reserved, reference, actor, reason, operation_key, operation_line,
        counted, counted_at, created_at)
    SELECT outlet_id, phone_id, seq + 1, 'counted', found - on_hand, 0, found, reserved, seq, on_hand, reserved,
           '', %(actor)s, '', %(key)s, phone_id, counted, counted_at, clock_timestamp()
    FROM before WHERE found <> on_hand
    RETURNING outlet_id, phone_id, seq, on_hand, reserved, created_at
), head AS (
    UPDATE stores_stocklevel l
    SET seq = coalesce(line.seq, l.seq), on_hand = b.found, moved_at = coalesce(line.created_at, l.moved_at),
        counted_at = b.counted_at
    FROM before b LEFT JOIN line USING (outlet_id, phone_id)
    WHERE l.outlet_id = b.outlet_id AND l.phone_id = b.phone_id
), noted AS ({_NOTE_TOTALS_TOGETHER})
SELECT (SELECT count(*) FROM line), (SELECT count(*) FROM before)
"""
_OPEN_COUNTED = f"""
WITH before AS MATERIALIZED (
    SELECT w.outlet_id, w.phone_id, w.counted, w.counted_at, o.trades AS outlet_trades, o.county_code, o.position,
           0 AS on_hand, 0 AS reserved, 0 AS safety_stock
    FROM stores_counts_to_write w JOIN stores_outlet o ON o.id = w.outlet_id
    WHERE w.batch = %(batch)s AND w.is_new
), line AS (
    INSERT INTO stores_stockmovement (
        outlet_id, phone_id, seq, kind, change_on_hand, change_reserved, on_hand, reserved,
        reference, actor, reason, operation_key, operation_line, created_at)
    SELECT outlet_id, phone_id, 1, 'opening', counted, 0, counted, 0, '', %(actor)s, '', %(key)s, phone_id,
           clock_timestamp()
    FROM before ORDER BY outlet_id, phone_id
    ON CONFLICT (outlet_id, phone_id, seq) DO NOTHING
    RETURNING outlet_id, phone_id, seq, on_hand, reserved, created_at
), head AS (
    INSERT INTO stores_stocklevel (outlet_id, phone_id, seq, on_hand, reserved, safety_stock, reorder_point,
                                   counted_at, moved_at, outlet_trades, county_code, position)
    SELECT line.outlet_id, line.phone_id, line.seq, line.on_hand, line.reserved, 0, 0,
           b.counted_at, line.created_at, b.outlet_trades, b.county_code, b.position
    FROM line JOIN before b USING (outlet_id, phone_id)
), noted AS ({_NOTE_TOTALS_TOGETHER})
SELECT count(*) FROM line
"""


def write_counts(cursor: Any, *, batch: int, actor: str, operation_key: str, opening: bool) -> tuple[int, int, int]:
    """
    Write one batch of `stores_counts_to_write`; return how many shelves it opened, changed, and found as they were.

    To be called in a transaction.
    """
    parameters = {"batch": batch, "actor": actor, "key": operation_key}
    opened = 0
    if opening:
        cursor.execute(_OPEN_COUNTED, parameters)
        (opened,) = cursor.fetchone()
    cursor.execute(_LOCK_COUNTED, [batch])
    cursor.execute(_WRITE_COUNTS, parameters)
    changed, found = cursor.fetchone()
    return opened, changed, found - changed
