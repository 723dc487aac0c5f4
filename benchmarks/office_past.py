"""
A year of a whole country in the books, for head office to be measured on: a million orders, made by a few statements.

Triggers and foreign keys are away meanwhile, so it is for a database that holds nothing else. Numbers, chains and
moments are right all the same, and the foreign keys are checked at the end.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from django.db import connection, transaction

from orders.numbers import MODULUS
from stores import ledger_past

DAYS = 365
# Sold at the counter for each phone that is ordered.
WALK_INS = 1.5

# MOD 11,10 of ISO/IEC 7064, as in `orders.numbers`.
_CHECK_DIGIT = """
CREATE FUNCTION pg_temp.check_digit(_digits text) RETURNS text LANGUAGE plpgsql IMMUTABLE AS $$
DECLARE _check int := 5;
BEGIN
    FOR place IN 1 .. length(_digits) LOOP
        _check := (coalesce(nullif(_check, 0), 10) * 2 % 11 + substr(_digits, place, 1)::int) % 10;
    END LOOP;
    RETURN ((1 - coalesce(nullif(_check, 0), 10) * 2 % 11) % 10 + 10) % 10;
END $$
"""
# Every shelf in turn, at a moment of the year that its number scatters; some of the newest orders are still open.
_ORDERS = f"""
CREATE TEMPORARY TABLE year_orders AS
SELECT outlet_id, digits || pg_temp.check_digit(digits) AS number, phone_id, price_fen,
       '+861' || lpad((hash %% 10000000000)::text, 10, '0') AS mobile, placed_at,
       placed_at + '3 hours' AS ready_at, placed_at + '20 hours' AS ended_at,
       CASE WHEN placed_at > %(now)s - interval '3 hours' THEN 'placed'
            WHEN placed_at > %(now)s - interval '20 hours' THEN 'ready'
            ELSE (ARRAY['declined', 'cancelled', 'expired'])[1 + hash / 7 %% 17] END AS ended
FROM (
    SELECT outlet_id, phones[1 + n / outlets %% cardinality(phones)] AS phone_id, 29900 AS price_fen,
           lpad((n / outlets * {MODULUS}::bigint + outlet_id)::text, 11, '0') AS digits,
           abs(hashint8extended(n, 11)) AS hash,
           %(now)s - interval '1 day' * %(days)s * (abs(hashint8extended(n, 7)) %% 1000003 / 1000003.0) AS placed_at
    FROM generate_series(0, %(orders)s - 1) AS n
    CROSS JOIN (SELECT count(DISTINCT outlet_id) AS outlets FROM stores_stocklevel) AS country
    JOIN (SELECT outlet_id, dense_rank() OVER (ORDER BY outlet_id) - 1 AS place,
                 array_agg(phone_id ORDER BY phone_id) AS phones
          FROM stores_stocklevel GROUP BY outlet_id) AS outlet ON place = n %% outlets
) AS wanted
"""  # noqa: S608
_STATES = """
ALTER TABLE year_orders ADD is_over boolean, ADD state text;
UPDATE year_orders SET is_over = coalesce(ended NOT IN ('placed', 'ready'), true), state = coalesce(ended, 'collected')
"""
_BOOKS = [
    """
    INSERT INTO orders_order (outlet_id, number, state, change_seq, name, mobile, language, channel, form_key,
        pickup_fingerprint, line_count, total_fen, prepaid_fen, paid_fen, placed_at, ready_at, held_until, ended_at,
        moved_to, moved_from)
    SELECT outlet_id, number, state, CASE state WHEN 'placed' THEN 1 WHEN 'ready' THEN 2 ELSE 3 END, '王小明', mobile,
        'zh-hans', (ARRAY['web', 'web', 'desk', 'api'])[1 + right(number, 1)::int % 4], 'year:' || number,
        sha256(number::bytea), 1, price_fen, 0, CASE state WHEN 'collected' THEN price_fen END, placed_at,
        CASE WHEN state <> 'placed' THEN ready_at END, ended_at, CASE WHEN is_over THEN ended_at END, '', ''
    FROM year_orders ORDER BY placed_at
    """,
    """
    INSERT INTO orders_orderline (outlet_id, number, line_count, position, phone_id, quantity, name_zh, name_en,
        price_fen, terms, running_fen)
    SELECT outlet_id, number, 1, 1, phone_id, 1, '手机', 'Phone', price_fen, '2026-11', price_fen FROM year_orders
    """,
    """
    INSERT INTO orders_orderchange (outlet_id, number, seq, kind, state, prev_seq, prev_state, actor, reason,
        created_at)
    SELECT outlet_id, number, step.seq, step.state, step.state, nullif(step.seq - 1, 0), step.prev_state,
        'system:year', '', step.at
    FROM year_orders o CROSS JOIN LATERAL (VALUES
        (1, 'placed', NULL, placed_at, true), (2, 'ready', 'placed', ready_at, o.state <> 'placed'),
        (3, o.state, 'ready', ended_at, is_over)
    ) AS step (seq, state, prev_state, at, happened) WHERE happened ORDER BY step.at
    """,
    """
    INSERT INTO orders_payment (outlet_id, number, method, amount_fen, actor, form_key, taken_at)
    SELECT outlet_id, number, 'cash', price_fen, 'system:year', '', ended_at FROM year_orders WHERE state = 'collected'
    """,
    """
    INSERT INTO orders_message (outlet_id, number, change_seq, kind, state, attempts, next_attempt_at, created_at,
        sent_at, receipt, error)
    SELECT outlet_id, number, 1, 'placed', 'sent', 1, placed_at, placed_at, placed_at, '', '' FROM year_orders
    """,
]
# A delivery in the first minute of the year is all that the shelf sells in it.
_LINES = """
CREATE TEMPORARY TABLE year_lines AS
WITH sold AS (
    SELECT outlet_id, phone_id, n AS place,
           %(now)s - interval '1 day' * %(days)s
               * (abs(hashint8extended(n * 31 + outlet_id, 5)) %% 1000003 / 1000003.0) AS created_at
    FROM stores_stocklevel CROSS JOIN generate_series(1, %(walk_ins)s) AS n
), moved AS (
    SELECT outlet_id, phone_id, 0 AS place, placed_at AS created_at, 'reserved' AS kind, 0 AS change_on_hand,
           1 AS change_reserved, 'order:' || number AS reference, 'order:' || number || ':placed' AS operation_key
    FROM year_orders
    UNION ALL
    SELECT outlet_id, phone_id, 1, ended_at, CASE state WHEN 'collected' THEN 'handed_over' ELSE 'released' END,
           CASE state WHEN 'collected' THEN -1 ELSE 0 END, -1, 'order:' || number, 'order:' || number || ':' || state
    FROM year_orders WHERE is_over
    UNION ALL
    SELECT outlet_id, phone_id, 2, created_at, 'walk_in_sale', -1, 0, '', 'year:' || phone_id || ':' || place FROM sold
)
SELECT *, 'system:year' AS actor, '' AS reason FROM moved
UNION ALL
SELECT outlet_id, phone_id, -1, %(now)s - interval '1 day' * %(days)s - interval '1 hour', 'received', count(*)::int, 0,
       '', 'year:' || phone_id, 'system:year', ''
FROM moved GROUP BY outlet_id, phone_id
"""
_HANDSETS = [
    """
    INSERT INTO stores_handset (phone_id, outlet_id, state, seq)
    SELECT phone_id, outlet_id, 'on_shelf', 1 FROM stores_stocklevel
    """,
    """
    INSERT INTO stores_handsetnumber (number, handset_id, slot)
    SELECT upper('a0' || lpad(to_hex(id), 12, '0')), id, 1 FROM stores_handset
    """,
    """
    INSERT INTO stores_handsetevent (handset_id, seq, kind, state, outlet_id, phone_id, line_seq, created_at)
    SELECT id, 1, 'received', 'on_shelf', outlet_id, phone_id, 2, now() FROM stores_handset
    """,
    """
    INSERT INTO office_trailentry (happened_at, actor, deed, thing, key, name, changes)
    SELECT now() - interval '1 minute' * n, 'person:' || n % 20, 'update', 'stores_outlet', (n % 15000)::text, '',
           '{"name_zh": ["甲", "乙"]}'
    FROM generate_series(300000, 1, -1) AS n
    """,
]


TABLES = (
    "orders_order", "orders_orderline", "orders_orderchange", "orders_payment", "orders_message",
    "stores_stockmovement", "stores_stocklevel", "stores_handset", "stores_handsetnumber", "stores_handsetevent",
    "office_trailentry",
)  # fmt: skip


# Foreign keys before the keys that they point to, and all of them before indexes that are none of theirs.
_KEYS = """
SELECT conrelid::regclass::text, quote_ident(conname), pg_get_constraintdef(oid) FROM pg_constraint
WHERE contype IN ('f', 'p', 'u')
  AND (conrelid = ANY (%(tables)s::regclass[]) OR confrelid = ANY (%(tables)s::regclass[]))
ORDER BY contype <> 'f'
"""
_INDEXES = """
SELECT indexrelid::regclass::text, pg_get_indexdef(indexrelid) FROM pg_index i
WHERE indrelid = ANY (%(tables)s::regclass[]) AND NOT EXISTS (SELECT FROM pg_constraint WHERE conindid = i.indexrelid)
"""


@contextmanager
def unguarded(cursor: Any) -> Iterator[None]:
    """Take triggers, keys and indexes from TABLES, and put them back: made at once they cost a fraction."""
    cursor.execute(_KEYS, {"tables": list(TABLES)})
    keys = cursor.fetchall()
    cursor.execute(_INDEXES, {"tables": list(TABLES)})
    indexes = cursor.fetchall()
    for table in TABLES:
        cursor.execute(f"ALTER TABLE {table} DISABLE TRIGGER USER")
    for table, name, _definition in keys:
        cursor.execute(f"ALTER TABLE {table} DROP CONSTRAINT {name}")
    for name, _definition in indexes:
        cursor.execute(f"DROP INDEX {name}")
    yield
    for _name, definition in indexes:
        cursor.execute(definition)
    for table, name, definition in reversed(keys):
        cursor.execute(f"ALTER TABLE {table} ADD CONSTRAINT {name} {definition}")
    for table in TABLES:
        cursor.execute(f"ALTER TABLE {table} ENABLE TRIGGER USER")


@transaction.atomic
def write_past(orders: int, now: Any, days: int = DAYS) -> None:
    """
    Write so many orders of the `days` before `now`, and all that belongs to them.

    Into a database that has outlets with stock and no past.
    """
    facts = {"orders": orders, "now": now, "days": days}
    with connection.cursor() as cursor, unguarded(cursor):
        cursor.execute(
            "SET LOCAL synchronous_commit = off; SET LOCAL work_mem = '256MB'; SET LOCAL maintenance_work_mem = '512MB'"
        )
        cursor.execute(_CHECK_DIGIT)
        cursor.execute(_ORDERS, facts)
        cursor.execute(_STATES)
        cursor.execute("SELECT count(*) FROM stores_stocklevel")
        (shelves,) = cursor.fetchone()
        cursor.execute(_LINES, facts | {"walk_ins": max(round(orders * WALK_INS / shelves), 1)})
        for sql in (*_BOOKS, *_HANDSETS):
            cursor.execute(sql)
        ledger_past.write_past(cursor, "year_lines")
        cursor.execute("DROP TABLE year_orders, year_lines")
