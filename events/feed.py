"""
Reading what happened, in order: tick by tick, within a tick by id.

A reader keeps a place and asks for what comes after it. Everything that is committed is in the next tick, whatever else
is still running, and what commits later is in a later one: no reader misses it, and none waits for it.
"""

from __future__ import annotations

import re
from datetime import datetime, timedelta
from typing import NamedTuple

from django.db import connection

from events.models import Tick

# At most so often a tick is made: so long may an event stay unseen, and so many ticks are there to keep.
SHORTEST_TICK = timedelta(seconds=1)
_PLACE = re.compile(r"([1-9][0-9]{0,17})-(0|[1-9][0-9]{0,17})")

# The events after a place, as far as there are ticks. The newest tick may have any number of events, so the rows of one
# are sorted before the next is looked at (an incremental sort), and no more of them are read than are asked for.
EVENTS_AFTER = """
    SELECT t.number AS tick, e.id, e.type, e.outlet_id, e.phone_id, e.data, e.happened_at
    FROM events_tick t CROSS JOIN LATERAL (
        SELECT * FROM events_event
        WHERE xid >= pg_snapshot_xmax(t.since) AND xid < pg_snapshot_xmax(t.until)
            AND pg_visible_in_snapshot(xid, t.until)
        UNION ALL
        SELECT * FROM events_event
        WHERE xid = ANY (ARRAY(SELECT pg_snapshot_xip(t.since))) AND pg_visible_in_snapshot(xid, t.until)
    ) AS e
    WHERE t.number >= %(tick)s AND (t.number > %(tick)s OR e.id > %(id)s)
    ORDER BY t.number, e.id LIMIT %(scanned)s
"""


class Place(NamedTuple):
    """A place in the feed: behind the event `id` of a tick. It is also the name of that event."""

    tick: int
    id: int

    def __str__(self) -> str:
        return f"{self.tick}-{self.id}"

    @classmethod
    def of(cls, text: str) -> Place:
        """Return the place that `text` names; raise ValueError where it is none."""
        if not (found := _PLACE.fullmatch(text)):
            raise ValueError(text)
        return cls(int(found[1]), int(found[2]))


class Kept(NamedTuple):
    """From where to where there are events: the first place, and the one behind the newest tick."""

    first: Place
    end: Place


def make_tick(shortest: timedelta | None = None) -> None:
    """Let readers see what was committed up to now, unless the last tick is not `shortest` ago. One statement."""
    with connection.cursor() as cursor:
        seconds = (SHORTEST_TICK if shortest is None else shortest).total_seconds()
        cursor.execute("SELECT events_make_tick(make_interval(secs => %s))", [seconds])


def kept() -> Kept:
    """Return what there is to read. One query."""
    with connection.cursor() as cursor:
        cursor.execute("SELECT coalesce(min(number), 1), coalesce(max(number), 0) + 1 FROM events_tick")
        first, end = cursor.fetchone()
    return Kept(Place(first, 0), Place(end, 0))


def place_of(moment: datetime) -> Place:
    """Return a place before everything that happened since `moment`, as far as it is kept. Two queries."""
    # A tick tells what was committed before it was made.
    first = Tick.objects.filter(made_at__gte=moment).order_by("number").values_list("number", flat=True).first()
    return Place(first, 0) if first else kept().end
