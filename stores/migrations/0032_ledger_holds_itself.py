"""
Hold levels and lines to each other by looking at them as sets, once a statement, from both sides.

The foreign key from a level to its line asked for each row anew, which was a quarter of a large count; and the checks
of a line and the guard of a level were read from their text for every statement, which was a quarter of a reservation.
A trigger's question is read and planned once a connection. It is asked when the statement is done, as the key was:
every line that was written follows the one before and stands at the end of its shelf, where the level stands, too; and
every level that was written stands at the newest line and says the same. So a line without its level is refused now,
as a level without its line was, and a level need not say what was changed.

One line is written together with its level by one statement, which moves the level first: it asks the row's own
columns once, and waits for whoever has it there.
"""

from importlib import import_module

import django.core.validators
import django.db.models.functions.comparison
import django.db.models.lookups
from django.db import migrations, models

_explained = import_module("stores.migrations.0024_levels_say_what_changed")
_told = import_module("stores.migrations.0025_write_lines_and_tell")
_domains = import_module("stores.migrations.0027_kinds_and_actors_by_domain")

NO_GUARD = """
    DROP TRIGGER stocklevel_moves_forward ON stores_stocklevel;
    DROP TRIGGER stocklevel_begins_at_zero ON stores_stocklevel;
"""
BEGINS_AT_ZERO = _explained.GUARD[_explained.GUARD.index("CREATE TRIGGER stocklevel_begins_at_zero") :]
MOVES_FORWARD = _domains.GUARD[_domains.GUARD.index("CREATE TRIGGER") :]

NO_CHECKS = """
    ALTER TABLE stores_stockmovement
        DROP CONSTRAINT stockmovement_count_says_what_and_when, DROP CONSTRAINT stockmovement_has_a_key_or_was_counted;
"""
CHECKS = """
    ALTER TABLE stores_stockmovement
        ADD CONSTRAINT stockmovement_count_says_what_and_when CHECK (
            num_nonnulls(counted, counted_at) = CASE kind WHEN 'counted' THEN 2 ELSE 0 END AND coalesce(counted, 0) >= 0
        ),
        ADD CONSTRAINT stockmovement_has_a_key_or_was_counted CHECK (
            num_nulls(operation_key, operation_line) = 0 OR counted_at IS NOT NULL OR seq = 1
        );
"""

# What the newest line changed is in that line.
FORGET_CHANGES = "ALTER TABLE stores_stocklevel DROP COLUMN change_on_hand, DROP COLUMN change_reserved"
REMEMBER_CHANGES = f"""
    ALTER TABLE stores_stocklevel ADD COLUMN change_on_hand int, ADD COLUMN change_reserved int;
    {_explained.CHANGES}
    ALTER TABLE stores_stocklevel ALTER change_on_hand SET NOT NULL, ALTER change_reserved SET NOT NULL;
"""

# Each of the other tables' rows is looked for by its key, however many were written: LIMIT keeps the planner to that.
HELD = """
    CREATE FUNCTION stores_levels_are_explained() RETURNS trigger LANGUAGE plpgsql AS $$
    BEGIN
        IF EXISTS (
            SELECT FROM written l LEFT JOIN LATERAL (
                SELECT m.seq, m.on_hand, m.reserved, m.created_at FROM stores_stockmovement m
                WHERE m.outlet_id = l.outlet_id AND m.phone_id = l.phone_id ORDER BY m.seq DESC LIMIT 1
            ) AS newest ON true
            WHERE (newest.seq = l.seq AND newest.on_hand = l.on_hand AND newest.reserved = l.reserved
                   AND newest.created_at = l.moved_at) IS NOT TRUE
        ) THEN
            RAISE EXCEPTION '%: % of % refused', TG_NAME, TG_OP, TG_TABLE_NAME
                USING ERRCODE = 'restrict_violation', CONSTRAINT = TG_NAME;
        END IF;
        RETURN NULL;
    END $$;
    CREATE TRIGGER stocklevel_is_explained_by_the_ledger AFTER UPDATE ON stores_stocklevel
        REFERENCING NEW TABLE AS written FOR EACH STATEMENT EXECUTE FUNCTION stores_levels_are_explained();
    CREATE TRIGGER stocklevel_begins_with_its_ledger AFTER INSERT ON stores_stocklevel
        REFERENCING NEW TABLE AS written FOR EACH STATEMENT EXECUTE FUNCTION stores_levels_are_explained();

    CREATE FUNCTION stores_lines_are_right() RETURNS trigger LANGUAGE plpgsql AS $$
    DECLARE
        _broken text;
    BEGIN
        SELECT judged.broken INTO _broken FROM written n
        LEFT JOIN LATERAL (
            SELECT m.seq, m.on_hand, m.reserved, m.created_at FROM stores_stockmovement m
            WHERE m.outlet_id = n.outlet_id AND m.phone_id = n.phone_id AND m.seq = n.seq - 1 LIMIT 1
        ) AS before ON true
        LEFT JOIN LATERAL (
            SELECT l.seq FROM stores_stocklevel l WHERE l.outlet_id = n.outlet_id AND l.phone_id = n.phone_id LIMIT 1
        ) AS level ON true,
        LATERAL (SELECT CASE
            WHEN num_nonnulls(n.counted, n.counted_at) <> CASE n.kind WHEN 'counted' THEN 2 ELSE 0 END OR n.counted < 0
                THEN 'stockmovement_count_says_what_and_when'
            WHEN num_nulls(n.operation_key, n.operation_line) > 0 AND n.counted_at IS NULL AND n.seq > 1
                THEN 'stockmovement_has_a_key_or_was_counted'
            WHEN n.seq <> coalesce(before.seq, 0) + 1 OR n.on_hand - n.change_on_hand <> coalesce(before.on_hand, 0)
                 OR n.reserved - n.change_reserved <> coalesce(before.reserved, 0) OR n.created_at < before.created_at
                THEN 'stockmovement_follows_the_one_before'
            WHEN level.seq IS DISTINCT FROM n.seq
                THEN 'stockmovement_moves_its_level'
        END AS broken) AS judged
        WHERE judged.broken IS NOT NULL LIMIT 1;
        IF FOUND THEN
            RAISE EXCEPTION '%: % of % refused', _broken, TG_OP, TG_TABLE_NAME
                USING ERRCODE = 'restrict_violation', CONSTRAINT = _broken;
        END IF;
        RETURN NULL;
    END $$;
    CREATE TRIGGER stockmovement_is_right AFTER INSERT ON stores_stockmovement
        REFERENCING NEW TABLE AS written FOR EACH STATEMENT EXECUTE FUNCTION stores_lines_are_right();
"""
NOT_HELD = """
    DROP TRIGGER stockmovement_is_right ON stores_stockmovement;
    DROP TRIGGER stocklevel_begins_with_its_ledger ON stores_stocklevel;
    DROP TRIGGER stocklevel_is_explained_by_the_ledger ON stores_stocklevel;
    DROP FUNCTION stores_lines_are_right();
    DROP FUNCTION stores_levels_are_explained();
"""

ONE = """
CREATE OR REPLACE FUNCTION stores_write_line(
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
    _repeated boolean := false;
    _broken text;
    _was_available int;
    _now_available int;
BEGIN
    change_on_hand := _on_hand;
    change_reserved := _reserved;
    LOOP
        BEGIN
            WITH head AS (
                UPDATE stores_stocklevel l
                SET seq = l.seq + 1, on_hand = l.on_hand + _on_hand, reserved = l.reserved + _reserved,
                    moved_at = clock_timestamp()
                WHERE l.outlet_id = _outlet AND l.phone_id = _phone AND stores_is_possible(
                    _condition, l.outlet_trades, l.on_hand, l.reserved, l.safety_stock, _on_hand, _reserved)
                RETURNING l.phone_id, l.seq, l.on_hand, l.reserved, l.safety_stock, l.outlet_trades, l.county_code,
                          l.moved_at
            ), line AS (
                INSERT INTO stores_stockmovement (
                    outlet_id, phone_id, seq, kind, change_on_hand, change_reserved, on_hand, reserved,
                    reference, actor, reason, operation_key, operation_line, created_at)
                SELECT _outlet, phone_id, seq, _kind, _on_hand, _reserved, on_hand, reserved,
                       _reference, _actor, _reason, _key, 1, moved_at
                FROM head
            )
            SELECT phone_id, on_hand - _on_hand, reserved - _reserved, safety_stock, outlet_trades, county_code,
                   seq, on_hand, reserved
            INTO phone_id, old_on_hand, old_reserved, safety_stock, outlet_trades, _county, seq, on_hand, reserved
            FROM head;
            EXIT WHEN FOUND;
        EXCEPTION WHEN unique_violation THEN
            GET STACKED DIAGNOSTICS _broken = CONSTRAINT_NAME;
            IF _broken <> 'stockmovement_operation_once' THEN
                RAISE;
            END IF;
            _repeated := true;
        END;
        -- Nothing was written: as it stands, held from now on.
        SELECT l.phone_id, l.on_hand, l.reserved, l.safety_stock, l.outlet_trades, stores_is_possible(
                   _condition, l.outlet_trades, l.on_hand, l.reserved, l.safety_stock, _on_hand, _reserved)
        INTO phone_id, old_on_hand, old_reserved, safety_stock, outlet_trades, _possible
        FROM stores_stocklevel l WHERE l.outlet_id = _outlet AND l.phone_id = _phone FOR UPDATE;
        IF NOT FOUND THEN
            RETURN;
        END IF;
        IF _repeated OR NOT _possible THEN
            RETURN NEXT;
            RETURN;
        END IF;
        -- It moved in between, so that there is enough now.
    END LOOP;
    IF outlet_trades THEN
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
OLD_ONE = _told.ONE.replace("CREATE FUNCTION", "CREATE OR REPLACE FUNCTION")
OLD_MANY = _told.MANY.replace("CREATE FUNCTION", "CREATE OR REPLACE FUNCTION")
MANY = OLD_MANY.replace(
    """
BEGIN
RETURN QUERY
""",
    """
BEGIN
IF cardinality(_phones) = 1 THEN
    RETURN QUERY SELECT * FROM stores_write_line(
        _outlet, _phones[1], _on_hand[1], _reserved[1], _condition, _kind, _reference, _actor, _reason, _key);
    RETURN;
END IF;
RETURN QUERY
""",
).replace(
    """
    SET seq = line.seq, on_hand = line.on_hand, reserved = line.reserved,
        change_on_hand = line.change_on_hand, change_reserved = line.change_reserved, moved_at = line.created_at
""",
    """
    SET seq = line.seq, on_hand = line.on_hand, reserved = line.reserved, moved_at = line.created_at
""",
)


class Migration(migrations.Migration):
    dependencies = [("stores", "0031_regions_can_be_found")]
    operations = [
        migrations.RunSQL(_explained.UNEXPLAINED, _explained.EXPLAINED),
        migrations.RunSQL(NO_GUARD, BEGINS_AT_ZERO + MOVES_FORWARD),
        migrations.RunSQL(NO_CHECKS, CHECKS),
        migrations.RemoveConstraint("stockmovement", "stockmovement_link"),
        migrations.SeparateDatabaseAndState(
            [migrations.RunSQL(FORGET_CHANGES, REMEMBER_CHANGES)],
            [
                migrations.RemoveField("stocklevel", "change_on_hand"),
                migrations.RemoveField("stocklevel", "change_reserved"),
            ],
        ),
        migrations.RunSQL(HELD, NOT_HELD),
        migrations.RunSQL(ONE, OLD_ONE),
        migrations.RunSQL(MANY, OLD_MANY),
        migrations.RemoveConstraint("stocklevel", "stocklevel_is_not_negative"),
        migrations.AlterField(
            "stocklevel",
            "safety_stock",
            models.SmallIntegerField(default=0, validators=[django.core.validators.MinValueValidator(0)]),
        ),
        migrations.AlterField(
            "stocklevel",
            "reorder_point",
            models.SmallIntegerField(
                default=0,
                help_text="0: the outlet does not keep this phone",
                validators=[django.core.validators.MinValueValidator(0)],
            ),
        ),
        migrations.AddConstraint(
            "stocklevel",
            models.CheckConstraint(
                condition=django.db.models.lookups.GreaterThanOrEqual(
                    django.db.models.functions.comparison.Least(
                        "on_hand", "reserved", "safety_stock", "reorder_point", output_field=models.IntegerField()
                    ),
                    0,
                ),
                name="stocklevel_is_not_negative",
            ),
        ),
    ]
