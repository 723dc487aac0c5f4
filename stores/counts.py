"""Counts of shelves: what somebody found there, and when."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from django.db import transaction

from stores import ledger, totals

# Outlets written by one transaction of a bulk count: few enough that a reservation never waits long for it.
OUTLETS_AT_ONCE = 50

_SORT_OUT = """
CREATE TEMPORARY TABLE stores_counts_to_write AS
SELECT s.outlet_id, s.phone_id, s.on_hand AS counted, s.counted_at, l.outlet_id IS NULL AS is_new,
       (dense_rank() OVER (ORDER BY s.outlet_id) - 1) / %s AS batch
FROM {table} s LEFT JOIN stores_stocklevel l USING (outlet_id, phone_id)
WHERE CASE WHEN l.outlet_id IS NULL THEN %s ELSE l.counted_at IS NULL OR s.counted_at > l.counted_at END;
"""


@dataclass
class CountSummary:
    """How many of the staged counts opened a shelf, changed one, found what was known, or were refused."""

    opened: int = 0
    changed: int = 0
    unchanged: int = 0
    refused: int = 0


def apply_staged_counts(
    cursor: Any, *, table: str, actor: str, operation_key: str, opening: bool = False
) -> CountSummary:
    """
    Write every count of the temporary table `table` (outlet_id, phone_id, on_hand, counted_at) into the ledger.

    Movements after a count was taken are added on top of it; a count that is not newer than the last one of its shelf
    is left out (`older_counts` lists those). With `opening`, a shelf that has no ledger yet begins with its count.
    Outside a transaction every few outlets are committed by themselves, so that customers never wait for long.
    """
    cursor.execute("SELECT count(*) FROM " + table)
    (staged,) = cursor.fetchone()
    cursor.execute("DROP TABLE IF EXISTS stores_counts_to_write")
    cursor.execute(_SORT_OUT.format(table=table), [OUTLETS_AT_ONCE, opening])
    cursor.execute("CREATE INDEX ON stores_counts_to_write (batch, outlet_id, phone_id)")
    cursor.execute("ANALYZE stores_counts_to_write")
    cursor.execute("SELECT count(*), coalesce(max(batch) + 1, 0) FROM stores_counts_to_write")
    accepted, batches = cursor.fetchone()
    summary = CountSummary(refused=staged - accepted)
    for batch in range(batches):
        with transaction.atomic(savepoint=False):
            opened, changed, unchanged = ledger.write_counts(
                cursor, batch=batch, actor=actor, operation_key=operation_key, opening=opening
            )
        summary.opened += opened
        summary.changed += changed
        summary.unchanged += unchanged
    cursor.execute("DROP TABLE stores_counts_to_write")
    totals.fold()
    return summary
