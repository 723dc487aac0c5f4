"""
Check the type of an event by a domain: PostgreSQL reads what a domain asks once a connection, a check every time.
"""

from importlib import import_module

from django.db import migrations

TYPES = ",".join(import_module("events.migrations.0003_types_by_list").TYPES)
DOMAIN = f"""
    CREATE DOMAIN events_type AS varchar(20)
        CONSTRAINT event_type_is_known CHECK (VALUE = ANY ('{{{TYPES}}}'::text[]));
    ALTER TABLE events_event DROP CONSTRAINT event_type_is_known, ALTER type TYPE events_type;
"""
NO_DOMAIN = f"""
    ALTER TABLE events_event ALTER type TYPE varchar(20),
        ADD CONSTRAINT event_type_is_known CHECK (type = ANY ('{{{TYPES}}}'::text[]));
    DROP DOMAIN events_type;
"""


class Migration(migrations.Migration):
    dependencies = [("events", "0003_types_by_list")]
    operations = [migrations.RunSQL(DOMAIN, NO_DOMAIN)]
