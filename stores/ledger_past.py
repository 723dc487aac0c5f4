"""
The ledger of a past that was made up: the lines of many shelves at once, in the order of time.

For samples and tests. A line moves its level in the same statement, and a trigger sees to that; here many lines of a
shelf are written at once, so the trigger is away for that statement. Each level is held to its newest line as always,
and `audit_stock` proves the rest.
"""

from __future__ import annotations

from typing import Any

# How a shelf counts in the totals of its county: the twin of stores.querysets.AVAILABLE, for line `n` after level `b`.
_AVAILABLE = "greatest({0}.on_hand - {0}.reserved - b.safety_stock, 0)"
_AVAILABLE_NOW, _AVAILABLE_BEFORE = _AVAILABLE.format("n"), _AVAILABLE.format("b")

# Numbers the lines of each shelf on from its newest, and adds them up. A shelf that has moved since is left out.
_CHAIN = """
CREATE TEMPORARY TABLE stores_past ON COMMIT DROP AS
SELECT p.*, l.seq + step AS seq,
       l.on_hand + sum(change_on_hand) OVER so_far AS on_hand,
       l.reserved + sum(change_reserved) OVER so_far AS reserved,
       l.on_hand AS old_on_hand, l.reserved AS old_reserved
FROM (SELECT *, row_number() OVER (PARTITION BY outlet_id, phone_id ORDER BY created_at, place) AS step,
             min(created_at) OVER (PARTITION BY outlet_id, phone_id) AS begins
      FROM {table}) AS p
JOIN (SELECT outlet_id, phone_id, seq, on_hand, reserved, moved_at FROM stores_stocklevel
      ORDER BY outlet_id, phone_id FOR UPDATE) AS l USING (outlet_id, phone_id)
WHERE l.moved_at <= p.begins
WINDOW so_far AS (PARTITION BY outlet_id, phone_id ORDER BY created_at, place)
"""

_LINES = """
INSERT INTO stores_stockmovement (
    outlet_id, phone_id, seq, kind, change_on_hand, change_reserved, on_hand, reserved,
    reference, actor, reason, operation_key, operation_line, created_at)
SELECT outlet_id, phone_id, seq, kind, change_on_hand, change_reserved, on_hand, reserved,
       reference, actor, reason, operation_key, phone_id, created_at
FROM stores_past ORDER BY created_at, outlet_id, phone_id
"""

_HEADS = f"""
WITH newest AS (
    SELECT DISTINCT ON (outlet_id, phone_id) * FROM stores_past ORDER BY outlet_id, phone_id, seq DESC
), head AS (
    UPDATE stores_stocklevel l SET seq = p.seq, on_hand = p.on_hand, reserved = p.reserved, moved_at = p.created_at
    FROM newest p WHERE l.outlet_id = p.outlet_id AND l.phone_id = p.phone_id
    RETURNING l.*
)
INSERT INTO stores_regionstockchange (county_code, phone_id, outlets_with, on_hand, reserved, available)
SELECT b.county_code, b.phone_id, sum(({_AVAILABLE_NOW} > 0)::int - ({_AVAILABLE_BEFORE} > 0)::int),
       sum(n.on_hand - b.on_hand), sum(n.reserved - b.reserved), sum({_AVAILABLE_NOW} - {_AVAILABLE_BEFORE})
FROM head n JOIN newest USING (outlet_id, phone_id),
     LATERAL (SELECT n.county_code, n.phone_id, n.safety_stock, old_on_hand AS on_hand, old_reserved AS reserved) AS b
WHERE n.outlet_trades GROUP BY b.county_code, b.phone_id
"""


# A level sees to that for its newest line.
_NEVER_NEGATIVE = """
ALTER TABLE stores_past ADD CONSTRAINT stockmovement_is_not_negative CHECK (least(on_hand, reserved) >= 0)
"""

_GUARD = "ALTER TABLE stores_stockmovement {does} TRIGGER stockmovement_is_right"


def write_past(cursor: Any, table: str) -> int:
    """
    Write the lines of the temporary table `table` into the ledger; return how many they were.

    It has outlet_id, phone_id, place (which tells lines of one instant apart), kind, change_on_hand, change_reserved,
    reference, actor, reason, operation_key and created_at. Lines of a shelf that has moved since the first of them are
    left out, and no shelf may fall below zero. To be called in a transaction.
    """
    cursor.execute(_CHAIN.format(table=table))
    cursor.execute(_NEVER_NEGATIVE)
    cursor.execute("ANALYZE stores_past")
    # No table can be altered while a check of it waits for the end of the transaction.
    cursor.execute("SET CONSTRAINTS ALL IMMEDIATE")
    cursor.execute(_GUARD.format(does="DISABLE"))
    cursor.execute(_LINES)
    written: int = cursor.rowcount
    cursor.execute(_GUARD.format(does="ENABLE"))
    cursor.execute(_HEADS)
    cursor.execute("DROP TABLE stores_past")
    return written
