"""A count of all 210,000 shelves by one call, beside COPY plus upsert of the same rows; and reservations meanwhile."""

from __future__ import annotations

import io
import os
import resource
import subprocess
import sys
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing
from functools import partial
from statistics import median, quantiles
from typing import Any

import psycopg2

from benchmarks.reservations import Caller
from benchmarks.scale import ROOT, scaled

READY = "ready\n"
MODULE = "benchmarks.counts"
ROUNDS = 3
CASES = (("all differ", 1, 6), ("1 % differ", 100, 2))

SETUP = """
DROP TABLE IF EXISTS floor_shelf;
CREATE TABLE floor_shelf (outlet_id bigint, phone_id smallint, on_hand int NOT NULL, counted_at timestamptz NOT NULL,
    PRIMARY KEY (outlet_id, phone_id)) WITH (fillfactor = 70);
INSERT INTO floor_shelf SELECT outlet_id, phone_id, on_hand, now() FROM stores_stocklevel;
"""
STAGE = "CREATE TEMPORARY TABLE staged (outlet_id bigint, phone_id smallint, on_hand int, counted_at timestamptz)"
UPSERT = """
INSERT INTO floor_shelf SELECT outlet_id, phone_id, on_hand, counted_at FROM staged
ON CONFLICT (outlet_id, phone_id) DO UPDATE SET on_hand = excluded.on_hand, counted_at = excluded.counted_at
WHERE floor_shelf.on_hand <> excluded.on_hand
"""
# The same when it has to remember of every shelf when it was counted, as the rule does.
UPSERT_ALL = UPSERT.replace("on_hand <> excluded.on_hand", "counted_at < excluded.counted_at")


def run() -> str:
    """Measure and return the tables."""
    url = scaled(15_000, 14)
    with closing(psycopg2.connect(url)) as bare, bare, bare.cursor() as cursor:
        cursor.execute(SETUP)
    lines = [
        "| a count of 210,000 shelves, seconds | COPY plus upsert of what differs | of every time of count | rule | "
        "ratio | to every time | goal | its memory, MB |",
        "|---|---|---|---|---|---|---|---|",
    ]
    for name, every, goal in CASES:
        rounds = [(by_floor(url, every, UPSERT), by_floor(url, every, UPSERT_ALL), *Counting(MODULE, url, every).run())
                  for _ in range(ROUNDS)]  # fmt: skip
        low, high, rule, memory = (median(column) for column in zip(*rounds, strict=True))
        ratio, to_every = (median(each[2] / each[floor] for each in rounds) for floor in (0, 1))
        lines.append(
            f"| {name} | {low:.2f} | {high:.2f} | {rule:.2f} | {ratio:.1f} | {to_every:.1f} | {goal} | {memory:.0f} |"
        )
    return "\n".join(lines) + "\n\n" + meanwhile(url, MODULE)


def by_floor(url: str, every: int, upsert: str) -> float:
    with closing(psycopg2.connect(url)) as connection, connection, connection.cursor() as cursor:
        rows = counted(cursor, "floor_shelf", every)
        began = time.perf_counter()
        cursor.execute(STAGE)
        cursor.copy_expert("COPY staged FROM STDIN", rows)
        cursor.execute(upsert)
        connection.commit()
        return time.perf_counter() - began


class Counting:
    """A count in a process of its own, as a job of the worker would: made ready here, and done by `run`."""

    def __init__(self, module: str, url: str, every: int) -> None:
        self.process = subprocess.Popen(
            [sys.executable, "-m", module, str(every)],
            cwd=ROOT,
            env=os.environ | {"DATABASE_URL": url},
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
        )
        if self.process.stdout is None or self.process.stdout.readline() != READY:
            raise SystemExit(f"{module} did not get ready.")

    def run(self) -> tuple[float, float]:
        """Return the two numbers that it prints at last."""
        first, second = self.process.communicate("\n")[0].split()
        return float(first), float(second)


def wait_for_run() -> None:
    """Say in the process of a Counting that it is ready, and wait until it shall run."""
    print(READY, end="", flush=True)
    sys.stdin.readline()


def counted(cursor: Any, table: str, every: int) -> io.StringIO:
    """Return what COPY reads: each shelf as it is, but for one more on every so-manieth."""
    cursor.execute(
        f"SELECT format(E'%%s\\t%%s\\t%%s\\t%%s', outlet_id, phone_id,"  # noqa: S608
        f" on_hand + (row_number() OVER () %% %s = 0)::int, clock_timestamp()) FROM {table}",
        [every],
    )
    return io.StringIO("\n".join(line for (line,) in cursor))


def meanwhile(url: str, module: str) -> str:
    """Measure how long reservations take alone, and beside other work: of a processor, the floor, a count of all."""
    caller = Caller(url, 1)
    with closing(psycopg2.connect(url)) as bare, bare, bare.cursor() as cursor:
        cursor.execute(SETUP)
        cursor.execute("SELECT outlet_id, min(phone_id) FROM stores_stocklevel GROUP BY 1 ORDER BY random() LIMIT 1000")
        shelves = cursor.fetchall()
    caller.ask("fill", shelves)
    caller.answer()
    works: list[Callable[[], Callable[[], object] | None]] = [
        lambda: None,
        lambda: compute,
        lambda: partial(upsert_all, url),
        lambda: Counting(module, url, 1).run,
    ]
    beside: list[list[float]] = [[] for _work in works]
    for _ in range(ROUNDS):
        for make_ready, taken in zip(works, beside, strict=True):
            taken += latencies(caller, shelves, make_ready())
    caller.process.kill()
    alone, computing, floor, count = (quantiles(taken, n=100)[98] * 1000 for taken in beside)
    return (
        "| reservations, p99 in ms | alone | beside a process that only computes | beside COPY plus upsert of all "
        "| beside the count of all | to alone | goal |\n"
        "|---|---|---|---|---|---|---|\n"
        f"| one caller after another | {alone:.1f} | {computing:.1f} | {floor:.1f} | {count:.1f} "
        f"| {count / alone:.1f} | 1.5 |\n"
    )


def latencies(caller: Caller, shelves: list[tuple[int, int]], work: Callable[[], object] | None) -> list[float]:
    """Return the seconds of each of the reservations made as long as `work` went on; of some thousands without any."""
    taken: list[float] = []
    if work is None:
        for _ in range(10):
            caller.ask("latencies", shelves)
            taken += caller.answer()
        return taken
    caller.ask("latencies", shelves)
    with ThreadPoolExecutor(1) as pool:
        going_on = pool.submit(work)
        while not going_on.done():
            taken += caller.answer()
            caller.ask("latencies", shelves)
    caller.answer()
    going_on.result()
    return taken


def compute() -> None:
    """Keep a processor busy with nothing, for about as long as a count takes."""
    spin = "import time\nend = time.monotonic() + 6\nwhile time.monotonic() < end:\n    pass"
    subprocess.run([sys.executable, "-c", spin], check=True)


def upsert_all(url: str) -> None:
    """Do what the floor does for about as long as a count takes."""
    for _ in range(4):
        by_floor(url, 1, UPSERT)


def count_once(every: int) -> None:
    """Stage and apply one count; print seconds and the growth of this process's memory."""
    from django.db import connection

    from stores.counts import apply_staged_counts

    with connection.cursor() as cursor:
        rows = counted(cursor, "stores_stocklevel", every)
        memory = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
        wait_for_run()
        began = time.perf_counter()
        cursor.execute(STAGE)
        cursor.copy_expert("COPY staged FROM STDIN", rows)
        apply_staged_counts(cursor, table="staged", actor="system:benchmark", reference="count:benchmark")
        seconds = time.perf_counter() - began
    print(seconds, (resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - memory) / 1024)


if __name__ == "__main__":
    import django

    django.setup()
    count_once(int(sys.argv[1]))
