"""
Opening, suspending and closing an outlet, with what becomes of the orders that are open there.

An outlet that opens no more can hand nothing over. So its open orders are declined, their phones go back to the shelf,
and each customer is told, and offered the nearest outlets that have the phone: nobody is sent on to another place
unasked. State, orders, stock and messages change together or not at all.
"""

from __future__ import annotations

from collections.abc import Sequence

from django.db import transaction
from django.utils import timezone
from django.utils.translation import gettext as _

from orders import history
from orders.history import Kind, advance
from orders.models import Message, Order, State
from stores import stock
from stores.models import Outlet
from stores.outlets import change_state, lock_shelves


class OrdersCameMeanwhile(Exception):
    """The open orders are not those that were shown: somebody should look again."""

    def __str__(self) -> str:
        return _("The open orders have changed meanwhile. Please look at them again.")


def orders_at_stake(outlet: Outlet) -> list[Order]:
    """Return the open orders of `outlet`, as customers and the clerk would miss them, the longest waiting first."""
    return list(Order.objects.at(outlet).open().order_by("placed_at", "number").prefetch_related("lines"))


@transaction.atomic
def set_state(outlet: Outlet, state: Outlet.State, actor: str, reason: str, *, shown: Sequence[str] = ()) -> int:
    """
    Open, suspend or close `outlet`; return how many orders were declined by that.

    `shown` are the numbers of the open orders that whoever decides has seen. Raises OrdersCameMeanwhile.
    """
    # Orders before shelves, as every deed locks them.
    orders = list(Order.objects.at(outlet).open().order_by("number").select_for_update())
    lock_shelves([outlet.pk])
    if state != Outlet.State.OPEN:
        _refuse_others(outlet, orders, shown)
        _decline(orders, actor, reason)
    change_state(outlet.pk, state)
    return 0 if state == Outlet.State.OPEN else len(orders)


def _refuse_others(outlet: Outlet, orders: Sequence[Order], shown: Sequence[str]) -> None:
    # Who reserves needs the shelf, which is locked by now: no order can come any more.
    now_open = set(Order.objects.at(outlet).open().values_list("number", flat=True))
    if not now_open == {order.number for order in orders} == set(shown):
        raise OrdersCameMeanwhile


def _decline(orders: Sequence[Order], actor: str, reason: str) -> None:
    if not orders:
        return
    now, quantities = timezone.now(), history.quantities_of(orders)
    for order in orders:
        act = stock.Act(history.stock_key(order, Kind.DECLINED), actor, history.reference(order), reason[:200])
        stock.release(order.outlet_id, quantities[order.number], act)
    advance(
        orders, Kind.DECLINED, state=State.DECLINED, actor=actor, reason=reason, now=now, message=Message.Kind.DECLINED,
        ended_at=now,
    )  # fmt: skip
