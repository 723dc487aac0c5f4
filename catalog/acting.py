"""Who is at work, told to the database, so that the trail of head office can say who made a change."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

from django.db import connection, transaction

# Whoever loads sample data leaves no trail.
SAMPLE = "system:sample"


@contextmanager
def acting_as(actor: str) -> Iterator[None]:
    """
    Let every change inside the block, which is one transaction, be that of `actor` ("person:7", "system:people").

    Inside another such block the inner actor counts until the inner block ends.
    """
    with transaction.atomic():
        before = current_actor()
        _set(actor)
        yield
        _set(before)


def current_actor() -> str:
    """Return who is at work in this transaction, "" where nobody has said so."""
    with connection.cursor() as cursor:
        cursor.execute("SELECT coalesce(current_setting('cunpu.actor', true), '')")
        [actor] = cursor.fetchone()
        return str(actor)


def _set(actor: str) -> None:
    # Until the transaction ends: the next one on this connection is somebody else's.
    with connection.cursor() as cursor:
        cursor.execute("SELECT set_config('cunpu.actor', %s, true)", [actor])
