"""Reservations through the rule, beside the least SQL that does the work, on the same number of connections."""

from __future__ import annotations

import multiprocessing
import os
import random
import time
from contextlib import closing
from itertools import count
from multiprocessing.connection import Connection
from statistics import median

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
    UPDATE stores_stocklevel SET reserved = reserved + 1, seq = seq + 1, moved_at = clock_timestamp()
    WHERE outlet_id = %s AND phone_id = %s AND on_hand - reserved - safety_stock >= 1
    RETURNING outlet_id, phone_id, seq, on_hand, reserved)
INSERT INTO stores_stockmovement (outlet_id, phone_id, seq, kind, change_on_hand, change_reserved, on_hand, reserved,
    prev_seq, prev_on_hand, prev_reserved, reference, actor, reason, operation_key, operation_line, created_at)
SELECT outlet_id, phone_id, seq, 'reserved', 0, 1, on_hand, reserved, seq - 1, on_hand, reserved - 1,
       %s, %s, '', %s, 1, clock_timestamp() FROM head
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
        f"| reservations a second, {CONNECTIONS} connections | bare floor | floor on the chain | rule | of floor | "
        "of chained floor | goal |",
        "|---|---|---|---|---|---|---|",
    ]
    for name, where, goal in [("spread over 1,000 shelves", shelves, 0.6), ("one hot row", shelves[:1], 0.5)]:
        rates = {way: [] for way in WAYS}
        for _ in range(ROUNDS):
            for way in WAYS:
                for caller in callers:
                    caller.ask(way, where)
                rates[way].append(sum(caller.answer() for caller in callers) / SECONDS)
        of_floor, of_chain = (
            median(rule / floor for rule, floor in zip(rates["rule"], rates[way], strict=True)) for way in WAYS[:2]
        )
        typical = " | ".join(f"{median(rates[way]):,.0f}" for way in WAYS)
        lines.append(f"| {name} | {typical} | {of_floor:.2f} | {of_chain:.2f} | {goal} |")
    for caller in callers:
        caller.process.kill()
    return "\n".join(lines) + "\n"


class Caller:
    """One process with one connection of its own, that reserves for a while when asked to and says how often."""

    def __init__(self, url: str, number: int) -> None:
        context = multiprocessing.get_context("spawn")
        self.pipe, other = context.Pipe()
        self.process = context.Process(target=work, args=(url, number, other), daemon=True)
        self.process.start()

    def ask(self, way: str, shelves: list[tuple[int, int]]) -> None:
        self.pipe.send((way, shelves))

    def answer(self) -> int:
        return self.pipe.recv()


def work(url: str, number: int, pipe: Connection) -> None:
    """What a Caller's process does, until it is killed."""
    os.environ["DATABASE_URL"] = url
    import django

    django.setup()

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

    ways = dict(zip(WAYS, (by_floor, by_chain, by_rule), strict=True))
    dice = random.Random(number)  # noqa: S311
    while True:
        way, shelves = pipe.recv()
        done = 0
        if way == "fill":
            for outlet_id, phone_id in shelves:
                operation = Operation(outlet_id, Kind.RECEIVED, next(keys), "system:benchmark")
                ledger.write(operation, [Change(phone_id, 1_000_000, 0)])
        else:
            reserve, end = ways[way], time.perf_counter() + SECONDS
            while time.perf_counter() < end:
                reserve(*dice.choice(shelves))
                done += 1
        pipe.send(done)
