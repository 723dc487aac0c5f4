"""
Orders of a past that was made up: many at once, each of one phone, each over.

For samples and tests. Every order takes the steps that it would have taken, and the database holds it to them.
"""

from __future__ import annotations

from typing import Any

from orders import terms

ACTOR = "system:load_history"

# What the temporary table of `write_past` has.
COLUMNS = """
    outlet_id bigint, number text, phone_id smallint, price_fen integer, name text, mobile text, form_key text,
    pickup_fingerprint bytea, placed_at timestamptz, ready_at timestamptz, ended_at timestamptz, state text
"""

_PLACE = """
WITH line AS (
    INSERT INTO orders_orderline (outlet_id, number, line_count, position, phone_id, quantity, name_zh, name_en,
                                  price_fen, terms, running_fen)
    SELECT outlet_id, number, 1, 1, phone_id, 1, phone.name_zh, phone.name_en, past.price_fen, %(terms)s, past.price_fen
    FROM {table} AS past JOIN catalog_phone AS phone ON phone.id = phone_id
), change AS (
    INSERT INTO orders_orderchange (outlet_id, number, seq, kind, state, actor, reason, created_at)
    SELECT outlet_id, number, 1, 'placed', 'placed', %(actor)s, '', placed_at FROM {table} ORDER BY placed_at
), message AS (
    INSERT INTO orders_message (outlet_id, number, change_seq, kind, state, attempts, next_attempt_at, created_at,
                                sent_at, receipt, error)
    SELECT outlet_id, number, 1, 'placed', 'sent', 1, placed_at, placed_at, placed_at, '', '' FROM {table}
)
INSERT INTO orders_order (outlet_id, number, state, change_seq, name, mobile, language, channel, form_key,
                          pickup_fingerprint, line_count, total_fen, prepaid_fen, placed_at, held_until,
                          moved_to, moved_from)
SELECT outlet_id, number, 'placed', 1, name, mobile, 'zh-hans', 'web', form_key,
       pickup_fingerprint, 1, price_fen, 0, placed_at, ended_at, '', ''
FROM {table}
"""

_READY = """
WITH change AS (
    INSERT INTO orders_orderchange (outlet_id, number, seq, kind, state, prev_seq, prev_state, actor, reason,
                                    created_at)
    SELECT outlet_id, number, 2, 'ready', 'ready', 1, 'placed', %(actor)s, '', ready_at
    FROM {table} WHERE ready_at IS NOT NULL ORDER BY ready_at
)
UPDATE orders_order o SET change_seq = 2, state = 'ready', ready_at = past.ready_at
FROM {table} AS past
WHERE past.ready_at IS NOT NULL AND o.outlet_id = past.outlet_id AND o.number = past.number
"""

_PAY = """
INSERT INTO orders_payment (outlet_id, number, method, amount_fen, actor, form_key, taken_at)
SELECT outlet_id, number, 'cash', price_fen, %(actor)s, '', ended_at FROM {table} WHERE state = 'collected'
"""

_END = """
WITH change AS (
    INSERT INTO orders_orderchange (outlet_id, number, seq, kind, state, prev_seq, prev_state, actor, reason,
                                    created_at)
    SELECT past.outlet_id, past.number, o.change_seq + 1, past.state, past.state, o.change_seq, o.state, %(actor)s, '',
           past.ended_at
    FROM {table} AS past JOIN orders_order o USING (outlet_id, number) ORDER BY past.ended_at
)
UPDATE orders_order o SET change_seq = o.change_seq + 1, state = past.state, ended_at = past.ended_at,
                          paid_fen = CASE past.state WHEN 'collected' THEN price_fen END
FROM {table} AS past WHERE o.outlet_id = past.outlet_id AND o.number = past.number
"""


def write_past(cursor: Any, table: str) -> int:
    """
    Write the orders of the temporary table `table` (COLUMNS) with all that belongs to them; return how many they were.

    `state` is how they ended; `ready_at` is null where they ended before they were set aside. Their stock is the
    caller's to move (`stores.ledger_past`). To be called in a transaction.
    """
    parameters = {"actor": ACTOR, "terms": terms.CURRENT}
    cursor.execute(_PLACE.format(table=table), parameters)
    written: int = cursor.rowcount
    for sql in (_READY, _PAY, _END):
        cursor.execute(sql.format(table=table), parameters)
    return written
