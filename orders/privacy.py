"""Forgetting customers: in time, and when they ask. And telling them what is known."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Any

from django.conf import settings
from django.db import connection
from django.utils import timezone

from orders.models import Order
from orders.refusals import OrderRefused

# Rows changed by one statement, so that no lock is held for long.
AT_ONCE = 1_000

_ERASE = """
WITH old AS (
    SELECT outlet_id, number FROM orders_order
    WHERE erased_at IS NULL AND ended_at <= %s
    LIMIT %s FOR UPDATE SKIP LOCKED
)
UPDATE orders_order o SET name = '', mobile = '', erased_at = %s
FROM old WHERE o.outlet_id = old.outlet_id AND o.number = old.number
"""
# While a sale window is open, what a customer has used of it counts on, under a digest that tells no number.
_FORGET_USES = """
UPDATE orders_saleuse u SET customer = NULL
FROM orders_order o, catalog_salewindow w
WHERE u.customer IS NOT NULL AND o.outlet_id = u.outlet_id AND o.number = u.number AND o.erased_at IS NOT NULL
    AND w.id = u.window_id AND w.ends_at <= %s
"""


class OrdersStillOpen(OrderRefused):
    """The customer's open orders have to end first. `numbers`."""

    code = "orders_still_open"


def erase_old_customers(*, now: datetime | None = None) -> int:
    """Erase name and mobile number of orders that ended longer ago than the retention period; return how many."""
    now = now or timezone.now()
    erased = 0
    with connection.cursor() as cursor:
        while True:
            cursor.execute(_ERASE, [now - timedelta(days=settings.RETENTION_DAYS), AT_ONCE, now])
            erased += cursor.rowcount
            if cursor.rowcount < AT_ONCE:
                break
        cursor.execute(_FORGET_USES, [now])
    return erased


def export_customer(mobile: str) -> dict[str, Any]:
    """Return everything that is known of the owner of `mobile` (E.164), ready to be written as JSON."""
    orders = (
        Order.objects.filter(mobile=mobile).select_related("outlet").prefetch_related("lines", "history", "messages")
    )
    return {"mobile": mobile, "orders": [_exported(order) for order in orders.order_by("placed_at")]}


def _exported(order: Order) -> dict[str, Any]:
    return {
        "number": order.number,
        "outlet": order.outlet.code,
        "state": order.state,
        "name": order.name,
        "language": order.language,
        "placed_at": order.placed_at.isoformat(),
        "held_until": order.held_until.isoformat(),
        "total_fen": order.total_fen,
        "phones": [
            {"name": line.name_zh, "quantity": line.quantity, "price_fen": line.price_fen} for line in order.lines.all()
        ],
        "history": [{"what": change.kind, "when": change.created_at.isoformat()} for change in order.history.all()],
        "messages": [
            {"what": message.kind, "state": message.state, "sent_at": message.sent_at and message.sent_at.isoformat()}
            for message in order.messages.all()
        ],
    }


def erase_customer(mobile: str) -> int:
    """
    Erase name and number from all orders of `mobile` (E.164) because their owner asks; return from how many.

    Raises OrdersStillOpen: who fetches an order must be known until it ends.
    """
    orders = Order.objects.filter(mobile=mobile)
    if still_open := list(orders.open().values_list("number", flat=True)):
        raise OrdersStillOpen("Orders are still open: " + ", ".join(still_open), numbers=still_open)
    return orders.filter(ended_at__isnull=False).update(name="", mobile="", erased_at=timezone.now())
