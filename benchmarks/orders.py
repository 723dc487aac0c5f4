"""
What placing an order costs beside the least SQL that does it.

Counted are milliseconds of processor time, the program's and its PostgreSQL backend's together. All ways take turns
within each round; the table shows medians of rounds. It runs on a database of its own, made for it.
"""

from __future__ import annotations

import resource
from collections.abc import Callable
from itertools import count
from pathlib import Path
from statistics import median
from uuid import uuid4

ROUNDS, CALLS, OUTLETS = 15, 60, 40
# Orders that there are before it is measured.
SETTLED = 400

FLOOR_TABLES = """
CREATE TABLE floor_level (outlet_id bigint, phone_id bigint, on_hand int NOT NULL, reserved int NOT NULL,
    PRIMARY KEY (outlet_id, phone_id)) WITH (fillfactor = 70);
CREATE TABLE floor_order (outlet_id bigint, number varchar(12), phone_id bigint NOT NULL, quantity int NOT NULL,
    name varchar(30) NOT NULL, mobile varchar(14) NOT NULL, price_fen int NOT NULL, placed_at timestamptz NOT NULL,
    PRIMARY KEY (outlet_id, number));
INSERT INTO floor_level SELECT outlet_id, phone_id, 1000000, 0 FROM stores_stocklevel;
"""
# The least that does it: one phone promised if there is one, and an order that says so.
ONE_STATEMENT = """
WITH level AS (
    UPDATE floor_level SET reserved = reserved + 1
    WHERE outlet_id = %s AND phone_id = %s AND on_hand - reserved >= 1 RETURNING outlet_id, phone_id)
INSERT INTO floor_order SELECT outlet_id, %s, phone_id, 1, %s, %s, 29900, now() FROM level
"""


def settle(place: Callable[[], object]) -> None:
    """
    Place some hundred orders, and have PostgreSQL look at all tables.

    Of one that it has seen empty it plans to read every row, and keeps to the plan as long as the connection lasts.
    """
    from django.db import connection

    for _ in range(SETTLED):
        place()
    with connection.cursor() as cursor:
        cursor.execute("VACUUM ANALYZE")


def measure(calls: dict[str, Callable[[], object]], backend: int) -> dict[str, float]:
    """Return the median cost of each call in milliseconds of processor time."""
    costs: dict[str, list[float]] = {name: [] for name in calls}
    for _ in range(ROUNDS):
        for name, call in calls.items():
            before = processor_seconds(backend)
            for _ in range(CALLS):
                call()
            costs[name].append((processor_seconds(backend) - before) / CALLS * 1000)
    return {name: median(found) for name, found in costs.items()}


def processor_seconds(backend: int) -> float:
    """Return what this process and the PostgreSQL backend have used so far."""
    own = resource.getrusage(resource.RUSAGE_SELF)
    # Nanoseconds on a processor; /proc/PID/stat counts in hundredths of a second.
    theirs = int(Path(f"/proc/{backend}/schedstat").read_text().split()[0]) / 1e9
    return own.ru_utime + own.ru_stime + theirs


def run() -> str:
    """Return the table of what an order costs."""
    from django.db import connection

    name = connection.settings_dict["NAME"]
    connection.creation.create_test_db(verbosity=0, autoclobber=True)
    try:
        return _table(_measure())
    finally:
        connection.creation.destroy_test_db(name, verbosity=0)


def _measure() -> dict[str, float]:
    from django.db import connection

    from orders.checkout import place_order
    from orders.models import Order
    from stores import stock
    from tests.factories import create_outlet, create_phone, create_stock
    from tests.order_factories import new_mobile, request_for

    phones = [create_phone() for _ in range(3)]
    shelves = []
    for _ in range(OUTLETS):
        outlet = create_outlet()
        shelves.append([create_stock(outlet=outlet, phone=phone, on_hand=9_000) for phone in phones])
    with connection.cursor() as cursor:
        cursor.execute(FLOOR_TABLES)
        cursor.execute("SELECT pg_backend_pid()")
        (backend,) = cursor.fetchone()
    bare = connection.connection.cursor()
    turns, numbers = count(), count(10**11)

    def shelf():
        return shelves[next(turns) % OUTLETS]

    def one_statement() -> None:
        level = shelf()[0]
        bare.execute(ONE_STATEMENT, [level.outlet_id, level.phone_id, str(next(numbers)), "王小明", new_mobile()])

    def ledger_rule() -> None:
        level = shelf()[0]
        stock.reserve(level.outlet_id, {level.phone_id: 1}, stock.Act(str(uuid4()), "customer:web", "order:0"))

    def order(lines: int) -> Callable[[], object]:
        def place() -> Order:
            chosen = shelf()
            wanted = {level.phone_id: 1 for level in chosen[:lines]}
            return place_order(**request_for(chosen[0], lines=wanted))

        return place

    settle(order(3))
    again = request_for(shelves[0][0])
    place_order(**again)
    costs = measure(
        {
            "one statement: conditional UPDATE, INSERT": one_statement,
            "stores.stock.reserve, with its ledger line": ledger_rule,
            "place_order, one phone": order(1),
            "place_order, three phones": order(3),
            "place_order, the same form again": lambda: place_order(**again),
        },
        backend,
    )
    if Order.objects.count() != SETTLED + 1 + 2 * ROUNDS * CALLS:
        raise SystemExit("Not every call placed its order.")
    return costs


def _table(costs: dict[str, float]) -> str:
    floor = next(iter(costs.values()))
    lines = ["| placing an order | ms | floor / ms |", "|---|---|---|"]
    lines += [f"| {name} | {cost:.2f} | {floor / cost:.2f} |" for name, cost in costs.items()]
    return "\n".join(lines) + "\n"
