"""
Number events, put them in order by ticks, and refuse to change what happened.

The function that makes a tick takes a lock and then, in a statement of its own, a snapshot: so the snapshots of ticks
follow each other. A tick is only made where there are events that the one before did not see.
"""

from django.db import migrations

NUMBERS = "ALTER TABLE events_event ALTER COLUMN id ADD GENERATED ALWAYS AS IDENTITY"
NO_NUMBERS = "ALTER TABLE events_event ALTER COLUMN id DROP IDENTITY"

TICKS = """
    CREATE FUNCTION events_make_tick(_shortest interval) RETURNS bigint LANGUAGE plpgsql AS $$
    DECLARE
        _last events_tick;
    BEGIN
        FOR _look IN 1..2 LOOP
            SELECT * INTO _last FROM events_tick ORDER BY number DESC LIMIT 1;
            _last.number := coalesce(_last.number, 0);
            _last.until := coalesce(_last.until, '1:1:');
            IF pg_snapshot_xmax(pg_current_snapshot()) < pg_snapshot_xmax(_last.until) THEN
                RAISE 'the events are of another PostgreSQL: run manage.py forget_events --all'
                    USING ERRCODE = 'object_not_in_prerequisite_state';
            END IF;
            IF clock_timestamp() < _last.made_at + _shortest OR NOT EXISTS (
                SELECT FROM events_event WHERE xid >= pg_snapshot_xmax(_last.until)
            ) AND NOT EXISTS (
                SELECT FROM pg_snapshot_xip(_last.until) AS running JOIN events_event e ON e.xid = running
            ) THEN
                RETURN _last.number;
            END IF;
            -- The first look waits for nobody.
            PERFORM pg_advisory_xact_lock(6814, 0);
        END LOOP;
        INSERT INTO events_tick (number, since, until, made_at)
        VALUES (_last.number + 1, _last.until, pg_current_snapshot(), clock_timestamp());
        RETURN _last.number + 1;
    END $$;
"""
NO_TICKS = "DROP FUNCTION events_make_tick(interval)"

GUARDS = """
    CREATE FUNCTION events_refuse() RETURNS trigger LANGUAGE plpgsql AS $$
    BEGIN
        RAISE EXCEPTION '%: % of % refused', TG_NAME, TG_OP, TG_TABLE_NAME
            USING ERRCODE = 'restrict_violation', CONSTRAINT = TG_NAME;
    END $$;
"""
NO_GUARDS = "DROP FUNCTION events_refuse()"
# What is too old goes by the function `events_forget` alone.
GUARD = """
    CREATE TRIGGER {name}_is_never_changed BEFORE UPDATE ON events_{name}
        FOR EACH ROW EXECUTE FUNCTION events_refuse();
    CREATE TRIGGER {name}_is_kept BEFORE DELETE ON events_{name} FOR EACH ROW
        WHEN (current_setting('events.forgetting', true) IS DISTINCT FROM 'on') EXECUTE FUNCTION events_refuse();
    CREATE TRIGGER {name}_is_not_truncated BEFORE TRUNCATE ON events_{name}
        FOR EACH STATEMENT EXECUTE FUNCTION events_refuse();
"""
NO_GUARD = """
    DROP TRIGGER {name}_is_not_truncated ON events_{name};
    DROP TRIGGER {name}_is_kept ON events_{name};
    DROP TRIGGER {name}_is_never_changed ON events_{name};
"""

FORGET = """
    -- What happened before a moment; null: everything, also what came along from another PostgreSQL.
    CREATE FUNCTION events_forget(_before timestamptz) RETURNS bigint LANGUAGE plpgsql AS $$
    DECLARE
        _kept events_tick;
        _forgotten bigint;
    BEGIN
        PERFORM pg_advisory_xact_lock(6814, 0);
        IF _before IS NULL THEN
            INSERT INTO events_tick (number, since, until, made_at)
            SELECT coalesce(max(number), 0) + 1, pg_current_snapshot(), pg_current_snapshot(), clock_timestamp()
            FROM events_tick;
        END IF;
        -- The newest tick stays: the next one begins where it ends.
        SELECT * INTO _kept FROM events_tick
        WHERE made_at >= _before OR number = (SELECT max(number) FROM events_tick) ORDER BY number LIMIT 1;
        PERFORM set_config('events.forgetting', 'on', true);
        DELETE FROM events_tick WHERE number < _kept.number;
        -- What was still running then may be of a tick that is kept; it goes with that.
        DELETE FROM events_event WHERE _before IS NULL OR xid < pg_snapshot_xmin(_kept.since);
        GET DIAGNOSTICS _forgotten = ROW_COUNT;
        PERFORM set_config('events.forgetting', '', true);
        RETURN _forgotten;
    END $$;
"""
NO_FORGET = "DROP FUNCTION events_forget(timestamptz)"


class Migration(migrations.Migration):
    dependencies = [("events", "0001_events_and_ticks")]
    operations = [
        migrations.RunSQL(NUMBERS, NO_NUMBERS),
        migrations.RunSQL(TICKS, NO_TICKS),
        migrations.RunSQL(GUARDS, NO_GUARDS),
        *(migrations.RunSQL(GUARD.format(name=name), NO_GUARD.format(name=name)) for name in ("event", "tick")),
        migrations.RunSQL(FORGET, NO_FORGET),
    ]
