"""Many callers at once after the same few phones, on a real database."""

import random
from collections import Counter
from concurrent.futures import ThreadPoolExecutor
from functools import partial
from threading import Barrier

import pytest
from django.db import connection
from django.utils import timezone

from stores import stock
from stores.counts import apply_count, apply_staged_counts
from stores.models import Handset, Outlet, StockLevel, StockMovement
from stores.outlets import change_state
from stores.refusals import OutOfStock, StockRefusal
from tests.books import assert_books_add_up
from tests.factories import act, create_outlet, create_phone, create_stock, create_unit

pytestmark = pytest.mark.django_db(transaction=True)


def crowd(tasks, connections):
    """Run each task, on so many connections, all beginning together; return results and refusals."""
    barrier = Barrier(connections)

    def caller(mine):
        barrier.wait()
        try:
            return [attempt(task) for task in mine]
        finally:
            connection.close()

    def attempt(task):
        try:
            return task()
        except StockRefusal as refusal:
            return refusal

    with ThreadPoolExecutor(connections) as pool:
        shares = [tasks[number::connections] for number in range(connections)]
        return [result for results in pool.map(caller, shares) for result in results]


def test_of_200_buyers_of_the_last_5_phones_exactly_5_win():
    level = create_stock(on_hand=5)
    buyers = [lambda: stock.reserve(level.outlet_id, {level.phone_id: 1}, act())] * 200

    results = crowd(buyers, 32)

    refusals = [result for result in results if isinstance(result, StockRefusal)]
    assert {type(refusal) for refusal in refusals} == {OutOfStock}
    assert (len(results) - len(refusals), len(refusals)) == (5, 195)
    assert all(refusal.shortages[0].left == 0 for refusal in refusals)
    level.refresh_from_db()
    assert (level.on_hand, level.reserved) == (5, 5)


def test_a_request_that_arrives_many_times_at_once_has_one_effect():
    outlet = create_outlet()
    levels = [create_stock(outlet=outlet, on_hand=9) for _ in range(2)]
    wanted = {level.phone_id: 1 for level in levels}

    results = crowd([lambda: stock.reserve(outlet.pk, wanted, act("once"))] * 24, 12)

    assert len(set(results)) == 1
    assert StockMovement.objects.filter(kind="reserved").count() == 2


def test_a_unit_is_sold_by_one_of_many_clerks():
    level, unit = create_stock(on_hand=9), create_unit()

    results = crowd([lambda: stock.sell(level.outlet_id, {level.phone_id: [unit]}, act())] * 24, 12)

    assert Counter(getattr(result, "code", "sold") for result in results) == {"sold": 1, "unit_refused": 23}
    level.refresh_from_db()
    assert level.on_hand == 8


def test_a_new_number_that_many_outlets_receive_at_once_is_at_one_of_them():
    phone, unit = create_phone().pk, create_unit(second=True)
    outlets = [create_outlet().pk for _ in range(12)]

    results = crowd([partial(stock.receive, outlet, {phone: 1}, act(), {phone: [unit]}) for outlet in outlets], 12)

    assert Counter(getattr(result, "code", "received") for result in results) == {"received": 1, "unit_refused": 11}
    assert StockLevel.objects.filter(on_hand=1).count() == Handset.objects.count() == 1


def test_a_shelf_that_nobody_knew_of_is_opened_once():
    outlet = create_outlet()
    box = {create_phone().pk: 1, create_phone().pk: 1}

    crowd([lambda: stock.receive(outlet.pk, box, act())] * 24, 12)

    assert set(StockLevel.objects.values_list("on_hand", flat=True)) == {24}


def test_10000_mixed_operations_leave_books_that_add_up():
    phones = [create_phone().pk for _ in range(4)]
    outlets = [create_outlet().pk for _ in range(3)]
    for outlet_id in outlets:
        stock.receive(outlet_id, dict.fromkeys(phones, 40), act())
    dice = random.Random(1)

    def some(most):
        return {phone_id: dice.randint(1, most) for phone_id in dice.sample(phones, dice.randint(1, len(phones)))}

    def operation():
        """A caller's next request: customers mostly, a clerk often, now and then the head office."""
        outlet_id, wanted, chance = dice.choice(outlets), some(2), dice.random()
        if chance < 0.45:
            return lambda: stock.reserve(outlet_id, wanted, act())
        if chance < 0.6:
            return lambda: stock.release(outlet_id, wanted, act())
        if chance < 0.75:
            box = some(4)
            return lambda: stock.receive(outlet_id, box, act())
        units = {phone_id: [create_unit() for _ in range(number)] for phone_id, number in wanted.items()}
        if chance < 0.85:
            return lambda: stock.hand_over(outlet_id, units, act())
        if chance < 0.93:
            return lambda: stock.sell(outlet_id, units, act())
        if chance < 0.96:
            return lambda: stock.write_off(outlet_id, wanted, act())
        if chance < 0.99:
            return lambda: apply_count(outlet_id, wanted, timezone.now(), act())
        if chance < 0.995:
            state = dice.choice([Outlet.State.OPEN, Outlet.State.SUSPENDED])
            return lambda: change_state(outlet_id, state)
        counted = [(each, phone_id, dice.randint(0, 9)) for each in outlets for phone_id in phones]
        return lambda: count_all(counted)

    # Requests are made up beforehand, so that the crowd does nothing but ask.
    results = crowd([operation() for _ in range(10_000)], 16)

    refusals = Counter(result.code for result in results if isinstance(result, StockRefusal))
    assert set(refusals) <= {
        "out_of_stock", "not_reserved", "not_on_shelf", "outlet_does_not_trade", "count_is_not_news",
    }  # fmt: skip
    assert sum(refusals.values()) < 8_000  # most of it would prove little
    assert_books_add_up()


def count_all(counted):
    with connection.cursor() as cursor:
        cursor.execute("DROP TABLE IF EXISTS staged")
        cursor.execute(
            "CREATE TEMPORARY TABLE staged AS SELECT *, clock_timestamp() AS counted_at FROM"
            " unnest(%s::bigint[], %s::smallint[], %s::int[]) AS s (outlet_id, phone_id, on_hand)",
            [list(column) for column in zip(*counted, strict=True)],
        )
        apply_staged_counts(cursor, table="staged", actor="partner:erp", reference="count:bulk")
