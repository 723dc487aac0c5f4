"""Every step from every state of an order: allowed with its stock, or refused with nothing changed."""

from datetime import timedelta

import pytest
import time_machine
from django.utils import timezone

from orders import lifecycle
from orders.models import Order, State
from orders.refusals import AlreadyExtended, AlreadyMoved, BadQuantity, SameOutlet, WrongAmount, WrongState
from stores.models import Handset, Shortfall, StockLevel
from tests.factories import change_price, create_outlet
from tests.order_factories import CLERK, CUSTOMER, collect, create_order, create_shelf, new_unit

pytestmark = pytest.mark.django_db

STATES = [state.value for state in State]


def elsewhere(order: Order):
    phone = order.lines.get().phone
    return create_shelf(phone=phone).outlet


STEPS = {
    "set_ready": lambda order: lifecycle.set_ready(order, CLERK),
    "collect": lambda order: collect(order),
    "cancel": lambda order: lifecycle.cancel(order, CUSTOMER, "changed my mind"),
    "decline": lambda order: lifecycle.decline(order, CLERK, "not found"),
    "extend": lambda order: lifecycle.extend_hold(order, CUSTOMER),
    "move": lambda order: lifecycle.move_order(order, elsewhere(order), CUSTOMER),
}
# What a step leads to, from the states that allow it. Where it was done before, it changes nothing.
ALLOWED = {
    ("set_ready", "placed"): "ready",
    ("collect", "ready"): "collected",
    ("cancel", "placed"): "cancelled",
    ("cancel", "ready"): "cancelled",
    ("decline", "placed"): "declined",
    ("decline", "ready"): "declined",
    ("extend", "placed"): "placed",
    ("extend", "ready"): "ready",
    ("move", "placed"): "cancelled",
    ("move", "declined"): "declined",
}
DONE_BEFORE = {("set_ready", "ready"), ("collect", "collected"), ("cancel", "cancelled"), ("decline", "declined")}


@pytest.mark.parametrize("state", STATES)
@pytest.mark.parametrize("step", STEPS)
def test_every_step_from_every_state(step: str, state: str):
    shelf = create_shelf(on_hand=5)
    order = create_order(shelf, 2, state=state)
    assert order.state == state
    before = as_stored(order), shelf_facts(shelf)

    if (step, state) in ALLOWED:
        STEPS[step](order)
        after = Order.objects.get(pk=order.pk)
        assert after.state == ALLOWED[step, state]
        assert after.history.count() == order.history.count()
        newest = after.history.last()
        assert (newest.seq, newest.state, newest.prev_state) == (after.change_seq, after.state, state)
        assert shelf_facts(shelf) == (5 - 2 * (after.state in ("collected", "declined")), 2 * after.is_open)
    elif (step, state) in DONE_BEFORE:
        assert STEPS[step](order).state == state
        assert (as_stored(order), shelf_facts(shelf)) == before
    else:
        with pytest.raises(WrongState) as refusal:
            STEPS[step](order)
        assert refusal.value.data["state"] == state
        assert (as_stored(order), shelf_facts(shelf)) == before


def as_stored(order: Order) -> tuple:
    stored = Order.objects.filter(pk=order.pk).values().get()
    return stored | {"pickup_fingerprint": bytes(stored["pickup_fingerprint"])}, list(order.history.values())


def shelf_facts(shelf: StockLevel) -> tuple[int, int]:
    return StockLevel.objects.filter(outlet=shelf.outlet, phone=shelf.phone).values_list("on_hand", "reserved").get()


def test_ready_begins_the_ready_hold_and_tells_the_customer():
    with time_machine.travel("2026-11-11T00:00:00Z", tick=False) as clock:
        order = create_order()
        clock.shift(timedelta(hours=47))
        order = lifecycle.set_ready(order, CLERK)

        assert (order.ready_at, order.held_until) == (timezone.now(), timezone.now() + timedelta(hours=72))
    assert list(order.messages.values_list("kind", flat=True)) == ["placed", "ready"]


def test_hand_over_records_payment_and_handsets():
    order = create_order(quantity=2, state="ready")
    units = [new_unit(), new_unit()]

    order = collect(order, units={order.lines.get().phone_id: units}, method="card")

    payment = order.payments.get()
    assert (payment.method, payment.amount_fen, payment.actor) == ("card", 2 * 29900, CLERK)
    assert order.paid_fen == order.total_fen
    assert Handset.objects.filter(state="sold", numbers__number__in=[unit[0] for unit in units]).count() == 2


def test_hand_over_refuses_another_amount():
    order = create_order(state="ready")

    with pytest.raises(WrongAmount) as refusal:
        collect(order, amount_fen=order.total_fen - 1)

    assert refusal.value.data == {"due_fen": 29900, "amount_fen": 29899}


def test_hand_over_refuses_other_handsets_than_were_ordered():
    order = create_order(quantity=2, state="ready")

    with pytest.raises(BadQuantity):
        collect(order, units={order.lines.get().phone_id: [new_unit()]})


def test_decline_takes_what_is_missing_off_the_shelf():
    shelf = create_shelf(on_hand=3)
    create_order(shelf, 2)
    order = create_order(shelf, 1)

    lifecycle.decline(order, CLERK, "not in the drawer")

    assert shelf_facts(shelf) == (2, 2)
    assert order.messages.last().kind == "declined"


def test_decline_by_a_count_below_what_others_were_promised_opens_a_shortfall():
    shelf = create_shelf(on_hand=3)
    create_order(shelf, 2)
    order = create_order(shelf, 1)

    lifecycle.decline(order, CLERK, "counted", counted={shelf.phone_id: 1})

    assert shelf_facts(shelf) == (1, 2)
    assert Shortfall.objects.get(outlet=shelf.outlet, phone=shelf.phone).missing == 1


def test_decline_counts_phones_of_the_order_only():
    order = create_order()

    with pytest.raises(BadQuantity):
        lifecycle.decline(order, CLERK, "counted", counted={create_shelf().phone_id: 1})
    assert Order.objects.get(pk=order.pk).state == State.PLACED


def test_a_hold_is_extended_once():
    order = create_order()
    until = order.held_until

    order = lifecycle.extend_hold(order, CUSTOMER)
    assert order.held_until == until + timedelta(hours=48)

    with pytest.raises(AlreadyExtended):
        lifecycle.extend_hold(order, CUSTOMER)


def test_a_moved_order_lives_on_elsewhere_at_its_old_price():
    order = create_order(quantity=2)
    shelf = create_shelf(phone=order.lines.get().phone)
    change_price(shelf.phone, 99900)

    new = lifecycle.move_order(order, shelf.outlet, CUSTOMER)

    old = Order.objects.get(pk=order.pk)
    assert (old.state, old.moved_to, new.moved_from) == (State.CANCELLED, new.number, old.number)
    assert (new.outlet_id, new.state, new.total_fen, new.mobile) == (shelf.outlet_id, "placed", 2 * 29900, old.mobile)
    assert shelf_facts(shelf) == (5, 2)
    assert list(new.messages.values_list("kind", flat=True)) == ["moved"]
    assert list(old.messages.values_list("kind", flat=True)) == ["placed"]


def test_a_move_to_an_outlet_without_stock_changes_nothing():
    from orders.refusals import OutOfStock

    shelf = create_shelf()
    order = create_order(shelf)
    empty = create_shelf(phone=shelf.phone, on_hand=0)

    with pytest.raises(OutOfStock):
        lifecycle.move_order(order, empty.outlet, CUSTOMER)

    assert Order.objects.get().state == State.PLACED
    assert shelf_facts(shelf) == (5, 1)


def test_a_move_happens_once():
    order = create_order()
    outlet = elsewhere(order)

    new = lifecycle.move_order(order, outlet, CUSTOMER)
    again = lifecycle.move_order(order, outlet, CUSTOMER)

    assert again.number == new.number
    with pytest.raises(AlreadyMoved) as refusal:
        lifecycle.move_order(order, elsewhere(order), CUSTOMER)
    assert refusal.value.data == {"number": new.number}


def test_a_move_is_to_another_outlet():
    order = create_order()

    with pytest.raises(SameOutlet):
        lifecycle.move_order(order, order.outlet, CUSTOMER)


def test_a_move_to_a_closed_outlet_is_refused():
    from orders.refusals import OutletNotOpen

    order = create_order()
    closed = create_shelf(create_outlet(state="closed"), phone=order.lines.get().phone)

    with pytest.raises(OutletNotOpen):
        lifecycle.move_order(order, closed.outlet, CUSTOMER)
