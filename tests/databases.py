"""
Databases that the test workers share, each filled by the first that needs it.

What a database was filled from is kept as its comment. Locks are taken in the order of this file: migrated, then site.
"""

from __future__ import annotations

import fcntl
import os
import subprocess
import sys
from collections.abc import Callable, Iterator
from contextlib import closing, contextmanager
from functools import cache
from hashlib import sha256
from pathlib import Path
from typing import Any

import psycopg2
from django.conf import settings
from django.db import connection

from tests import checkout

ROOT = Path(__file__).resolve().parent.parent
MIGRATED_DATABASE = "cunpu_test_migrated"


@contextmanager
def migrated() -> Iterator[None]:
    """
    Make sure of an empty database after all migrations, to be copied and left alone.

    It is made anew, from nothing, whenever the code has changed.
    """

    def fill() -> None:
        create(MIGRATED_DATABASE)
        manage(MIGRATED_DATABASE, "migrate", "--verbosity=0")

    with filled(MIGRATED_DATABASE, _code(), fill):
        yield


@cache
def _code() -> str:
    """Return a fingerprint of what migrations can depend on."""
    code = sha256()
    for name in sorted(checkout.files()):
        if name.endswith((".py", ".txt")) and not name.startswith("tests/"):
            code.update(name.encode() + b"\0" + (ROOT / name).read_bytes())
    return code.hexdigest()


@contextmanager
def filled(name: str, source: str, fill: Callable[[], None]) -> Iterator[None]:
    """Let the first that comes fill a database, and nobody with another source touch it meanwhile."""
    folder = ROOT / "var"
    folder.mkdir(exist_ok=True)
    with (folder / f"{name}.lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_SH)
        # From SH to EX the lock is let go of for a moment, in which somebody else may fill it.
        while _source_of(name) != source:
            fcntl.flock(lock, fcntl.LOCK_EX)
            if _source_of(name) != source:
                fill()
                execute("postgres", f"COMMENT ON DATABASE {name} IS '{source}'")
            fcntl.flock(lock, fcntl.LOCK_SH)
        yield


def _source_of(name: str) -> str | None:
    found = execute(
        "postgres", f"SELECT shobj_description(oid, 'pg_database') FROM pg_database WHERE datname = '{name}'"
    )
    return found[0][0] if found else None


def create(name: str, template: str = "template1") -> None:
    """Make a database in the place of one that may be there."""
    execute("postgres", f"DROP DATABASE IF EXISTS {name} WITH (FORCE)")
    execute("postgres", f"CREATE DATABASE {name} TEMPLATE {template}")


def execute(database: str, sql: str, *parameters: object) -> list[tuple[Any, ...]]:
    """Carry it out on its own, outside any transaction; return the rows."""
    with closing(psycopg2.connect(database_url(database))) as connection:
        connection.autocommit = True
        with connection.cursor() as cursor:
            cursor.execute(sql, parameters or None)
            return cursor.fetchall() if cursor.description else []


def database_url(name: str) -> str:
    """Return the URL of another database beside the one of the settings."""
    database = settings.DATABASES["default"]
    keys = {"host": database["HOST"], "port": database["PORT"], "user": database["USER"]}
    if database["PASSWORD"]:
        keys["password"] = database["PASSWORD"]
    return f"postgresql:///{name}?" + "&".join(f"{key}={value}" for key, value in keys.items() if value)


def own_database_url() -> str:
    """Return the URL of the database that this worker's tests have, for programs that a test starts."""
    return database_url(connection.settings_dict["NAME"])


def environment(database: str) -> dict[str, str]:
    """Return the environment of a program that works on `database`."""
    return os.environ | {
        "DATABASE_URL": database_url(database),
        "DEMO": "yes",
        "DJANGO_SETTINGS_MODULE": "tests.site_settings",
        "LC_ALL": "C.UTF-8",
    }


def manage(database: str, *command: str) -> str:
    """Run a command of manage.py on one of the databases; return what it prints. Raise CalledProcessError."""
    program = [sys.executable, "manage.py", *command]
    return subprocess.run(
        program, cwd=ROOT, env=environment(database), check=True, stdout=subprocess.PIPE, text=True
    ).stdout
