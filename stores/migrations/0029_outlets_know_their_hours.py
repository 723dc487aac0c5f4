"""
Let new hours and closed days of an outlet count as a change of it, like all that programs are told of it.

The row itself notes when (outlet_notes_its_update), in the order of keys, so that two who change hours never wait for
each other.
"""

from django.db import migrations

TELL = """
    CREATE OR REPLACE FUNCTION stores_tell_hours(_outlets bigint[]) RETURNS void LANGUAGE sql AS $$
        {note}
        INSERT INTO events_event (type, outlet_id, data)
        SELECT 'outlet.changed', o.id, jsonb_build_object('state', o.state) FROM stores_outlet o
        WHERE o.id = ANY (_outlets) AND NOT EXISTS (
            SELECT FROM events_event e
            WHERE e.xid = pg_current_xact_id() AND e.outlet_id = o.id AND e.type IN ('outlet.added', 'outlet.changed')
        )
        ORDER BY o.id
    $$;
"""
NOTE = """
        UPDATE stores_outlet SET updated_at = clock_timestamp() WHERE id IN (
            SELECT id FROM stores_outlet WHERE id = ANY (_outlets) ORDER BY id FOR NO KEY UPDATE
        );
"""


class Migration(migrations.Migration):
    dependencies = [("stores", "0028_unit_once_a_line")]
    operations = [migrations.RunSQL(TELL.format(note=NOTE), TELL.format(note=""))]
