"""Singles' Day: everybody at once in a sale window, and exactly the orders that its rules allow."""

from __future__ import annotations

import random
from collections import Counter
from functools import partial
from typing import Any

import pytest
from django.db.models import Count, Max, Sum

from catalog.catalogue import current_catalogue
from orders import lifecycle, walk_in
from orders.checkout import place_order
from orders.models import Order, OrderLine, Payment, SaleUse, WalkInSale
from orders.refusals import OrderRefused, OutOfStock, SaleLimitReached, SaleQuotaUsedUp, TooManyOfOnePhone, WrongAmount
from stores.audit import disagreements
from tests.crowd import at_once, share_out
from tests.factories import act, create_outlet, create_phone, create_stock, create_timetable, create_window
from tests.order_factories import CUSTOMER, MOBILE, create_order, create_shelf, new_mobile, new_unit, request_for

pytestmark = pytest.mark.django_db(transaction=True)

SHOPS, SHELF, QUOTA, BUYERS_A_SHOP = 200, 5, 3, 10
SALE, ORDINARY = 24900, 29900


def buyers() -> list[tuple[int, str]]:
    """The shop and mobile number of 2,000 buyers; one in ten tries it in two shops in the same moment."""
    dice = random.Random(11)
    together: list[list[tuple[int, str]]] = []
    for shop in range(SHOPS):
        together += [[(shop, new_mobile())] for _ in range(BUYERS_A_SHOP - 2)]
        twice = new_mobile()
        together.append([(shop, twice), ((shop + 7) % SHOPS, twice)])
    dice.shuffle(together)
    return [buyer for each in together for buyer in each]


def live(**which: Any) -> Any:
    return SaleUse.objects.filter(order__state__in=["placed", "ready", "collected"], **which)


def test_two_thousand_buyers_get_exactly_what_the_window_allows():
    phone, timetable = create_phone(), create_timetable()
    outlets = [create_outlet(timetable=timetable) for _ in range(SHOPS)]
    shelves = [create_stock(outlet=outlet, phone=phone, on_hand=SHELF) for outlet in outlets]
    create_window({phone: SALE}, quota=QUOTA, limit_per_customer=1)
    current_catalogue()
    asked = buyers()
    assert len(asked) == 2000

    def order(shop: int, mobile: str, **values: Any) -> Order:
        return place_order(**request_for(shelves[shop], mobile=mobile, **{"accepted_fen": SALE} | values))

    outcomes = share_out([partial(order, shop, mobile) for shop, mobile in asked])

    told = Counter(type(outcome) for outcome in outcomes)
    assert told[Order] == SHOPS * QUOTA, told
    assert set(told) == {Order, SaleQuotaUsedUp, SaleLimitReached}, told
    assert_allowed()

    # Some change their minds while others try again: what is given back is given once, and to one.
    placed = [outcome for outcome in outcomes if isinstance(outcome, Order)]
    refused = [buyer for buyer, outcome in zip(asked, outcomes, strict=True) if isinstance(outcome, OrderRefused)]
    cancels = [partial(lifecycle.cancel, order, CUSTOMER) for order in placed[:100]] * 2
    tries = [partial(order, shop, mobile) for shop, mobile in refused[:300]]
    together = [*cancels, *tries]
    random.Random(12).shuffle(together)
    share_out(together)
    assert_allowed()
    cancelled = {order.number for order in placed[:100]}
    assert Order.objects.filter(number__in=cancelled, state="cancelled").count() == 100

    # Whoever is refused may have it at the ordinary price, as long as there is one.
    sold = live().count()
    rest = [partial(order, shop, mobile, accepted_fen=ORDINARY) for shop, mobile in refused]
    told = Counter(type(outcome) for outcome in share_out(rest))
    assert told[Order] == SHOPS * SHELF - sold
    # Who tried in two shops may have two of a phone by now, and no more.
    assert set(told) <= {Order, OutOfStock, TooManyOfOnePhone}, told
    assert Order.objects.open().count() == SHOPS * SHELF
    assert_allowed()


def assert_allowed() -> None:
    """No shop gave more than its quota, no customer had more than one, every price is right, the books agree."""
    by_shop = live().values("outlet").annotate(units=Count("pk")).aggregate(most=Max("units"))
    by_customer = live().values("customer").annotate(units=Count("pk")).aggregate(most=Max("units"))
    assert by_shop["most"] <= QUOTA
    assert by_customer["most"] == 1
    at_sale = OrderLine.objects.filter(price_fen=SALE, order__state="placed").aggregate(units=Sum("quantity"))
    assert at_sale["units"] == live().count()
    assert set(OrderLine.objects.values_list("price_fen", flat=True)) <= {SALE, ORDINARY}
    assert list(disagreements()) == []


@pytest.mark.parametrize("attempt", range(3))
def test_a_move_and_new_orders_of_the_same_customer_at_once(attempt: int):
    shelves = [create_shelf(phone=create_phone())]
    shelves += [create_shelf(phone=shelves[0].phone) for _ in range(4)]
    create_window({shelves[0].phone: SALE}, quota=1)
    declined = create_order(shelves[0], mobile=MOBILE, state="declined")
    calls = [partial(create_order, shelf, mobile=MOBILE) for shelf in shelves[2:]]

    outcomes = at_once([partial(lifecycle.move_order, declined, shelves[1].outlet, CUSTOMER), *calls])

    assert Counter(type(outcome) for outcome in outcomes) == {Order: 1, SaleLimitReached: 3}
    assert live().count() == 1


@pytest.mark.parametrize("attempt", range(3))
def test_who_orders_and_who_walks_in_share_the_quota_of_an_outlet(attempt: int):
    shelf = create_shelf(on_hand=40)
    create_window({shelf.phone: SALE}, quota=QUOTA)

    def walk_in_at(price_fen: int) -> WalkInSale:
        method = Payment.Method.CASH
        return walk_in.sell(shelf.outlet_id, shelf.phone, new_unit(), act(), method=method, amount_fen=price_fen)

    def crowd(size: int) -> list[Any]:
        """New customers, each with a form of their own: one of a form that was sent before gets its order again."""
        orders = [partial(place_order, **request_for(shelf, accepted_fen=SALE)) for _ in range(size)]
        mixed = [*orders, *[partial(walk_in_at, SALE) for _ in range(size)]]
        random.Random(attempt).shuffle(mixed)
        return at_once(mixed)

    told = Counter(type(outcome) for outcome in crowd(12))

    assert told[Order] + told[WalkInSale] == QUOTA, told
    assert set(told) <= {Order, WalkInSale, SaleQuotaUsedUp, WrongAmount}, told
    assert live().count() + WalkInSale.objects.filter(window__isnull=False).count() == QUOTA
    # Whoever comes later pays the ordinary price, and an order that is cancelled makes room for one of them.
    assert walk_in_at(ORDINARY).window_id is None
    for order in Order.objects.open():
        lifecycle.cancel(order, CUSTOMER)
        told = Counter(type(outcome) for outcome in crowd(3))
        assert told[Order] + told[WalkInSale] == 1, told
    assert list(disagreements()) == []
