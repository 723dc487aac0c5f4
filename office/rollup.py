"""
Adds up what happened, day by day: per outlet from the ledger and the orders' histories, and per region from outlets.

A day is done as a whole, days in turn, some of them in each transaction. Ledger and histories only ever grow, so a day
is done anew exactly when it has more lines than were added up: those of deeds that took long to commit, of the minutes
since the last run, of a past that was loaded. What was killed goes on where it stopped, and twice is as good as once.
"""

from __future__ import annotations

from datetime import date, datetime, timedelta
from typing import Any

from django.db import connection, transaction
from django.utils import timezone

from office.report_models import LEVELS, SUMMED, RollupDay

# A deed that began before midnight may commit after it, but hardly a day later; every night all days are looked at.
DAYS_LOOKED_AT = 3
DAYS_AT_ONCE = 14
# Workers that add up wait for each other.
LOCK_ON_ROLLUP = 6_814

CHANGES = tuple(f"change_{level}" for level in LEVELS)

_DAY = "(created_at AT TIME ZONE 'Asia/Shanghai')::date"
# A day begins at midnight in Shanghai.
_BEGINS = "%(first)s::timestamp AT TIME ZONE 'Asia/Shanghai'"
_ENDS = "(%(last)s::date + 1)::timestamp AT TIME ZONE 'Asia/Shanghai'"
_COUNT = f"""
SELECT day, coalesce(lines, 0) AS lines, coalesce(changes, 0) AS changes
FROM (SELECT {_DAY} AS day, count(*) AS lines FROM stores_stockmovement
      WHERE created_at >= {_BEGINS} AND created_at < {_ENDS} GROUP BY 1) AS l
FULL JOIN (SELECT {_DAY} AS day, count(*) AS changes FROM orders_orderchange
           WHERE created_at >= {_BEGINS} AND created_at < {_ENDS} GROUP BY 1) AS c USING (day)
"""
# An outlet that counts in another county by now takes its past along.
_FIRST_DAY_ELSEWHERE = """
SELECT min(day) FROM office_outletday d JOIN stores_outlet o ON o.id = d.outlet_id
WHERE o.county_code <> d.county_code
"""

_OUTLETS = f"""
INSERT INTO office_outletday (outlet_id, phone_id, day, county_code, {", ".join((*SUMMED, *CHANGES, *LEVELS))})
WITH shelf AS (
    SELECT outlet_id, phone_id, {_DAY} AS day,
           -sum(change_on_hand) FILTER (WHERE kind = 'handed_over') AS handed_over,
           -sum(change_on_hand) FILTER (WHERE kind = 'walk_in_sale') AS walk_in,
           sum(change_on_hand) FILTER (WHERE kind = 'returned') AS returned,
           sum(change_on_hand) FILTER (WHERE kind = 'received') AS received,
           sum(change_on_hand) FILTER (WHERE kind IN ('transfer_in', 'transfer_out')) AS transferred,
           sum(change_on_hand) FILTER (WHERE kind IN ('opening', 'counted', 'adjusted', 'damaged')) AS corrected,
           sum(change_reserved) FILTER (WHERE kind = 'reserved') AS reserved,
           -sum(change_reserved) FILTER (WHERE kind = 'released') AS released,
           sum(change_on_hand) AS change_on_hand,
           sum(change_reserved) AS change_promised
    FROM stores_stockmovement WHERE created_at >= {_BEGINS} AND created_at < {_ENDS}
    GROUP BY outlet_id, phone_id, day
), step AS (
    SELECT outlet_id, phone_id, {_DAY} AS day, c.kind, l.quantity,
           round(extract(epoch FROM c.created_at - o.placed_at))::bigint AS seconds
    FROM orders_orderchange c JOIN orders_order o USING (outlet_id, number)
    JOIN orders_orderline l USING (outlet_id, number)
    WHERE created_at >= {_BEGINS} AND created_at < {_ENDS}
), ordered AS (
    SELECT outlet_id, phone_id, day,
           sum(quantity) FILTER (WHERE kind = 'placed') AS placed,
           sum(quantity) FILTER (WHERE kind = 'ready') AS set_aside,
           sum(quantity) FILTER (WHERE kind = 'cancelled') AS cancelled,
           sum(quantity) FILTER (WHERE kind = 'declined') AS declined,
           sum(quantity) FILTER (WHERE kind = 'expired') AS expired,
           sum(quantity * seconds) FILTER (WHERE kind = 'ready') AS set_aside_seconds,
           sum(quantity) FILTER (WHERE kind = 'ready' AND seconds <= 3600) AS within_1_hour,
           sum(quantity) FILTER (WHERE kind = 'ready' AND seconds <= 4 * 3600) AS within_4_hours,
           sum(quantity) FILTER (WHERE kind = 'ready' AND seconds <= 24 * 3600) AS within_24_hours
    FROM step GROUP BY outlet_id, phone_id, day
), both_sides AS (
    SELECT outlet_id, phone_id, day, {", ".join(f"coalesce({name}, 0) AS {name}" for name in (*SUMMED, *CHANGES[:2]))}
    FROM shelf FULL JOIN ordered USING (outlet_id, phone_id, day)
)
SELECT outlet_id, phone_id, day, place.county_code, {", ".join(f"d.{name}" for name in (*SUMMED, *CHANGES[:2]))},
       greatest(evening.reserved - evening.on_hand, 0)
           - greatest(evening.reserved - change_promised - evening.on_hand + change_on_hand, 0),
       evening.on_hand, evening.reserved, greatest(evening.reserved - evening.on_hand, 0)
FROM both_sides d JOIN stores_outlet place ON place.id = outlet_id
CROSS JOIN LATERAL (
    SELECT on_hand, reserved FROM stores_stockmovement m
    WHERE m.outlet_id = d.outlet_id AND m.phone_id = d.phone_id
      AND m.created_at < (d.day + 1)::timestamp AT TIME ZONE 'Asia/Shanghai'
    ORDER BY seq DESC LIMIT 1
) AS evening
"""

# Every outlet counts in its county, city and province, and (empty) in the country.
_REGIONS = f"""
INSERT INTO office_regionday (region_code, phone_id, day, {", ".join((*SUMMED, *LEVELS))})
WITH changed AS (
    SELECT region.code, phone_id, day, {", ".join(f"sum({name}) AS {name}" for name in (*SUMMED, *CHANGES))}
    FROM office_outletday d, LATERAL (VALUES
        (d.county_code), (left(d.county_code, 4) || '00'), (left(d.county_code, 2) || '0000'), ('')
    ) AS region (code)
    WHERE day BETWEEN %(first)s AND %(last)s GROUP BY region.code, phone_id, day
)
SELECT code, phone_id, day, {", ".join(SUMMED)},
       {", ".join(f"coalesce(before.{level}, 0) + sum(change_{level}) OVER evenings" for level in LEVELS)}
FROM changed LEFT JOIN LATERAL (
    SELECT {", ".join(LEVELS)} FROM office_regionday b
    WHERE b.region_code = changed.code AND b.phone_id = changed.phone_id AND b.day < %(first)s
    ORDER BY b.day DESC LIMIT 1
) AS before ON true
WINDOW evenings AS (PARTITION BY code, phone_id ORDER BY day)
"""

_NOTE = f"""
INSERT INTO office_rollupday (day, lines, changes, rolled_up_at)
SELECT day, coalesce(lines, 0), coalesce(changes, 0), %(now)s
FROM (SELECT generate_series(%(first)s::date, %(last)s::date, '1 day')::date AS day) AS days
LEFT JOIN ({_COUNT}) AS counted USING (day)
"""


def roll_up(now: datetime | None = None) -> int:
    """Add up what happened since, looking at the days just past; return how many days were done."""
    return _roll_up(now or timezone.now(), is_whole=False)


def roll_up_all(now: datetime | None = None) -> int:
    """Look at all days there are, and for outlets that count in another county by now; do what is to be done."""
    return _roll_up(now or timezone.now(), is_whole=True)


def as_of() -> datetime | None:
    """Return the moment until which everything that happened is in the figures, None before the first time."""
    return RollupDay.objects.order_by("-day").values_list("rolled_up_at", flat=True).first()


def _roll_up(now: datetime, *, is_whole: bool) -> int:
    today = timezone.localtime(now).date()
    begins = first = _first_to_do(now, today, is_whole=is_whole)
    while first <= today:
        last = min(first + timedelta(days=DAYS_AT_ONCE - 1), today)
        _add_up(first, last, now)
        first = last + timedelta(days=1)
    return (first - begins).days


@transaction.atomic
def _first_to_do(now: datetime, today: date, *, is_whole: bool) -> date:
    """Return the first day that has to be done; after today where there is none, and then note that it is so."""
    with connection.cursor() as cursor:
        cursor.execute("SELECT pg_advisory_xact_lock(%s)", [LOCK_ON_ROLLUP])
        known = {each.day: (each.lines, each.changes) for each in RollupDay.objects.all()}
        since = min(today - timedelta(days=DAYS_LOOKED_AT - 1), max(known) + timedelta(days=1)) if known else None
        cursor.execute(_COUNT, {"first": "-infinity" if is_whole or since is None else since, "last": today})
        to_do = [day for day, *numbers in cursor.fetchall() if known.get(day) != tuple(numbers)]
        if is_whole:
            cursor.execute(_FIRST_DAY_ELSEWHERE)
            to_do += [day for (day,) in cursor.fetchall() if day]
    if to_do:
        return min(to_do)
    if today in known:
        RollupDay.objects.filter(day=today).update(rolled_up_at=now)
        return today + timedelta(days=1)
    return max(known, default=today - timedelta(days=1)) + timedelta(days=1)


@transaction.atomic
def _add_up(first: date, last: date, now: datetime) -> None:
    """Do these days anew. Those after them stand on their levels, and are to be done again."""
    days: dict[str, Any] = {"first": first, "last": last, "now": now}
    with connection.cursor() as cursor:
        cursor.execute("SELECT pg_advisory_xact_lock(%s)", [LOCK_ON_ROLLUP])
        for table in ("office_outletday", "office_regionday"):
            cursor.execute(f"DELETE FROM {table} WHERE day BETWEEN %(first)s AND %(last)s", days)
        cursor.execute("DELETE FROM office_rollupday WHERE day >= %(first)s", days)
        # Counted before they are added up: a line that comes in between makes the day one to be done again.
        cursor.execute(_NOTE, days)
        cursor.execute(_OUTLETS, days)
        cursor.execute(_REGIONS, days)
