"""Reading the change feed in tests, at once and whole."""

from __future__ import annotations

import json
from datetime import timedelta
from typing import Any, NamedTuple

from django.db import connection

from events.feed import EVENTS_AFTER, Place, kept, make_tick


class Told(NamedTuple):
    """One event as the feed has it."""

    tick: int
    id: int
    type: str
    outlet_id: int | None
    phone_id: int | None
    data: Any
    happened_at: Any

    @property
    def place(self) -> Place:
        return Place(self.tick, self.id)


def read_feed(after: Place | None = None, most: int = 10_000) -> list[Told]:
    """Return what was committed up to now and comes after a place, without waiting for the next tick."""
    make_tick(timedelta(0))
    place = after or kept().first
    with connection.cursor() as cursor:
        cursor.execute(EVENTS_AFTER, {"tick": place.tick, "id": place.id, "scanned": most})
        # Django leaves JSON to its own field.
        return [Told(*row)._replace(data=json.loads(row[5])) for row in cursor.fetchall()]
