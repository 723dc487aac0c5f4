"""The audit of orders finds what disagrees."""

import pytest
from django.db import connection, transaction

from orders.models import Payment
from stores import stock
from stores.audit import all_disagreements, disagreements
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


def test_finds_a_customer_who_was_never_told():
    create_order()
    with transaction.atomic(), connection.cursor() as cursor:
        cursor.execute("ALTER TABLE orders_message DISABLE TRIGGER USER; DELETE FROM orders_message")
        found = [each.check for each in all_disagreements()]
        transaction.set_rollback(True)

    assert found == ["every customer was told, or is about to be"]
