"""Writing down what happened, in the transaction in which it happens."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any, NamedTuple

from django.db import connection, transaction
from psycopg2.extras import Json

from events.models import Type


class Happening(NamedTuple):
    """What happened, at which outlet and with which phone (their keys, None: with none), and more about it as JSON."""

    type: Type
    outlet_id: int | None = None
    phone_id: int | None = None
    data: Mapping[str, Any] = {}


# Statements that change rows by the set write their events themselves, into the same columns.
_RECORD = """
INSERT INTO events_event (type, outlet_id, phone_id, data)
SELECT type, outlet_id, phone_id, data
FROM unnest(%s::text[], %s::bigint[], %s::smallint[], %s::jsonb[]) WITH ORDINALITY
    AS h (type, outlet_id, phone_id, data, place)
ORDER BY place
"""


def record(happenings: Iterable[Happening]) -> None:
    """
    Write down, in this order and by one statement, what happens in the transaction that is under way.

    To be called after the rows that changed were locked or written: the order of events is that of the locks.
    """
    if not transaction.get_connection().in_atomic_block:
        raise RuntimeError("an event belongs into the transaction of what it tells")
    rows = [(h.type.value, h.outlet_id, h.phone_id, Json(dict(h.data))) for h in happenings]
    if rows:
        with connection.cursor() as cursor:
            cursor.execute(_RECORD, [list(column) for column in zip(*rows, strict=True)])
