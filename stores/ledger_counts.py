"""
The ledger's other half: counts, which say what stands on a shelf instead of what was done to it.

The rows are locked by a statement of their own, so that the next one sees every line that was written before the
locks were granted. Counts come from a relation `w` (outlet_id, phone_id, counted, counted_at).
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from datetime import datetime
from typing import Any, NamedTuple

from django.db import connection

from stores.ledger import AVAILABLE_BEFORE, AVAILABLE_NOW, Line, Operation, Outcome, Shelf

# One outlet's count, from parameters; and one batch of the table that `stores.counts` makes.
_OF_OUTLET = """
    (SELECT %(outlet)s::bigint AS outlet_id, phone_id, counted, %(taken_at)s::timestamptz AS counted_at
     FROM unnest(%(phones)s::smallint[], %(counted)s::int[]) AS c (phone_id, counted))
"""
_OF_BATCH = "(SELECT * FROM stores_counts_to_write WHERE batch = %(batch)s AND NOT is_new)"

_LOCK = """
SELECT l.phone_id, l.counted_at FROM {counts} w JOIN stores_stocklevel l USING (outlet_id, phone_id)
ORDER BY l.outlet_id, l.phone_id FOR UPDATE OF l
"""
_NOTE_TOTALS_TOGETHER = f"""
    INSERT INTO stores_regionstockchange (county_code, phone_id, outlets_with, on_hand, reserved, available)
    SELECT b.county_code, b.phone_id, sum(({AVAILABLE_NOW} > 0)::int - ({AVAILABLE_BEFORE} > 0)::int),
           sum(n.on_hand - b.on_hand), sum(n.reserved - b.reserved), sum({AVAILABLE_NOW} - {AVAILABLE_BEFORE})
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
_WRITE = f"""
WITH before AS MATERIALIZED (
    SELECT l.outlet_id, l.phone_id, l.seq, l.on_hand, l.reserved, l.safety_stock, l.outlet_trades, l.county_code,
           w.counted, w.counted_at,
           greatest(w.counted + CASE WHEN l.moved_at > w.counted_at THEN coalesce(({_MOVED_SINCE}), 0) ELSE 0 END, 0)
               AS found
    FROM {{counts}} w JOIN stores_stocklevel l USING (outlet_id, phone_id)
    WHERE l.counted_at IS NULL OR w.counted_at > l.counted_at
), line AS (
    INSERT INTO stores_stockmovement (
        outlet_id, phone_id, seq, kind, change_on_hand, change_reserved, on_hand, reserved,
        prev_seq, prev_on_hand, prev_reserved, reference, actor, reason, operation_key, operation_line,
        counted, counted_at, created_at)
    SELECT outlet_id, phone_id, seq + 1, 'counted', found - on_hand, 0, found, reserved, seq, on_hand, reserved,
           %(reference)s, %(actor)s, %(reason)s, %(key)s, {{line}}, counted, counted_at, clock_timestamp()
    FROM before WHERE {{written}}
    RETURNING outlet_id, phone_id, seq, change_on_hand, on_hand, reserved, created_at
), head AS (
    UPDATE stores_stocklevel l
    SET seq = coalesce(line.seq, l.seq), on_hand = b.found, moved_at = coalesce(line.created_at, l.moved_at),
        counted_at = b.counted_at
    FROM before b LEFT JOIN line USING (outlet_id, phone_id)
    WHERE l.outlet_id = b.outlet_id AND l.phone_id = b.phone_id
), noted AS ({_NOTE_TOTALS_TOGETHER})
{{answer}}
"""

# A clerk's count leaves a line for every phone, as a bulk one does for those that differ.
_WRITE_OUTLET = _WRITE.format(
    counts=_OF_OUTLET,
    line="row_number() OVER (ORDER BY phone_id)",
    written="true",
    answer="""
        SELECT b.phone_id, b.on_hand, b.reserved, b.safety_stock, b.outlet_trades,
               line.seq, line.change_on_hand, 0, line.on_hand, line.reserved
        FROM before b JOIN line USING (outlet_id, phone_id) ORDER BY b.phone_id
    """,
)
_WRITE_BATCH = _WRITE.format(
    counts=_OF_BATCH,
    line="phone_id",
    written="found <> on_hand",
    answer="""
        SELECT count(*), count(line.seq), count(*) FILTER (WHERE b.reserved > least(b.on_hand, b.found))
        FROM before b LEFT JOIN line USING (outlet_id, phone_id)
    """,
)

_OPEN_BATCH = f"""
WITH before AS MATERIALIZED (
    SELECT w.outlet_id, w.phone_id, w.counted, w.counted_at, o.trades AS outlet_trades, o.county_code, o.position,
           0 AS on_hand, 0 AS reserved, 0 AS safety_stock
    FROM stores_counts_to_write w JOIN stores_outlet o ON o.id = w.outlet_id
    WHERE w.batch = %(batch)s AND w.is_new
), line AS (
    INSERT INTO stores_stockmovement (
        outlet_id, phone_id, seq, kind, change_on_hand, change_reserved, on_hand, reserved,
        reference, actor, reason, operation_key, operation_line, created_at)
    SELECT outlet_id, phone_id, 1, 'opening', counted, 0, counted, 0,
           %(reference)s, %(actor)s, %(reason)s, %(key)s, phone_id, clock_timestamp()
    FROM before ORDER BY outlet_id, phone_id
    -- Of any of the unique keys: whoever comes second meets the first that the other has written.
    ON CONFLICT DO NOTHING
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


class BatchWritten(NamedTuple):
    """How many shelves a batch opened, changed, found as they were, and how many were or are short of promises."""

    opened: int
    changed: int
    unchanged: int
    short: int


def lock(operation: Operation, phone_ids: Iterable[int]) -> dict[int, datetime | None]:
    """Lock the outlet's shelves of these phones until the transaction ends; return when each was last counted."""
    with connection.cursor() as cursor:
        parameters: dict[str, Any] = {
            "outlet": operation.outlet_id,
            "phones": list(phone_ids),
            "counted": [],
            "taken_at": None,
        }
        cursor.execute(_LOCK.format(counts=_OF_OUTLET), parameters)
        return dict(cursor.fetchall())


def write(operation: Operation, counted: Mapping[int, int], taken_at: datetime) -> Outcome:
    """
    Write a count of shelves that are locked and were last counted before `taken_at`; a line for each.

    Raises IntegrityError when the operation's key was used before: ask `ledger.lines_of` first.
    """
    parameters: dict[str, Any] = {
        "outlet": operation.outlet_id,
        "phones": list(counted),
        "counted": list(counted.values()),
        "taken_at": taken_at,
        "reference": operation.reference,
        "actor": operation.actor,
        "reason": operation.reason,
        "key": operation.key,
    }
    with connection.cursor() as cursor:
        cursor.execute(_WRITE_OUTLET, parameters)
        rows = cursor.fetchall()
    return Outcome(tuple(Line(row[0], *row[5:]) for row in rows), tuple(Shelf(*row[:5]) for row in rows))


def write_batch(cursor: Any, *, batch: int, actor: str, operation_key: str, opening: bool) -> BatchWritten:
    """Write one batch of `stores_counts_to_write`. To be called in a transaction."""
    parameters = {"batch": batch, "actor": actor, "key": operation_key, "reference": "", "reason": ""}
    opened = 0
    if opening:
        cursor.execute(_OPEN_BATCH, parameters)
        (opened,) = cursor.fetchone()
    cursor.execute(_LOCK.format(counts=_OF_BATCH), parameters)
    cursor.execute(_WRITE_BATCH, parameters)
    counted, changed, short = cursor.fetchone()
    return BatchWritten(opened, changed, counted - changed, short)
