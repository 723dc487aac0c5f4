"""
The ledger's other half: counts, which say what stands on a shelf instead of what was done to it.

Who counts locks the outlet's times of count first: so one count of an outlet is written at a time. What moved on a
shelf since the count was taken is read by another statement than the one that locks the level, so that it sees every
line that was written before the lock was granted. Counts come from a relation `w` (outlet_id, phone_id, counted,
counted_at).
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from datetime import datetime
from typing import Any, NamedTuple

from django.db import connection
from psycopg2.extensions import AsIs

from stores.ledger import Line, Operation, Outcome, Shelf

# When the shelf of `s` was last counted, by the row `c` of its outlet; null: never.
LAST_COUNTED = "c.counted_at[array_position(c.phones, s.phone_id)]"
# Whether that was after `s`, or (`>=`) not before. Where nothing of the outlet was, the shelf need not be looked for.
WAS_COUNTED = f"s.counted_at <= ANY (c.counted_at) AND {LAST_COUNTED} {{then}} s.counted_at"

# One outlet's count, from parameters; and what is to be written of a batch of the table that `stores.counts` makes.
_OF_OUTLET = """
    (SELECT %(outlet)s::bigint AS outlet_id, phone_id, counted, %(taken_at)s::timestamptz AS counted_at
     FROM unnest(%(phones)s::smallint[], %(counted)s::int[]) AS c (phone_id, counted))
"""
_OF_BATCH = """
    (SELECT b.outlet_id, s.phone_id, s.counted, s.counted_at
     FROM stores_counts_to_write b, unnest(b.to_write, b.counted, b.taken_at) AS s (phone_id, counted, counted_at)
     -- Most outlets may have none: the planner should know.
     WHERE b.batch = %(batch)s AND b.number > 0)
"""

_LOCK_TIMES = """
INSERT INTO stores_lastcounts AS c (outlet_id, phones, counted_at) VALUES (%s, '{}', '{}')
ON CONFLICT (outlet_id) DO UPDATE SET phones = c.phones RETURNING phones, counted_at
"""
# Only outlets of which nothing was counted since the batch was made: what it says of their shelves still holds.
_NOTE_TIMES = """
WITH unchanged AS MATERIALIZED (
    SELECT b.* FROM stores_counts_to_write b JOIN stores_lastcounts c USING (outlet_id)
    WHERE b.batch = %(batch)s AND c.xmin = b.version
    ORDER BY outlet_id FOR UPDATE OF c
), noted AS (
    UPDATE stores_lastcounts c SET phones = b.phones, counted_at = b.counted_at
    FROM unchanged b WHERE c.outlet_id = b.outlet_id
    RETURNING b.accepted, b.number
)
SELECT count(*), coalesce(sum(accepted), 0)::int, coalesce(sum(number), 0)::int, pg_current_xact_id()::text::bigint
FROM noted
"""
_SET_ASIDE = """
UPDATE stores_counts_to_write b SET batch = NULL FROM stores_lastcounts c
WHERE b.batch = %(batch)s AND c.outlet_id = b.outlet_id
    AND (c.phones, c.counted_at) <> (b.phones, b.counted_at)
"""
_IN_ORDER = "ORDER BY l.outlet_id, l.phone_id FOR UPDATE OF l"
_LOCK_OUTLET = f"""
SELECT l.phone_id FROM {_OF_OUTLET} w JOIN stores_stocklevel l USING (outlet_id, phone_id) {_IN_ORDER}
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
# The door of migration 0033 writes levels and lines, by itself.
_WRITE = """
WITH before AS MATERIALIZED (
    SELECT l.outlet_id, l.phone_id, l.seq, l.on_hand, l.reserved, l.safety_stock, l.outlet_trades,
           w.counted, w.counted_at, {found} AS found
    FROM {counts} w JOIN stores_stocklevel l USING (outlet_id, phone_id) {lock}
), posting AS (
    INSERT INTO stores_countposting (outlet_ids, phone_ids, was, found, counted, counted_at,
                                     reference, actor, reason, operation_key)
    SELECT array_agg(outlet_id), array_agg(phone_id), array_agg(on_hand), array_agg(found), array_agg(counted),
           array_agg(counted_at), %(reference)s, %(actor)s, %(reason)s, {key}
    FROM before WHERE {written} HAVING count(*) > 0
    RETURNING posted
){also}
{answer}
"""
_FOUND = f"""
    greatest(w.counted + CASE WHEN l.moved_at > w.counted_at THEN coalesce(({_MOVED_SINCE}), 0) ELSE 0 END, 0)
"""

# A clerk's count leaves a line for every phone, as a bulk one does for those that differ.
_WRITE_OUTLET = _WRITE.format(
    counts=_OF_OUTLET,
    lock="ORDER BY phone_id",
    found=_FOUND,
    key="%(key)s",
    written="true",
    also=""", times AS (
        UPDATE stores_lastcounts SET phones = %(all_phones)s::smallint[], counted_at = %(times)s::timestamptz[]
        WHERE outlet_id = %(outlet)s
    )""",
    answer="""
        SELECT phone_id, on_hand, reserved, safety_stock, outlet_trades, seq + 1, found - on_hand, 0, found, reserved
        FROM before ORDER BY phone_id
    """,
)
# Of a batch, first what did not move since it was counted, as nearly all: locked and written by one statement.
_WRITE_BATCH = _WRITE.format(
    counts=_OF_BATCH,
    lock=_IN_ORDER,
    found="CASE WHEN l.moved_at <= w.counted_at THEN w.counted END",
    key="NULL",
    written="found <> on_hand",
    also="",
    answer="""
        SELECT coalesce((SELECT posted FROM posting), 0), count(*) FILTER (WHERE reserved > least(on_hand, found)),
               count(*) FILTER (WHERE found IS NULL)
        FROM before
    """,
)
# Then the rest. What the first has written has moved since, too, but by a count: it stays as it is.
_WRITE_MOVED = _WRITE.format(
    counts=_OF_BATCH,
    lock="",
    found=_FOUND,
    key="NULL",
    written="found <> on_hand",
    also="",
    answer="""
        SELECT coalesce((SELECT posted FROM posting), 0), count(*) FILTER (WHERE reserved > least(on_hand, found))
        FROM before
    """,
)

# Of a shelf that opens, nothing is promised or kept: what is on hand can be had. The rows of levels say what is noted,
# since the planner cannot know how many shelves are new, and would compare each with each.
_OPEN_BATCH = f"""
WITH line AS (
    INSERT INTO stores_stockmovement (
        outlet_id, phone_id, seq, kind, change_on_hand, change_reserved, on_hand, reserved,
        reference, actor, reason, created_at)
    SELECT w.outlet_id, w.phone_id, 1, 'opening', w.counted, 0, w.counted, 0,
           %(reference)s, %(actor)s, %(reason)s, coalesce(%(opened_at)s, clock_timestamp())
    FROM {_OF_BATCH} w LEFT JOIN stores_stocklevel l USING (outlet_id, phone_id)
    WHERE l.outlet_id IS NULL ORDER BY w.outlet_id, w.phone_id
    -- Of any of the unique keys: whoever comes second meets the first that the other has written.
    ON CONFLICT DO NOTHING
    RETURNING outlet_id, phone_id, seq, on_hand, reserved, created_at
), head AS (
    INSERT INTO stores_stocklevel (outlet_id, phone_id, seq, on_hand, reserved, safety_stock, reorder_point,
                                   moved_at, outlet_trades, county_code, position)
    SELECT line.outlet_id, line.phone_id, line.seq, line.on_hand, line.reserved, 0, 0, line.created_at,
           o.trades, o.county_code, o.position
    FROM line JOIN stores_outlet o ON o.id = line.outlet_id
    RETURNING outlet_id, phone_id, on_hand, outlet_trades, county_code
), noted AS (
    INSERT INTO stores_regionstockchange (county_code, phone_id, outlets_with, on_hand, reserved, available)
    SELECT county_code, phone_id, count(*) FILTER (WHERE on_hand > 0), sum(on_hand), 0, sum(on_hand)
    FROM head WHERE outlet_trades GROUP BY county_code, phone_id
), told AS (
    INSERT INTO events_event (type, outlet_id, data)
    SELECT 'stock.changed', outlet_id, jsonb_object_agg(phone_id, on_hand)
    FROM head WHERE outlet_trades AND on_hand > 0 GROUP BY outlet_id ORDER BY outlet_id
)
SELECT count(*) FROM line
"""

# What every batch needs, whatever it holds.
_PREPARED = {"stores_note_times": _NOTE_TIMES, "stores_write_batch": _WRITE_BATCH}


class BatchWritten(NamedTuple):
    """
    What became of a batch: how many shelves it opened, changed, found as they were.

    How many were or are short of promises; how many outlets it left alone since others counted there meanwhile; and the
    number of its transaction, which are numbered in turn.
    """

    opened: int
    changed: int
    unchanged: int
    short: int
    overtaken: int
    transaction: int


def lock(operation: Operation, phone_ids: Iterable[int]) -> tuple[set[int], dict[int, datetime]]:
    """
    Lock the outlet's shelves of these phones until the transaction ends, and keep other counts of it out.

    Return which of the phones have a shelf, and when each of the outlet's phones was last counted.
    """
    parameters: dict[str, Any] = {
        "outlet": operation.outlet_id,
        "phones": list(phone_ids),
        "counted": [],
        "taken_at": None,
    }
    with connection.cursor() as cursor:
        cursor.execute(_LOCK_TIMES, [operation.outlet_id])
        times = dict(zip(*cursor.fetchone(), strict=True))
        cursor.execute(_LOCK_OUTLET, parameters)
        return {phone_id for (phone_id,) in cursor.fetchall()}, times


def write(
    operation: Operation, counted: Mapping[int, int], taken_at: datetime, times: Mapping[int, datetime]
) -> Outcome:
    """
    Write a count of shelves that are locked and were last counted before `taken_at`; a line for each.

    `times` says when each phone of the outlet was counted before. Raises IntegrityError when the operation's key was
    used: ask for its lines first.
    """
    times = {**times, **dict.fromkeys(counted, taken_at)}
    parameters: dict[str, Any] = {
        "outlet": operation.outlet_id,
        "phones": list(counted),
        "counted": list(counted.values()),
        "taken_at": taken_at,
        "all_phones": list(times),
        "times": list(times.values()),
        "reference": operation.reference,
        "actor": operation.actor,
        "reason": operation.reason,
        "key": operation.key,
    }
    with connection.cursor() as cursor:
        cursor.execute(_WRITE_OUTLET, parameters)
        rows = cursor.fetchall()
    return Outcome(tuple(Line(row[0], *row[5:]) for row in rows), tuple(Shelf(*row[:5]) for row in rows))


def prepare_batches(cursor: Any, parameters: dict[str, Any]) -> None:
    """Have the statements of every batch planned once, for `write_batch` with the same parameters."""
    cursor.execute("SELECT name FROM pg_prepared_statements WHERE name = ANY(%s)", [list(_PREPARED)])
    for (name,) in cursor.fetchall():
        cursor.execute(f"DEALLOCATE {name}")
    for name, sql in _PREPARED.items():
        cursor.execute(f"PREPARE {name} (int) AS {sql}", parameters | {"batch": AsIs("$1")})


def write_batch(cursor: Any, *, batch: int, outlets: int, parameters: dict[str, Any], opening: bool) -> BatchWritten:
    """
    Write one batch of `stores_counts_to_write`, which is about so many outlets. To be called in a transaction.

    Outlets where somebody counted since the table was made lose their batch number, and nothing of theirs is written.
    """
    parameters = parameters | {"batch": batch}
    cursor.execute("EXECUTE stores_note_times (%s)", [batch])
    noted, accepted, to_write, transaction = cursor.fetchone()
    if noted < outlets:
        cursor.execute(_SET_ASIDE, parameters)
    opened = changed = short = 0
    if to_write and opening:
        cursor.execute(_OPEN_BATCH, parameters)
        (opened,) = cursor.fetchone()
    # The levels are locked late and for a short time.
    if to_write > opened:
        cursor.execute("EXECUTE stores_write_batch (%s)", [batch])
        changed, short, moved = cursor.fetchone()
        if moved:
            cursor.execute(_WRITE_MOVED, parameters)
            changed, short = (sum(pair) for pair in zip((changed, short), cursor.fetchone(), strict=True))
    return BatchWritten(opened, changed, accepted - opened - changed, short, outlets - noted, transaction)
