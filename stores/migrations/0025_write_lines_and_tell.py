"""
Write lines in the form of 0024, level and line in one statement, and tell partners what can be promised now.

An event is a row an outlet and deed: {"phone": what is available}, of those phones of which that changed.
"""

from importlib import import_module

from django.db import migrations

_old = import_module("stores.migrations.0014_write_one_line")
_older = import_module("stores.migrations.0010_write_lines")

MANY = """
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
    SELECT l.phone_id, l.seq, l.on_hand, l.reserved, l.safety_stock, l.outlet_trades, l.county_code,
           w.on_hand AS change_on_hand, w.reserved AS change_reserved, w.line,
           stores_is_possible(
               _condition, l.outlet_trades, l.on_hand, l.reserved, l.safety_stock, w.on_hand, w.reserved) AS possible
    FROM unnest(_phones, _on_hand, _reserved) WITH ORDINALITY AS w (phone_id, on_hand, reserved, line)
    JOIN stores_stocklevel l ON l.outlet_id = _outlet AND l.phone_id = w.phone_id
    ORDER BY l.phone_id FOR UPDATE OF l
), line AS (
    INSERT INTO stores_stockmovement (
        outlet_id, phone_id, seq, kind, change_on_hand, change_reserved, on_hand, reserved,
        reference, actor, reason, operation_key, operation_line, created_at)
    SELECT _outlet, phone_id, seq + 1, _kind, change_on_hand, change_reserved,
           on_hand + change_on_hand, reserved + change_reserved,
           _reference, _actor, _reason, _key, line, clock_timestamp()
    FROM before WHERE (SELECT count(*) = cardinality(_phones) AND bool_and(possible) FROM before)
    ON CONFLICT (outlet_id, operation_key, operation_line) WHERE operation_key IS NOT NULL DO NOTHING
    RETURNING phone_id, seq, change_on_hand, change_reserved, on_hand, reserved, created_at
), head AS (
    UPDATE stores_stocklevel l
    SET seq = line.seq, on_hand = line.on_hand, reserved = line.reserved,
        change_on_hand = line.change_on_hand, change_reserved = line.change_reserved, moved_at = line.created_at
    FROM line WHERE l.outlet_id = _outlet AND l.phone_id = line.phone_id
), change AS (
    SELECT b.*, greatest(b.on_hand - b.reserved - b.safety_stock, 0) AS was_available,
           greatest(n.on_hand - n.reserved - b.safety_stock, 0) AS now_available
    FROM line n JOIN before b USING (phone_id) WHERE b.outlet_trades
), noted AS (
    -- What the change means for the county's totals.
    INSERT INTO stores_regionstockchange (county_code, phone_id, outlets_with, on_hand, reserved, available)
    SELECT county_code, phone_id, (now_available > 0)::int - (was_available > 0)::int,
           change_on_hand, change_reserved, now_available - was_available
    FROM change
), told AS (
    INSERT INTO events_event (type, outlet_id, data)
    SELECT 'stock.changed', _outlet, jsonb_object_agg(phone_id, now_available)
    FROM change WHERE now_available <> was_available HAVING count(*) > 0
)
SELECT b.phone_id, b.on_hand, b.reserved, b.safety_stock, b.outlet_trades,
       line.seq, b.change_on_hand, b.change_reserved, line.on_hand, line.reserved
FROM before b LEFT JOIN line USING (phone_id);
END $$;
"""

ONE = """
CREATE FUNCTION stores_write_line(
    _outlet bigint, _phone smallint, _on_hand int, _reserved int, _condition text,
    _kind text, _reference text, _actor text, _reason text, _key text
) RETURNS TABLE (
    phone_id smallint, old_on_hand int, old_reserved int, safety_stock smallint, outlet_trades boolean,
    seq bigint, change_on_hand int, change_reserved int, on_hand int, reserved int
) LANGUAGE plpgsql AS $$
#variable_conflict use_column
DECLARE
    _county text;
    _possible boolean;
    _was_available int;
    _now_available int;
BEGIN
    SELECT l.phone_id, l.on_hand, l.reserved, l.safety_stock, l.outlet_trades, l.county_code,
           l.seq + 1, l.on_hand + _on_hand, l.reserved + _reserved,
           stores_is_possible(_condition, l.outlet_trades, l.on_hand, l.reserved, l.safety_stock, _on_hand, _reserved)
    INTO phone_id, old_on_hand, old_reserved, safety_stock, outlet_trades, _county, seq, on_hand, reserved, _possible
    FROM stores_stocklevel l WHERE l.outlet_id = _outlet AND l.phone_id = _phone FOR UPDATE;
    IF NOT FOUND THEN
        RETURN;
    END IF;
    change_on_hand := _on_hand;
    change_reserved := _reserved;
    IF _possible THEN
        WITH line AS (
            INSERT INTO stores_stockmovement (
                outlet_id, phone_id, seq, kind, change_on_hand, change_reserved, on_hand, reserved,
                reference, actor, reason, operation_key, operation_line, created_at)
            VALUES (_outlet, _phone, seq, _kind, _on_hand, _reserved, on_hand, reserved,
                    _reference, _actor, _reason, _key, 1, clock_timestamp())
            ON CONFLICT (outlet_id, operation_key, operation_line) WHERE operation_key IS NOT NULL DO NOTHING
            RETURNING seq, on_hand, reserved, created_at
        )
        UPDATE stores_stocklevel l
        SET seq = line.seq, on_hand = line.on_hand, reserved = line.reserved,
            change_on_hand = _on_hand, change_reserved = _reserved, moved_at = line.created_at
        FROM line WHERE l.outlet_id = _outlet AND l.phone_id = _phone;
        _possible := FOUND;
    END IF;
    IF NOT _possible THEN
        seq := NULL;
        on_hand := NULL;
        reserved := NULL;
    ELSIF outlet_trades THEN
        _was_available := greatest(old_on_hand - old_reserved - safety_stock, 0);
        _now_available := greatest(on_hand - reserved - safety_stock, 0);
        INSERT INTO stores_regionstockchange (county_code, phone_id, outlets_with, on_hand, reserved, available)
        VALUES (_county, _phone, (_now_available > 0)::int - (_was_available > 0)::int,
                _on_hand, _reserved, _now_available - _was_available);
        IF _now_available <> _was_available THEN
            INSERT INTO events_event (type, outlet_id, data)
            VALUES ('stock.changed', _outlet, jsonb_build_object(_phone, _now_available));
        END IF;
    END IF;
    RETURN NEXT;
END $$;
"""

# What an outlet that does not trade has can be promised to nobody.
NOTE = """
    CREATE OR REPLACE FUNCTION stores_stocklevel_note_change() RETURNS trigger LANGUAGE plpgsql AS $$
    DECLARE
        _was_available int := CASE WHEN OLD.outlet_trades
                                   THEN greatest(OLD.on_hand - OLD.reserved - OLD.safety_stock, 0) ELSE 0 END;
        _now_available int := CASE WHEN NEW.outlet_trades
                                   THEN greatest(NEW.on_hand - NEW.reserved - NEW.safety_stock, 0) ELSE 0 END;
    BEGIN
        INSERT INTO stores_regionstockchange (county_code, phone_id, outlets_with, on_hand, reserved, available)
        SELECT county_code, phone_id, sign * is_available::int, sign * on_hand, sign * reserved,
               sign * greatest(on_hand - reserved - safety_stock, 0)
        FROM (SELECT -1 AS sign, OLD.* UNION ALL SELECT 1, NEW.*) AS side
        WHERE outlet_trades;
        IF _now_available <> _was_available THEN
            INSERT INTO events_event (type, outlet_id, data)
            VALUES ('stock.changed', NEW.outlet_id, jsonb_build_object(NEW.phone_id, _now_available));
        END IF;
        RETURN NULL;
    END $$;
"""
OLD_NOTE = """
    CREATE OR REPLACE FUNCTION stores_stocklevel_note_change() RETURNS trigger LANGUAGE plpgsql AS $$
    BEGIN
        INSERT INTO stores_regionstockchange (county_code, phone_id, outlets_with, on_hand, reserved, available)
        SELECT county_code, phone_id, sign * is_available::int, sign * on_hand, sign * reserved,
               sign * greatest(on_hand - reserved - safety_stock, 0)
        FROM (SELECT -1 AS sign, OLD.* UNION ALL SELECT 1, NEW.*) AS side
        WHERE outlet_trades;
        RETURN NULL;
    END $$;
"""

NO_MANY = f"DROP FUNCTION stores_write_lines({_old.SIGNATURE})"
NO_ONE = "DROP FUNCTION stores_write_line(bigint, smallint, int, int, text, text, text, text, text, text)"
OLD_MANY = _older.FUNCTION.replace(_old.CONDITION, _old.ASKED)


class Migration(migrations.Migration):
    dependencies = [("events", "0002_feed_in_order"), ("stores", "0024_levels_say_what_changed")]
    operations = [
        migrations.RunSQL(NO_MANY, OLD_MANY),
        migrations.RunSQL(MANY, NO_MANY),
        migrations.RunSQL(NO_ONE, _old.ONE),
        migrations.RunSQL(ONE, NO_ONE),
        migrations.RunSQL(NOTE, OLD_NOTE),
    ]
