"""Counts of shelves: what somebody found there, and when. The shelf is right, whatever the books said."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from django.db import connection, transaction
from django.utils import timezone

from stores import handsets, ledger, ledger_counts, shortfalls, totals
from stores.ledger import Act, Kind, Line, Operation
from stores.ledger_counts import WAS_COUNTED
from stores.models import StockMovement
from stores.refusals import CountIsNotNews, CountIsOfTheFuture, OlderCount, OperationKeyReused
from stores.unit_numbers import Unit

# About how many shelves one transaction of a bulk count writes: so few that a reservation never waits long for it, and
# about the fewest that cost no more than a thousand do.
SHELVES_AT_ONCE = 300
# Within a transaction of the caller nothing is committed on the way, and larger steps cost less.
SHELVES_AT_ONCE_TOGETHER = 14_000

# How long a bulk count rests after each transaction, as a multiple of its time, while others write: so few of them meet
# it at the processor that the slowest of a hundred reservations waits hardly longer than alone.
REST = 8
# In seconds: a transaction may have taken long since it waited for somebody.
LONGEST_REST = 0.5

# How far ahead the clock of whoever counted may run.
CLOCKS_DIFFER = timedelta(minutes=5)


def apply_count(
    outlet_id: int,
    counted: Mapping[int, int],
    taken_at: datetime,
    act: Act,
    missing_units: Mapping[int, Sequence[Unit]] | None = None,
) -> tuple[Line, ...]:
    """
    Set shelves to what was counted (phone_id: how many) at `taken_at`, plus what moved since; return the lines.

    Fewer than are promised opens a shortfall. `missing_units` (phone_id: units) were looked for and are written off.
    All phones or none. Raises CountIsNotNews, CountIsOfTheFuture, OperationKeyReused, UnitRefused; ValueError for an
    impossible number.
    """
    if not counted or not all(0 <= number <= ledger.MOST_AT_ONCE for number in counted.values()):
        raise ValueError(f"a count finds 0 to {ledger.MOST_AT_ONCE} of each of its phones")
    if taken_at > timezone.now() + CLOCKS_DIFFER:
        raise CountIsOfTheFuture(outlet_id, taken_at)
    operation = Operation(outlet_id, Kind.COUNTED, *act)
    with transaction.atomic():
        shelves, times = ledger_counts.lock(operation, counted)
        if missing := set(counted) - shelves:
            ledger.open_shelves(operation, missing)
            ledger_counts.lock(operation, counted)
        if done := _done(operation, counted, taken_at):
            return done
        last = [OlderCount(phone_id, times[phone_id]) for phone_id in sorted(counted) if phone_id in times]
        if older := [each for each in last if each.last >= taken_at]:
            raise CountIsNotNews(outlet_id, taken_at, older)
        outcome = ledger_counts.write(operation, counted, taken_at, times)
        handsets.follow(operation, outcome, missing_units or {})
        shortfalls.follow(outlet_id, outcome)
        return outcome.lines


def _done(operation: Operation, counted: Mapping[int, int], taken_at: datetime) -> tuple[Line, ...]:
    """Return what was written under this key; raise OperationKeyReused when that was another count or deed."""
    written = list(
        StockMovement.objects.filter(outlet_id=operation.outlet_id, operation_key=operation.key).order_by("phone_id")
    )
    if written and [(row.phone_id, row.counted, row.counted_at) for row in written] != [
        (phone_id, number, taken_at) for phone_id, number in sorted(counted.items())
    ]:
        raise OperationKeyReused(operation.outlet_id, operation.key)
    return tuple(Line.of(row) for row in written)


@dataclass
class CountSummary:
    """How many of the staged counts opened a shelf, changed one, found what was known, or were refused."""

    opened: int = 0
    changed: int = 0
    unchanged: int = 0
    refused: int = 0


# What is wrong with a staged count `s` of the shelf `l`, in the words of `refused_counts`; null: nothing. `c` has the
# outlet's times of count.
_REFUSED = f"""
CASE WHEN s.counted_at > statement_timestamp() + %(clocks_differ)s THEN 'count_is_of_the_future'
     WHEN l.outlet_id IS NULL AND NOT %(opening)s THEN 'no_such_shelf'
     WHEN {WAS_COUNTED.format(then=">=")} THEN 'count_is_not_news' END
"""

# What has no time yet gets none, but a row that can be locked.
_BEGIN_TIMES = """
INSERT INTO stores_lastcounts (outlet_id, phones, counted_at)
SELECT DISTINCT s.outlet_id, '{{}}'::smallint[], '{{}}'::timestamptz[] FROM {table} s
JOIN stores_outlet o ON o.id = s.outlet_id
WHERE NOT EXISTS (SELECT FROM stores_lastcounts c WHERE c.outlet_id = s.outlet_id) ORDER BY s.outlet_id
ON CONFLICT DO NOTHING
"""

# One row an outlet: the times of count that its shelves will have, and what must be written.
#
# A shelf that is known to hold what was counted is left alone, without a lock. That is as right as if the count had
# been written at this moment, and what moves it later came after. But not where a deed that began before the count
# may still be under way: the shelf's row shows that as its xmax.
#
# Mostly nothing that is known is as new as any of the counts, and no line needs the times of its outlet.
#
# What is refused is told apart after the joins: the planner takes nearly all for refused, and would look up each shelf
# by itself.
_SORT_OUT = f"""
CREATE TEMPORARY TABLE stores_counts_to_write AS
SELECT n.outlet_id, n.accepted, n.number, n.unopened, n.to_write, n.counted, n.taken_at,
       n.phones || others.phones AS phones, n.counted_at || others.counted_at AS counted_at, c.xmin AS version,
       div(sum(n.number) OVER (ORDER BY n.outlet_id) - n.number, %(shelves)s)::int AS batch
FROM (
    SELECT outlet_id, count(*) AS accepted, count(*) FILTER (WHERE is_open) AS number,
           count(*) FILTER (WHERE is_unopened) AS unopened,
           array_agg(phone_id) AS phones, array_agg(counted_at) AS counted_at,
           array_agg(phone_id) FILTER (WHERE is_open) AS to_write,
           array_agg(on_hand) FILTER (WHERE is_open) AS counted,
           array_agg(counted_at) FILTER (WHERE is_open) AS taken_at
    FROM (
        SELECT s.outlet_id, s.phone_id, s.on_hand, s.counted_at, {_REFUSED} AS refused,
               l.outlet_id IS NULL AS is_unopened,
               (l.on_hand = s.on_hand AND l.moved_at <= s.counted_at AND (
                   l.xmax = '0'::xid OR age(l.xmax) > (SELECT age(pg_snapshot_xmin(pg_current_snapshot())::xid))
               )) IS NOT TRUE AS is_open
        FROM {{table}} s
        LEFT JOIN (SELECT * FROM stores_lastcounts WHERE %(earliest)s <= ANY (counted_at)) AS c USING (outlet_id)
        LEFT JOIN stores_stocklevel l USING (outlet_id, phone_id)
        WHERE %(outlets)s::bigint[] IS NULL OR s.outlet_id = ANY(%(outlets)s)
        OFFSET 0
    ) AS judged
    WHERE refused IS NULL GROUP BY outlet_id
) AS n JOIN stores_lastcounts c USING (outlet_id),
LATERAL (
    SELECT array_agg(phone_id) AS phones, array_agg(at) AS counted_at
    FROM unnest(c.phones, c.counted_at) AS before (phone_id, at)
    WHERE c.phones <> n.phones AND NOT c.phones <@ n.phones AND phone_id <> ALL (n.phones)
) AS others
"""


def apply_staged_counts(
    cursor: Any,
    *,
    table: str,
    actor: str,
    reference: str,
    opening: bool = False,
    opened_at: datetime | None = None,
    note: Callable[[CountSummary], None] = lambda summary: None,
) -> CountSummary:
    """
    Write every count of the temporary table `table` (outlet_id, phone_id, on_hand, counted_at) into the ledger.

    `reference` names the job that the lines belong to: "count:...".

    Movements after a count was taken are added on top of it; counts that are no news, of the future or (unless
    `opening`, which begins a ledger) of no known shelf are left out: ask `refused_counts` before for those.
    Shelves open now, or at `opened_at`.
    Outside a transaction every few outlets are committed by themselves, with a rest for others who write, so that
    customers never wait for long, and all of them are safe on disk when this returns. One that was cut off can be sent
    again. Each time, before that is committed, `note` is called with what became of all counts so far.
    """
    cursor.execute(f"SELECT count(*), min(counted_at) FROM {table}")
    number, earliest = cursor.fetchone()
    summary = CountSummary(refused=number)
    cursor.execute(_BEGIN_TIMES.format(table=table))
    sort_out, outlets = _SORT_OUT.format(table=table), None
    act = {"reference": reference, "actor": actor, "reason": "", "opened_at": opened_at}
    while outlets != []:
        cursor.execute("DROP TABLE IF EXISTS stores_counts_to_write")
        shelves = SHELVES_AT_ONCE_TOGETHER if connection.in_atomic_block else SHELVES_AT_ONCE
        parameters = {"earliest": earliest, "shelves": shelves, "opening": opening, "clocks_differ": CLOCKS_DIFFER}
        cursor.execute(sort_out, parameters | {"outlets": outlets})
        cursor.execute("CREATE INDEX ON stores_counts_to_write (batch)")
        cursor.execute("ANALYZE stores_counts_to_write (batch, outlet_id, number)")
        ledger_counts.prepare_batches(cursor, act)
        _write_batches(cursor, summary, act, note)
        # Where somebody else counted meanwhile, judge again.
        cursor.execute("SELECT outlet_id FROM stores_counts_to_write WHERE batch IS NULL")
        outlets = [outlet_id for (outlet_id,) in cursor.fetchall()]
    cursor.execute("DROP TABLE stores_counts_to_write")
    totals.fold()
    return summary


def _write_batches(
    cursor: Any, summary: CountSummary, act: dict[str, Any], note: Callable[[CountSummary], None]
) -> None:
    cursor.execute(
        "SELECT batch, count(*), sum(unopened) > 0 FROM stores_counts_to_write GROUP BY batch ORDER BY batch DESC"
    )
    batches, commits = cursor.fetchall(), not connection.in_atomic_block
    last: int | None = None
    while batches:
        batch, outlets, opening = batches.pop()
        began = time.monotonic()
        with transaction.atomic(savepoint=False):
            if commits and batches:
                # The last one, which waits for the disk, takes those before it along.
                cursor.execute("SET LOCAL synchronous_commit = off")
            written = ledger_counts.write_batch(cursor, batch=batch, outlets=outlets, parameters=act, opening=opening)
            if written.short:
                shortfalls.follow_counts(cursor, batch)
            summary.opened += written.opened
            summary.changed += written.changed
            summary.unchanged += written.unchanged
            summary.refused -= written.opened + written.changed + written.unchanged
            note(summary)
        if commits and last is not None and written.transaction > last + 1:
            time.sleep(min(REST * (time.monotonic() - began), LONGEST_REST))
        last = written.transaction


def refused_counts(cursor: Any, *, table: str, opening: bool = False) -> Iterator[tuple[int, int, str]]:
    """Yield (outlet_id, phone_id, code) of each staged count that `apply_staged_counts` would leave out."""
    cursor.execute(
        f"""SELECT * FROM (
                SELECT s.outlet_id, s.phone_id, {_REFUSED} AS code
                FROM {table} s LEFT JOIN stores_stocklevel l USING (outlet_id, phone_id)
                LEFT JOIN stores_lastcounts c USING (outlet_id)) AS checked
            WHERE code IS NOT NULL ORDER BY outlet_id, phone_id""",
        {"opening": opening, "clocks_differ": CLOCKS_DIFFER},
    )
    yield from cursor
