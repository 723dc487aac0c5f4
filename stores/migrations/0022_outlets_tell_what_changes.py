"""
Write events of outlets, whoever changes them: import, head office, SQL.

Outlets change seldom and by many ways, so the table tells it, statement by statement. (On a distributed database the
writers would.) What an outlet does or where it stands is told by what happened to its row. Its hours stand elsewhere
and are told once a transaction.
"""

from django.db import migrations

# What partners see of an outlet, but for its state.
SEEN = (
    "code, name_zh, name_en, town_id, address_zh, address_en, telephone, latitude, longitude, coordinate_source,"
    " coordinate_accuracy_km, timetable_id"
)
BEFORE, AFTER = (", ".join(f"{row}.{column}" for column in SEEN.split(", ")) for row in ("b", "n"))

OUTLETS = f"""
    CREATE FUNCTION stores_tell_outlets() RETURNS trigger LANGUAGE plpgsql AS $$
    BEGIN
        IF TG_OP = 'INSERT' THEN
            INSERT INTO events_event (type, outlet_id, data)
            SELECT 'outlet.added', id, jsonb_build_object('state', state) FROM new_rows ORDER BY id;
            RETURN NULL;
        END IF;
        INSERT INTO events_event (type, outlet_id, data)
        SELECT CASE WHEN n.state = b.state OR n.state = 'planned' THEN 'outlet.changed'
                    WHEN n.state = 'open' THEN 'outlet.opened' ELSE 'outlet.' || n.state END,
               n.id, jsonb_build_object('state', n.state)
        FROM old_rows b JOIN new_rows n USING (id)
        WHERE ({BEFORE}, b.state) IS DISTINCT FROM ({AFTER}, n.state) ORDER BY n.id;
        RETURN NULL;
    END $$;
    CREATE TRIGGER outlet_is_told_when_added AFTER INSERT ON stores_outlet
        REFERENCING NEW TABLE AS new_rows FOR EACH STATEMENT EXECUTE FUNCTION stores_tell_outlets();
    CREATE TRIGGER outlet_is_told_when_changed AFTER UPDATE ON stores_outlet
        REFERENCING OLD TABLE AS old_rows NEW TABLE AS new_rows
        FOR EACH STATEMENT EXECUTE FUNCTION stores_tell_outlets();
"""
NO_OUTLETS = """
    DROP TRIGGER outlet_is_told_when_changed ON stores_outlet;
    DROP TRIGGER outlet_is_told_when_added ON stores_outlet;
    DROP FUNCTION stores_tell_outlets();
"""

TOLD_ONCE = """
    CREATE FUNCTION stores_tell_hours(_outlets bigint[]) RETURNS void LANGUAGE sql AS $$
        INSERT INTO events_event (type, outlet_id, data)
        SELECT 'outlet.changed', o.id, jsonb_build_object('state', o.state) FROM stores_outlet o
        WHERE o.id = ANY (_outlets) AND NOT EXISTS (
            SELECT FROM events_event e
            WHERE e.xid = pg_current_xact_id() AND e.outlet_id = o.id AND e.type IN ('outlet.added', 'outlet.changed')
        )
        ORDER BY o.id
    $$;
    CREATE FUNCTION stores_tell_timetables() RETURNS trigger LANGUAGE plpgsql AS $$
    DECLARE
        _timetables bigint[] := '{}';
    BEGIN
        IF TG_OP <> 'INSERT' THEN
            _timetables := _timetables || ARRAY(SELECT timetable_id FROM old_rows);
        END IF;
        IF TG_OP <> 'DELETE' THEN
            _timetables := _timetables || ARRAY(SELECT timetable_id FROM new_rows);
        END IF;
        PERFORM stores_tell_hours(ARRAY(SELECT id FROM stores_outlet WHERE timetable_id = ANY (_timetables)));
        RETURN NULL;
    END $$;
    CREATE FUNCTION stores_tell_closures() RETURNS trigger LANGUAGE plpgsql AS $$
    DECLARE
        _outlets bigint[] := '{}';
    BEGIN
        IF TG_OP <> 'INSERT' THEN
            _outlets := _outlets || ARRAY(SELECT outlet_id FROM old_rows);
        END IF;
        IF TG_OP <> 'DELETE' THEN
            _outlets := _outlets || ARRAY(SELECT outlet_id FROM new_rows);
        END IF;
        PERFORM stores_tell_hours(_outlets);
        RETURN NULL;
    END $$;
"""
NOT_TOLD = """
    DROP FUNCTION stores_tell_closures();
    DROP FUNCTION stores_tell_timetables();
    DROP FUNCTION stores_tell_hours(bigint[]);
"""
ROWS = {"INSERT": "NEW TABLE AS new_rows", "DELETE": "OLD TABLE AS old_rows"}
ROWS["UPDATE"] = " ".join(reversed(ROWS.values()))
TOLD = {"timetablehours": "stores_tell_timetables", "closedperiod": "stores_tell_closures"}


class Migration(migrations.Migration):
    dependencies = [("stores", "0021_silent_outlets"), ("events", "0002_feed_in_order")]
    operations = [
        migrations.RunSQL(OUTLETS, NO_OUTLETS),
        migrations.RunSQL(TOLD_ONCE, NOT_TOLD),
        *(
            migrations.RunSQL(
                f"""
                CREATE TRIGGER {table}_is_told_after_{deed.lower()} AFTER {deed} ON stores_{table}
                REFERENCING {rows} FOR EACH STATEMENT EXECUTE FUNCTION {function}();
                """,
                f"DROP TRIGGER {table}_is_told_after_{deed.lower()} ON stores_{table}",
            )
            for table, function in TOLD.items()
            for deed, rows in ROWS.items()
        ),
    ]
