"""The audit of orders finds what disagrees."""

import pytest
from django.db import connection, transaction

from orders.models import Payment, WalkInSale
from stores import stock
from stores.audit import all_disagreements, disagreements
from tests.factories import create_window
from tests.order_factories import create_order, create_shelf

pytestmark = pytest.mark.django_db(transaction=True)


def test_finds_nothing_where_all_is_well():
    for state in ("placed", "ready", "collected", "cancelled", "declined", "expired"):
        create_order(state=state)

    assert list(disagreements()) == []


def test_finds_stock_that_was_given_back_while_the_order_is_open():
    shelf = create_shelf()
    order = create_order(shelf)
    stock.release(shelf.outlet_id, {shelf.phone_id: 1}, stock.Act("thief", "system:thief", f"order:{order.number}"))

    assert [found.check for found in disagreements()] == [
        "what is reserved is what open orders are for",
        "every order took its phones once, and once gave them back or handed them over",
    ]


def test_finds_what_is_kept_for_nobody():
    alone, beside_an_order = create_shelf(), create_shelf()
    create_order(beside_an_order)
    for shelf in (alone, beside_an_order):
        stock.reserve(shelf.outlet_id, {shelf.phone_id: 1}, stock.Act("a", "system:thief"))

    found = list(disagreements())

    assert {each.check for each in found} == {"what is reserved is what open orders are for"}
    assert {each.outlet for each in found} == {alone.outlet.code, beside_an_order.outlet.code}


def test_finds_an_order_that_took_from_another_ones_stock():
    shelf = create_shelf()
    create_order(shelf)
    order = create_order(shelf, state="cancelled")
    stock.reserve(shelf.outlet_id, {shelf.phone_id: 1}, stock.Act("a", "system:thief", f"order:{order.number}"))
    stock.release(shelf.outlet_id, {shelf.phone_id: 1}, stock.Act("b", "system:thief"))

    assert [found.check for found in disagreements()] == [
        "every order took its phones once, and once gave them back or handed them over"
    ]


def test_finds_history_that_went_on_alone():
    order = create_order()
    with connection.cursor() as cursor:
        cursor.execute(
            """INSERT INTO orders_orderchange
                   (outlet_id, number, seq, kind, state, prev_seq, prev_state, actor, reason)
               VALUES (%s, %s, 2, 'ready', 'ready', 1, 'placed', 'thief', '')""",
            [order.outlet_id, order.number],
        )

    assert [found.check for found in disagreements()] == ["every order stands at the end of its history"]


def test_finds_money_without_a_hand_over():
    order = create_order()
    Payment.objects.create(outlet=order.outlet, number=order.number, method="cash", amount_fen=1, actor="person:thief")

    assert [found.check for found in disagreements()] == ["every payment is for an order that was collected"]


def test_finds_money_for_a_phone_that_was_only_received():
    shelf = create_shelf()
    WalkInSale.objects.create(
        outlet=shelf.outlet, phone_id=shelf.phone_id, seq=2, price_fen=1, method="cash", actor="person:thief"
    )

    assert [found.check for found in disagreements()] == [
        "every walk-in sale is that of a phone that was sold at the counter"
    ]


def found_after(table, sql):
    """What disagrees after something that the guards of the table do not let anybody do."""
    with transaction.atomic(), connection.cursor() as cursor:
        cursor.execute(f"ALTER TABLE {table} DISABLE TRIGGER USER; {sql}")
        found = [each.check for each in all_disagreements()]
        transaction.set_rollback(True)
    return found


def test_finds_a_customer_who_was_never_told():
    create_order()

    assert found_after("orders_message", "DELETE FROM orders_message") == ["every customer was told, or is about to be"]


def test_finds_more_at_the_price_of_a_sale_than_an_outlet_and_a_customer_may_have():
    shelf = create_shelf()
    create_window({shelf.phone: 24900}, limit_per_customer=2, quota=2)
    create_order(shelf, quantity=2)

    assert found_after("catalog_salewindowprice", "UPDATE catalog_salewindowprice SET quota_per_outlet = 1") == [
        "no outlet gave more at the price of a sale window than its quota"
    ]
    assert found_after("catalog_salewindow", "UPDATE catalog_salewindow SET limit_per_customer = 1") == [
        "no customer has more at the prices of a sale window than its limit"
    ]
