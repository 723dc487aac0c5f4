"""What all open outlets of a county, city, province and the country have of each phone, added up."""

from __future__ import annotations

from typing import NamedTuple

from django.db import connection, transaction

from stores.models import Region


class Totals(NamedTuple):
    """What the open outlets of a region have of one phone: how many outlets can promise one, and the units."""

    outlets_with: int
    on_hand: int
    reserved: int
    available: int


# Callers that fold or add up wait for each other; readers and those who sell do not.
_ALONE = "LOCK TABLE stores_regionstock IN SHARE ROW EXCLUSIVE MODE"

# Every county counts for itself, its city, its province and (null) the country.
_EVERY_REGION = """
    SELECT r.region_id, c.phone_id, sum(c.outlets_with) AS outlets_with, sum(c.on_hand) AS on_hand,
           sum(c.reserved) AS reserved, sum(c.available) AS available
    FROM by_county c, LATERAL (VALUES
        (c.county_code), (left(c.county_code, 4) || '00'), (left(c.county_code, 2) || '0000'), (NULL)
    ) AS r (region_id)
    GROUP BY r.region_id, c.phone_id
"""

_FOLD = f"""
WITH folded AS (
    DELETE FROM stores_regionstockchange RETURNING county_code, phone_id, outlets_with, on_hand, reserved, available
), by_county AS (
    SELECT county_code, phone_id, sum(outlets_with) AS outlets_with, sum(on_hand) AS on_hand,
           sum(reserved) AS reserved, sum(available) AS available
    FROM folded GROUP BY county_code, phone_id
), change AS ({_EVERY_REGION}
), changed AS (
    UPDATE stores_regionstock t
    SET outlets_with = t.outlets_with + c.outlets_with, on_hand = t.on_hand + c.on_hand,
        reserved = t.reserved + c.reserved, available = t.available + c.available
    FROM change c WHERE t.region_id IS NOT DISTINCT FROM c.region_id AND t.phone_id = c.phone_id
    RETURNING t.region_id, t.phone_id
)
INSERT INTO stores_regionstock (region_id, phone_id, outlets_with, on_hand, reserved, available)
SELECT region_id, phone_id, outlets_with, on_hand, reserved, available FROM change c
WHERE NOT EXISTS (SELECT FROM stores_regionstock t
                  WHERE t.region_id IS NOT DISTINCT FROM c.region_id AND t.phone_id = c.phone_id)
"""

# One snapshot: the changes taken away here are exactly those that the levels below already show.
_ADD_UP = f"""
WITH forgotten AS (DELETE FROM stores_regionstockchange
), by_county AS (
    SELECT county_code, phone_id, count(*) FILTER (WHERE is_available) AS outlets_with, sum(on_hand) AS on_hand,
           sum(reserved) AS reserved, sum(greatest(on_hand - reserved - safety_stock, 0)) AS available
    FROM stores_stocklevel WHERE outlet_trades GROUP BY county_code, phone_id
), every_region AS ({_EVERY_REGION}
    UNION ALL SELECT region_id, phone_id, 0, 0, 0, 0 FROM stores_regionstock
)
INSERT INTO stores_regionstock (region_id, phone_id, outlets_with, on_hand, reserved, available)
SELECT region_id, phone_id, sum(outlets_with), sum(on_hand), sum(reserved), sum(available)
FROM every_region GROUP BY region_id, phone_id
ON CONFLICT (region_id, phone_id) DO UPDATE
SET outlets_with = excluded.outlets_with, on_hand = excluded.on_hand, reserved = excluded.reserved,
    available = excluded.available
"""


_READ = """
SELECT phone_id, sum(outlets_with)::int, sum(on_hand)::int, sum(reserved)::int, sum(available)::int
FROM (
    SELECT phone_id, outlets_with, on_hand, reserved, available FROM stores_regionstock WHERE region_id {is_region}
    UNION ALL
    SELECT phone_id, outlets_with, on_hand, reserved, available FROM stores_regionstockchange
    WHERE county_code >= %(first)s AND county_code < %(beyond)s
) AS noted GROUP BY phone_id
"""


def region_stock(region: Region | None) -> dict[int, Totals]:
    """
    Return what a county, city, province or (None) the country has, by phone_id, to the last committed change.

    One query: the totals, and the changes that were noted since they were folded. A town has no totals of its own.
    """
    prefix = region.prefix if region else ""
    parameters = {
        "region": region.pk if region else None,
        "first": prefix,
        "beyond": prefix + ":",
    }  # the colon follows the 9
    with connection.cursor() as cursor:
        cursor.execute(_READ.format(is_region="= %(region)s" if region else "IS NULL"), parameters)
        return {phone_id: Totals(*numbers) for phone_id, *numbers in cursor.fetchall()}


def fold() -> None:
    """Take the noted changes into the totals. Totals read before and after it are the same."""
    with transaction.atomic(), connection.cursor() as cursor:
        cursor.execute(_ALONE)
        cursor.execute(_FOLD)


def refresh_region_stock() -> None:
    """Add up all shelves of the country anew."""
    with transaction.atomic(), connection.cursor() as cursor:
        cursor.execute(_ALONE)
        cursor.execute(_ADD_UP)
