"""Outlets that close while customers order there: no order is left open that nobody decided on, and no stock either."""

from __future__ import annotations

from collections import Counter
from functools import partial

import pytest

from orders import lifecycle
from orders.checkout import place_order
from orders.closing import OrdersCameMeanwhile, orders_at_stake, set_state
from orders.models import Message, Order, State
from orders.refusals import OrderRefused, OutletNotOpen
from stores.audit import disagreements
from stores.models import Outlet, StockLevel
from tests.crowd import at_once
from tests.factories import create_outlet
from tests.order_factories import CLERK, CUSTOMER, create_order, create_shelf, request_for

pytestmark = pytest.mark.django_db(transaction=True)
NETWORK = "person:network"


def close(outlet: Outlet, state: Outlet.State) -> int:
    """Close it as somebody would who looks again whenever orders came meanwhile; return how many were declined."""
    for _look in range(50):
        shown = [order.number for order in orders_at_stake(outlet)]
        try:
            return set_state(outlet, state, NETWORK, "rent", shown=shown)
        except OrdersCameMeanwhile:
            continue
    raise AssertionError("orders came whenever somebody looked")


@pytest.mark.parametrize("state", [Outlet.State.SUSPENDED, Outlet.State.CLOSED])
def test_while_customers_order_clerks_set_aside_and_orders_move_here(state: Outlet.State) -> None:
    outlet, elsewhere = create_outlet(), create_outlet()
    shelf, second = (create_shelf(outlet, on_hand=40) for _ in range(2))
    there = create_shelf(elsewhere, phone=shelf.phone, on_hand=40)
    waiting = [create_order(shelf) for _ in range(3)]
    coming = [create_order(there) for _ in range(3)]
    leaving = create_order(shelf)
    both = request_for(shelf) | {"lines": {shelf.phone_id: 1, second.phone_id: 1}}

    deeds = [partial(place_order, **request_for(each)) for each in (shelf, second) for _ in range(6)]
    deeds += [partial(place_order, **both)]
    deeds += [partial(lifecycle.set_ready, order, CLERK) for order in waiting[:2]]
    deeds += [partial(lifecycle.cancel, waiting[2], CUSTOMER), partial(lifecycle.move_order, leaving, elsewhere, CLERK)]
    deeds += [partial(lifecycle.move_order, order, outlet, CLERK) for order in coming]
    *outcomes, declined, again = at_once([*deeds, partial(close, outlet, state), partial(close, outlet, state)])

    assert Outlet.objects.get(pk=outlet.pk).state == state
    assert not Order.objects.at(outlet).open().exists()
    # Whoever came too late was told so; nobody waited for a lock for ever.
    unexpected = [each for each in outcomes if isinstance(each, Exception) and not isinstance(each, OrderRefused)]
    assert unexpected == []
    ended = Order.objects.at(outlet).filter(state=State.DECLINED)
    assert ended.count() == declined + again
    assert ended.count() == Message.objects.filter(outlet=outlet, kind="declined").count()
    assert set(StockLevel.objects.filter(outlet=outlet).values_list("on_hand", "reserved")) == {(40, 0)}
    # An order that could not come here lives on where it was.
    for order in coming:
        order.refresh_from_db()
        assert order.moved_to or order.is_open
    assert list(disagreements()) == []
    with pytest.raises(OutletNotOpen):
        place_order(**request_for(shelf))


def test_somebody_who_opens_and_somebody_who_closes_do_not_wait_for_each_other() -> None:
    outlet = create_outlet()
    shelf = create_shelf(outlet, on_hand=30)
    opens = partial(set_state, outlet, Outlet.State.OPEN, NETWORK, "again")
    closes = partial(close, outlet, Outlet.State.CLOSED)

    outcomes = at_once([opens, closes, *(partial(place_order, **request_for(shelf)) for _ in range(8)), opens, closes])

    assert not {type(each) for each in outcomes} - {int, Order, OutletNotOpen}, Counter(map(type, outcomes))
    outlet.refresh_from_db()
    is_left_open = Order.objects.at(outlet).open().exists()
    assert outlet.is_open or not is_left_open
    assert list(disagreements()) == []
