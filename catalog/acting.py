"""Who is at work, told to the database, so that the trail of head office can say who made a change."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

from django.db import connection, transaction


@contextmanager
def acting_as(actor: str) -> Iterator[None]:
    """
    Let every change inside the block, which is one transaction, be that of `actor` ("person:7", "system:people").

    Inside another such block the inner actor counts until the inner block ends.
    """
    with transaction.atomic(), connection.cursor() as cursor:
        cursor.execute("SELECT coalesce(current_setting('cunpu.actor', true), '')")
        [before] = cursor.fetchone()
        _set(cursor, actor)
        yield
        _set(cursor, before)


def _set(cursor, actor: str) -> None:  # type: ignore[no-untyped-def]
    # Until the transaction ends: the next one on this connection is somebody else's.
    cursor.execute("SELECT set_config('cunpu.actor', %s, true)", [actor])
