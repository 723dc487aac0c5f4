"""Counting a shelf: the shelf is right, also when it has less than was promised or the news is late."""

from datetime import timedelta

import pytest
from django.utils import timezone

from stores import stock
from stores.counts import apply_count
from stores.models import Shortfall, StockLevel, StockMovement
from stores.refusals import CountIsNotNews, CountIsOfTheFuture, OperationKeyReused
from tests.factories import act, create_outlet, create_phone, create_stock, create_unit


def later(**how_much):
    return timezone.now() + timedelta(**how_much)


def on_hand(level):
    level.refresh_from_db()
    return level.on_hand


def test_sets_the_shelf_to_what_was_found(db):
    outlet = create_outlet()
    fewer, same = create_stock(outlet=outlet, on_hand=5), create_stock(outlet=outlet, on_hand=2)
    now = timezone.now()

    lines = apply_count(outlet.pk, {fewer.phone_id: 3, same.phone_id: 2}, now, act(reference="stocktake:1"))

    assert (on_hand(fewer), on_hand(same)) == (3, 2)
    assert (fewer.counted_at, same.counted_at) == (now, now)
    # Also a count that finds what was known is on record.
    assert [line.change_on_hand for line in lines] == [-2, 0]


def test_a_count_finds_what_nobody_knew_of(db):
    outlet, phone = create_outlet(), create_phone()

    apply_count(outlet.pk, {phone.pk: 2}, timezone.now(), act())

    assert StockLevel.objects.get().on_hand == 2


def test_what_moved_since_is_added_on_top(db):
    level = create_stock(on_hand=5)
    taken_at = timezone.now()
    stock.sell(level.outlet_id, {level.phone_id: [create_unit()]}, act())
    stock.receive(level.outlet_id, {level.phone_id: 10}, act())

    apply_count(level.outlet_id, {level.phone_id: 4}, taken_at, act())

    assert on_hand(level) == 4 - 1 + 10


def test_an_earlier_count_that_arrived_meanwhile_is_not_added(db):
    level = create_stock(on_hand=5)
    first, second = timezone.now(), later(seconds=1)
    apply_count(level.outlet_id, {level.phone_id: 9}, first, act())

    apply_count(level.outlet_id, {level.phone_id: 3}, second, act())

    assert on_hand(level) == 3


def test_older_news_never_overwrites_newer(db):
    level = create_stock(on_hand=5)
    now = timezone.now()
    apply_count(level.outlet_id, {level.phone_id: 4}, now, act())

    for taken_at in (now, now - timedelta(minutes=1)):
        with pytest.raises(CountIsNotNews) as refusal:
            apply_count(level.outlet_id, {level.phone_id: 9}, taken_at, act())
        assert refusal.value.older == ((level.phone_id, now),)
    assert on_hand(level) == 4


def test_a_count_of_the_future_is_refused(db):
    level = create_stock()

    with pytest.raises(CountIsOfTheFuture):
        apply_count(level.outlet_id, {level.phone_id: 9}, later(hours=1), act())


def test_a_count_happens_once(db):
    level = create_stock(on_hand=5)
    now = timezone.now()
    first = apply_count(level.outlet_id, {level.phone_id: 4}, now, act("once"))

    assert apply_count(level.outlet_id, {level.phone_id: 4}, now, act("once")) == first
    with pytest.raises(OperationKeyReused):
        apply_count(level.outlet_id, {level.phone_id: 3}, now, act("once"))
    assert StockMovement.objects.filter(kind="counted").count() == 1


@pytest.mark.parametrize("number", [-1, 10_001])
def test_impossible_numbers_are_errors_of_the_caller(db, number):
    level = create_stock()

    with pytest.raises(ValueError, match="0 to 10000"):
        apply_count(level.outlet_id, {level.phone_id: number}, timezone.now(), act())


@pytest.mark.parametrize("size", [1, 6])
def test_statements_do_not_grow_with_the_shelf(db, django_assert_num_queries, size):
    outlet = create_outlet()
    counted = {create_stock(outlet=outlet).phone_id: 3 for _ in range(size)}

    # Savepoints, the locks of times and of shelves, whether it was done before, the count.
    with django_assert_num_queries(6):
        apply_count(outlet.pk, counted, timezone.now(), act())


@pytest.fixture
def short(db):
    """A shelf of which more is promised than a count has just found."""
    level = create_stock(on_hand=5, reserved=4)
    apply_count(level.outlet_id, {level.phone_id: 1}, timezone.now(), act())
    return level


def missing():
    return list(Shortfall.objects.filter(closed_at=None).values_list("missing", flat=True))


def test_a_count_below_the_promises_is_accepted_and_noted(short):
    assert (on_hand(short), short.reserved) == (1, 4)
    assert missing() == [3]


def test_nothing_more_is_promised_of_a_short_shelf(short):
    short.refresh_from_db()
    assert (short.available, short.is_available) == (0, False)


def test_new_stock_closes_a_shortfall(short):
    stock.receive(short.outlet_id, {short.phone_id: 2}, act())
    assert missing() == [1]

    stock.receive(short.outlet_id, {short.phone_id: 1}, act())
    assert missing() == []
    assert Shortfall.objects.get().closed_at


def test_released_promises_close_a_shortfall(short):
    stock.release(short.outlet_id, {short.phone_id: 3}, act())

    assert missing() == []


def test_handing_over_what_is_there_leaves_the_rest_missing(short):
    stock.hand_over(short.outlet_id, {short.phone_id: [create_unit()]}, act())

    assert missing() == [3]


def test_damage_opens_a_shortfall(db):
    level = create_stock(on_hand=2, reserved=2)

    stock.write_off(level.outlet_id, {level.phone_id: 1}, act())

    assert missing() == [1]


def test_a_shelf_can_be_short_twice(short):
    stock.release(short.outlet_id, {short.phone_id: 4}, act())
    stock.reserve(short.outlet_id, {short.phone_id: 1}, act())
    apply_count(short.outlet_id, {short.phone_id: 0}, later(seconds=1), act())

    assert missing() == [1]
    assert Shortfall.objects.count() == 2
