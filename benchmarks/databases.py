"""The databases that pages are measured on: the whole demo, and the same with the ten outlets of one county."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from contextlib import closing
from dataclasses import dataclass

import psycopg2
from django.conf import settings

from benchmarks.meter import ROOT

COUNTY = "130121"
COUNTY_NAME = "井陉"
OUTLET = "130121100-01"
TOWN_NAME = "微水"
POINT = "lat=38.03&lng=114.13"


@dataclass(frozen=True)
class Database:
    """A database that is filled. `outlets` is how many it has."""

    url: str
    outlets: int

    def statements(self, addresses: dict[str, str]) -> dict[str, list[str]]:
        """Return, for each page by name, the SQL that the product sends for it when the catalogue is in memory."""
        answer = python(self.url, "benchmarks.statements", json.dumps(addresses))
        return json.loads(answer)


def few_outlets() -> Database:
    return _filled("cunpu_bench_few", COUNTY)


def whole_country() -> Database:
    return whole_country_of("cunpu_bench_country")


def whole_country_of(name: str) -> Database:
    """Return a database of this name that begins as the whole demo."""
    return _filled(name, "")


def _filled(name: str, prefix: str) -> Database:
    """Create the database `name` with the sample outlets whose code begins with `prefix`, unless it is there."""
    url = database_url(name)
    with closing(psycopg2.connect(database_url("postgres"))) as connection:
        connection.autocommit = True
        with connection.cursor() as cursor:
            cursor.execute("SELECT FROM pg_database WHERE datname = %s", [name])
            if not cursor.rowcount:
                cursor.execute(f"CREATE DATABASE {name}")
    python(url, "benchmarks.fill", prefix)
    with closing(psycopg2.connect(url)) as connection, connection.cursor() as cursor:
        cursor.execute("SELECT count(*) FROM stores_outlet")
        return Database(url, cursor.fetchone()[0])


def database_url(name: str) -> str:
    """Return the URL of another database beside the one of the settings."""
    database = settings.DATABASES["default"]
    names = {"host": "HOST", "port": "PORT", "user": "USER", "password": "PASSWORD"}
    query = "&".join(f"{word}={database[key]}" for word, key in names.items() if database[key])
    return f"postgresql:///{name}?{query}"


def python(url: str, module: str, argument: str) -> str:
    """Run a module on another database; return what it prints."""
    environment = os.environ | {"DATABASE_URL": url, "DEMO": "yes", "DJANGO_SETTINGS_MODULE": "config.settings"}
    command = [sys.executable, "-m", module, argument]
    return subprocess.run(command, cwd=ROOT, env=environment, check=True, capture_output=True, text=True).stdout
