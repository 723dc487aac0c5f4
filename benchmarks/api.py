"""
What calls of the REST API cost beside their floors.

Requests go through the whole product as a web server hands them on, without a network, all ways in turn. Reads stand
beside a view that sends the same SQL and writes the rows down, and beside a small answer of the REST framework; an
order beside a plain view with one statement; a count of the whole country beside COPY plus upsert. Counted are
milliseconds of processor time, the program's and its PostgreSQL backend's together; of the large count it is seconds.
"""

from __future__ import annotations

import io
import json
import random
import sys
import time
from collections.abc import Callable
from itertools import count
from statistics import median
from typing import Any
from uuid import uuid4

from django.core.handlers.wsgi import WSGIHandler
from django.test import override_settings

from benchmarks.orders import FLOOR_TABLES, measure, settle
from benchmarks.web_door import PLAIN_MIDDLEWARE

OUTLETS = 200
READS = {
    "list: 100 outlets": "/api/v1/outlets",
    "list: 14 phones": "/api/v1/phones",
    "nearest 20 with a phone": "/api/v1/outlets?near=38.03,114.14&has={phone}&limit=20",
    "detail: one outlet": "/api/v1/outlets/{code}",
    "detail: one phone": "/api/v1/phones/{phone}",
    "stock of one outlet": "/api/v1/outlets/{code}/stock",
    "stock of 200 outlets, 14 phones each": "/api/v1/stock?limit=200",
}
READ_GOAL, ORDER_GOAL = 0.7, 0.5
SMALL, ORDER_FLOOR, ORDER = "floor: a small answer", "floor: a plain view, one statement", "POST of an order"
ROWS = "its key, its call and its rows, without any rule"


def run() -> str:
    """Return the tables of what calls cost."""
    from django.db import connection

    name = connection.settings_dict["NAME"]
    connection.creation.create_test_db(verbosity=0, autoclobber=True)
    try:
        with override_settings(ROOT_URLCONF="benchmarks.api_urls", ALLOWED_HOSTS=["*"]):
            calls = _calls()
    finally:
        connection.creation.destroy_test_db(name, verbosity=0)
    return f"{calls}\n{_counts()}"


class Program:
    """A program of a partner, that calls a handler."""

    def __init__(self, handler: WSGIHandler, key: str) -> None:
        self.handler = handler
        self.key = key

    def call(self, address: str, body: bytes = b"", once: str = "") -> bytes:
        path_info, _, query = address.partition("?")
        environ = {
            "REQUEST_METHOD": "POST" if body else "GET",
            "PATH_INFO": path_info,
            "QUERY_STRING": query,
            "SERVER_NAME": "localhost",
            "SERVER_PORT": "80",
            "SERVER_PROTOCOL": "HTTP/1.1",
            "HTTP_HOST": "localhost",
            "HTTP_AUTHORIZATION": f"Bearer {self.key}",
            "HTTP_IDEMPOTENCY_KEY": once,
            "CONTENT_TYPE": "application/json",
            "CONTENT_LENGTH": str(len(body)),
            "REMOTE_ADDR": "10.0.0.1",
            "wsgi.url_scheme": "http",
            "wsgi.input": io.BytesIO(body),
            "wsgi.errors": io.StringIO(),
        }
        answer: list[str] = []
        parts = self.handler(environ, lambda status, headers: answer.append(status))
        told = b"".join(parts)
        parts.close()
        if answer[0][0] != "2":
            raise SystemExit(f"{address}: {answer[0]} {told[:500].decode()}")
        return told


def _calls() -> str:
    from django.core.signals import request_finished, request_started
    from django.db import close_old_connections, connection

    from benchmarks import api_urls, order_rows

    # The backend whose time is counted must stay the same.
    request_started.disconnect(close_old_connections)
    request_finished.disconnect(close_old_connections)
    key, shelves = _fill()
    product = Program(WSGIHandler(), key)
    with override_settings(MIDDLEWARE=PLAIN_MIDDLEWARE):
        plain = Program(WSGIHandler(), key)
    codes = {"code": shelves[0].outlet.code, "phone": shelves[0].phone.slug}
    addresses = {name: path.format(**codes) for name, path in READS.items()}
    for name, address in addresses.items():
        product.call(address)
        api_urls.STATEMENTS[name] = _statements(lambda address=address: product.call(address))
    with connection.cursor() as cursor:
        cursor.execute(FLOOR_TABLES)
        cursor.execute("SELECT pg_backend_pid()")
        (backend,) = cursor.fetchone()
    ways: dict[str, Callable[[], object]] = {SMALL: lambda: plain.call("/floor/small/")}
    for number, (name, address) in enumerate(addresses.items()):
        ways[f"floor of {name}"] = lambda number=number: plain.call(f"/floor/sql/{number}/")
        ways[name] = lambda address=address: product.call(address)
    orders = _orders(product, plain, shelves)
    settle(orders[ORDER])
    api_urls.STATEMENTS["credentials"] = _statements(orders[ORDER])[:1]
    with connection.cursor() as cursor:
        order_rows.prepare(cursor)
    ways |= orders
    return _table(measure(ways, backend))


def _fill() -> tuple[str, list[Any]]:
    """Write outlets with plenty of every phone; return a key for all of it, and shelves of the first phone."""
    from catalog.catalogue import current_catalogue
    from tests.factories import create_outlet, create_stock, load_sample_phones
    from tests.partner_site import key_for_all

    load_sample_phones()
    shelves = []
    for _outlet in range(OUTLETS):
        outlet = create_outlet()
        for phone in current_catalogue().phones:
            level = create_stock(outlet=outlet, phone=phone, on_hand=9_000)
            if phone == current_catalogue().phones[0]:
                shelves.append(level)
    return key_for_all(), shelves


def _statements(call: Callable[[], object]) -> list[str]:
    """Return the SQL that a call sends, values filled in."""
    from django.db import connection
    from django.test.utils import CaptureQueriesContext

    with CaptureQueriesContext(connection) as captured:
        call()
    return [query["sql"] for query in captured if not query["sql"].startswith(("SAVEPOINT", "RELEASE"))]


def _orders(product: Program, plain: Program, shelves: list[Any]) -> dict[str, Callable[[], object]]:
    dice, mobiles, numbers = random.Random(1), count(13_900_000_000), count(10**11)  # noqa: S311

    def floor() -> None:
        level = dice.choice(shelves)
        form = {"outlet": level.outlet_id, "phone": level.phone_id, "number": str(next(numbers)), "name": "王小明"}
        plain.call("/floor/order/", json.dumps(form | {"mobile": f"+86{next(mobiles)}"}).encode())

    def rows() -> None:
        level, number = dice.choice(shelves), next(numbers)
        form = {"number": str(number), "counter": number, "outlet": level.outlet_id, "phone": level.phone_id}
        plain.call("/floor/order/rows/", json.dumps(form).encode())

    def order() -> None:
        level = dice.choice(shelves)
        form = {
            "reference": uuid4().hex,
            "outlet": level.outlet.code,
            "customer": {"name": "王小明", "mobile": str(next(mobiles))},
            "lines": [{"phone": level.phone.slug, "quantity": 1}],
        }
        product.call("/api/v1/orders", json.dumps(form).encode(), once=uuid4().hex)

    return {ORDER_FLOOR: floor, ROWS: rows, ORDER: order}


def _table(costs: dict[str, float]) -> str:
    lines = [
        "| a call of the API | ms | floor, ms | ratio (goal) | of a small answer |",
        "| --- | ---: | ---: | ---: | ---: |",
    ]
    pairs = [(name, f"floor of {name}", READ_GOAL) for name in READS]
    pairs += [(ORDER, ORDER_FLOOR, ORDER_GOAL), (ROWS, ORDER_FLOOR, ORDER_GOAL)]
    for name, floor, goal in pairs:
        ratio = costs[floor] / costs[name]
        mark = "" if ratio >= goal else "**"
        lines.append(
            f"| {name} | {costs[name]:.2f} | {costs[floor]:.2f} | {mark}{ratio:.2f}{mark} ({goal}) "
            f"| {costs[SMALL] / costs[name]:.2f} |"
        )
    return "\n".join(lines) + f"\n\nA small answer of the REST framework: {costs[SMALL]:.2f} ms.\n"


MODULE = "benchmarks.api"
ROUNDS = 3
COUNT_CASES = (("all differ", 1, 6), ("1 % differ", 100, 2))


def _counts() -> str:
    from benchmarks.counts import UPSERT, Counting, by_floor, meanwhile
    from benchmarks.scale import scaled

    url = scaled(15_000, 14)
    _floor_table(url)
    lines = [
        "| an upload of 210,000 counts, seconds | COPY plus upsert | taken in by the door | dealt with by the worker | "
        "ratio | goal |",
        "| --- | ---: | ---: | ---: | ---: | ---: |",
    ]
    for name, every, goal in COUNT_CASES:
        rounds = [(by_floor(url, every, UPSERT), *Counting(MODULE, url, every).run()) for _ in range(ROUNDS)]
        low, taken, dealt = (median(column) for column in zip(*rounds, strict=True))
        ratio = median((each[1] + each[2]) / each[0] for each in rounds)
        mark = "" if ratio <= goal else "**"
        lines.append(f"| {name} | {low:.2f} | {taken:.2f} | {dealt:.2f} | {mark}{ratio:.1f}{mark} | {goal} |")
    return "\n".join(lines) + "\n\n" + meanwhile(url, MODULE)


def _floor_table(url: str) -> None:
    from contextlib import closing

    import psycopg2

    from benchmarks.counts import SETUP

    with closing(psycopg2.connect(url)) as bare, bare, bare.cursor() as cursor:
        cursor.execute(SETUP)


def count_once(every: int) -> None:
    """Send a count of every shelf, one more on each so-manieth, when told to; print the seconds of door and worker."""
    import gzip

    from django.db import connection
    from django.test import Client, override_settings
    from django.utils import timezone

    from benchmarks.counts import wait_for_run
    from partners.counts import deal_with_waiting
    from stores.loading.stock import MOST_ON_HAND
    from tests.partner_site import key_for_all

    with connection.cursor() as cursor:
        cursor.execute(
            # Other benchmarks leave more on some shelves than a count may find.
            """SELECT o.code, p.slug, least(l.on_hand, %s) + (row_number() OVER () %% %s = 0)::int
               FROM stores_stocklevel l JOIN stores_outlet o ON o.id = outlet_id
               JOIN catalog_phone p ON p.id = phone_id""",
            [MOST_ON_HAND - 1, every],
        )
        moment = timezone.now().isoformat()
        rows = "\n".join(f"{outlet},{phone},{on_hand},{moment}" for outlet, phone, on_hand in cursor.fetchall())
    body = gzip.compress(f"outlet,phone,on_hand,counted_at\n{rows}\n".encode())
    headers = {"Authorization": f"Bearer {key_for_all(name=uuid4().hex)}", "Idempotency-Key": uuid4().hex}
    with override_settings(ALLOWED_HOSTS=["*"]):
        client = Client()
        # The first answer of a process takes longer: only now it reads its addresses.
        client.get("/api/v1/brands")
        wait_for_run()
        began = time.perf_counter()
        told = client.post("/api/v1/stock-counts", body, content_type="text/csv", headers=headers)
        taken = time.perf_counter()
    if told.status_code != 202 or deal_with_waiting() != 1:
        raise SystemExit(told.content.decode())
    print(taken - began, time.perf_counter() - taken)


if __name__ == "__main__":
    import django

    django.setup()
    count_once(int(sys.argv[1]))
