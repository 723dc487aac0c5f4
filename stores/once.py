"""
Forms of the desk are carried out once: sent again, because the answer was lost, they tell what was done.

The key of a form is written first, in the transaction of its deed. So the same form sent twice at once waits for
itself, and what was half done when a process died is neither done nor noted.
"""

from __future__ import annotations

from collections.abc import Callable
from datetime import timedelta
from typing import TypeVar

import psycopg2.errors
from django.db import OperationalError, connection, transaction
from django.utils import timezone

from stores.models import DoneForm

T = TypeVar("T")

# Longer than any page is left open: a session of the desk ends within a day.
KEPT = timedelta(days=7)
# So often a deed is tried that another one was in the way of.
TRIES = 3
IN_THE_WAY = (psycopg2.errors.DeadlockDetected, psycopg2.errors.SerializationFailure)

_BEGIN = """
INSERT INTO stores_doneform (outlet_id, form_key, actor, said, address, done_at)
VALUES (%s, %s, %s, '', '', clock_timestamp()) ON CONFLICT DO NOTHING
"""


def begin(outlet_id: int, form_key: str, actor: str) -> DoneForm | None:
    """
    Begin to carry out a form, in its transaction; return what became of it where that was done before.

    Whoever sends the same form at the same time waits here. One statement, two where it was done before.
    """
    with connection.cursor() as cursor:
        cursor.execute(_BEGIN, [outlet_id, form_key, actor])
        if cursor.rowcount:
            return None
    return DoneForm.objects.get(outlet=outlet_id, form_key=form_key)


def end(outlet_id: int, form_key: str, said: str, address: str) -> None:
    """Note what was said of a form that was carried out and where it led; nothing was said: nothing was done."""
    row = DoneForm.objects.filter(outlet=outlet_id, form_key=form_key)
    if said:
        row.update(said=said[:300], address=address[:200])
    else:
        row.delete()


def again_if_in_the_way(deed: Callable[[], T]) -> T:
    """Return what `deed` returns, tried anew where the database let another one that it had met go first."""
    for _try in range(TRIES - 1):
        try:
            return deed()
        except OperationalError as error:
            # Within a transaction of the caller all of that would have to be done again.
            if connection.in_atomic_block or not isinstance(error.__cause__, IN_THE_WAY):
                raise
    return deed()


def forget_past_forms() -> int:
    """Delete what nobody sends again any more; return how many forms that were."""
    with transaction.atomic():
        return DoneForm.objects.filter(done_at__lt=timezone.now() - KEPT).delete()[0]
