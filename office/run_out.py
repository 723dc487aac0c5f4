"""
What will run out, worked out anew every night for every shelf: how much it needs, and who could give it.

The worker runs it; web processes read the tables and never import this module, for its statistics take their memory.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Iterator
from datetime import date, datetime, timedelta
from itertools import groupby
from math import inf
from typing import Any, NamedTuple

import numpy as np
from django.db import connection, transaction
from django.utils import timezone

from office.demand import WINDOW, foresee
from office.matching import Shelf, matches
from office.models import Proposal, RegionDay
from stores.geography import Point
from stores.loading.copying import copy_row, copy_rows

# Shelves whose statistics are done together; counties stay whole.
AT_ONCE = 20_000
# Of stock that nobody wants: so many days, where there must be a number.
FOR_EVER = 9_999.0
LOCK_ON_FORECASTS = 6_815

# A shelf's days with stock: from each day on which something moved until the next, where some were left; before the
# first, where there were some in its morning. A day that began with stock and ended without is one, too.
_SHELVES = """
WITH moved AS (
    SELECT outlet_id, phone_id, day, on_hand, change_on_hand, handed_over + walk_in AS went, returned,
           lead(day, 1, %(today)s) OVER shelf - day AS days, row_number() OVER shelf = 1 AS is_first
    FROM office_outletday WHERE day >= %(first)s AND day < %(today)s
    WINDOW shelf AS (PARTITION BY outlet_id, phone_id ORDER BY day)
), past AS (
    SELECT outlet_id, phone_id, sum(went - returned) AS sold,
           sum(CASE WHEN on_hand > 0 THEN days WHEN went > 0 THEN 1 ELSE 0 END
               + CASE WHEN is_first AND on_hand > change_on_hand THEN day - %(first)s ELSE 0 END) AS days
    FROM moved GROUP BY outlet_id, phone_id
), agreed AS (
    SELECT outlet_id, phone_id, sum(coming) AS coming, sum(going) AS going
    FROM stores_transfer t JOIN stores_transferline l ON l.transfer_id = t.id, LATERAL (VALUES
        (receiver_id, coalesce(sent, requested), 0),
        (sender_id, 0, CASE WHEN t.state = 'sent' THEN 0 ELSE requested END)
    ) AS way (outlet_id, coming, going)
    WHERE t.state IN ('requested', 'approved', 'sent') GROUP BY outlet_id, phone_id
)
SELECT l.county_code, l.phone_id, l.outlet_id, o.latitude, o.longitude, l.on_hand, l.reserved, l.safety_stock,
       coalesce(a.coming, 0), coalesce(a.going, 0), coalesce(p.sold, 0),
       coalesce(p.days, CASE WHEN l.on_hand > 0 THEN %(today)s - %(first)s ELSE 0 END)
FROM stores_stocklevel l JOIN stores_outlet o ON o.id = l.outlet_id
LEFT JOIN past p ON p.outlet_id = l.outlet_id AND p.phone_id = l.phone_id
LEFT JOIN agreed a ON a.outlet_id = l.outlet_id AND a.phone_id = l.phone_id
WHERE l.outlet_trades AND coalesce(p.days, l.on_hand) > 0
ORDER BY l.county_code, l.phone_id, l.outlet_id
"""
_STAGE = """
CREATE TEMPORARY TABLE new_forecasts (LIKE office_forecast) ON COMMIT DROP;
CREATE TEMPORARY TABLE new_proposals (
    kind text, receiver_id bigint, sender_id bigint, phone_id smallint, county_code text, quantity integer,
    cover_days double precision, distance_km double precision, made_at timestamptz) ON COMMIT DROP
"""
_FORECAST_COLUMNS = """outlet_id, phone_id, county_code, on_hand, promised, coming, sold, days_in_stock, rate, expected,
    enough, as_of"""


class Row(NamedTuple):
    """One shelf as the database tells of it; `sold` in `days` days with stock."""

    county_code: str
    phone_id: int
    outlet_id: int
    latitude: float
    longitude: float
    on_hand: int
    promised: int
    safety_stock: int
    coming: int
    going: int
    sold: int
    days: int


class Foreseen(NamedTuple):
    """How many shelves were looked at, and how many proposals of each kind there are now."""

    shelves: int
    transfers: int
    supplies: int


@transaction.atomic
def foresee_run_out(now: datetime | None = None) -> Foreseen:
    """Work out all forecasts anew, and all proposals that nobody has accepted; readers see the old ones until then."""
    now = now or timezone.now()
    today = timezone.localtime(now).date()
    shelves, kinds = 0, {Proposal.Kind.TRANSFER.value: 0, Proposal.Kind.SUPPLY.value: 0}
    with connection.cursor() as cursor:
        cursor.execute("SELECT pg_advisory_xact_lock(%s)", [LOCK_ON_FORECASTS])
        cursor.execute(_STAGE)
        for rows in _batches({"today": today, "first": _first_day(today)}):
            forecasts, proposals = _worked_out(rows, now)
            copy_rows(cursor, f"new_forecasts ({_FORECAST_COLUMNS})", (copy_row(*row) for row in forecasts))
            copy_rows(cursor, "new_proposals", (copy_row(*row) for row in proposals))
            shelves += len(rows)
            for proposal in proposals:
                kinds[proposal[0]] += 1
        cursor.execute("DELETE FROM office_forecast")
        cursor.execute(
            f"INSERT INTO office_forecast ({_FORECAST_COLUMNS}) SELECT {_FORECAST_COLUMNS} FROM new_forecasts"
        )
        cursor.execute("DELETE FROM office_proposal WHERE accepted_at IS NULL")
        cursor.execute(
            "INSERT INTO office_proposal (kind, receiver_id, sender_id, phone_id, county_code, quantity, cover_days,"
            " distance_km, made_at, accepted_by) SELECT *, '' FROM new_proposals ORDER BY county_code, cover_days"
        )
        cursor.execute("DROP TABLE new_forecasts, new_proposals")
    return Foreseen(shelves, *kinds.values())


def _first_day(today: date) -> date:
    """Return the first day to look at: before anything was sold, nothing tells of demand."""
    first = today - timedelta(days=WINDOW)
    sales = RegionDay.objects.filter(region_code="", day__gte=first, day__lt=today).exclude(handed_over=0, walk_in=0)
    return sales.order_by("day").values_list("day", flat=True).first() or first


def _batches(parameters: dict[str, Any]) -> Iterator[list[Row]]:
    """Yield all shelves by whole counties, some thousands at a time."""
    batch: list[Row] = []
    with connection.chunked_cursor() as cursor:
        cursor.execute(_SHELVES, parameters)
        for _county, rows in groupby((Row(*row) for row in cursor), key=lambda row: row.county_code):
            batch += rows
            if len(batch) >= AT_ONCE:
                yield batch
                batch = []
    if batch:
        yield batch


def _worked_out(rows: list[Row], now: datetime) -> tuple[list[tuple[Any, ...]], list[tuple[Any, ...]]]:
    """Return the forecasts of these shelves and the proposals for them, as rows of their tables."""
    numbers: dict[tuple[str, int], int] = defaultdict(lambda: len(numbers))
    group = np.array([numbers[row.county_code, row.phone_id] for row in rows])
    sold, days = (np.array([getattr(row, name) for row in rows], dtype=float) for name in ("sold", "days"))
    demand = foresee(sold, days, group)
    forecasts = []
    shelves: dict[tuple[str, int], list[Shelf]] = defaultdict(list)
    for row, rate, expected, enough in zip(rows, *(column.tolist() for column in demand), strict=True):
        forecasts.append((
            row.outlet_id, row.phone_id, row.county_code, row.on_hand, row.promised, row.coming, row.sold, row.days,
            rate, expected, enough, now,
        ))  # fmt: skip
        shelves[row.county_code, row.phone_id].append(_shelf(row, rate, enough))
    return forecasts, list(_proposals(shelves, now))


def _shelf(row: Row, rate: float, enough: int) -> Shelf:
    """What is promised and the safety stock are neither given away nor counted on."""
    available = row.on_hand - row.promised - row.safety_stock
    cover = max(available, 0) / rate if rate else inf
    return Shelf(
        row.outlet_id,
        Point(row.latitude, row.longitude),
        min(cover, FOR_EVER),
        needs=max(enough - available - row.coming, 0),
        spare=max(available - row.going - enough, 0),
    )


def _proposals(shelves: dict[tuple[str, int], list[Shelf]], now: datetime) -> Iterable[tuple[Any, ...]]:
    for (county_code, phone_id), several in shelves.items():
        for match in matches(several):
            kind = Proposal.Kind.TRANSFER if match.sender else Proposal.Kind.SUPPLY
            sender_id = match.sender.outlet_id if match.sender else None
            yield (
                kind.value, match.receiver.outlet_id, sender_id, phone_id, county_code, match.quantity,
                match.receiver.cover_days, match.distance_km, now,
            )  # fmt: skip
