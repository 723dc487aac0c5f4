"""
The whole demo behind the real web server, for tests that look at pages as they are sent.

One database for all test workers of a run, filled once; one web process for each worker. These tests only read, but for
what the fixture itself changes: an outlet in every state and a phone that is sold no more. Beside it stands the demo as
it was loaded, for tests of the loading.

Filling takes a minute: it begins as soon as it is known that the site is wanted, beside the first tests, and those of
the site come later.
"""

from __future__ import annotations

import http.client
import os
import socket
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from contextlib import closing, contextmanager, suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import psycopg2
import pytest

from tests.databases import MIGRATED_DATABASE, ROOT, create, environment, execute, filled, manage, migrated

DATABASE = "cunpu_test_site"
DEMO_DATABASE = "cunpu_test_demo"
# What load_demo said when it filled it.
SAID = ROOT / "var" / "test_demo.txt"
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
        return execute(DATABASE, sql, *parameters)


@dataclass(frozen=True)
class Demo:
    """The demo as it was loaded, and what was said meanwhile."""

    said: str

    def rows(self, sql: str) -> list[tuple[Any, ...]]:
        return execute(DEMO_DATABASE, sql)

    def load_again(self) -> str:
        """Load it once more; return what is said."""
        return manage(DEMO_DATABASE, "load_demo")


@pytest.fixture(scope="session")
def site(django_db_setup: None) -> Iterator[Site]:
    with _ready_databases(), _served(environment(DATABASE)) as port:
        yield Site(port)


@pytest.fixture(scope="session")
def demo(django_db_setup: None) -> Iterator[Demo]:
    """Give the database with the demo as it was loaded."""
    with _ready_databases():
        yield Demo(SAID.read_text())


@pytest.hookimpl(trylast=True)
def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    """Begin to fill the databases where a test needs them, and put those tests where each worker comes late."""
    late = [item for item in items if _needs(item, "site", "demo")]
    if not late or config.option.collectonly:
        return
    threading.Thread(target=_fill_ahead, daemon=True).start()
    # Nobody takes the first tests from the worker that begins with them: their server would be made once more.
    first = [item for item in items if _needs(item, "server")]
    early = [item for item in items if not _needs(item, "site", "demo", "server")]
    items[:] = first
    workers = int(os.environ.get("PYTEST_XDIST_WORKER_COUNT", "1"))
    # Each begins with an equal stretch of the list.
    for worker in range(workers):
        mine = _share(early, worker, workers)
        items += mine[: len(mine) // 2] + _share(late, worker, workers) + mine[len(mine) // 2 :]


def _share(items: list[pytest.Item], worker: int, workers: int) -> list[pytest.Item]:
    return items[len(items) * worker // workers : len(items) * (worker + 1) // workers]


def _needs(item: pytest.Item, *fixtures: str) -> bool:
    return not {*fixtures}.isdisjoint(getattr(item, "fixturenames", ()))


def _fill_ahead() -> None:
    # Where it fails, the first test that wants them tries again, and says why.
    with suppress(subprocess.CalledProcessError, psycopg2.Error), _ready_databases():
        pass


def _run() -> str:
    """Return what all workers of this run have in common, and no other run has."""
    return os.environ.get("PYTEST_XDIST_TESTRUNUID", str(os.getpid()))


def _fill() -> None:
    create(DEMO_DATABASE, MIGRATED_DATABASE)
    SAID.write_text(manage(DEMO_DATABASE, "load_demo"))
    create(DATABASE, DEMO_DATABASE)
    execute(DATABASE, PREPARE)
    manage(DATABASE, "collectstatic", "--no-input", "--verbosity=0")


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
def _ready_databases() -> Iterator[None]:
    """Let the first that comes in a run fill the databases, and no other run touch them meanwhile."""
    with migrated(), filled(DATABASE, _run(), _fill):
        yield
