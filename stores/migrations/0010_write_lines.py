"""
The statement that writes ledger lines, as a function: PostgreSQL plans it once a connection instead of every time.

It is called by `stores.ledger` alone, and stays within one outlet.
"""

from django.db import migrations

FUNCTION = """
CREATE FUNCTION stores_write_lines(
    _outlet bigint, _phones smallint[], _on_hand int[], _reserved int[], _condition text,
    _kind text, _reference text, _actor text, _reason text, _key text
) RETURNS TABLE (
    phone_id smallint, old_on_hand int, old_reserved int, safety_stock smallint, outlet_trades boolean,
    seq bigint, change_on_hand int, change_reserved int, on_hand int, reserved int
) LANGUAGE plpgsql AS $$
#variable_conflict use_column
BEGIN
RETURN QUERY
WITH before AS MATERIALIZED (
    SELECT l.outlet_id, l.phone_id, l.seq, l.on_hand, l.reserved, l.safety_stock, l.outlet_trades, l.county_code,
           w.on_hand AS change_on_hand, w.reserved AS change_reserved, w.line,
           CASE _condition
               WHEN 'promisable' THEN l.outlet_trades AND l.on_hand - l.reserved - l.safety_stock >= w.reserved
               WHEN 'unpromised' THEN l.on_hand - l.reserved + w.on_hand >= 0
               ELSE l.on_hand + w.on_hand >= 0 AND l.reserved + w.reserved >= 0
           END AS possible
    FROM unnest(_phones, _on_hand, _reserved) WITH ORDINALITY AS w (phone_id, on_hand, reserved, line)
    JOIN stores_stocklevel l ON l.outlet_id = _outlet AND l.phone_id = w.phone_id
    ORDER BY l.phone_id FOR UPDATE OF l
), line AS (
    INSERT INTO stores_stockmovement (
        outlet_id, phone_id, seq, kind, change_on_hand, change_reserved, on_hand, reserved,
        prev_seq, prev_on_hand, prev_reserved, reference, actor, reason, operation_key, operation_line, created_at)
    SELECT outlet_id, phone_id, seq + 1, _kind, change_on_hand, change_reserved,
           on_hand + change_on_hand, reserved + change_reserved, seq, on_hand, reserved,
           _reference, _actor, _reason, _key, line, clock_timestamp()
    FROM before WHERE (SELECT count(*) = cardinality(_phones) AND bool_and(possible) FROM before)
    ON CONFLICT (outlet_id, operation_key, operation_line) DO NOTHING
    RETURNING outlet_id, phone_id, seq, on_hand, reserved, created_at
), head AS (
    UPDATE stores_stocklevel l
    SET seq = line.seq, on_hand = line.on_hand, reserved = line.reserved, moved_at = line.created_at
    FROM line WHERE l.outlet_id = _outlet AND l.phone_id = line.phone_id
), noted AS (
    -- What the change means for the county's totals.
    INSERT INTO stores_regionstockchange (county_code, phone_id, outlets_with, on_hand, reserved, available)
    SELECT county_code, phone_id, (now_available > 0)::int - (was_available > 0)::int,
           change_on_hand, change_reserved, now_available - was_available
    FROM (SELECT b.*, greatest(b.on_hand - b.reserved - b.safety_stock, 0) AS was_available,
                 greatest(n.on_hand - n.reserved - b.safety_stock, 0) AS now_available
          FROM line n JOIN before b USING (phone_id) WHERE b.outlet_trades) AS change
)
SELECT b.phone_id, b.on_hand, b.reserved, b.safety_stock, b.outlet_trades,
       line.seq, b.change_on_hand, b.change_reserved, line.on_hand, line.reserved
FROM before b LEFT JOIN line USING (phone_id);
END $$;
"""


class Migration(migrations.Migration):
    dependencies = [("stores", "0009_deeds_leave_the_outlet_alone")]
    operations = [
        migrations.RunSQL(
            FUNCTION,
            "DROP FUNCTION stores_write_lines(bigint, smallint[], int[], int[], text, text, text, text, text, text)",
        )
    ]
