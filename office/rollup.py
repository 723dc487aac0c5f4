"""
Adds up what happened, day by day: per outlet from the ledger and the orders' histories, and per region from outlets.

The day that is not over is added to: every few minutes what happened since, so that a run costs as much as its minutes
had trade, also on Singles' Day. It goes no further than to where everybody who writes has ended (`settled`), so that
nothing is passed over that is committed later. A day that is over is done once as a whole, days in turn, some of them
in each transaction, and again exactly when it has more lines than were added up: ledger and histories only ever grow.
So whatever took even longer than is waited for is in the figures the next morning, what was killed goes on where it
stopped, and twice is as good as once.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from datetime import date, datetime, timedelta
from itertools import accumulate
from typing import Any

from django.db import connection, transaction
from django.utils import timezone

from catalog.moments import midnight
from office.report_models import LEVELS, SUMMED, RollupDay

# What somebody writes who began a while ago may bear a moment of then, and some clock may be slow. Who takes longer
# than the longest is waited for no more; that is found at night.
SETTLED_AFTER, WAITED_FOR = timedelta(minutes=2), timedelta(hours=1)
# Done in one transaction, which a job has time for: so many days, but fewer where more happened.
DAYS_AT_ONCE, LINES_AT_ONCE = 14, 1_000_000
# Millions of lines are added up in memory; PostgreSQL's usual 4 MB would write them to disk in between.
MEMORY = "64MB"
# Workers that add up wait for each other.
LOCK_ON_ROLLUP = 6_814

CHANGES = tuple(f"change_{level}" for level in LEVELS)


def _added(names: Iterable[str]) -> str:
    """Return the assignments that add to these columns of a row, and bring its levels up to date."""
    adds = [f"{name} = known.{name} + excluded.{name}" for name in names]
    return ", ".join([*adds, *(f"{name} = excluded.{name}" for name in LEVELS)])


_DAY = "(created_at AT TIME ZONE 'Asia/Shanghai')::date"
_IN_TIME = "created_at >= %(begins)s AND created_at < %(ends)s"
_COUNT = f"""
SELECT day, coalesce(lines, 0) AS lines, coalesce(changes, 0) AS changes
FROM (SELECT {_DAY} AS day, count(*) AS lines FROM stores_stockmovement WHERE {_IN_TIME} GROUP BY 1) AS l
FULL JOIN (SELECT {_DAY} AS day, count(*) AS changes FROM orders_orderchange WHERE {_IN_TIME} GROUP BY 1) AS c
    USING (day)
"""
# An outlet that counts in another county by now takes its past along.
_FIRST_DAY_ELSEWHERE = """
SELECT min(day) FROM office_outletday d JOIN stores_outlet o ON o.id = d.outlet_id
WHERE o.county_code <> d.county_code
"""

# Rows of outlets, and of their regions from the very same ones. An order that moves is reserved anew by the ledger of
# its new outlet; here it is reserved and ordered once, where it was placed, and then moved.
_ADD = f"""
WITH shelf AS (
    SELECT outlet_id, phone_id, {_DAY} AS day,
           -sum(change_on_hand) FILTER (WHERE kind = 'handed_over') AS handed_over,
           -sum(change_on_hand) FILTER (WHERE kind = 'walk_in_sale') AS walk_in,
           sum(change_on_hand) FILTER (WHERE kind = 'returned') AS returned,
           sum(change_on_hand) FILTER (WHERE kind = 'received') AS received,
           sum(change_on_hand) FILTER (WHERE kind IN ('transfer_in', 'transfer_out')) AS transferred,
           sum(change_on_hand) FILTER (WHERE kind IN ('opening', 'counted', 'adjusted', 'damaged')) AS corrected,
           sum(change_reserved) FILTER (WHERE kind = 'reserved') AS promised_anew,
           -sum(change_reserved) FILTER (WHERE kind = 'released') AS given_up,
           sum(change_on_hand) AS change_on_hand,
           sum(change_reserved) AS change_promised,
           max(ARRAY[seq, on_hand, reserved]) AS newest
    FROM stores_stockmovement WHERE {_IN_TIME} GROUP BY outlet_id, phone_id, day
), step AS (
    SELECT outlet_id, phone_id, {_DAY} AS day, c.kind, c.prev_state, o.moved_from, l.quantity,
           round(extract(epoch FROM c.created_at - o.placed_at))::bigint AS seconds
    FROM orders_orderchange c JOIN orders_order o USING (outlet_id, number)
    JOIN orders_orderline l USING (outlet_id, number)
    WHERE {_IN_TIME}
), ordered AS (
    SELECT outlet_id, phone_id, day,
           sum(quantity) FILTER (WHERE kind = 'placed' AND moved_from = '') AS placed,
           sum(quantity) FILTER (WHERE kind = 'placed' AND moved_from <> '') AS moved_here,
           sum(quantity) FILTER (WHERE kind = 'moved' AND prev_state = 'placed') AS moved_away,
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
    SELECT outlet_id, phone_id, day, {{counted}},
           coalesce(promised_anew, 0) - coalesce(moved_here, 0) AS reserved,
           coalesce(given_up, 0) - coalesce(moved_away, 0) AS released,
           coalesce(moved_here, 0) - coalesce(moved_away, 0) AS moved,
           newest
    FROM shelf FULL JOIN ordered USING (outlet_id, phone_id, day)
), added AS (
    SELECT outlet_id, phone_id, day, place.county_code, {", ".join(f"d.{name}" for name in (*SUMMED, *CHANGES[:2]))},
           greatest(evening.reserved - evening.on_hand, 0)
               - greatest(evening.reserved - change_promised - evening.on_hand + change_on_hand, 0) AS change_missing,
           evening.on_hand, evening.reserved AS promised, greatest(evening.reserved - evening.on_hand, 0) AS missing
    FROM both_sides d JOIN stores_outlet place ON place.id = outlet_id
    CROSS JOIN LATERAL (
        SELECT newest[2]::int AS on_hand, newest[3]::int AS reserved WHERE newest IS NOT NULL
        UNION ALL
        -- Steps of orders that moved no stock.
        (SELECT m.on_hand, m.reserved FROM stores_stockmovement m
         WHERE newest IS NULL AND m.outlet_id = d.outlet_id AND m.phone_id = d.phone_id
           AND m.created_at < least((d.day + 1)::timestamp AT TIME ZONE 'Asia/Shanghai', %(ends)s)
         ORDER BY seq DESC LIMIT 1)
    ) AS evening
), outlets AS (
    INSERT INTO office_outletday AS known (outlet_id, phone_id, day, county_code, {{columns}})
    SELECT outlet_id, phone_id, day, county_code, {{columns}} FROM added
    ON CONFLICT (outlet_id, phone_id, day) DO UPDATE SET {{outlets_add}}
), counties AS (
    SELECT county_code, phone_id, day, {{sums}} FROM added GROUP BY county_code, phone_id, day
), changed AS (
    -- Every county counts for itself, in its city and province, and (empty) in the country.
    SELECT region.code, phone_id, day, {{sums}}
    FROM counties, LATERAL (VALUES
        (county_code), (left(county_code, 4) || '00'), (left(county_code, 2) || '0000'), ('')
    ) AS region (code)
    GROUP BY region.code, phone_id, day
), before AS (
    SELECT place.*, {", ".join(LEVELS)}
    FROM (SELECT DISTINCT code, phone_id FROM changed) AS place
    CROSS JOIN LATERAL (
        SELECT {", ".join(LEVELS)} FROM office_regionday b
        WHERE b.region_code = place.code AND b.phone_id = place.phone_id AND b.day <= %(last)s
        ORDER BY b.day DESC LIMIT 1
    ) AS evening
), regions AS (
    SELECT code, phone_id, day, {", ".join(SUMMED)},
           {", ".join(f"coalesce(before.{x}, 0) + sum(change_{x}) OVER evenings AS {x}" for x in LEVELS)}
    FROM changed LEFT JOIN before USING (code, phone_id)
    WINDOW evenings AS (PARTITION BY code, phone_id ORDER BY day)
)
INSERT INTO office_regionday AS known (region_code, phone_id, day, {", ".join((*SUMMED, *LEVELS))})
SELECT * FROM regions
ON CONFLICT (region_code, phone_id, day) DO UPDATE SET {{regions_add}}
""".format(
    counted=", ".join(
        f"coalesce({name}, 0) AS {name}"
        for name in (*SUMMED, *CHANGES[:2])
        if name not in ("reserved", "released", "moved")
    ),
    columns=", ".join((*SUMMED, *CHANGES, *LEVELS)),
    sums=", ".join(f"sum({name}) AS {name}" for name in (*SUMMED, *CHANGES)),
    outlets_add=_added((*SUMMED, *CHANGES)),
    regions_add=_added(SUMMED),
)

# A day that is not over has no numbers yet.
_NOTE = f"""
INSERT INTO office_rollupday (day, lines, changes, rolled_up_at)
SELECT day, CASE WHEN day < %(today)s THEN coalesce(lines, 0) END,
       CASE WHEN day < %(today)s THEN coalesce(changes, 0) END, %(ends)s
FROM (SELECT generate_series(%(first)s::date, %(last)s::date, '1 day')::date AS day) AS days
LEFT JOIN ({_COUNT}) AS counted USING (day)
"""


_SETTLED = """
SELECT greatest(least(clock_timestamp(), min(xact_start)) - %s, clock_timestamp() - %s) FROM pg_stat_activity
WHERE datname = current_database() AND backend_type = 'client backend' AND pid <> pg_backend_pid()
"""


def settled() -> datetime:
    """Return the moment before which nothing will be written any more: nobody who began by then is still at it."""
    waits: list[Any] = [SETTLED_AFTER, WAITED_FOR]
    with connection.cursor() as cursor:
        cursor.execute(_SETTLED, waits)
        return cursor.fetchone()[0]


def roll_up(until: datetime | None = None) -> int:
    """
    Add up what happened before `until` (None: all that is settled); return how many days had something to be done.

    Of days that are over those that were not yet; `roll_up_all` finds what came late.
    """
    return _roll_up(until or settled(), is_whole=False)


def roll_up_all(until: datetime | None = None) -> int:
    """Do the same, and look at all days there are, and for outlets that count in another county by now."""
    return _roll_up(until or settled(), is_whole=True)


def as_of() -> datetime | None:
    """Return the moment until which everything that happened is in the figures, None before the first time."""
    return RollupDay.objects.order_by("-day").values_list("rolled_up_at", flat=True).first()


def _roll_up(until: datetime, *, is_whole: bool) -> int:
    today = timezone.localtime(until).date()
    begins = first = _first_to_do(today, is_whole=is_whole)
    if first is None or begins is None:
        return _add_since(today, until)
    while first <= today:
        last = min(_last_at_once(first), today)
        _add_up(first, last, until)
        first = last + timedelta(days=1)
    return (first - begins).days


def _last_at_once(first: date) -> date:
    """Return the last of the days from `first` on that are done in one transaction."""
    days = [first + timedelta(days=after) for after in range(DAYS_AT_ONCE)]
    with connection.cursor() as cursor:
        cursor.execute(_COUNT, {"begins": midnight(first), "ends": midnight(days[-1] + timedelta(days=1))})
        lines = {day: lines for day, lines, _changes in cursor.fetchall()}
    so_far = accumulate(lines.get(day, 0) for day in days)
    return [
        day for day, lines_so_far in zip(days, so_far, strict=True) if day == first or lines_so_far <= LINES_AT_ONCE
    ][-1]


@transaction.atomic
def _first_to_do(today: date, *, is_whole: bool) -> date | None:
    """Return the first day that has to be done as a whole, None where only today is to be added to."""
    with connection.cursor() as cursor:
        cursor.execute("SELECT pg_advisory_xact_lock(%s)", [LOCK_ON_ROLLUP])
        known = {each.day: (each.lines, each.changes) for each in RollupDay.objects.all()}
        to_do = [day for day, (lines, _changes) in known.items() if lines is None and day < today]
        if is_whole or not known:
            cursor.execute(_COUNT, {"begins": "-infinity", "ends": midnight(today)})
            to_do += [day for day, *numbers in cursor.fetchall() if known.get(day) != tuple(numbers)]
            cursor.execute(_FIRST_DAY_ELSEWHERE)
            to_do += [day for (day,) in cursor.fetchall() if day]
    newest = max(known, default=today - timedelta(days=1))
    return min([*to_do, newest + timedelta(days=1)]) if to_do or newest < today else None


@contextmanager
def _adding_up() -> Iterator[Any]:
    """Yield a cursor to one worker at a time, in a transaction."""
    with transaction.atomic(), connection.cursor() as cursor:
        cursor.execute("SELECT pg_advisory_xact_lock(%s)", [LOCK_ON_ROLLUP])
        cursor.execute("SET LOCAL work_mem = %s", [MEMORY])
        yield cursor


def _add_up(first: date, last: date, until: datetime) -> None:
    """Do these days anew. Those after them stand on their levels, and are to be done again."""
    facts: dict[str, Any] = {
        "first": first,
        "last": last,
        "today": timezone.localtime(until).date(),
        "begins": midnight(first),
        "ends": min(midnight(last + timedelta(days=1)), until),
    }
    with _adding_up() as cursor:
        for table in ("office_outletday", "office_regionday"):
            cursor.execute(f"DELETE FROM {table} WHERE day BETWEEN %(first)s AND %(last)s", facts)
        cursor.execute("DELETE FROM office_rollupday WHERE day >= %(first)s", facts)
        # Counted before they are added up: a line that comes in between makes the day one to be done again.
        cursor.execute(_NOTE, facts)
        cursor.execute(_ADD, facts)


def _add_since(today: date, until: datetime) -> int:
    """Add to today's rows what happened since they were added to; return 1, or 0 where that is nothing."""
    with _adding_up() as cursor:
        noted = RollupDay.objects.filter(day=today, rolled_up_at__lt=until).first()
        if noted is None:
            return 0
        cursor.execute(_ADD, {"begins": noted.rolled_up_at, "ends": until, "last": today})
        added = int(cursor.rowcount > 0)
        RollupDay.objects.filter(day=today).update(rolled_up_at=until)
        return added
