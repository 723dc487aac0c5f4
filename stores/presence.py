"""
Outlets that nobody hears of: whose clerks have not been at the desk for a while in which the shop was open.

Customers are told to call such an outlet first; the mark is a column of the outlet, so that pages ask for nothing more.
It goes as soon as a clerk is back.
"""

from __future__ import annotations

import time
from collections.abc import Iterable, Iterator
from datetime import datetime, timedelta
from typing import Any

from django.conf import settings
from django.db import connection
from django.db.models import DateTimeField, OuterRef, Subquery
from django.db.models.functions import Cast, Coalesce
from django.utils import timezone

from stores.hours import NO_WEEK, SHANGHAI, Closure, Week, weeks_of
from stores.models import Assignment, Outlet

# At most so often one process writes that an outlet's clerks are there; the statement looks once more.
_SECONDS = 60
_noted: dict[int, float] = {}
# More outlets than one process serves desks of.
_MOST_NOTED = 20_000
# Who was away longer is silent whatever the hours.
_LONG_AGO = timedelta(days=60)

_NOTE = """
INSERT INTO stores_deskseen AS seen (outlet_id, seen_at) VALUES (%s, now())
ON CONFLICT (outlet_id) DO UPDATE SET seen_at = excluded.seen_at
WHERE seen.seen_at < excluded.seen_at - interval '1 minute'
"""


def note(outlet: Outlet) -> None:
    """Note that a clerk of `outlet` is at the desk, at most once a minute. One statement, or none."""
    now = time.monotonic()
    if now - _noted.get(outlet.pk, -_SECONDS) >= _SECONDS:
        if len(_noted) >= _MOST_NOTED:
            _noted.clear()
        with connection.cursor() as cursor:
            cursor.execute(_NOTE, [outlet.pk])
        _noted[outlet.pk] = now
    if outlet.call_first:
        Outlet.objects.filter(pk=outlet.pk).update(call_first=False)
        outlet.call_first = False


def mark_silent_outlets(*, now: datetime | None = None) -> int:
    """
    Mark the open outlets whose clerks were away for DESK_SILENT_HOURS of opening hours; return how many are new.

    An outlet where nobody was ever assigned or seen does not work with the desk, and is left alone.
    """
    now = now or timezone.now()
    silent = [outlet.pk for outlet in _away(now)]
    Outlet.objects.filter(pk__in=silent).update(call_first=True)
    return len(silent)


def _away(now: datetime) -> Iterator[Any]:
    limit = timedelta(hours=settings.DESK_SILENT_HOURS)
    first_day = Assignment.objects.on(now.astimezone(SHANGHAI).date()).filter(outlet=OuterRef("pk"))
    since = Subquery(first_day.order_by("starts_on").values("starts_on")[:1])
    outlets = Outlet.objects.open().filter(call_first=False)
    outlets = outlets.annotate(away_since=Coalesce("desk_seen__seen_at", Cast(since, DateTimeField())))
    found = list(outlets.filter(away_since__lte=now - limit).with_closures((now - _LONG_AGO).date()))
    weeks = weeks_of(outlet.timetable_id for outlet in found)
    for outlet in found:
        closures = [Closure.from_json(period) for period in outlet.closures]
        week = weeks.get(outlet.timetable_id, NO_WEEK)
        if opening_time(max(outlet.away_since, now - _LONG_AGO), now, week, closures) >= limit:
            yield outlet


def opening_time(begin: datetime, end: datetime, week: Week, closures: Iterable[Closure] = ()) -> timedelta:
    """Return for how long a shop with these hours was open between two moments."""
    begin, end = begin.astimezone(SHANGHAI), end.astimezone(SHANGHAI)
    total, day, closed = timedelta(), begin.date(), list(closures)
    while day <= end.date():
        if not any(closure.first_day <= day <= closure.last_day for closure in closed):
            for opens, closes in week[day.weekday()]:
                first = max(begin, datetime.combine(day, opens, SHANGHAI))
                last = min(end, datetime.combine(day, closes, SHANGHAI))
                total += max(last - first, timedelta())
        day += timedelta(days=1)
    return total
