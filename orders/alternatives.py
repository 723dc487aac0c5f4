"""Where else the phones of an order are."""

from __future__ import annotations

from orders.models import Order
from stores.geography import Point
from stores.models import Outlet


def nearest_with_all(order: Order, *, limit: int) -> list[Outlet]:
    """Return the nearest open outlets, from the order's own, that can hand over at least one of each of its phones."""
    home = order.outlet
    phone_ids = [line.phone_id for line in order.lines.all()]
    others = Outlet.objects.open().having(*phone_ids).nearest(Point(home.latitude, home.longitude))
    return list(others.exclude(pk=home.pk)[:limit])
