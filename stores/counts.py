"""Counts of shelves: what somebody found there, and when. The shelf is right, whatever the books said."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from django.db import connection, transaction
from django.utils import timezone

from stores import ledger, ledger_counts, shortfalls, totals
from stores.ledger import Act, Kind, Line, Operation
from stores.models import StockMovement
from stores.refusals import CountIsNotNews, CountIsOfTheFuture, OlderCount, OperationKeyReused

# About how many shelves one transaction of a bulk count writes: so few that a reservation never waits long for it.
SHELVES_AT_ONCE = 700
# Within a transaction of the caller nothing is committed on the way, and larger steps cost less.
SHELVES_AT_ONCE_TOGETHER = 14_000

# How far ahead the clock of whoever counted may run.
CLOCKS_DIFFER = timedelta(minutes=5)


def apply_count(outlet_id: int, counted: Mapping[int, int], taken_at: datetime, act: Act) -> tuple[Line, ...]:
    """
    Set shelves to what was counted (phone_id: how many) at `taken_at`, plus what moved since; return the lines.

    Fewer than are promised opens a shortfall. All phones or none. Raises CountIsNotNews, CountIsOfTheFuture,
    OperationKeyReused; ValueError for an impossible number.
    """
    if not counted or not all(0 <= number <= ledger.MOST_AT_ONCE for number in counted.values()):
        raise ValueError(f"a count finds 0 to {ledger.MOST_AT_ONCE} of each of its phones")
    if taken_at > timezone.now() + CLOCKS_DIFFER:
        raise CountIsOfTheFuture(outlet_id, taken_at)
    operation = Operation(outlet_id, Kind.COUNTED, *act)
    with transaction.atomic():
        last = ledger_counts.lock(operation, counted)
        if missing := set(counted) - set(last):
            ledger.open_shelves(operation, missing)
            last = ledger_counts.lock(operation, counted)
        if done := _done(operation, counted, taken_at):
            return done
        older = [OlderCount(phone_id, at) for phone_id, at in sorted(last.items()) if at and at >= taken_at]
        if older:
            raise CountIsNotNews(outlet_id, taken_at, older)
        outcome = ledger_counts.write(operation, counted, taken_at)
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


# What is wrong with a staged count `s` of the shelf `l`, in the words of `refused_counts`; null: nothing.
_REFUSED = """
CASE WHEN s.counted_at > clock_timestamp() + %(clocks_differ)s THEN 'count_is_of_the_future'
     WHEN l.outlet_id IS NULL AND NOT %(opening)s THEN 'no_such_shelf'
     WHEN l.counted_at >= s.counted_at THEN 'count_is_not_news' END
"""

_SORT_OUT = f"""
CREATE TEMPORARY TABLE stores_counts_to_write AS
SELECT s.outlet_id, s.phone_id, s.on_hand AS counted, s.counted_at, l.outlet_id IS NULL AS is_new,
       (rank() OVER (ORDER BY s.outlet_id) - 1) / %(shelves)s AS batch
FROM {{table}} s LEFT JOIN stores_stocklevel l USING (outlet_id, phone_id)
WHERE {_REFUSED} IS NULL
"""


def apply_staged_counts(
    cursor: Any, *, table: str, actor: str, operation_key: str, opening: bool = False
) -> CountSummary:
    """
    Write every count of the temporary table `table` (outlet_id, phone_id, on_hand, counted_at) into the ledger.

    Movements after a count was taken are added on top of it; counts that are no news, of the future or (unless
    `opening`, which begins a ledger) of no known shelf are left out: ask `refused_counts` before for those.
    Outside a transaction every few outlets are committed by themselves, so that customers never wait for long.
    """
    cursor.execute(f"SELECT count(*) FROM {table}")
    (staged,) = cursor.fetchone()
    cursor.execute("DROP TABLE IF EXISTS stores_counts_to_write")
    shelves = SHELVES_AT_ONCE_TOGETHER if connection.in_atomic_block else SHELVES_AT_ONCE
    parameters = {"shelves": shelves, "opening": opening, "clocks_differ": CLOCKS_DIFFER}
    cursor.execute(_SORT_OUT.format(table=table), parameters)
    cursor.execute("CREATE INDEX ON stores_counts_to_write (batch, outlet_id, phone_id)")
    cursor.execute("ANALYZE stores_counts_to_write")
    cursor.execute("SELECT count(*), coalesce(max(batch) + 1, 0) FROM stores_counts_to_write")
    accepted, batches = cursor.fetchone()
    summary = CountSummary(refused=staged - accepted)
    for batch in range(batches):
        with transaction.atomic(savepoint=False):
            written = ledger_counts.write_batch(
                cursor, batch=batch, actor=actor, operation_key=operation_key, opening=opening
            )
            if written.short:
                shortfalls.follow_counts(cursor, batch)
        summary.opened += written.opened
        summary.changed += written.changed
        summary.unchanged += written.unchanged
    cursor.execute("DROP TABLE stores_counts_to_write")
    totals.fold()
    return summary


def refused_counts(cursor: Any, *, table: str, opening: bool = False) -> Iterator[tuple[int, int, str]]:
    """Yield (outlet_id, phone_id, code) of each staged count that `apply_staged_counts` would leave out."""
    cursor.execute(
        f"""SELECT * FROM (
                SELECT s.outlet_id, s.phone_id, {_REFUSED} AS code
                FROM {table} s LEFT JOIN stores_stocklevel l USING (outlet_id, phone_id)) AS checked
            WHERE code IS NOT NULL ORDER BY outlet_id, phone_id""",
        {"opening": opening, "clocks_differ": CLOCKS_DIFFER},
    )
    yield from cursor
