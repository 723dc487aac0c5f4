"""Where else the phones of an order are."""

from __future__ import annotations

from orders.models import Order
from stores.geography import Point, distance_between
from stores.models import Outlet
from stores.place_words import nearness

# So many are looked at: of those that are near by their points, some are only known by their county.
LOOKED_AT = 10


def nearest_with_all(order: Order, *, limit: int) -> list[Outlet]:
    """
    Return the open outlets nearest to the order's own that can hand over at least one of each of its phones.

    They are as near as their places are known.
    """
    home = order.outlet
    phone_ids = [line.phone_id for line in order.lines.all()]
    here = Point(home.latitude, home.longitude)
    others = Outlet.objects.open().having(*phone_ids).nearest(here)
    near = others.exclude(pk=home.pk)[:LOOKED_AT]
    return sorted(near, key=lambda outlet: _nearness(here, outlet))[:limit]


def _nearness(here: Point, outlet: Outlet) -> tuple[int, bool]:
    km = distance_between(here, Point(outlet.latitude, outlet.longitude))
    return nearness(km, outlet.coordinate_accuracy_km, outlet.place_is_vague)
