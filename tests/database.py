"""The test's database, for programs that a test starts."""

from django.db import connection


def database_url() -> str:
    """Return what DATABASE_URL must say for a program to work on it."""
    database = connection.settings_dict
    account = f"user={database['USER']}" + (f"&password={database['PASSWORD']}" if database["PASSWORD"] else "")
    return f"postgres:///{database['NAME']}?host={database['HOST']}&port={database['PORT']}&{account}"
