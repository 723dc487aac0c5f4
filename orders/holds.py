"""
What time does to orders: they expire, their customers are reminded, and outlets that are slow are pointed at.

Each of these looks for orders whose moment has come and moves all those of one outlet in one transaction. An order that
somebody is dealing with at this instant is passed over, and looked at again next time. Any number of workers may run.
"""

from __future__ import annotations

import logging
from collections.abc import Callable, Iterable
from datetime import datetime, timedelta

from django.conf import settings
from django.db import DatabaseError, connection, transaction
from django.db.models import Q
from django.utils import timezone

from orders import history
from orders.history import Kind, advance
from orders.models import OPEN_STATES, Message, Order, State
from stores import stock
from stores.refusals import StockRefusal

logger = logging.getLogger(__name__)

ACTOR = "system:holds"
# Orders of this many outlets are looked up at a time.
OUTLETS_AT_ONCE = 200


def expire_orders(*, now: datetime | None = None) -> int:
    """Give back what customers did not collect in time; return how many orders expired."""
    now = now or timezone.now()
    return _for_each_outlet(Q(state__in=OPEN_STATES, held_until__lte=now), lambda orders: _expire(orders, now))


def _expire(orders: list[Order], now: datetime) -> None:
    lines = history.quantities_of(orders)
    _lock_shelves(orders[0].outlet_id, {phone_id for quantities in lines.values() for phone_id in quantities})
    for order in orders:
        act = stock.Act(history.stock_key(order, Kind.EXPIRED), ACTOR, history.reference(order))
        stock.release(order.outlet_id, lines[order.number], act)
    advance(orders, Kind.EXPIRED, state=State.EXPIRED, actor=ACTOR, now=now, message=Message.Kind.EXPIRED, ended_at=now)


def _lock_shelves(outlet_id: int, phone_ids: Iterable[int]) -> None:
    # Several orders together need the shelves in the order in which everybody locks them, not order by order.
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT FROM stores_stocklevel WHERE outlet_id = %s AND phone_id = ANY(%s) ORDER BY phone_id FOR UPDATE",
            [outlet_id, sorted(phone_ids)],
        )


def remind_customers(*, now: datetime | None = None) -> int:
    """
    Remind customers whose order is not kept much longer; return how many.

    What has expired meanwhile is left alone: after days without a worker nobody is reminded of what is gone.
    """
    now = now or timezone.now()
    soon = now + timedelta(hours=settings.REMINDER_HOURS)
    due = Q(state__in=OPEN_STATES, reminded_at=None, held_until__gt=now, held_until__lte=soon)
    return _for_each_outlet(due, lambda orders: _remind(orders, now))


_REMIND = """
WITH reminded AS (
    UPDATE orders_order SET reminded_at = %(now)s
    WHERE outlet_id = %(outlet)s AND number = ANY(%(numbers)s)
    RETURNING outlet_id, number, change_seq
)
INSERT INTO orders_message
    (outlet_id, number, change_seq, kind, state, attempts, next_attempt_at, created_at, receipt, error)
SELECT outlet_id, number, change_seq, 'reminder', 'waiting', 0, %(now)s, %(now)s, '', '' FROM reminded
ON CONFLICT DO NOTHING
"""


def _remind(orders: list[Order], now: datetime) -> None:
    numbers = [order.number for order in orders]
    with connection.cursor() as cursor:
        cursor.execute(_REMIND, {"outlet": orders[0].outlet_id, "numbers": numbers, "now": now})


def escalate_orders(*, now: datetime | None = None) -> int:
    """Point at orders that their outlet has not set aside in time, and tell the customer; return how many."""
    now = now or timezone.now()
    late = now - timedelta(hours=settings.SET_ASIDE_HOURS)
    due = Q(state=State.PLACED, escalated_at=None, placed_at__lte=late, held_until__gt=now)

    def escalate(orders: list[Order]) -> None:
        advance(orders, Kind.ESCALATED, actor=ACTOR, now=now, message=Message.Kind.ESCALATED, escalated_at=now)

    return _for_each_outlet(due, escalate)


def _for_each_outlet(due: Q, deed: Callable[[list[Order]], None]) -> int:
    """Do the deed to all orders that are due, the orders of one outlet in one transaction; return how many."""
    done, after, failures = 0, 0, []
    while outlets := _outlets_with(due, after):
        for outlet_id in outlets:
            try:
                done += _at_outlet(outlet_id, due, deed)
            except (DatabaseError, StockRefusal) as failure:
                # What is wrong at one outlet must not stop the others. The job still counts as failed.
                logger.exception("Outlet %d", outlet_id)
                failures.append(failure)
        after = outlets[-1]
    if failures:
        raise failures[0]
    return done


def _outlets_with(due: Q, after: int) -> list[int]:
    outlets = Order.objects.filter(due, outlet_id__gt=after).order_by("outlet_id").values_list("outlet_id", flat=True)
    return list(outlets.distinct()[:OUTLETS_AT_ONCE])


@transaction.atomic
def _at_outlet(outlet_id: int, due: Q, deed: Callable[[list[Order]], None]) -> int:
    # Asked again under the lock: another worker, a clerk or the customer may have come first.
    orders = list(Order.objects.filter(due, outlet_id=outlet_id).order_by("number").select_for_update(skip_locked=True))
    if orders:
        deed(orders)
    return len(orders)
