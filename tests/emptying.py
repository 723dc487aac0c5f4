"""
The database is emptied after each test that commits, as Django does it, in less than half of the time.

Django makes every table anew, whether anything was written to it or not, and all permissions.
"""

from __future__ import annotations

from django.contrib.auth.models import Permission
from django.contrib.contenttypes.models import ContentType
from django.db import connection, transaction

# They say what models there are, which no test changes.
KEPT = {ContentType._meta.db_table, Permission._meta.db_table}
# History refuses to be truncated; 32 is the bit of TRUNCATE.
GUARDS = """
SELECT format('ALTER TABLE %s {} TRIGGER %I', tgrelid::regclass, tgname) FROM pg_trigger
WHERE tgtype & 32 <> 0 AND NOT tgisinternal
"""


def empty_tables() -> None:
    """
    Empty the tables of all models but KEPT, and those that refer to them.

    Only those that have anything on the disk. Rows are not deleted: the dead ones, and what the planner was told of a
    table while it was empty, would change the plans of later tests.
    """
    tables = sorted({*connection.introspection.django_table_names(only_existing=True, include_views=False)} - KEPT)
    with transaction.atomic(), connection.cursor() as cursor:
        cursor.execute("SELECT name FROM unnest(%s) AS name WHERE pg_relation_size(name::regclass) > 0", [tables])
        if filled := [name for (name,) in cursor.fetchall()]:
            cursor.execute(GUARDS)
            guards = "; ".join(switch for (switch,) in cursor.fetchall())
            cursor.execute(guards.format(*["DISABLE"] * guards.count("{}")))
            cursor.execute(f"TRUNCATE {', '.join(filled)} CASCADE")
            cursor.execute(guards.format(*["ENABLE"] * guards.count("{}")))
