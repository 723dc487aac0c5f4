"""What an outlet had given of the quotas of sale windows, at any moment."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime

from django.db import connection

# As `orders_used_of_quota` counts, with the orders that stood at the moment: an order that moved is where it is now.
_GIVEN = """
SELECT window_id, phone_id, sum(units)::int FROM (
    SELECT u.window_id, u.phone_id, l.quantity AS units
    FROM orders_saleuse u
    JOIN orders_order o ON o.outlet_id = u.outlet_id AND o.number = u.number
    JOIN orders_orderline l ON l.outlet_id = u.outlet_id AND l.number = u.number AND l.phone_id = u.phone_id
    WHERE u.outlet_id = %(outlet)s AND u.window_id = ANY(%(windows)s) AND o.placed_at <= %(moment)s
        AND (o.state IN ('placed', 'ready', 'collected') OR o.ended_at > %(moment)s)
    UNION ALL
    SELECT s.window_id, s.phone_id, 1 FROM orders_walkinsale s
    WHERE s.outlet_id = %(outlet)s AND s.window_id = ANY(%(windows)s) AND s.sold_at <= %(moment)s
) AS given (window_id, phone_id, units)
GROUP BY window_id, phone_id
"""


def given_of_quotas(outlet_id: int, windows: Iterable[int], moment: datetime) -> dict[tuple[int, int], int]:
    """
    Return by window and phone how many an outlet had given at the prices of these windows by `moment`. One query.

    What is to come is not known, so of a window that has not begun nothing is given.
    """
    with connection.cursor() as cursor:
        cursor.execute(_GIVEN, {"outlet": outlet_id, "windows": sorted(windows), "moment": moment})
        return {(window, phone): units for window, phone, units in cursor.fetchall()}
