"""A customer reserves phones."""

from datetime import timedelta

import pytest
import time_machine
from django.db import connection
from django.utils import timezone

from catalog.catalogue import forget_catalogue
from orders import numbers
from orders.checkout import Asked, place_order
from orders.models import Order, State
from orders.refusals import (
    BadMobile,
    BadName,
    BadQuantity,
    OutletNotOpen,
    OutOfStock,
    PhoneNotListed,
    TooManyOfOnePhone,
    TooManyOpenOrders,
)
from stores.models import StockMovement
from tests.factories import change_price, create_outlet
from tests.order_factories import MOBILE, create_order, create_shelf, new_mobile, request_for

pytestmark = pytest.mark.django_db


def test_sets_the_phones_aside_and_fixes_name_and_price():
    outlet = create_outlet()
    first, second = create_shelf(outlet), create_shelf(outlet)

    order = place_order(**request_for(first, lines={second.phone_id: 2, first.phone_id: 1}, mobile="138 0013 8000"))
    change_price(first.phone, 30000)

    order = Order.objects.get(pk=order.pk)
    assert (order.state, order.mobile, order.total_fen) == (State.PLACED, MOBILE, 3 * 29900)
    assert [(line.phone_id, line.quantity, line.price_fen, line.name_zh) for line in order.lines.all()] == [
        (first.phone_id, 1, 29900, first.phone.name_zh),
        (second.phone_id, 2, 29900, second.phone.name_zh),
    ]
    assert [(change.kind, change.state, change.actor) for change in order.history.all()] == [
        ("placed", "placed", "customer:web")
    ]
    assert [(message.kind, message.state) for message in order.messages.all()] == [("placed", "waiting")]
    for shelf, promised in ((first, 1), (second, 2)):
        shelf.refresh_from_db()
        assert shelf.reserved == promised
    assert StockMovement.objects.filter(reference=f"order:{order.number}", kind="reserved").count() == 2


def test_returns_what_the_database_holds():
    order = create_order()
    stored = Order.objects.get(pk=order.pk)

    for field in Order._meta.concrete_fields:
        value = getattr(stored, field.attname)
        assert getattr(order, field.attname) == (bytes(value) if isinstance(value, memoryview) else value), field


def test_is_kept_for_two_days():
    with time_machine.travel("2026-11-11T00:00:00Z", tick=False):
        order = create_order()
        assert order.held_until == timezone.now() + timedelta(hours=48)


def test_the_same_form_twice_is_one_order():
    shelf = create_shelf()
    request = request_for(shelf)

    first, second = place_order(**request), place_order(**request)

    assert first.number == second.number
    shelf.refresh_from_db()
    assert shelf.reserved == 1
    assert second.messages.count() == 1


def test_the_same_form_after_its_order_was_cancelled_shows_that_order():
    shelf = create_shelf()
    request = request_for(shelf)
    order = create_order(shelf, state="cancelled", **{key: request[key] for key in ("form_key", "mobile")})

    assert place_order(**request).number == order.number
    assert place_order(**request).state == State.CANCELLED


def test_the_same_form_with_a_corrected_mobile_number_is_one_order():
    shelf = create_shelf()
    request = request_for(shelf)

    order = place_order(**request)

    assert place_order(**request | {"mobile": new_mobile()}).number == order.number


def test_says_how_many_are_left():
    shelf = create_shelf(on_hand=3, reserved=2)

    with pytest.raises(OutOfStock) as refusal:
        place_order(**request_for(shelf, 2))

    assert refusal.value.data["short"] == {shelf.phone_id: (2, 1)}
    assert shelf.phone.name_zh in str(refusal.value)
    assert not Order.objects.exists()


def test_takes_all_phones_or_none():
    outlet = create_outlet()
    there, gone = create_shelf(outlet), create_shelf(outlet, on_hand=0)

    with pytest.raises(OutOfStock):
        place_order(**request_for(there, lines={there.phone_id: 1, gone.phone_id: 1}))

    there.refresh_from_db()
    assert there.reserved == 0


@pytest.mark.parametrize("state", ["planned", "suspended", "closed"])
def test_refuses_an_outlet_that_does_no_business(state: str):
    shelf = create_shelf(create_outlet(state=state))

    with pytest.raises(OutletNotOpen):
        place_order(**request_for(shelf))


def test_refuses_a_phone_that_is_no_longer_sold():
    shelf = create_shelf()
    shelf.phone.is_discontinued = True
    shelf.phone.save()
    forget_catalogue()

    with pytest.raises(PhoneNotListed) as refusal:
        place_order(**request_for(shelf))
    assert refusal.value.data["phone_ids"] == [shelf.phone_id]


@pytest.mark.parametrize("lines", [{}, {1: 0}, {1: -1}, {1: 100}, {1: 1.5}])
def test_refuses_nothing_and_nonsense(lines: dict):
    with pytest.raises(BadQuantity):
        place_order(**request_for(create_shelf(), lines=lines))


@pytest.mark.parametrize("mobile", ["", "12345", "010 6552 9988", "+44 7700 900123", "138O0138000", "1380013800١"])
def test_refuses_what_is_no_chinese_mobile_number(mobile: str):
    with pytest.raises(BadMobile):
        place_order(**request_for(create_shelf(), mobile=mobile))


@pytest.mark.parametrize("name", ["", "  ", "王" * 31, "王\x00明", "13800138000", "<b>"])
def test_refuses_what_is_no_name(name: str):
    with pytest.raises(BadName):
        place_order(**request_for(create_shelf(), name=name))


def test_one_mobile_number_has_so_many_open_orders_and_no_more(settings):
    settings.MAX_OPEN_ORDERS = 2
    first = create_order(mobile=MOBILE)
    create_order(mobile=MOBILE)

    with pytest.raises(TooManyOpenOrders) as refusal:
        create_order(mobile=MOBILE)
    assert refusal.value.data == {"limit": 2}

    from orders import lifecycle

    lifecycle.cancel(first, "customer:web")
    create_order(mobile=MOBILE)


def test_one_mobile_number_has_so_many_of_one_phone_and_no_more(settings):
    settings.MAX_UNITS_OF_A_PHONE = 2
    shelf = create_shelf()
    create_order(shelf, mobile=MOBILE)

    with pytest.raises(TooManyOfOnePhone) as refusal:
        create_order(shelf, 2, mobile=MOBILE)
    assert refusal.value.data == {"phone_id": shelf.phone_id, "limit": 2, "ordered": 1}


@pytest.mark.parametrize("quantity", [1, 2])
def test_draws_again_when_a_number_is_taken(monkeypatch, quantity: int):
    shelf = create_shelf()
    taken = create_order(shelf).number
    drawn = iter([taken, taken, numbers.draw_number(shelf.outlet_id)])
    monkeypatch.setattr(numbers, "draw_number", lambda outlet_id: next(drawn))

    assert create_order(shelf, quantity).number != taken
    shelf.refresh_from_db()
    assert shelf.reserved == 1 + quantity


def test_draws_again_when_the_code_is_taken_by_an_open_order_of_the_outlet(monkeypatch):
    from orders import pickup_codes

    codes = iter(["111111", "111111", "222222", "111111"])
    monkeypatch.setattr(pickup_codes, "derive_code", lambda number: next(codes))
    shelf = create_shelf()

    create_order(shelf)
    second = create_order(shelf)
    elsewhere = create_order()

    from orders.pickup_codes import fingerprint

    assert bytes(second.pickup_fingerprint) == fingerprint(shelf.outlet_id, "222222")
    assert bytes(elsewhere.pickup_fingerprint) == fingerprint(elsewhere.outlet_id, "111111")


def test_asks_as_the_database_reads_it():
    with connection.cursor() as cursor:
        cursor.execute("SELECT attname FROM pg_attribute WHERE attrelid = 'orders_draft'::regclass ORDER BY attnum")
        assert tuple(name for (name,) in cursor.fetchall()) == Asked._fields


@pytest.mark.parametrize("phones", [1, 3])
@pytest.mark.usefixtures("held_memory")
def test_costs_one_statement(django_assert_num_queries, phones: int):
    outlet = create_outlet()
    shelves = [create_shelf(outlet) for _ in range(phones)]
    request = request_for(shelves[0], lines={shelf.phone_id: 1 for shelf in shelves})
    from catalog.catalogue import current_catalogue

    current_catalogue()
    # Within a transaction already, so there is a savepoint, and its release.
    with django_assert_num_queries(1 + 2):
        place_order(**request)
