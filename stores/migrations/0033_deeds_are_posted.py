"""
Post lines and levels through a door that writes both by itself, and ask only who goes past it.

The triggers of 0032 looked up, for each line and level, what had just been written together: a third of what PostgreSQL
did for a reservation, and of a large count. Two views now take what is to be posted; their triggers move the level and
write the line from what the level says then, in one statement, so the two cannot differ. Whatever is written there is
not asked again: the triggers of 0032 are for SQL that writes the tables itself, which is held to all that it was.

What a line of the ledger needs beside its sums (a key, a count its time) the doors ask of what they are given.
"""

from importlib import import_module

from django.db import migrations

_old = import_module("stores.migrations.0032_ledger_holds_itself")
_older = import_module("stores.migrations.0025_write_lines_and_tell")

BY_ITSELF = "FOR EACH STATEMENT WHEN (pg_trigger_depth() = 0) EXECUTE"
ASKED = """
    DROP TRIGGER stocklevel_is_explained_by_the_ledger ON stores_stocklevel;
    DROP TRIGGER stocklevel_begins_with_its_ledger ON stores_stocklevel;
    DROP TRIGGER stockmovement_is_right ON stores_stockmovement;
    CREATE TRIGGER stocklevel_is_explained_by_the_ledger AFTER UPDATE ON stores_stocklevel
        REFERENCING NEW TABLE AS written {when} FUNCTION stores_levels_are_explained();
    CREATE TRIGGER stocklevel_begins_with_its_ledger AFTER INSERT ON stores_stocklevel
        REFERENCING NEW TABLE AS written {when} FUNCTION stores_levels_are_explained();
    CREATE TRIGGER stockmovement_is_right AFTER INSERT ON stores_stockmovement
        REFERENCING NEW TABLE AS written {when} FUNCTION stores_lines_are_right();
"""

# The key of an outlet is in its levels, which follow it, and in their lines, which do not.
KEPT = """
    CREATE TRIGGER outlet_keeps_its_key BEFORE UPDATE OF id ON stores_outlet FOR EACH ROW
        WHEN (NEW.id <> OLD.id) EXECUTE FUNCTION stores_refuse();
"""

# One line of one shelf: what is asked, and (from old_on_hand on) what is answered. Without a number of its line, it was
# not written, since the condition does not hold or the key was used; without a row, there is no such shelf.
POSTING = """
CREATE VIEW stores_posting AS SELECT
    NULL::bigint AS outlet_id, NULL::smallint AS phone_id, NULL::int AS change_on_hand, NULL::int AS change_reserved,
    NULL::text AS condition, NULL::text AS kind, NULL::text AS reference, NULL::text AS actor, NULL::text AS reason,
    NULL::text AS operation_key,
    NULL::int AS old_on_hand, NULL::int AS old_reserved, NULL::smallint AS safety_stock, NULL::boolean AS outlet_trades,
    NULL::bigint AS seq, NULL::int AS on_hand, NULL::int AS reserved
WHERE false;

CREATE FUNCTION stores_post() RETURNS trigger LANGUAGE plpgsql AS $$
DECLARE
    _broken text;
    _possible boolean;
    _repeated boolean := false;
BEGIN
    IF NEW.operation_key IS NULL OR NEW.kind = 'counted' THEN
        RAISE EXCEPTION 'stockmovement_has_a_key_or_was_counted: % of % refused', TG_OP, TG_TABLE_NAME
            USING ERRCODE = 'restrict_violation', CONSTRAINT = 'stockmovement_has_a_key_or_was_counted';
    END IF;
    LOOP
        BEGIN
            WITH head AS (
                UPDATE stores_stocklevel l
                SET seq = l.seq + 1, on_hand = l.on_hand + NEW.change_on_hand,
                    reserved = l.reserved + NEW.change_reserved, moved_at = greatest(l.moved_at, clock_timestamp())
                WHERE l.outlet_id = NEW.outlet_id AND l.phone_id = NEW.phone_id AND stores_is_possible(
                    NEW.condition, l.outlet_trades, l.on_hand, l.reserved, l.safety_stock,
                    NEW.change_on_hand, NEW.change_reserved)
                RETURNING l.seq, l.on_hand, l.reserved, l.safety_stock, l.outlet_trades, l.county_code, l.moved_at,
                          l.on_hand - NEW.change_on_hand AS old_on_hand,
                          l.reserved - NEW.change_reserved AS old_reserved,
                          greatest(l.on_hand - l.reserved - l.safety_stock, 0) AS available,
                          greatest(
                              l.on_hand - NEW.change_on_hand - l.reserved + NEW.change_reserved - l.safety_stock, 0)
                              AS was_available
            ), line AS (
                INSERT INTO stores_stockmovement (
                    outlet_id, phone_id, seq, kind, change_on_hand, change_reserved, on_hand, reserved,
                    reference, actor, reason, operation_key, operation_line, created_at)
                SELECT NEW.outlet_id, NEW.phone_id, seq, NEW.kind, NEW.change_on_hand, NEW.change_reserved,
                       on_hand, reserved, NEW.reference, NEW.actor, NEW.reason, NEW.operation_key, 1, moved_at
                FROM head
            ), noted AS (
                INSERT INTO stores_regionstockchange (county_code, phone_id, outlets_with, on_hand, reserved, available)
                SELECT county_code, NEW.phone_id, (available > 0)::int - (was_available > 0)::int,
                       NEW.change_on_hand, NEW.change_reserved, available - was_available
                FROM head WHERE outlet_trades
            ), told AS (
                INSERT INTO events_event (type, outlet_id, data)
                SELECT 'stock.changed', NEW.outlet_id, jsonb_build_object(NEW.phone_id, available)
                FROM head WHERE outlet_trades AND available <> was_available
            )
            SELECT old_on_hand, old_reserved, safety_stock, outlet_trades, seq, on_hand, reserved
            INTO NEW.old_on_hand, NEW.old_reserved, NEW.safety_stock, NEW.outlet_trades,
                 NEW.seq, NEW.on_hand, NEW.reserved
            FROM head;
            IF FOUND THEN
                RETURN NEW;
            END IF;
        EXCEPTION WHEN unique_violation THEN
            GET STACKED DIAGNOSTICS _broken = CONSTRAINT_NAME;
            IF _broken <> 'stockmovement_operation_once' THEN
                RAISE;
            END IF;
            _repeated := true;
        END;
        -- Nothing was written: as it stands, held from now on.
        NEW.seq := NULL;
        SELECT l.on_hand, l.reserved, l.safety_stock, l.outlet_trades, stores_is_possible(
                   NEW.condition, l.outlet_trades, l.on_hand, l.reserved, l.safety_stock,
                   NEW.change_on_hand, NEW.change_reserved)
        INTO NEW.old_on_hand, NEW.old_reserved, NEW.safety_stock, NEW.outlet_trades, _possible
        FROM stores_stocklevel l WHERE l.outlet_id = NEW.outlet_id AND l.phone_id = NEW.phone_id FOR UPDATE;
        IF NOT FOUND THEN
            RETURN NULL;
        END IF;
        IF _repeated OR NOT _possible THEN
            RETURN NEW;
        END IF;
        -- It moved in between, so that there is enough now.
    END LOOP;
END $$;
CREATE TRIGGER posting_is_written INSTEAD OF INSERT ON stores_posting
    FOR EACH ROW EXECUTE FUNCTION stores_post();
"""
NO_POSTING = """
    DROP VIEW stores_posting;
    DROP FUNCTION stores_post();
"""

# What counts found on shelves that are locked (`was`: on hand by the books, `found`: what is set), as arrays in turn.
# Answers how many lines were written. A key, if any, has its lines numbered in this order.
COUNTS = """
CREATE VIEW stores_countposting AS SELECT
    NULL::bigint[] AS outlet_ids, NULL::smallint[] AS phone_ids, NULL::int[] AS was, NULL::int[] AS found,
    NULL::int[] AS counted, NULL::timestamptz[] AS counted_at,
    NULL::text AS reference, NULL::text AS actor, NULL::text AS reason, NULL::text AS operation_key,
    NULL::bigint AS posted
WHERE false;

CREATE FUNCTION stores_post_counts() RETURNS trigger LANGUAGE plpgsql AS $$
#variable_conflict use_column
BEGIN
    IF EXISTS (SELECT FROM unnest(NEW.counted, NEW.counted_at) AS c (number, at)
               WHERE (c.number >= 0 AND c.at IS NOT NULL) IS NOT TRUE) THEN
        RAISE EXCEPTION 'stockmovement_count_says_what_and_when: % of % refused', TG_OP, TG_TABLE_NAME
            USING ERRCODE = 'restrict_violation', CONSTRAINT = 'stockmovement_count_says_what_and_when';
    END IF;
    WITH head AS (
        UPDATE stores_stocklevel l
        SET seq = l.seq + 1, on_hand = c.found, moved_at = greatest(l.moved_at, clock_timestamp())
        FROM unnest(NEW.outlet_ids, NEW.phone_ids, NEW.was, NEW.found, NEW.counted, NEW.counted_at) WITH ORDINALITY
            AS c (outlet_id, phone_id, was, found, counted, counted_at, place)
        WHERE l.outlet_id = c.outlet_id AND l.phone_id = c.phone_id AND l.on_hand = c.was
        RETURNING c.*, l.seq, l.reserved, l.outlet_trades, l.county_code, l.moved_at,
                  greatest(c.found - l.reserved - l.safety_stock, 0) AS available,
                  greatest(c.was - l.reserved - l.safety_stock, 0) AS was_available
    ), line AS (
        INSERT INTO stores_stockmovement (
            outlet_id, phone_id, seq, kind, change_on_hand, change_reserved, on_hand, reserved,
            reference, actor, reason, operation_key, operation_line, counted, counted_at, created_at)
        SELECT outlet_id, phone_id, seq, 'counted', found - was, 0, found, reserved,
               NEW.reference, NEW.actor, NEW.reason,
               NEW.operation_key, CASE WHEN NEW.operation_key IS NOT NULL THEN place END, counted, counted_at, moved_at
        FROM head
    ), noted AS (
        INSERT INTO stores_regionstockchange (county_code, phone_id, outlets_with, on_hand, reserved, available)
        SELECT county_code, phone_id, sum((available > 0)::int - (was_available > 0)::int), sum(found - was), 0,
               sum(available - was_available)
        FROM head WHERE outlet_trades GROUP BY county_code, phone_id
    ), told AS (
        -- The order of events is that of the locks.
        INSERT INTO events_event (type, outlet_id, data)
        SELECT 'stock.changed', outlet_id, jsonb_object_agg(phone_id, available)
        FROM head WHERE outlet_trades AND available <> was_available GROUP BY outlet_id ORDER BY outlet_id
    )
    SELECT count(*) INTO NEW.posted FROM head;
    IF NEW.posted <> cardinality(NEW.phone_ids) THEN
        RAISE EXCEPTION 'countposting_knows_the_shelf: % of % refused', TG_OP, TG_TABLE_NAME
            USING ERRCODE = 'restrict_violation', CONSTRAINT = 'countposting_knows_the_shelf';
    END IF;
    RETURN NEW;
END $$;
CREATE TRIGGER countposting_is_written INSTEAD OF INSERT ON stores_countposting
    FOR EACH ROW EXECUTE FUNCTION stores_post_counts();
"""
NO_COUNTS = """
    DROP VIEW stores_countposting;
    DROP FUNCTION stores_post_counts();
"""

_ONE_BY_FUNCTION = """
    RETURN QUERY SELECT * FROM stores_write_line(
        _outlet, _phones[1], _on_hand[1], _reserved[1], _condition, _kind, _reference, _actor, _reason, _key);
"""
_ONE_BY_POSTING = """
    RETURN QUERY INSERT INTO stores_posting (
        outlet_id, phone_id, change_on_hand, change_reserved, condition, kind, reference, actor, reason, operation_key)
    VALUES (_outlet, _phones[1], _on_hand[1], _reserved[1], _condition, _kind, _reference, _actor, _reason, _key)
    RETURNING phone_id, old_on_hand, old_reserved, safety_stock, outlet_trades,
              seq, change_on_hand, change_reserved, on_hand, reserved;
"""
MANY = _old.MANY.replace(_ONE_BY_FUNCTION, _ONE_BY_POSTING)
OLD_ONE = _old.ONE.replace("CREATE OR REPLACE FUNCTION", "CREATE FUNCTION")


class Migration(migrations.Migration):
    dependencies = [("stores", "0032_ledger_holds_itself")]
    operations = [
        migrations.RunSQL(ASKED.format(when=BY_ITSELF), ASKED.format(when="FOR EACH STATEMENT EXECUTE")),
        migrations.RunSQL(KEPT, "DROP TRIGGER outlet_keeps_its_key ON stores_outlet"),
        migrations.RunSQL(POSTING, NO_POSTING),
        migrations.RunSQL(COUNTS, NO_COUNTS),
        migrations.RunSQL(MANY, _old.MANY),
        migrations.RunSQL(_older.NO_ONE, OLD_ONE),
    ]
