"""
Telling partners of prices: what comes into force, because it was set or because its time has come.

Who sets a price that holds from now on tells it in the same transaction. No statement changes a row when a sale window
begins or ends: for that the worker looks. What was told last of each phone is kept, and the difference is told: each
change once, however many look and however late a transaction commits.
"""

from __future__ import annotations

from datetime import datetime

from django.db import connection, transaction

from catalog.models import PriceTold
from catalog.prices import Offer, offers_at
from events.models import Type
from events.recording import Happening, record

LOCK = 6_814

_MOMENTS = """
SELECT at FROM catalog_price_change
WHERE at > (SELECT min(told_at) FROM catalog_pricetold) AND at <= %(now)s GROUP BY at
UNION SELECT %(now)s ORDER BY 1
"""
# Cheap enough for every second.
_IS_DUE = """
SELECT EXISTS (
    SELECT FROM catalog_price_change
    WHERE at > (SELECT min(told_at) FROM catalog_pricetold) AND at <= clock_timestamp()
)
"""


def tell_of_due_prices() -> int:
    """Record every price whose planned time has come since the last time, in order; return how many."""
    with connection.cursor() as cursor:
        cursor.execute(_IS_DUE)
        (is_due,) = cursor.fetchone()
    return tell_of_prices() if is_due else 0


@transaction.atomic
def tell_of_prices() -> int:
    """Record every price that has come into force since the last time, in order; return how many."""
    with connection.cursor() as cursor:
        cursor.execute("SELECT pg_advisory_xact_lock(%s), clock_timestamp()", [LOCK])
        now = cursor.fetchone()[1]
        cursor.execute(_MOMENTS, {"now": now})
        moments = [moment for (moment,) in cursor.fetchall()]
    told = {row.phone_id: row for row in PriceTold.objects.all()}
    happenings = [happening for moment in moments for happening in _changes(told, moment)]
    for row in told.values():
        row.told_at = now
    PriceTold.objects.bulk_create(
        told.values(),
        update_conflicts=True,
        unique_fields=["phone"],
        update_fields=["price_fen", "ordinary_fen", "told_at"],
    )
    record(happenings)
    return len(happenings)


def _changes(told: dict[int, PriceTold], moment: datetime) -> list[Happening]:
    """Bring `told` up to `moment`, and return what has changed. A phone's first price comes with the phone."""
    happenings = []
    for phone_id, offer in offers_at(moment).items():
        row = told.get(phone_id)
        if row is None:
            told[phone_id] = PriceTold(phone_id=phone_id, price_fen=offer.price_fen, ordinary_fen=offer.ordinary_fen)
        elif (row.price_fen, row.ordinary_fen) != (offer.price_fen, offer.ordinary_fen):
            row.price_fen, row.ordinary_fen = offer.price_fen, offer.ordinary_fen
            happenings.append(Happening(Type.PRICE_CHANGED, phone_id=phone_id, data=_data(offer, moment)))
    return happenings


def _data(offer: Offer, since: datetime) -> dict[str, object]:
    until = offer.valid_until
    return {
        "price_fen": offer.price_fen,
        "ordinary_fen": offer.ordinary_fen,
        "since": since.isoformat(),
        "until": until and until.isoformat(),
    }
