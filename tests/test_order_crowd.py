"""Many customers, clerks and clocks at once: everything happens once, nothing waits for ever."""

import random
import time
from collections import Counter
from datetime import timedelta

import pytest
from django.utils import timezone

from catalog.catalogue import forget_catalogue
from orders import holds, lifecycle
from orders.checkout import place_order
from orders.models import Message, Order, Payment
from orders.refusals import OrderRefused, OutOfStock, TooManyOpenOrders
from stores.audit import disagreements
from stores.models import StockLevel, StockMovement
from stores.refusals import StockRefusal
from tests.crowd import at_once
from tests.factories import create_outlet, create_phone, create_stock
from tests.order_factories import CLERK, CUSTOMER, MOBILE, create_order, create_shelf, new_unit, request_for

pytestmark = pytest.mark.django_db(transaction=True)


def test_the_same_form_fifty_times_at_once_is_one_order():
    shelf = create_shelf(on_hand=99)
    request = request_for(shelf)

    orders = at_once([lambda: place_order(**request)] * 50)

    assert {order.number for order in orders} == {Order.objects.get().number}
    shelf.refresh_from_db()
    assert shelf.reserved == 1
    assert Message.objects.count() == 1
    assert StockMovement.objects.filter(kind="reserved").count() == 1


def test_the_same_form_at_once_with_different_mobile_numbers_is_one_order():
    shelf = create_shelf(on_hand=99)
    requests = [request_for(shelf, form_key="the form") for _ in range(12)]

    orders = at_once([lambda request=request: place_order(**request) for request in requests])

    assert {order.number for order in orders} == {Order.objects.get().number}
    shelf.refresh_from_db()
    assert shelf.reserved == 1


def test_the_last_phones_go_to_as_many_as_there_are():
    shelf = create_shelf(on_hand=5)
    requests = [request_for(shelf) for _ in range(40)]

    outcomes = at_once([lambda request=request: place_order(**request) for request in requests])

    assert Counter(type(outcome) for outcome in outcomes) == {Order: 5, OutOfStock: 35}
    shelf.refresh_from_db()
    assert (shelf.on_hand, shelf.reserved) == (5, 5)
    assert Order.objects.count() == 5


def test_limits_hold_for_orders_placed_at_once():
    shelves = [create_shelf(on_hand=9) for _ in range(12)]
    requests = [request_for(shelf, mobile=MOBILE) for shelf in shelves]

    outcomes = at_once([lambda request=request: place_order(**request) for request in requests])

    assert Counter(type(outcome) for outcome in outcomes) == {Order: 3, TooManyOpenOrders: 9}


@pytest.mark.parametrize("attempt", range(5))
def test_a_move_and_a_cancel_at_once(attempt: int):
    shelf = create_shelf()
    target = create_shelf(phone=shelf.phone)
    order = create_order(shelf)

    at_once([lambda: lifecycle.move_order(order, target.outlet, CUSTOMER), lambda: lifecycle.cancel(order, CUSTOMER)])

    order.refresh_from_db()
    target.refresh_from_db()
    assert order.state == "cancelled"
    assert target.reserved == (1 if order.moved_to else 0)
    assert list(disagreements()) == []


def test_whatever_everybody_does_at_once_the_books_agree():
    """Eight callers for some seconds, on few shelves and several phones an order: refusals yes, trouble no."""
    phones = [create_phone() for _ in range(4)]
    outlets = [create_outlet() for _ in range(3)]
    for outlet in outlets:
        for phone in phones:
            create_stock(outlet=outlet, phone=phone, on_hand=60)
    forget_catalogue()
    until = time.monotonic() + 6
    done: Counter[str] = Counter()

    def somebody(seed: int) -> None:
        dice = random.Random(seed)
        while time.monotonic() < until:
            deed = dice.choice(DEEDS)
            try:
                deed(dice, outlets, phones)
                done[deed.__name__] += 1
            except (OrderRefused, StockRefusal) as refusal:
                done[refusal.code] += 1

    outcomes = at_once([lambda seed=seed: somebody(seed) for seed in range(8)])

    assert outcomes == [None] * 8
    assert list(disagreements()) == []
    assert all(level.reserved >= 0 for level in StockLevel.objects.all())
    assert Payment.objects.count() == Order.objects.filter(state="collected").count()
    assert min(done[deed.__name__] for deed in DEEDS) > 0, done


def _place(dice, outlets, phones):
    chosen = dice.sample(phones, dice.randint(1, 3))
    # In any order: that of the shelves is the rule's business.
    lines = {phone.pk: 1 for phone in chosen}
    shelf = StockLevel(outlet=dice.choice(outlets), phone=chosen[0])
    place_order(**request_for(shelf, lines=lines))


def _any_order(dice) -> Order:
    numbers = list(Order.objects.open().values_list("pk", flat=True))
    if not numbers:
        raise OrderRefused("there is none")
    return Order.objects.get(pk=dice.choice(numbers))


def _set_ready(dice, outlets, phones):
    lifecycle.set_ready(_any_order(dice), CLERK)


def _collect(dice, outlets, phones):
    order = _any_order(dice)
    units = {line.phone_id: [new_unit() for _ in range(line.quantity)] for line in order.lines.all()}
    lifecycle.collect(order, CLERK, method=Payment.Method.CASH, amount_fen=order.due_fen, units=units)


def _cancel(dice, outlets, phones):
    lifecycle.cancel(_any_order(dice), CUSTOMER)


def _decline(dice, outlets, phones):
    lifecycle.decline(_any_order(dice), CLERK, "not found")


def _move(dice, outlets, phones):
    lifecycle.move_order(_any_order(dice), dice.choice(outlets), CUSTOMER)


def _extend(dice, outlets, phones):
    lifecycle.extend_hold(_any_order(dice), CUSTOMER)


def _sweep(dice, outlets, phones):
    now = timezone.now() + timedelta(hours=dice.choice([25, 40, 60]))
    dice.choice([holds.expire_orders, holds.remind_customers, holds.escalate_orders])(now=now)


DEEDS = [_place, _place, _place, _place, _set_ready, _collect, _cancel, _decline, _move, _extend, _sweep]
