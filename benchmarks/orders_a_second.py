"""
How many orders a second come through the rule and through the web door, beside the least SQL that does the work.

Every way is sent by the same number of processes, each with a connection of its own and one order at a time; all ways
take turns within each round. The database is one of its own, made for it, on the machine that also sends.
"""

from __future__ import annotations

import multiprocessing
import os
import time
from itertools import count
from multiprocessing.connection import Connection
from statistics import median
from typing import Any

from django.test import override_settings

from benchmarks.orders import FLOOR_TABLES, ONE_STATEMENT, settle
from benchmarks.web_door import FLOOR, OUTLETS, POST, WHOLE, Customers, Shelf, shelves_of

CALLERS, ROUNDS, SECONDS = 4, 7, 1.0
BARE, RULE = "bare SQL: one statement", "rule: `place_order`"
WAYS = (BARE, RULE, FLOOR, POST, WHOLE)


def run() -> str:
    """Return the table of orders a second."""
    from django.db import connection

    name = connection.settings_dict["NAME"]
    connection.creation.create_test_db(verbosity=0, autoclobber=True)
    callers: list[Caller] = []
    try:
        shelves = shelves_of(OUTLETS)
        with connection.cursor() as cursor:
            cursor.execute(FLOOR_TABLES)
        with override_settings(ROOT_URLCONF="benchmarks.web_door_urls", ALLOWED_HOSTS=["*"]):
            settle(Customers(shelves, CALLERS).post)
        callers = [Caller(database_url(connection.settings_dict), number, shelves) for number in range(CALLERS)]
        return _table(_measure(callers))
    finally:
        for caller in callers:
            caller.process.kill()
            caller.process.join()
        connection.creation.destroy_test_db(name, verbosity=0)


def database_url(database: dict[str, Any]) -> str:
    account = f"user={database['USER']}&password={database['PASSWORD']}"
    return f"postgres:///{database['NAME']}?host={database['HOST']}&port={database['PORT']}&{account}"


def _measure(callers: list[Caller]) -> dict[str, list[float]]:
    rates: dict[str, list[float]] = {way: [] for way in WAYS}
    for _ in range(ROUNDS):
        for way in WAYS:
            for caller in callers:
                caller.pipe.send(way)
            rates[way].append(sum(caller.pipe.recv() for caller in callers) / SECONDS)
    return rates


def _table(rates: dict[str, list[float]]) -> str:
    lines = [f"| orders a second, {CALLERS} callers | a second | of bare SQL |", "|---|---:|---:|"]
    for way in WAYS:
        share = median(own / bare for own, bare in zip(rates[way], rates[BARE], strict=True))
        lines.append(f"| {way} | {median(rates[way]):,.0f} | {share:.2f} |")
    return "\n".join(lines) + "\n"


class Caller:
    """One process that places orders for a while in the way it is told to, and says how many."""

    def __init__(self, url: str, number: int, shelves: list[Shelf]) -> None:
        context = multiprocessing.get_context("spawn")
        self.pipe, other = context.Pipe()
        self.process = context.Process(target=work, args=(url, number, shelves, other), daemon=True)
        self.process.start()


def work(url: str, number: int, shelves: list[Shelf], pipe: Connection) -> None:
    """What a Caller's process does, until it is killed."""
    os.environ["DATABASE_URL"] = url
    import django
    from django.conf import settings

    django.setup()
    settings.ROOT_URLCONF, settings.ALLOWED_HOSTS = "benchmarks.web_door_urls", ["*"]

    from django.db import connection

    from orders.checkout import place_order
    from orders.models import Channel
    from stores.models import Outlet

    connection.ensure_connection()
    bare = connection.connection.cursor()
    customers = Customers(shelves, number)
    outlets = Outlet.objects.in_bulk([shelf.outlet_id for shelf in shelves])
    numbers = count(10**11 + number * 10**9)

    def by_statement() -> None:
        shelf = customers.shelf()
        bare.execute(ONE_STATEMENT, [shelf.outlet_id, shelf.phone_id, str(next(numbers)), "王小明", customers.mobile()])

    def by_rule() -> None:
        shelf = customers.shelf()
        place_order(
            outlet=outlets[shelf.outlet_id],
            lines={shelf.phone_id: 1},
            name="王小明",
            mobile=customers.mobile(),
            language="zh-hans",
            form_key=f"{next(numbers)}",
            channel=Channel.WEB,
            actor="customer:web",
        )

    ways = {BARE: by_statement, RULE: by_rule, **customers.ways()}
    while True:
        place = ways[pipe.recv()]
        done, end = 0, time.perf_counter() + SECONDS
        while time.perf_counter() < end:
            place()
            done += 1
        pipe.send(done)
