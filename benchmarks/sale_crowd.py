"""
A crowd in a sale window: 2,000 buyers at 200 outlets after 1,000 phones, of which each outlet gives three at the price.

Beside the least SQL that keeps the quota: one conditional UPDATE with an INSERT, on three phones an outlet. Both are
sent by the same number of processes, each with a connection of its own; they take turns within each round, and every
round has a phone and a window of its own. The database is one of its own, made for it, on the machine that also sends.
"""

from __future__ import annotations

import multiprocessing
import os
import random
import time
from itertools import count
from multiprocessing.connection import Connection
from statistics import median
from typing import Any, NamedTuple

from benchmarks.orders import FLOOR_TABLES, ONE_STATEMENT, SETTLED, settle
from benchmarks.orders_a_second import database_url

CALLERS, ROUNDS = 4, 5
OUTLETS, BUYERS, SHELF, QUOTA = 200, 2_000, 5, 3
BARE, RULE = "bare SQL: one statement", "rule: `place_order`, window with quota and limit"


class Buyer(NamedTuple):
    outlet_id: int
    mobile: str


def run() -> str:
    """Return the table of what a crowd gets through in a second."""
    from django.db import connection

    name = connection.settings_dict["NAME"]
    connection.creation.create_test_db(verbosity=0, autoclobber=True)
    callers: list[Any] = []
    try:
        phones, buyers = _prepare()
        context = multiprocessing.get_context("spawn")
        for number in range(CALLERS):
            pipe, other = context.Pipe()
            part = (database_url(connection.settings_dict), number, buyers[number::CALLERS], other)
            process = context.Process(target=work, args=part, daemon=True)
            process.start()
            callers.append((process, pipe))
        return _table([_measure([pipe for _, pipe in callers], phone) for phone in phones])
    finally:
        for process, _ in callers:
            process.kill()
            process.join()
        connection.creation.destroy_test_db(name, verbosity=0)


def _prepare() -> tuple[list[int], list[Buyer]]:
    from django.db import connection

    from orders.checkout import place_order
    from tests.factories import create_outlet, create_phone, create_stock, create_timetable, create_window
    from tests.order_factories import create_shelf, request_for

    timetable = create_timetable()
    outlets = [create_outlet(timetable=timetable) for _ in range(OUTLETS)]
    phones = [create_phone() for _ in range(ROUNDS)]
    for phone in phones:
        for outlet in outlets:
            create_stock(outlet=outlet, phone=phone, on_hand=SHELF)
        create_window({phone: 24_900}, quota=QUOTA, limit_per_customer=1)
    with connection.cursor() as cursor:
        cursor.execute(FLOOR_TABLES)
        cursor.execute("UPDATE floor_level SET on_hand = %s", [QUOTA])
    apart = create_shelf(on_hand=SETTLED)
    settle(lambda: place_order(**request_for(apart)))
    mobiles = count(13_900_000_000)
    buyers = [Buyer(outlet.pk, f"+86{next(mobiles)}") for outlet in outlets for _ in range(BUYERS // OUTLETS)]
    random.Random(11).shuffle(buyers)  # noqa: S311
    return [phone.pk for phone in phones], buyers


def _measure(pipes: list[Connection], phone_id: int) -> dict[str, float]:
    """Return how many buyers a second each way gets through."""
    rates = {}
    for way in (BARE, RULE):
        began = time.perf_counter()
        for pipe in pipes:
            pipe.send((way, phone_id))
        placed = sum(pipe.recv() for pipe in pipes)
        rates[way] = BUYERS / (time.perf_counter() - began)
        if placed != OUTLETS * QUOTA:
            raise SystemExit(f"{way}: {placed} orders, {OUTLETS * QUOTA} are allowed.")
    return rates


def _table(rounds: list[dict[str, float]]) -> str:
    lines = [
        f"| a sale window, {BUYERS:,} buyers, {OUTLETS * QUOTA} orders, {CALLERS} callers "
        "| buyers a second | orders a second | of bare SQL |",
        "|---|---:|---:|---:|",
    ]
    for way in (BARE, RULE):
        rate, share = median(each[way] for each in rounds), median(each[way] / each[BARE] for each in rounds)
        lines.append(f"| {way} | {rate:,.0f} | {rate * OUTLETS * QUOTA / BUYERS:,.0f} | {share:.2f} |")
    return "\n".join(lines) + "\n"


def work(url: str, number: int, buyers: list[Buyer], pipe: Connection) -> None:
    """What a caller's process does, until it is killed."""
    os.environ["DATABASE_URL"] = url
    import django

    django.setup()

    from django.db import connection

    from orders.checkout import place_order
    from orders.models import Channel
    from orders.refusals import OrderRefused
    from stores.models import Outlet

    connection.ensure_connection()
    bare = connection.connection.cursor()
    outlets = Outlet.objects.in_bulk([buyer.outlet_id for buyer in buyers])
    numbers = count(10**11 + number * 10**9)

    def by_statement(buyer: Buyer, phone_id: int) -> bool:
        bare.execute(ONE_STATEMENT, [buyer.outlet_id, phone_id, str(next(numbers)), "王小明", buyer.mobile])
        return bare.rowcount == 1

    def by_rule(buyer: Buyer, phone_id: int) -> bool:
        try:
            order = place_order(
                outlet=outlets[buyer.outlet_id],
                lines={phone_id: 1},
                name="王小明",
                mobile=buyer.mobile,
                language="zh-hans",
                form_key=f"{next(numbers)}",
                channel=Channel.WEB,
                actor="customer:web",
                accepted_fen=24_900,
            )
        except OrderRefused:
            return False
        return order.total_fen == 24_900

    ways = {BARE: by_statement, RULE: by_rule}
    while True:
        way, phone_id = pipe.recv()
        pipe.send(sum(ways[way](buyer, phone_id) for buyer in buyers))
