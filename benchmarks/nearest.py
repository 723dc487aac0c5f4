"""The 20 nearest outlets that have a phone, in a country of three sizes: what a look costs, and whether it is exact."""

from __future__ import annotations

import random
from math import cos, radians, sin
from statistics import median
from typing import Any

import psutil
import psycopg2

from benchmarks.scale import scaled
from stores.geography import Point
from stores.models import Outlet

SIZES = (15_000, 150_000, 1_500_000)
ROUNDS = 3
LOOKS = 200
CHECKED = 4  # positions whose answer is compared with that of a search without any index

BRUTE_FORCE = """
SELECT sqrt((x - %s) ^ 2 + (y - %s) ^ 2 + (z - %s) ^ 2) AS chord
FROM (SELECT cos(radians(latitude)) * cos(radians(longitude)) AS x,
             cos(radians(latitude)) * sin(radians(longitude)) AS y, sin(radians(latitude)) AS z
      FROM stores_outlet o
      JOIN (SELECT outlet_id, count(*) AS held FROM stores_stocklevel
            WHERE on_hand - reserved - safety_stock > 0 AND phone_id = ANY(%s) GROUP BY outlet_id) AS l
          ON l.outlet_id = o.id
      WHERE o.state = 'open' AND held = %s) AS place
ORDER BY chord LIMIT 20
"""

KINDS = ("common phone (60 %)", "rare phone (1 %)", "both")


def run() -> str:
    """Measure and return the table."""
    countries = [Country(outlets) for outlets in SIZES]
    dice = random.Random(7)  # noqa: S311
    for country in countries:
        country.check([somewhere(dice) for _ in range(CHECKED)])
    for _ in range(ROUNDS):
        points = [somewhere(dice) for _ in range(LOOKS)]
        for kind in range(len(KINDS)):
            for country in countries:
                country.measure(kind, points)
    head = " | ".join(f"{outlets:,} outlets" for outlets in SIZES)
    lines = [
        f"| the 20 nearest outlets with stock, ms of PostgreSQL's CPU | {head} | largest to smallest | goal |",
        "|---|---|---|---|---|---|",
    ]
    for kind, name in enumerate(KINDS):
        costs = [median(country.milliseconds[kind]) for country in countries]
        figures = " | ".join(f"{cost:.2f}" for cost in costs)
        lines.append(f"| {name} | {figures} | {costs[-1] / costs[0]:.2f} | 4 |")
    lines.append(f"\nExact: {CHECKED} positions at each size gave what a search without any index gives.")
    return "\n".join(lines) + "\n"


class Country:
    """One database and a connection to it."""

    def __init__(self, outlets: int) -> None:
        self.connection = psycopg2.connect(scaled(outlets, 2))
        self.connection.autocommit = True
        self.cursor = self.connection.cursor()
        self.cursor.execute("SELECT DISTINCT phone_id FROM stores_stocklevel WHERE outlet_id < 10 ORDER BY 1")
        common, rare = (row[0] for row in self.cursor.fetchall())
        # The rarest first, as callers do.
        self.phones = [(common,), (rare,), (rare, common)]
        self.backend = psutil.Process(self.connection.info.backend_pid)
        self.milliseconds: list[list[float]] = [[] for _ in KINDS]

    def look(self, kind: int, point: Point) -> list[Any]:
        nearest = Outlet.objects.open().nearest(point).having(*self.phones[kind])[:20]
        sql, parameters = nearest.values_list("code", "chord").query.sql_with_params()
        self.cursor.execute(sql, parameters)
        return self.cursor.fetchall()

    def measure(self, kind: int, points: list[Point]) -> None:
        before = sum(self.backend.cpu_times()[:2])
        for point in points:
            assert len(self.look(kind, point)) == 20  # noqa: S101
        self.milliseconds[kind].append((sum(self.backend.cpu_times()[:2]) - before) / len(points) * 1000)

    def check(self, points: list[Point]) -> None:
        """Compare answers with those of the plainest search: every outlet, sorted by distance."""
        for point in points:
            for kind, phones in enumerate(self.phones):
                found = [round(chord, 9) for _, chord in self.look(kind, point)]
                self.cursor.execute(BRUTE_FORCE, [*on_sphere(point), list(phones), len(phones)])
                true = [round(chord, 9) for (chord,) in self.cursor.fetchall()]
                if found != true:
                    raise AssertionError(f"not the nearest at {point}: {found}, {true}")

    def close(self) -> None:
        self.connection.close()


def somewhere(dice: random.Random) -> Point:
    return Point(dice.uniform(20, 48), dice.uniform(80, 130))


def on_sphere(point: Point) -> tuple[float, float, float]:
    latitude, longitude = map(radians, point)
    return cos(latitude) * cos(longitude), cos(latitude) * sin(longitude), sin(latitude)
