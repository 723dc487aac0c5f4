"""What can be promised now is told with whatever changed it, in the same transaction."""

import json

import pytest
from django.db import connection, transaction
from django.utils import timezone

from stores import stock, transfers
from stores.counts import apply_count, apply_staged_counts
from stores.models import Outlet, StockLevel
from stores.outlets import change_state
from stores.refusals import OutOfStock
from tests.factories import act, create_outlet, create_phone, create_stock, create_unit


@pytest.fixture
def shelf(db):
    return create_stock(on_hand=5, safety_stock=1)


def told():
    """Return what this transaction has written of stock: outlet, and what can be promised by phone."""
    with connection.cursor() as cursor:
        cursor.execute("SELECT outlet_id, data FROM events_event WHERE type = 'stock.changed' ORDER BY id")
        return [(outlet_id, json.loads(data)) for outlet_id, data in cursor.fetchall()]


def test_a_reservation_and_its_end(shelf):
    before = len(told())

    stock.reserve(shelf.outlet_id, {shelf.phone_id: 3}, act())
    stock.release(shelf.outlet_id, {shelf.phone_id: 1}, act())

    phone = str(shelf.phone_id)
    assert told()[before:] == [(shelf.outlet_id, {phone: 1}), (shelf.outlet_id, {phone: 2})]


def test_several_phones_in_one_event(shelf):
    other = create_stock(outlet=shelf.outlet, on_hand=3)
    before = len(told())

    stock.reserve(shelf.outlet_id, {shelf.phone_id: 1, other.phone_id: 1}, act())

    assert told()[before:] == [(shelf.outlet_id, {str(shelf.phone_id): 3, str(other.phone_id): 2})]


def test_nothing_where_as_much_can_be_promised_as_before(shelf):
    stock.reserve(shelf.outlet_id, {shelf.phone_id: 1}, act())
    before = len(told())

    stock.hand_over(shelf.outlet_id, {shelf.phone_id: [create_unit()]}, act())
    with pytest.raises(OutOfStock):
        stock.reserve(shelf.outlet_id, {shelf.phone_id: 9}, act())

    assert told()[before:] == []


def test_nothing_twice(shelf):
    before, once = len(told()), act()

    for _ in range(2):
        stock.reserve(shelf.outlet_id, {shelf.phone_id: 1}, once)

    assert len(told()[before:]) == 1


def test_nothing_of_an_outlet_that_does_not_trade(db):
    outlet = create_outlet(state=Outlet.State.PLANNED)
    before = len(told())

    create_stock(outlet=outlet, on_hand=5)

    assert told()[before:] == []


def test_a_count(shelf):
    before = len(told())

    apply_count(shelf.outlet_id, {shelf.phone_id: 2}, timezone.now(), act())

    assert told()[before:] == [(shelf.outlet_id, {str(shelf.phone_id): 1})]


def test_a_count_in_bulk_by_outlets(shelf):
    same, new = create_stock(outlet=shelf.outlet, on_hand=2), create_phone()
    far, now, before = create_stock(on_hand=0), timezone.now(), len(told())
    rows = [(shelf, shelf.phone_id, 4), (shelf, same.phone_id, 2), (shelf, new.pk, 7), (far, far.phone_id, 1)]
    with connection.cursor() as cursor:
        cursor.execute(
            "CREATE TEMPORARY TABLE staged (outlet_id bigint, phone_id smallint, on_hand int, counted_at timestamptz)"
        )
        cursor.executemany(
            "INSERT INTO staged VALUES (%s, %s, %s, %s)", [(at.outlet_id, *row, now) for at, *row in rows]
        )
        apply_staged_counts(cursor, table="staged", actor="system:test", reference="count:1", opening=True)
        cursor.execute("DROP TABLE staged")

    opened, *counted = told()[before:]
    assert opened == (shelf.outlet_id, {str(new.pk): 7})
    assert counted == [(shelf.outlet_id, {str(shelf.phone_id): 3}), (far.outlet_id, {str(far.phone_id): 1})]


def test_a_safety_stock(shelf):
    before = len(told())

    StockLevel.objects.filter(pk=shelf.pk).update(safety_stock=3)

    assert told()[before:] == [(shelf.outlet_id, {str(shelf.phone_id): 2})]


def test_an_outlet_that_closes_and_opens_again(shelf):
    before, phone = len(told()), str(shelf.phone_id)

    for state in (Outlet.State.SUSPENDED, Outlet.State.OPEN):
        change_state(shelf.outlet_id, state)

    assert told()[before:] == [(shelf.outlet_id, {phone: 0}), (shelf.outlet_id, {phone: 4})]


def test_goods_on_their_way(shelf):
    receiver = create_stock(phone=shelf.phone, on_hand=0)
    transfer = transfers.request(shelf.outlet_id, receiver.outlet_id, {shelf.phone_id: 2}, act())
    transfers.approve(transfer.pk, act())
    before = len(told())

    transfers.send(transfer.pk, {shelf.phone_id: 2}, act())

    assert told()[before:] == [(shelf.outlet_id, {str(shelf.phone_id): 2})]


def test_not_when_the_transaction_fails(transactional_db):
    level = create_stock(on_hand=5)
    before = len(told())

    with transaction.atomic():
        stock.reserve(level.outlet_id, {level.phone_id: 1}, act())
        transaction.set_rollback(True)

    assert told()[before:] == []
