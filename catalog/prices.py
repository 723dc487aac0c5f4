"""
What phones cost at a moment: the one rule, which lives in the database (migration 0005_price_rule).

The ordinary price is the newest one that has begun. Of the sale windows that are open, those with a lower price count,
and the lowest of them wins. Pages, API, desk and orders all ask the same functions; by the clock of the database, so
that any number of web processes agree on the second in which a price changes.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from datetime import datetime
from typing import Any, NamedTuple

from django.db import connection


class Sale(NamedTuple):
    """The sale window that a price comes from, as far as customers are told of it."""

    window_id: int
    name_zh: str
    name_en: str
    ends_at: datetime
    limit_per_customer: int
    quota_per_outlet: int | None


class Offer(NamedTuple):
    """
    What one phone costs at a moment, in fen, beside its ordinary price.

    `valid_until` is when it will cost something else, None while nothing else is planned; `provenance` is the mark of
    the ordinary price, if it has one; `sale` is None where the ordinary price is what it costs.
    """

    price_fen: int
    ordinary_fen: int
    provenance: str
    valid_until: datetime | None
    sale: Sale | None


_OFFERS = """
SELECT o.phone_id, o.price_fen, o.ordinary_fen, o.provenance, o.valid_until,
       o.window_id, w.name_zh, w.name_en, w.ends_at, w.limit_per_customer, o.quota_per_outlet
FROM catalog_offers_at(coalesce(%s, clock_timestamp())) o LEFT JOIN catalog_salewindow w ON w.id = o.window_id
"""


def offers_at(moment: datetime | None = None) -> dict[int, Offer]:
    """
    Return what each phone (by its key) costs at `moment`, now if None. One query.

    A phone that had no price yet is left out.
    """
    with connection.cursor() as cursor:
        cursor.execute(_OFFERS, [moment])
        return _offers(cursor.fetchall())


_OFFERS_AT_PRICES = """
SELECT asked.phone, asked.fen, o.ordinary_fen, o.provenance,
       coalesce(w.ends_at, (SELECT min(p.valid_from) FROM catalog_price p
                            WHERE p.phone_id = asked.phone AND p.valid_from > clock_timestamp())),
       w.id, w.name_zh, w.name_en, w.ends_at, w.limit_per_customer, o.quota_per_outlet
FROM unnest(%s::smallint[], %s::int[]) AS asked (phone, fen)
CROSS JOIN LATERAL (
    SELECT * FROM catalog_prices_at(asked.phone, clock_timestamp()) valid
    ORDER BY valid.price_fen = asked.fen DESC, valid.ends_at DESC LIMIT 1
) o
LEFT JOIN catalog_salewindow w ON w.id = o.window_id AND o.price_fen = asked.fen
"""


def offers_at_prices(prices: Mapping[int, int]) -> dict[int, Offer]:
    """
    Return each phone (by its key) at the price that is named, in fen: that of a window that is open now, or no sale.

    Where the lowest price is used up, it is what a shop still offers; it is valid until its window ends, or until the
    next ordinary price. One query, none for no phones.
    """
    if not prices:
        return {}
    with connection.cursor() as cursor:
        cursor.execute(_OFFERS_AT_PRICES, [list(prices), list(prices.values())])
        return _offers(cursor.fetchall())


def _offers(rows: Iterable[tuple[Any, ...]]) -> dict[int, Offer]:
    return {
        phone_id: Offer(price_fen, ordinary_fen, mark, until, Sale(*sale) if sale[0] is not None else None)
        for phone_id, price_fen, ordinary_fen, mark, until, *sale in rows
    }


def next_change(moment: datetime) -> datetime | None:
    """Return the first moment after this one at which any price begins or ends, None where none is planned."""
    with connection.cursor() as cursor:
        cursor.execute("SELECT min(at) FROM catalog_price_change WHERE at > %s", [moment])
        return cursor.fetchone()[0]


def time_of_transaction() -> datetime:
    """Return the moment that is now for the guards of prices: what began before it is history."""
    with connection.cursor() as cursor:
        cursor.execute("SELECT now()")
        return cursor.fetchone()[0]


_SET = """
INSERT INTO catalog_price (phone_id, price_fen, valid_from, provenance)
VALUES (%s, %s, coalesce(%s, now()), %s)
ON CONFLICT (phone_id, valid_from) DO UPDATE SET price_fen = excluded.price_fen, provenance = excluded.provenance
"""


def set_price(phone_id: int, price_fen: int, *, valid_from: datetime | None = None, provenance: str = "") -> None:
    """
    Let a phone ordinarily cost `price_fen` from a moment on, from now if None.

    Raises IntegrityError for a moment that has passed, and a price that is none.
    """
    with connection.cursor() as cursor:
        cursor.execute(_SET, [phone_id, price_fen, valid_from, provenance])
