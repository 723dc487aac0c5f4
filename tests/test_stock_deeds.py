"""What is done with the stock of one outlet: each deed, and each way it is refused."""

import pytest
from django.db import connection

from stores import stock
from stores.models import Outlet, StockLevel, StockMovement
from stores.refusals import (
    NotOnShelf,
    NotReserved,
    OperationKeyReused,
    OutletDoesNotTrade,
    OutOfStock,
    Shortage,
    StockRefusal,
)
from tests.factories import act, create_outlet, create_phone, create_stock, create_unit


def shelf(level):
    level.refresh_from_db()
    return level.on_hand, level.reserved


@pytest.fixture
def pair(db):
    """Two phones on one outlet's shelf: 5 and 2 of them."""
    outlet = create_outlet()
    return create_stock(outlet=outlet, on_hand=5), create_stock(outlet=outlet, on_hand=2)


def test_receiving_opens_the_shelf_that_was_not_there(db):
    outlet, phone = create_outlet(), create_phone()

    lines = stock.receive(outlet.pk, {phone.pk: 4}, act(reference="box:7"))

    level = StockLevel.objects.get()
    assert (level.on_hand, level.reserved, level.available) == (4, 0, 4)
    assert [(line.seq, line.change_on_hand, line.on_hand) for line in lines] == [(2, 4, 4)]
    assert list(StockMovement.objects.values_list("kind", flat=True)) == ["opening", "received"]


def test_a_line_says_who_did_what_and_why(db):
    level = create_stock(on_hand=3)

    stock.adjust(level.outlet_id, {level.phone_id: -1}, act("k", actor="person:7", reason="box was empty"))

    line = StockMovement.objects.order_by("seq").last()
    assert (line.kind, line.actor, line.reason, line.operation_key) == ("adjusted", "person:7", "box was empty", "k")
    assert (line.change_on_hand, line.on_hand) == (-1, 2)


def test_reserves_several_phones_at_once(pair):
    stock.reserve(pair[0].outlet_id, {pair[0].phone_id: 3, pair[1].phone_id: 2}, act())

    assert [shelf(level) for level in pair] == [(5, 3), (2, 2)]


def test_reserves_all_phones_or_none(pair):
    outlet_id = pair[0].outlet_id

    with pytest.raises(OutOfStock) as refusal:
        stock.reserve(outlet_id, {pair[0].phone_id: 1, pair[1].phone_id: 3}, act())

    assert refusal.value.shortages == (Shortage(pair[1].phone_id, 3, 2),)
    assert [shelf(level) for level in pair] == [(5, 0), (2, 0)]
    assert not StockMovement.objects.filter(kind="reserved").exists()


def test_the_safety_stock_is_not_promised(db):
    level = create_stock(on_hand=3, safety_stock=2)

    with pytest.raises(OutOfStock) as refusal:
        stock.reserve(level.outlet_id, {level.phone_id: 2}, act())

    assert refusal.value.shortages == (Shortage(level.phone_id, 2, 1),)
    stock.reserve(level.outlet_id, {level.phone_id: 1}, act())


def test_a_phone_that_was_never_there_is_out_of_stock(db):
    outlet, phone = create_outlet(), create_phone()

    with pytest.raises(OutOfStock) as refusal:
        stock.reserve(outlet.pk, {phone.pk: 1}, act())

    assert refusal.value.shortages == (Shortage(phone.pk, 1, 0),)


@pytest.mark.parametrize("state", [Outlet.State.SUSPENDED, Outlet.State.PLANNED, Outlet.State.CLOSED])
def test_nothing_is_promised_where_the_outlet_does_not_trade(db, state):
    level = create_stock()
    Outlet.objects.filter(pk=level.outlet_id).update(state=state)

    with pytest.raises(OutletDoesNotTrade):
        stock.reserve(level.outlet_id, {level.phone_id: 1}, act())

    level.refresh_from_db()
    assert not level.is_available


def test_releases_what_was_reserved(pair):
    outlet_id = pair[0].outlet_id
    stock.reserve(outlet_id, {pair[0].phone_id: 3}, act())

    stock.release(outlet_id, {pair[0].phone_id: 2}, act())

    assert shelf(pair[0]) == (5, 1)


def test_releases_no_more_than_is_reserved(pair):
    stock.reserve(pair[0].outlet_id, {pair[0].phone_id: 1}, act())

    with pytest.raises(NotReserved) as refusal:
        stock.release(pair[0].outlet_id, {pair[0].phone_id: 2}, act())

    assert refusal.value.shortages == (Shortage(pair[0].phone_id, 2, 1),)


def test_hands_over_what_is_reserved(pair):
    outlet_id, phone_id = pair[0].outlet_id, pair[0].phone_id
    stock.reserve(outlet_id, {phone_id: 2}, act())

    stock.hand_over(outlet_id, {phone_id: [create_unit(), create_unit()]}, act())

    assert shelf(pair[0]) == (3, 0)


def test_hands_over_nothing_unreserved(pair):
    with pytest.raises(NotReserved):
        stock.hand_over(pair[0].outlet_id, {pair[0].phone_id: [create_unit()]}, act())


def test_hands_over_nothing_that_is_not_there(db):
    level = create_stock(on_hand=0, reserved=1)

    with pytest.raises(NotOnShelf) as refusal:
        stock.hand_over(level.outlet_id, {level.phone_id: [create_unit()]}, act())

    assert refusal.value.shortages == (Shortage(level.phone_id, 1, 0),)


def test_the_counter_may_sell_the_safety_stock_but_not_what_is_promised(db):
    level = create_stock(on_hand=3, reserved=1, safety_stock=2)

    stock.sell(level.outlet_id, {level.phone_id: [create_unit(), create_unit()]}, act())

    assert shelf(level) == (1, 1)
    with pytest.raises(OutOfStock) as refusal:
        stock.sell(level.outlet_id, {level.phone_id: [create_unit()]}, act())
    assert refusal.value.shortages == (Shortage(level.phone_id, 1, 0),)


def test_writes_damaged_phones_off(db):
    level = create_stock(on_hand=3)

    stock.write_off(level.outlet_id, {level.phone_id: 1}, act(reason="water"))

    assert shelf(level) == (2, 0)


def test_takes_no_more_away_than_there_is(db):
    level = create_stock(on_hand=1)

    with pytest.raises(NotOnShelf):
        stock.write_off(level.outlet_id, {level.phone_id: 2}, act())
    with pytest.raises(NotOnShelf):
        stock.adjust(level.outlet_id, {level.phone_id: -2}, act(reason="lost"))

    assert shelf(level) == (1, 0)


def test_an_adjustment_says_why(db):
    level = create_stock()

    with pytest.raises(ValueError, match="reason"):
        stock.adjust(level.outlet_id, {level.phone_id: 1}, act())


def test_an_adjustment_may_find_a_phone_that_nobody_knew_of(db):
    outlet, phone, other = create_outlet(), create_phone(), create_stock(on_hand=3)
    other = create_stock(outlet=outlet, on_hand=3)

    stock.adjust(outlet.pk, {phone.pk: 1, other.phone_id: -1}, act(reason="mixed up"))

    assert shelf(StockLevel.objects.get(outlet=outlet, phone=phone)) == (1, 0)
    assert shelf(other) == (2, 0)


@pytest.mark.parametrize("quantity", [0, -1, 10_001])
def test_impossible_quantities_are_errors_of_the_caller(db, quantity):
    level = create_stock()

    for deed in (stock.reserve, stock.release, stock.receive, stock.write_off):
        with pytest.raises(ValueError, match="1 to 10000"):
            deed(level.outlet_id, {level.phone_id: quantity}, act())


DEEDS = {
    "receive": lambda level, act: stock.receive(level.outlet_id, {level.phone_id: 2}, act),
    "reserve": lambda level, act: stock.reserve(level.outlet_id, {level.phone_id: 1}, act),
    "release": lambda level, act: stock.release(level.outlet_id, {level.phone_id: 1}, act),
    "write_off": lambda level, act: stock.write_off(level.outlet_id, {level.phone_id: 1}, act),
    "adjust": lambda level, act: stock.adjust(level.outlet_id, {level.phone_id: 1}, act._replace(reason="r")),
}


@pytest.mark.parametrize("deed", DEEDS.values(), ids=DEEDS.keys())
def test_the_same_key_has_one_effect_and_the_same_result(db, deed):
    level = create_stock(on_hand=5, reserved=2)

    first = deed(level, act("once"))
    after = shelf(level)
    second = deed(level, act("once"))

    assert first == second
    assert shelf(level) == after


def test_a_repeated_reservation_is_not_refused_when_it_took_the_last(db):
    level = create_stock(on_hand=1)
    first = stock.reserve(level.outlet_id, {level.phone_id: 1}, act("once"))

    assert stock.reserve(level.outlet_id, {level.phone_id: 1}, act("once")) == first


def test_a_key_of_one_outlet_is_free_at_another(db):
    one, other = create_stock(), create_stock()

    stock.reserve(one.outlet_id, {one.phone_id: 1}, act("once"))
    stock.reserve(other.outlet_id, {other.phone_id: 1}, act("once"))

    assert (shelf(one), shelf(other)) == ((5, 1), (5, 1))


def test_a_key_stands_for_one_request_only(pair):
    first, second = pair
    stock.reserve(first.outlet_id, {first.phone_id: 1}, act("once", reference="order:1"))
    stock.receive(first.outlet_id, {first.phone_id: 1}, act("found"))

    others = [
        lambda: stock.adjust(first.outlet_id, {first.phone_id: 1}, act("found", reason="by the same number")),
        lambda: stock.reserve(first.outlet_id, {first.phone_id: 2}, act("once", reference="order:1")),
        lambda: stock.reserve(first.outlet_id, {second.phone_id: 1}, act("once", reference="order:1")),
        lambda: stock.reserve(first.outlet_id, {first.phone_id: 1, second.phone_id: 1}, act("once")),
        lambda: stock.reserve(first.outlet_id, {first.phone_id: 1}, act("once", reference="order:2")),
        lambda: stock.release(first.outlet_id, {first.phone_id: 1}, act("once", reference="order:1")),
    ]
    for other in others:
        with pytest.raises(OperationKeyReused):
            other()
    assert [shelf(level) for level in pair] == [(6, 1), (2, 0)]


@pytest.mark.parametrize("size", [1, 6])
def test_statements_do_not_grow_with_the_order(db, django_assert_num_queries, size):
    outlet = create_outlet()
    levels = [create_stock(outlet=outlet, on_hand=5) for _ in range(size)]
    wanted = {level.phone_id: 2 for level in levels}
    units = {level.phone_id: [create_unit(), create_unit()] for level in levels}

    # The statement; around more than one line, a savepoint (here) or a transaction.
    with django_assert_num_queries(1 if size == 1 else 3):
        stock.reserve(outlet.pk, wanted, act())
    # The statement between savepoints; then those who look for the units and write them.
    with django_assert_num_queries(5):
        stock.hand_over(outlet.pk, units, act())
    with django_assert_num_queries(3):
        stock.receive(outlet.pk, wanted, act())


def test_a_refusal_leaves_the_transaction_usable(db):
    level = create_stock(on_hand=1)

    with pytest.raises(StockRefusal):
        stock.reserve(level.outlet_id, {level.phone_id: 2}, act())

    with connection.cursor() as cursor:
        cursor.execute("SELECT 1")
        assert cursor.fetchone() == (1,)
