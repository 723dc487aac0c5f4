"""The clock moves: orders expire, customers are reminded, slow outlets are pointed at, each once."""

from datetime import UTC, datetime, timedelta

import pytest
import time_machine
from django.db import transaction

from orders import holds, lifecycle
from orders.models import Message, Order, State
from stores.models import StockLevel, StockMovement
from tests.crowd import at_once
from tests.factories import create_outlet, create_region
from tests.order_factories import CLERK, CUSTOMER, create_order, create_shelf

START = datetime(2026, 11, 11, 4, 0, tzinfo=UTC)


@pytest.fixture
def clock():
    with time_machine.travel(START, tick=False) as traveller:
        yield traveller


def at(**hours: float) -> datetime:
    return START + timedelta(**hours)


def kinds(order: Order) -> list[str]:
    return [message.kind for message in order.messages.order_by("created_at", "change_seq")]


@pytest.mark.django_db
@pytest.mark.parametrize(("state", "hours"), [("placed", 48), ("ready", 72)])
def test_an_order_expires_when_its_hold_is_over_and_not_before(clock, state: str, hours: int):
    shelf = create_shelf()
    order = create_order(shelf, state=state)

    assert holds.expire_orders(now=at(hours=hours, seconds=-1)) == 0
    assert holds.expire_orders(now=at(hours=hours)) == 1
    assert holds.expire_orders(now=at(hours=hours)) == 0

    order.refresh_from_db()
    shelf.refresh_from_db()
    assert (order.state, order.ended_at, shelf.reserved) == (State.EXPIRED, at(hours=hours), 0)
    assert order.history.last().actor == "system:holds"
    assert kinds(order)[-1] == "expired"


@pytest.mark.django_db
def test_expiry_gives_back_all_orders_of_an_outlet_together(clock, django_assert_max_num_queries):
    outlet = create_outlet()
    shelves = [create_shelf(outlet, on_hand=9) for _ in range(3)]
    for shelf in reversed(shelves):
        create_order(shelf)
        create_order(shelf, 2)

    # Per outlet: savepoint, claim, lines, locks, history, release. Per order: its release in a savepoint.
    with django_assert_max_num_queries(10 + 6 * 5):
        assert holds.expire_orders(now=at(hours=48)) == 6

    assert {shelf.reserved for shelf in StockLevel.objects.filter(outlet=outlet)} == {0}
    assert StockMovement.objects.filter(outlet=outlet, kind="released").count() == 6


@pytest.mark.django_db
def test_trouble_at_one_outlet_does_not_stop_the_others(clock, monkeypatch):
    orders = [create_order() for _ in range(3)]
    bad = orders[1]
    release = holds.stock.release

    def fail_at_one(outlet_id, quantities, act):
        if outlet_id == bad.outlet_id:
            raise holds.StockRefusal("something is wrong")
        return release(outlet_id, quantities, act)

    monkeypatch.setattr(holds.stock, "release", fail_at_one)
    with pytest.raises(holds.StockRefusal):
        holds.expire_orders(now=at(hours=48))

    states = [Order.objects.get(pk=order.pk).state for order in orders]
    assert states == ["expired", "placed", "expired"]


@pytest.mark.django_db
@pytest.mark.parametrize(("state", "hours"), [("placed", 48), ("ready", 72)])
def test_a_customer_is_reminded_once_before_the_end(clock, state: str, hours: int):
    order = create_order(state=state)

    assert holds.remind_customers(now=at(hours=hours - 12, seconds=-1)) == 0
    assert holds.remind_customers(now=at(hours=hours - 12)) == 1
    assert holds.remind_customers(now=at(hours=hours - 1)) == 0
    assert kinds(order).count("reminder") == 1


@pytest.mark.django_db
def test_an_extended_hold_has_a_reminder_of_its_own(clock):
    order = create_order(state="ready")
    holds.remind_customers(now=at(hours=61))
    clock.move_to(at(hours=62))
    lifecycle.extend_hold(order, CUSTOMER)

    assert holds.remind_customers(now=at(hours=63)) == 0
    assert holds.remind_customers(now=at(hours=72 + 48 - 12)) == 1
    assert kinds(order).count("reminder") == 2


@pytest.mark.django_db
def test_after_days_without_a_worker_nobody_is_reminded_of_what_is_gone(clock):
    gone, alive = create_order(state="ready"), create_order(state="ready")
    clock.move_to(at(hours=70))
    lifecycle.extend_hold(alive, CUSTOMER)
    clock.move_to(at(days=4, hours=22))

    holds.remind_customers()
    holds.escalate_orders()
    holds.expire_orders()

    assert kinds(gone) == ["placed", "ready", "expired"]
    assert kinds(alive) == ["placed", "ready", "reminder"]


@pytest.mark.django_db
def test_an_order_not_set_aside_in_time_is_escalated_once(clock):
    order, ready = create_order(), create_order(state="ready")

    assert holds.escalate_orders(now=at(hours=24, seconds=-1)) == 0
    assert holds.escalate_orders(now=at(hours=24)) == 1
    assert holds.escalate_orders(now=at(hours=30)) == 0

    assert list(Order.objects.escalated()) == [Order.objects.get(pk=order.pk)]
    assert kinds(order) == ["placed", "escalated"]
    assert kinds(ready) == ["placed", "ready"]
    county = order.outlet.town.parent
    assert Order.objects.escalated().in_region(county).exists()
    assert not Order.objects.escalated().in_region(create_region("440106001")).exists()
    lifecycle.set_ready(order, CLERK)
    assert not Order.objects.escalated().exists()


@pytest.mark.django_db(transaction=True)
def test_two_workers_do_everything_once(clock):
    outlets = [create_outlet() for _ in range(4)]
    phone = create_shelf(outlets[0], on_hand=50).phone
    shelves = [StockLevel.objects.get(outlet=outlets[0])] + [
        create_shelf(outlet, phone=phone, on_hand=50) for outlet in outlets[1:]
    ]
    orders = [create_order(shelf) for shelf in shelves for _ in range(8)]
    sweeps = [
        (holds.escalate_orders, at(hours=24), "escalated"),
        (holds.remind_customers, at(hours=40), "reminder"),
        (holds.expire_orders, at(hours=48), "expired"),
    ]

    for sweep, now, kind in sweeps:
        done = at_once([lambda sweep=sweep, now=now: sweep(now=now)] * 2)
        # Whoever skips what the other one holds finds nothing left to do there.
        assert sum(done) == len(orders), (kind, done)
        assert Message.objects.filter(kind=kind).count() == len(orders)

    assert {shelf.reserved for shelf in StockLevel.objects.all()} == {0}
    assert StockMovement.objects.filter(kind="released").count() == len(orders)
    assert all(order.history.count() == 3 for order in Order.objects.all())


@pytest.mark.django_db(transaction=True)
def test_an_order_in_a_clerks_hands_is_passed_over(clock):
    shelf = create_shelf(on_hand=9)
    held, other = create_order(shelf), create_order(shelf)

    with transaction.atomic():
        Order.objects.select_for_update().get(pk=held.pk)
        (done,) = at_once([lambda: holds.expire_orders(now=at(hours=48))])

    assert done == 1
    assert Order.objects.get(pk=held.pk).state == State.PLACED
    assert Order.objects.get(pk=other.pk).state == State.EXPIRED


@pytest.mark.django_db(transaction=True)
@pytest.mark.parametrize("attempt", range(6))
def test_of_clerk_customer_and_clock_in_the_same_instant_one_wins(clock, attempt: int):
    from orders.refusals import WrongState
    from tests.order_factories import collect

    shelf = create_shelf(on_hand=5)
    order = create_order(shelf, state="ready")

    outcomes = at_once(
        [
            lambda: collect(order),
            lambda: lifecycle.cancel(order, CUSTOMER),
            lambda: holds.expire_orders(now=at(hours=72)),
            lambda: lifecycle.decline(order, CLERK, "lost"),
        ]
    )

    order.refresh_from_db()
    shelf.refresh_from_db()
    won = [outcome for outcome in outcomes if outcome == 1 or isinstance(outcome, Order)]
    told = [outcome for outcome in outcomes if outcome == 0 or isinstance(outcome, WrongState)]
    assert (len(won), len(told)) == (1, 3), outcomes
    assert order.history.count() == 3
    assert shelf.reserved == 0
    assert shelf.on_hand == (4 if order.state in (State.COLLECTED, State.DECLINED) else 5)
