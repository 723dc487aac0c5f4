"""What a county, a city, a province and the country have of a phone: kept, not counted, and always true."""

import pytest

from stores import stock, totals
from stores.models import Outlet, RegionStock, StockLevel
from stores.outlets import change_state
from stores.totals import Totals, region_stock
from tests.books import assert_books_add_up
from tests.factories import act, create_outlet, create_phone, create_region, create_stock, create_unit

SOMEWHERE, NEXT_COUNTY, NEXT_CITY, FAR_AWAY = "130121100", "130123104", "130423100", "540102001"


@pytest.fixture
def shelves(db):
    """One phone in four counties, three cities, two provinces."""
    phone = create_phone()
    places = [SOMEWHERE, NEXT_COUNTY, NEXT_CITY, FAR_AWAY]
    return [create_stock(phone=phone, outlet=create_outlet(town=create_region(code)), on_hand=3) for code in places]


def available(code, phone_id):
    region = create_region(code) if code else None
    return region_stock(region)[phone_id].available


@pytest.mark.parametrize("folded", [True, False])
def test_each_region_adds_up_what_lies_in_it(shelves, folded):
    phone_id = shelves[0].phone_id
    if folded:
        totals.fold()
    stock.reserve(shelves[0].outlet_id, {phone_id: 1}, act())

    codes = ["130121", "130123", "130100", "130000", "540000", None]
    assert [available(code, phone_id) for code in codes] == [2, 3, 5, 8, 3, 11]
    assert region_stock(None)[phone_id] == Totals(outlets_with=4, on_hand=12, reserved=1, available=11)


def test_folding_changes_no_total(shelves):
    outlet_id, phone_id = shelves[0].outlet_id, shelves[0].phone_id
    totals.fold()
    stock.sell(outlet_id, {phone_id: [create_unit()]}, act())
    stock.reserve(outlet_id, {phone_id: 2}, act())
    before = region_stock(None)

    totals.fold()

    assert region_stock(None) == before == {phone_id: Totals(outlets_with=3, on_hand=11, reserved=2, available=9)}
    assert RegionStock.objects.get(region=None).reserved == 2
    assert_books_add_up()


@pytest.mark.parametrize("folded", [True, False])
def test_an_outlet_that_does_not_trade_does_not_count(shelves, folded):
    phone_id = shelves[0].phone_id
    if folded:
        totals.fold()

    change_state(shelves[0].outlet_id, Outlet.State.SUSPENDED)
    stock.receive(shelves[0].outlet_id, {phone_id: 5}, act())

    assert available(None, phone_id) == 9
    change_state(shelves[0].outlet_id, Outlet.State.OPEN)
    assert available(None, phone_id) == 17
    assert_books_add_up()


def test_an_outlet_that_moves_counts_where_it_is(shelves):
    phone_id = shelves[0].phone_id

    Outlet.objects.filter(pk=shelves[0].outlet_id).update(town=create_region(FAR_AWAY), latitude=29.65, longitude=91.1)

    assert [available(code, phone_id) for code in ["130000", "540000"]] == [6, 6]
    assert_books_add_up()


def test_safety_stock_is_not_available(shelves):
    StockLevel.objects.update(safety_stock=3)

    assert region_stock(None)[shelves[0].phone_id] == Totals(0, 12, 0, 0)
    assert_books_add_up()


def test_adding_up_anew_finds_the_same(shelves):
    change_state(shelves[1].outlet_id, Outlet.State.SUSPENDED)
    before = region_stock(None)
    totals.refresh_region_stock()

    assert region_stock(None) == before
    assert before[shelves[0].phone_id].on_hand == 9
    assert_books_add_up()


def test_a_total_is_one_query(shelves, django_assert_num_queries):
    with django_assert_num_queries(1):
        region_stock(None)


def test_low_shelves_say_how_many_to_order(db):
    """A shelf is low at its reorder point, too; what is kept back stands there all the same."""
    below = create_stock(on_hand=4, reserved=2, reorder_point=3)
    there = create_stock(on_hand=4, reserved=1, safety_stock=2, reorder_point=3)
    create_stock(on_hand=4, safety_stock=2, reorder_point=3)
    create_stock(on_hand=0)  # not kept there

    low = StockLevel.objects.low().order_by("outlet").values_list("outlet", "phone", "to_order")

    assert list(low) == [(below.outlet_id, below.phone_id, 2), (there.outlet_id, there.phone_id, 1)]
