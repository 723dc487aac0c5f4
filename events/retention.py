"""How long what happened is kept."""

from __future__ import annotations

from datetime import datetime, timedelta

from django.conf import settings
from django.db import connection
from django.utils import timezone


def forget_old_events() -> int:
    """Forget what happened more than EVENT_DAYS ago; return how many events. Readers who stood there are told so."""
    return _forget(timezone.now() - timedelta(days=settings.EVENT_DAYS))


def forget_all_events() -> int:
    """
    Forget everything that happened; return how many events. Places in the feed go on where they were.

    For a database that was restored from a dump into another PostgreSQL, whose transactions have other numbers.
    """
    return _forget(None)


def _forget(before: datetime | None) -> int:
    with connection.cursor() as cursor:
        cursor.execute("SELECT events_forget(%s)", [before])
        return cursor.fetchone()[0]
