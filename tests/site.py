"""
The whole demo behind the real web server, for tests that look at pages as they are sent.

One database for all test workers of a run, filled once; one web process for each worker. These tests only read, but for
what the fixture itself changes: an outlet in every state and a phone that is sold no more.
"""

from __future__ import annotations

import fcntl
import http.client
import os
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import closing, contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import psycopg2
import pytest
from django.conf import settings

ROOT = Path(__file__).resolve().parent.parent
DATABASE = "cunpu_test_site"
SECONDS_TO_START = 30

PREPARE = """
UPDATE stores_outlet SET state = 'planned' WHERE code = (SELECT min(code) FROM stores_outlet WHERE code LIKE '15%');
UPDATE stores_outlet SET state = 'suspended' WHERE code = (SELECT min(code) FROM stores_outlet WHERE code LIKE '21%');
UPDATE stores_outlet SET state = 'closed' WHERE code = (SELECT min(code) FROM stores_outlet WHERE code LIKE '22%');
"""


@dataclass(frozen=True)
class Site:
    """A running site. `port` is on the loopback interface."""

    port: int
    database_url: str
    cookies: dict[str, str] = field(default_factory=dict)

    @property
    def url(self) -> str:
        return f"http://localhost:{self.port}"

    def get(self, path: str, method: str = "GET", **headers: str) -> tuple[http.client.HTTPResponse, bytes]:
        """Ask for `path` on a connection of its own; return the answer and its body as sent."""
        with closing(http.client.HTTPConnection("localhost", self.port, timeout=30)) as connection:
            connection.request(method, path, headers={name.replace("_", "-"): value for name, value in headers.items()})
            answer = connection.getresponse()
            return answer, answer.read()

    def cookie_of(self, outlet: str) -> str:
        """Return the Cookie header of somebody who chose `outlet`; empty for nobody."""
        if not outlet:
            return ""
        if outlet not in self.cookies:
            answer, _ = self.get(f"/outlets/{outlet}/choose/", "POST")
            self.cookies[outlet] = str(answer.getheader("Set-Cookie")).partition(";")[0]
        return self.cookies[outlet]

    def browser_cookie(self, outlet: str) -> Any:
        """Return the same as Playwright wants it."""
        name, _, value = self.cookie_of(outlet).partition("=")
        return {"name": name, "value": value, "url": self.url}

    def rows(self, sql: str, *parameters: object) -> list[tuple[Any, ...]]:
        with closing(psycopg2.connect(self.database_url)) as connection, connection.cursor() as cursor:
            cursor.execute(sql, parameters or None)
            return cursor.fetchall()


@pytest.fixture(scope="session")
def site(request: pytest.FixtureRequest, django_db_setup: None) -> Iterator[Site]:
    run = os.environ.get("PYTEST_XDIST_TESTRUNUID", str(os.getpid()))
    environment = os.environ | {
        "DATABASE_URL": database_url(DATABASE),
        "DEMO": "yes",
        "DJANGO_SETTINGS_MODULE": "tests.site_settings",
    }
    with _ready_database(run, environment), _served(environment) as port:
        yield Site(port, environment["DATABASE_URL"])


def database_url(name: str) -> str:
    """Return the URL of another database beside the one of the settings."""
    database = settings.DATABASES["default"]
    keys = {"host": database["HOST"], "port": database["PORT"], "user": database["USER"]}
    if database["PASSWORD"]:
        keys["password"] = database["PASSWORD"]
    return f"postgresql:///{name}?" + "&".join(f"{key}={value}" for key, value in keys.items() if value)


def _fill(environment: dict[str, str]) -> None:
    with closing(psycopg2.connect(database_url("postgres"))) as connection:
        connection.autocommit = True
        with connection.cursor() as cursor:
            cursor.execute(f"DROP DATABASE IF EXISTS {DATABASE} WITH (FORCE)")
            cursor.execute(f"CREATE DATABASE {DATABASE}")
    for command in (["migrate", "--verbosity=0"], ["load_demo"], ["collectstatic", "--no-input", "--verbosity=0"]):
        subprocess.run(
            [sys.executable, "manage.py", *command], cwd=ROOT, env=environment, check=True, stdout=subprocess.DEVNULL
        )
    with (
        closing(psycopg2.connect(environment["DATABASE_URL"])) as connection,
        connection,
        connection.cursor() as cursor,
    ):
        cursor.execute(PREPARE)


@contextmanager
def _served(environment: dict[str, str]) -> Iterator[int]:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    server = subprocess.Popen(
        [
            Path(sys.executable).parent / "granian", "--interface", "wsgi", "--workers", "1",
            "--blocking-threads", "2", "--host", "127.0.0.1", "--port", str(port),
            "--no-ws", "--log-level", "error", "config.web:application",
        ],
        cwd=ROOT,
        env=environment,
    )  # fmt: skip
    try:
        began = time.monotonic()
        while True:
            try:
                socket.create_connection(("127.0.0.1", port)).close()
                break
            except OSError:
                assert server.poll() is None, "the site's server gave up"
                assert time.monotonic() - began < SECONDS_TO_START
                time.sleep(0.05)
        yield port
    finally:
        server.terminate()
        server.wait(timeout=20)


@contextmanager
def _ready_database(run: str, environment: dict[str, str]) -> Iterator[None]:
    """Let the first worker of a run fill the database, and no other run touch it meanwhile."""
    folder = ROOT / "var"
    folder.mkdir(exist_ok=True)
    stamp = folder / "test_site.run"
    with (folder / "test_site.lock").open("w") as lock:
        while True:
            fcntl.flock(lock, fcntl.LOCK_SH)
            if stamp.exists() and stamp.read_text() == run:
                break
            try:
                fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
                _fill(environment)
                stamp.write_text(run)
            except BlockingIOError:
                fcntl.flock(lock, fcntl.LOCK_UN)
                time.sleep(0.2)
        yield
