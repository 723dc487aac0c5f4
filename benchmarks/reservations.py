"""Reservations through the rule, beside the least SQL that does the work, on the same number of connections."""

from __future__ import annotations

import multiprocessing
import os
import random
import time
from collections.abc import Callable
from contextlib import closing
from itertools import count
from multiprocessing.connection import Connection
from statistics import median
from typing import Any

import psutil
import psycopg2

from benchmarks.scale import scaled

CONNECTIONS = 4
ROUNDS = 9
SECONDS = 1.0
SHELVES = 1_000  # that spread reservations are spread over

# The floors' tables: a level and its lines with nothing but their primary keys; and the same as a chain.
SETUP = """
DROP TABLE IF EXISTS floor_line, floor_level;
CREATE TABLE floor_level (outlet_id bigint, phone_id smallint, on_hand int NOT NULL, reserved int NOT NULL,
    safety_stock smallint NOT NULL, seq bigint NOT NULL, PRIMARY KEY (outlet_id, phone_id)) WITH (fillfactor = 70);
CREATE TABLE floor_line (outlet_id bigint, phone_id smallint, seq bigint, kind varchar(12) NOT NULL,
    change_on_hand int NOT NULL, change_reserved int NOT NULL, on_hand int NOT NULL, reserved int NOT NULL,
    actor varchar(60) NOT NULL, reference varchar(60) NOT NULL, created_at timestamptz NOT NULL,
    PRIMARY KEY (outlet_id, phone_id, seq));
INSERT INTO floor_level SELECT outlet_id, phone_id, 1000000000, 0, 0, 0 FROM stores_stocklevel;
"""
FLOOR = """
WITH head AS (
    UPDATE floor_level SET reserved = reserved + 1, seq = seq + 1
    WHERE outlet_id = %s AND phone_id = %s AND on_hand - reserved - safety_stock >= 1
    RETURNING outlet_id, phone_id, seq, on_hand, reserved)
INSERT INTO floor_line SELECT outlet_id, phone_id, seq, 'reserved', 0, 1, on_hand, reserved, %s, %s, now() FROM head
"""
CHAINED = """
WITH head AS (
    UPDATE stores_stocklevel
    SET reserved = reserved + 1, seq = seq + 1, moved_at = clock_timestamp()
    WHERE outlet_id = %s AND phone_id = %s AND on_hand - reserved - safety_stock >= 1
    RETURNING outlet_id, phone_id, seq, on_hand, reserved, moved_at)
INSERT INTO stores_stockmovement (outlet_id, phone_id, seq, kind, change_on_hand, change_reserved, on_hand, reserved,
    reference, actor, reason, operation_key, operation_line, created_at)
SELECT outlet_id, phone_id, seq, 'reserved', 0, 1, on_hand, reserved, %s, %s, '', %s, 1, moved_at FROM head
"""


# Each way is sampled in turn, round after round, so that a noisy minute troubles all of them alike.
WAYS = ("floor", "chain", "rule")


def run() -> str:
    """Measure and return the table."""
    url = scaled(15_000, 14)
    with closing(psycopg2.connect(url)) as bare, bare, bare.cursor() as cursor:
        cursor.execute(SETUP)
        cursor.execute(
            "SELECT outlet_id, min(phone_id) FROM stores_stocklevel GROUP BY 1 ORDER BY 1 LIMIT %s", [SHELVES]
        )
        shelves = cursor.fetchall()
    callers = [Caller(url, number) for number in range(CONNECTIONS)]
    callers[0].ask("fill", shelves)
    callers[0].answer()
    lines = [
        f"| reservations, {CONNECTIONS} connections | bare floor | floor on the chain | rule | of floor | "
        "of chained floor | goal |",
        "|---|---|---|---|---|---|---|",
    ]
    for name, where, goal in [("spread over 1,000 shelves", shelves, 0.6), ("one hot row", shelves[:1], 0.5)]:
        rates: dict[str, list[float]] = {way: [] for way in WAYS}
        thrift: dict[str, list[float]] = {way: [] for way in WAYS}
        for _ in range(ROUNDS):
            for way in WAYS:
                for caller in callers:
                    caller.ask(way, where)
                answers = [caller.answer() for caller in callers]
                done = sum(each for each, _ in answers)
                rates[way].append(done / SECONDS)
                thrift[way].append(done / sum(cpu for _, cpu in answers))
        lines.append(f"| {name}: a second | {_row(rates, '{:,.0f}')} | {goal} |")
        cost = {way: [1000 / each for each in thrift[way]] for way in WAYS}
        typical = " | ".join(f"{median(cost[way]):.2f}" for way in WAYS)
        lines.append(f"| {name}: CPU ms each | {typical} | {_ratios(thrift)} | {goal} |")
    for caller in callers:
        caller.process.kill()
    return "\n".join(lines) + "\n"


def _row(rates: dict[str, list[float]], form: str) -> str:
    return " | ".join(form.format(median(rates[way])) for way in WAYS) + f" | {_ratios(rates)}"


def _ratios(rates: dict[str, list[float]]) -> str:
    """Return how much of each floor the rule reaches: medians of the rounds' own ratios."""
    pairs = [zip(rates["rule"], rates[floor], strict=True) for floor in ("floor", "chain")]
    return " | ".join(f"{median(rule / floor for rule, floor in each):.2f}" for each in pairs)


class Caller:
    """One process with one connection of its own, that reserves for a while when asked to and says how often."""

    def __init__(self, url: str, number: int) -> None:
        context = multiprocessing.get_context("spawn")
        self.pipe, other = context.Pipe()
        self.process = context.Process(target=work, args=(url, number, other), daemon=True)
        self.process.start()

    def ask(self, way: str, shelves: list[tuple[int, int]]) -> None:
        self.pipe.send((way, shelves))

    def answer(self) -> Any:
        return self.pipe.recv()


def work(url: str, number: int, pipe: Connection) -> None:
    """What a Caller's process does, until it is killed."""
    os.environ["DATABASE_URL"] = url
    import django

    django.setup()

    from django.db import connection

    from stores import ledger, stock
    from stores.ledger import Act, Change, Kind, Operation

    bare = psycopg2.connect(url)
    bare.autocommit = True
    cursor, keys = bare.cursor(), (f"{os.getpid()}-{number}" for number in count())

    def by_floor(outlet_id: int, phone_id: int) -> None:
        cursor.execute(FLOOR, [outlet_id, phone_id, "customer:1", "order:1"])

    def by_chain(outlet_id: int, phone_id: int) -> None:
        cursor.execute(CHAINED, [outlet_id, phone_id, "order:1", "customer:1", next(keys)])

    def by_rule(outlet_id: int, phone_id: int) -> None:
        stock.reserve(outlet_id, {phone_id: 1}, Act(next(keys), "customer:1", "order:1"))

    connection.ensure_connection()
    backends = [psutil.Process(each.info.backend_pid) for each in (bare, connection.connection)]

    def cpu_seconds(way: str) -> float:
        """Of this process and of the backend that it works with."""
        return time.process_time() + sum(backends[way == "rule"].cpu_times()[:2])

    ways = dict(zip(WAYS, (by_floor, by_chain, by_rule), strict=True))
    dice = random.Random(number)  # noqa: S311
    while True:
        way, shelves = pipe.recv()
        done: Any = 0
        if way == "fill":
            for place, (outlet_id, phone_id) in enumerate(shelves):
                # The first is the hot one. More, and the country's total is too large after some twenty runs.
                operation = Operation(outlet_id, Kind.RECEIVED, next(keys), "system:benchmark")
                ledger.write(operation, [Change(phone_id, 1_000 if place else 100_000, 0)])
        elif way == "latencies":
            done = [timed(by_rule, *dice.choice(shelves)) for _ in range(300)]
        else:
            reserve, end, used = ways[way], time.perf_counter() + SECONDS, cpu_seconds(way)
            while time.perf_counter() < end:
                reserve(*dice.choice(shelves))
                done += 1
            done = done, cpu_seconds(way) - used
        pipe.send(done)


def timed(reserve: Callable[[int, int], None], outlet_id: int, phone_id: int) -> float:
    began = time.perf_counter()
    reserve(outlet_id, phone_id)
    return time.perf_counter() - began
