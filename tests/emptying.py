"""
The database is emptied after each test that commits, as Django does it, in a tenth of the time.

Django makes every table anew, whether anything was written to it or not, and all permissions. A few rows are quicker
deleted. Where that would leave many dead ones to the tests that come later, the tables are made anew as ever.
"""

from __future__ import annotations

from django.contrib.auth.models import Permission
from django.contrib.contenttypes.models import ContentType
from django.db import connection, transaction

# They say what models there are, which no test changes.
KEPT = {ContentType._meta.db_table, Permission._meta.db_table}
# Of all tables together, dead rows included.
MOST_BYTES = 2_000_000


def empty_tables() -> None:
    """Empty the tables of all models but KEPT. Triggers are not asked: history refuses to be deleted."""
    tables = sorted({*connection.introspection.django_table_names(only_existing=True, include_views=False)} - KEPT)
    with transaction.atomic(), connection.cursor() as cursor:
        cursor.execute("SELECT sum(pg_relation_size(name::regclass)) FROM unnest(%s) AS name", [tables])
        if cursor.fetchone()[0] > MOST_BYTES:
            emptying = f"TRUNCATE {', '.join(tables)}"
        else:
            cursor.execute(" UNION ALL ".join(f"SELECT '{name}' WHERE EXISTS (SELECT FROM {name})" for name in tables))
            tables = [name for (name,) in cursor.fetchall()]
            # In one statement, as rows of one table may need those of another.
            emptying = f"WITH {', '.join(f'gone_{name} AS (DELETE FROM {name})' for name in tables)} SELECT"
        if tables:
            cursor.execute("".join(f"ALTER TABLE {name} DISABLE TRIGGER USER;" for name in tables))
            cursor.execute(emptying)
            # What is still to be checked keeps triggers from being changed.
            cursor.execute("SET CONSTRAINTS ALL IMMEDIATE")
            cursor.execute("".join(f"ALTER TABLE {name} ENABLE TRIGGER USER;" for name in tables))
