"""
What pages of head office cost over a whole country and a year of a million orders, and adding its days up.

The floor of a page is its own SQL, sent again through a bare cursor, with the rows written down as JSON; that of adding
up days is reading and counting their lines. All ways take turns. Counted is processor time, the program's and its
PostgreSQL backend's together. Everything is one transaction, and undone; the database is made once and kept.
"""

from __future__ import annotations

import json
import sys
from collections.abc import Callable
from datetime import date, timedelta
from itertools import pairwise
from statistics import median
from typing import Any

from benchmarks.databases import python, whole_country_of

DATABASE, ORDERS, ROUNDS = "cunpu_bench_office", 1_000_000, 5
REPORTS = {
    "the country by province": "/reports/",
    "a province by city": "/reports/{province}/",
    "a county by outlet": "/reports/{county}/",
    "an outlet by phone": "/reports/outlets/{outlet}/",
    "the country by phone": "/reports/?by=phone",
    "days of cover by province": "/reports/?show=cover",
    "the country by day, a year": "/reports/?by=day&from={first}&to={last}",
    "what will run out": "/reports/run-out/",
}
LISTS = {
    "orders": "/admin/orders/",
    "orders that were declined": "/admin/orders/?state=declined",
    "orders of two days long ago": "/admin/orders/?first={early}&last={early}",
    "outlets": "/admin/stores/outlet/",
    "outlets by a part of the name": "/admin/stores/outlet/?q=fengning",
    "the audit trail": "/admin/trail/",
    "an outlet's shelves": "/admin/outlets/{outlet}/books/",
    "an order's life": "/admin/orders/{number}/",
}
# The least that adding up has to do: to read what happened, and count it by shelf and day.
COUNTED = """
SELECT outlet_id, phone_id, (created_at AT TIME ZONE 'Asia/Shanghai')::date, kind, count(*), sum(change_on_hand),
       sum(change_reserved)
FROM stores_stockmovement WHERE created_at >= %(begins)s AND created_at < %(ends)s GROUP BY 1, 2, 3, 4;
SELECT outlet_id, (created_at AT TIME ZONE 'Asia/Shanghai')::date, kind, count(*)
FROM orders_orderchange WHERE created_at >= %(begins)s AND created_at < %(ends)s GROUP BY 1, 2, 3
"""


def run() -> str:
    """Return the tables of what head office costs."""
    return python(whole_country_of(DATABASE).url, "benchmarks.office", str(ORDERS))


def fill(orders: int) -> None:
    """Write a year of the country and add it up, unless that is done."""
    from django.db import connection
    from django.utils import timezone

    from benchmarks.office_past import write_past
    from office.models import RollupDay
    from office.rollup import roll_up_all
    from office.run_out import foresee_run_out

    if RollupDay.objects.exists():
        return
    write_past(orders, timezone.now())
    with connection.cursor() as cursor:
        cursor.execute("VACUUM ANALYZE")
    roll_up_all()
    foresee_run_out()


def tables() -> str:
    """Measure on the database of this process."""
    from django.db import connection, transaction

    with transaction.atomic():
        with connection.cursor() as cursor:
            cursor.execute("SELECT pg_backend_pid()")
            (backend,) = cursor.fetchone()
        pages, days = _pages(backend), _days(backend)
        transaction.set_rollback(True)
    return f"{pages}\n{days}"


def _pages(backend: int) -> str:
    from django.db import connection
    from django.test.utils import CaptureQueriesContext

    from office.models import OfficeRole
    from tests.office import office_client

    client, facts = office_client(*OfficeRole), _facts()
    lines = []
    for kind, addresses in (("report", REPORTS), ("page", LISTS)):
        lines += [f"| a {kind} | statements | ms | floor, ms | ratio |", "| --- | ---: | ---: | ---: | ---: |"]
        for name, path in addresses.items():
            address = path.format(**facts)
            client.get(address)  # what is kept in memory is there
            with CaptureQueriesContext(connection) as queries:
                answer = client.get(address)
            if answer.status_code != 200:
                raise SystemExit(f"{address}: {answer.status_code}")
            statements = [each["sql"] for each in queries.captured_queries]
            reads = [sql for sql in statements if sql.lstrip("( \n").startswith(("SELECT", "WITH"))]
            ours, floor, ratio = _beside(lambda at=address: client.get(at), lambda sql=reads: _again(sql), backend)
            lines.append(f"| {name} | {len(statements)} | {ours:.1f} | {floor:.1f} | {ratio:.2f} |")
        lines.append("")
    return "\n".join(lines)


def _facts() -> dict[str, Any]:
    from orders.models import Order

    order, last = Order.objects.select_related("outlet").order_by("-placed_at")[500], _last_day()
    return {
        "number": order.number,
        "outlet": order.outlet.code,
        "county": order.outlet.code[:6],
        "province": f"{order.outlet.code[:2]}0000",
        "first": last - timedelta(days=364),
        "last": last,
        "early": last - timedelta(days=200),
    }


def _last_day() -> date:
    """Return the last whole day of the year."""
    from office.models import RollupDay

    return RollupDay.objects.latest("day").day - timedelta(days=2)


def _again(statements: list[str]) -> str:
    from django.db import connection

    rows = []
    with connection.connection.cursor() as bare:
        for sql in statements:
            bare.execute(sql)
            rows.append(bare.fetchall())
    return json.dumps(rows, default=str)


def _beside(ours: Callable[[], object], floor: Callable[[], object], backend: int) -> tuple[float, float, float]:
    """Return the median milliseconds of both, and of the rounds' ratios (floor to ours)."""
    from benchmarks.orders import processor_seconds

    costs = []
    for _ in range(ROUNDS):
        moments = [processor_seconds(backend)]
        for call in (floor, ours):
            call()
            moments.append(processor_seconds(backend))
        costs.append([(after - before) * 1000 for before, after in pairwise(moments)])
    return (
        median(cost[1] for cost in costs),
        median(cost[0] for cost in costs),
        median(cost[0] / cost[1] for cost in costs),
    )


def _days(backend: int) -> str:
    """Measure adding up a common day, and as many days as one run takes at a time."""
    from django.db import connection

    from catalog.moments import midnight
    from office.rollup import DAYS_AT_ONCE, _add_up
    from stores.models import StockMovement

    lines = [
        "| adding up | lines of the ledger | seconds | reading and counting, seconds | ratio |",
        "| --- | ---: | ---: | ---: | ---: |",
    ]
    last = _last_day()
    for name, days in (("a day", 1), (f"{DAYS_AT_ONCE} days in one run", DAYS_AT_ONCE)):
        first = last - timedelta(days=days - 1)
        span = {"begins": midnight(first), "ends": midnight(last + timedelta(days=1))}
        moved = StockMovement.objects.filter(created_at__gte=span["begins"], created_at__lt=span["ends"]).count()

        def count(span: dict[str, Any] = span) -> None:
            with connection.connection.cursor() as bare:
                bare.execute(COUNTED, span)

        def add_up(first: date = first, until: Any = span["ends"]) -> None:
            _add_up(first, last, until)

        ours, floor, ratio = _beside(add_up, count, backend)
        lines.append(f"| {name} | {moved:,} | {ours / 1000:.2f} | {floor / 1000:.2f} | {ratio:.2f} |")
    return "\n".join(lines) + "\n"


if __name__ == "__main__":
    import django

    django.setup()
    fill(int(sys.argv[1]))
    print(tables())
