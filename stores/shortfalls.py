"""Promises that a shelf cannot keep: noted when they arise, closed when shelf and promises agree again."""

from __future__ import annotations

from typing import Any

from django.db import connection

from stores.ledger import Outcome

_SETTLE = """
WITH shelf AS (
    SELECT outlet_id, phone_id, greatest(reserved - on_hand, 0) AS missing FROM stores_stocklevel WHERE {shelves}
), closed AS (
    UPDATE stores_shortfall s SET missing = 0, closed_at = greatest(clock_timestamp(), s.opened_at)
    FROM shelf WHERE s.outlet_id = shelf.outlet_id AND s.phone_id = shelf.phone_id
        AND s.closed_at IS NULL AND shelf.missing = 0
)
INSERT INTO stores_shortfall (outlet_id, phone_id, missing, opened_at)
SELECT outlet_id, phone_id, missing, clock_timestamp() FROM shelf WHERE missing > 0 ORDER BY outlet_id, phone_id
ON CONFLICT (outlet_id, phone_id) WHERE closed_at IS NULL
DO UPDATE SET missing = excluded.missing WHERE stores_shortfall.missing <> excluded.missing
"""


def follow(outlet_id: int, outcome: Outcome) -> None:
    """Open, change or close the shortfalls of shelves that a deed has just written; they are still locked by it."""
    short = {shelf.phone_id for shelf in outcome.shelves if shelf.reserved > shelf.on_hand}
    short |= {line.phone_id for line in outcome.lines if line.reserved > line.on_hand}
    if short and not outcome.repeated:
        with connection.cursor() as cursor:
            cursor.execute(_SETTLE.format(shelves="outlet_id = %s AND phone_id = ANY(%s)"), [outlet_id, list(short)])


def follow_counts(cursor: Any, batch: int) -> None:
    """Do the same for one batch of `stores.counts`."""
    counted = """(outlet_id, phone_id) IN (
        SELECT outlet_id, unnest(to_write) FROM stores_counts_to_write WHERE batch = %s)"""
    cursor.execute(_SETTLE.format(shelves=counted), [batch])
