"""A worker that is killed in the middle of an upload of counts is followed by another, and nothing counts twice."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import closing
from datetime import timedelta
from io import BytesIO

import psycopg2
import pytest
from django.conf import settings
from django.db import connection
from django.test import Client
from django.utils import timezone

from catalog.catalogue import Catalogue
from events.models import Event
from partners import counts, counts_api
from partners.keys import issue_key
from partners.models import Partner, StockCount, StockCountPart
from stores.models import Outlet, StockLevel, StockMovement
from tests.books import assert_books_add_up
from tests.databases import own_database_url
from tests.factories import create_outlet, create_stock

pytestmark = pytest.mark.django_db(transaction=True)

SECONDS = 60
# A worker that commits every shelf by itself.
WORKER = """
import django
django.setup()
from partners.counts import deal_with_waiting
from stores import counts
counts.SHELVES_AT_ONCE = 1
deal_with_waiting()
"""


@pytest.fixture
def shops(catalogue: Catalogue) -> list[Outlet]:
    made = [create_outlet() for _ in range(3)]
    for outlet in made:
        create_stock(outlet=outlet, phone=catalogue.phones[0], on_hand=5)
    return made


@pytest.fixture
def waiting(shops: list[Outlet], catalogue: Catalogue, monkeypatch: pytest.MonkeyPatch) -> StockCount:
    """An upload that waits for a worker: of each shop, and a line of none."""
    monkeypatch.setattr(counts_api, "AT_ONCE_BYTES", 10)
    key = issue_key(Partner.objects.create(name="ERP"), ["stock:write"])
    moment = (timezone.now() + timedelta(minutes=1)).isoformat()
    lines = [
        {"outlet": code, "phone": catalogue.phones[0].slug, "on_hand": 7, "counted_at": moment}
        for code in [*(shop.code for shop in shops), "999999999-99"]
    ]
    headers = {"Authorization": f"Bearer {key}", "Idempotency-Key": "once"}
    response = Client().post("/api/v1/stock-counts", json.dumps(lines), "application/json", headers=headers)
    assert response.status_code == 202
    return StockCount.objects.get()


@pytest.fixture
def worker() -> Iterator[subprocess.Popen[bytes]]:
    environ = os.environ | {"DATABASE_URL": own_database_url(), "DEMO": "yes"}
    process = subprocess.Popen([sys.executable, "-c", WORKER], cwd=settings.BASE_DIR, env=environ)
    yield process
    process.kill()
    process.wait()


def wait(happened: Callable[[], bool]) -> None:
    began = time.monotonic()
    while not happened():
        assert time.monotonic() - began < SECONDS
        time.sleep(0.1)


def on_hand() -> list[int]:
    return list(StockLevel.objects.order_by("outlet_id").values_list("on_hand", flat=True))


def test_it_is_ended_by_another_exactly_once(
    waiting: StockCount, shops: list[Outlet], request: pytest.FixtureRequest
) -> None:
    last = Event.objects.latest("pk").pk
    with closing(psycopg2.connect(connection.connection.dsn)) as customer, customer.cursor() as cursor:
        # Somebody has the shelf of the second shop, and the worker waits for it.
        cursor.execute("SELECT FROM stores_stocklevel WHERE outlet_id = %s FOR UPDATE", [shops[1].pk])
        worker = request.getfixturevalue("worker")
        cursor.execute("SELECT pg_backend_pid()")
        backend = waits_for(cursor.fetchone()[0])
        waiting.refresh_from_db()
        # The refused line, and the first shop.
        assert (waiting.state, waiting.written, waiting.changed) == ("running", 2, 1)
        assert on_hand() == [7, 5, 5]
        # While it is at work, nobody else takes the upload up.
        assert counts.deal_with_waiting() == 0

        worker.kill()
        worker.wait()
    wait(lambda: not is_there(backend))
    assert on_hand() == [7, 5, 5]

    assert counts.deal_with_waiting() == 1
    assert counts.deal_with_waiting() == 0

    waiting.refresh_from_db()
    assert (waiting.state, waiting.lines, waiting.written, waiting.attempts) == ("done", 4, 4, 2)
    assert (waiting.opened, waiting.changed, waiting.unchanged, waiting.outdated, waiting.refused) == (0, 3, 0, 0, 1)
    assert [(each.line, each.field) for each in waiting.refusals.all()] == [(4, "outlet")]
    assert not StockCountPart.objects.exists()
    assert on_hand() == [7, 7, 7]
    assert StockMovement.objects.filter(kind="counted").count() == 3
    told = Event.objects.filter(pk__gt=last, type="stock.changed").values_list("outlet_id", flat=True)
    assert sorted(told) == sorted(shop.pk for shop in shops)
    assert_books_add_up()


def test_how_many_lines_were_read_is_told_while_they_are(waiting: StockCount, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(counts, "LINES_BETWEEN", 2)
    seen = []
    with closing(psycopg2.connect(connection.connection.dsn)) as other, other.cursor() as cursor:
        other.autocommit = True

        class Watched(BytesIO):
            """The body; whoever reads a piece of it looks first what is told of it."""

            def read(self, size: int | None = -1) -> bytes:
                cursor.execute("SELECT lines FROM partners_stockcount")
                seen.extend(cursor.fetchone())
                return super().read(size)

        with Watched(bytes(waiting.parts.get().data)) as body:
            counts.deal_with(waiting, body)
    assert (seen[0], seen[-1]) == (0, 4)
    assert (waiting.state, waiting.lines) == ("done", 4)


def waits_for(holder: int) -> int:
    """Return the backend that waits for a lock of the backend `holder`, as soon as there is one."""
    found: list[int] = []

    def happened() -> bool:
        with connection.cursor() as cursor:
            cursor.execute("SELECT pid FROM pg_stat_activity WHERE %s = ANY (pg_blocking_pids(pid))", [holder])
            found.extend(pid for (pid,) in cursor)
        return bool(found)

    wait(happened)
    return found[0]


def is_there(backend: int) -> bool:
    with connection.cursor() as cursor:
        cursor.execute("SELECT FROM pg_stat_activity WHERE pid = %s", [backend])
        return bool(cursor.rowcount)
