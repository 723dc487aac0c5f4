"""Databases of many outlets to measure stock on, made once and kept."""

from __future__ import annotations

import os
import subprocess
import sys
from contextlib import closing
from pathlib import Path

import psycopg2
from django.conf import settings

ROOT = Path(__file__).resolve().parent.parent


def url(database: str) -> str:
    """Return the DATABASE_URL of another database on the server that the settings name."""
    server = settings.DATABASES["default"]
    account = f"user={server['USER']}" + (f"&password={server['PASSWORD']}" if server.get("PASSWORD") else "")
    return f"postgres:///{database}?host={server['HOST']}&port={server['PORT']}&{account}"


def scaled(outlets: int, phones: int) -> str:
    """Return the DATABASE_URL of a database with so many outlets and shelves, made by `manage.py load_scale`."""
    name = f"cunpu_scale_{outlets}_{phones}"
    with closing(psycopg2.connect(url("postgres"))) as connection:
        connection.autocommit = True
        with connection.cursor() as cursor:
            cursor.execute("SELECT FROM pg_database WHERE datname = %s", [name])
            if cursor.rowcount:
                manage(url(name), "migrate", "--verbosity=0")
                return url(name)
            cursor.execute(f"DROP DATABASE IF EXISTS {name}_half")
            cursor.execute(f"CREATE DATABASE {name}_half")
            half = url(f"{name}_half")
            manage(half, "migrate", "--verbosity=0")
            manage(half, "load_phones", "--apply", str(ROOT / "catalog" / "data" / "phones.json"))
            manage(half, "load_scale", f"--outlets={outlets}", f"--phones={phones}")
            # Its name only when it is whole.
            cursor.execute(f"ALTER DATABASE {name}_half RENAME TO {name}")
    return url(name)


def manage(database_url: str, *arguments: str) -> None:
    environment = os.environ | {"DATABASE_URL": database_url, "DEMO": "yes"}
    subprocess.run([sys.executable, "manage.py", *arguments], cwd=ROOT, env=environment, check=True)
