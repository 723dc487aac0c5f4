"""Sending goods to another outlet: whole, short, damaged, called off."""

import pytest
from django.db import IntegrityError, connection, transaction

from stores import handsets, stock, transfers
from stores.models import StockLevel, Transfer, TransferLine
from stores.refusals import MoreThanWasSent, OperationKeyReused, OutOfStock, TransferNotPossible, UnitRefused
from stores.transfers import Arrival
from tests.factories import act, create_outlet, create_stock, create_unit


@pytest.fixture
def sender(db):
    return create_stock(on_hand=5, reserved=1)


@pytest.fixture
def transfer(sender):
    asked = transfers.request(sender.outlet_id, create_outlet().pk, {sender.phone_id: 3}, act("ask"))
    return transfers.approve(asked.pk, act("agree"))


def on_hand(outlet_id, phone_id):
    return sum(StockLevel.objects.filter(outlet=outlet_id, phone=phone_id).values_list("on_hand", flat=True))


def in_transit(phone_id):
    """What belongs to neither shelf."""
    on_the_way = TransferLine.objects.filter(transfer__state=Transfer.State.SENT, phone=phone_id)
    return sum(on_the_way.values_list("sent", flat=True))


def test_goods_leave_one_shelf_and_reach_the_other(sender, transfer):
    phone_id = sender.phone_id
    assert on_hand(sender.outlet_id, phone_id) == 5  # asking moves nothing

    transfers.send(transfer.pk, {phone_id: 3}, act("send"))
    assert (on_hand(sender.outlet_id, phone_id), on_hand(transfer.receiver_id, phone_id)) == (2, 0)
    assert in_transit(phone_id) == 3

    done = transfers.receive(transfer.pk, {phone_id: Arrival(3)}, act("receive"))
    assert done.state == Transfer.State.RECEIVED
    assert (on_hand(sender.outlet_id, phone_id), on_hand(transfer.receiver_id, phone_id)) == (2, 3)
    assert in_transit(phone_id) == 0


def test_what_is_promised_is_not_sent(sender, transfer):
    with pytest.raises(OutOfStock) as refusal:
        transfers.send(transfer.pk, {sender.phone_id: 5}, act())

    assert refusal.value.shortages[0].left == 4
    transfer.refresh_from_db()
    assert transfer.state == Transfer.State.APPROVED


def test_short_and_damaged_goods_are_recorded(sender, transfer):
    phone_id = sender.phone_id
    transfers.send(transfer.pk, {phone_id: 3}, act())

    transfers.receive(transfer.pk, {phone_id: Arrival(1, damaged=1)}, act())

    line = transfer.lines.get()
    assert (line.requested, line.sent, line.received, line.damaged, line.lost) == (3, 3, 1, 1, 1)
    assert on_hand(transfer.receiver_id, phone_id) == 1


def test_no_more_arrives_than_was_sent(sender, transfer):
    transfers.send(transfer.pk, {sender.phone_id: 2}, act())
    assert in_transit(sender.phone_id) == 2  # three were asked for

    with pytest.raises(MoreThanWasSent):
        transfers.receive(transfer.pk, {sender.phone_id: Arrival(2, damaged=1)}, act())


def test_nothing_arrives_before_it_was_sent(sender, transfer):
    with pytest.raises(TransferNotPossible) as refusal:
        transfers.receive(transfer.pk, {sender.phone_id: Arrival(1)}, act())
    assert refusal.value.state == "approved"


def test_nothing_leaves_before_the_sender_has_agreed(sender):
    asked = transfers.request(sender.outlet_id, create_outlet().pk, {sender.phone_id: 1}, act("ask"))
    with pytest.raises(TransferNotPossible) as refusal:
        transfers.send(asked.pk, {sender.phone_id: 1}, act("send"))
    assert refusal.value.state == "requested"

    first = transfers.approve(asked.pk, act("agree", actor="person:1"))
    again = transfers.approve(asked.pk, act("again", actor="person:2"))
    assert (again.approved_by, again.approved_at) == ("person:1", first.approved_at)
    transfers.send(asked.pk, {sender.phone_id: 1}, act("send"))
    with pytest.raises(TransferNotPossible):
        transfers.approve(asked.pk, act())


@pytest.mark.parametrize(
    ("columns", "says"),
    [
        ("state = 'sent', sent_at = now()", "transfer_moves_on"),
        ("state = 'approved'", "transfer_times_suit_its_state"),
        ("state = 'approved', approved_at = now()", "transfer_was_agreed_to_by_somebody"),
        ("approved_at = now(), approved_by = 'person:1'", "transfer_moves_on"),
    ],
)
def test_the_database_refuses_to_skip_the_sender(sender, columns, says):
    transfers.request(sender.outlet_id, create_outlet().pk, {sender.phone_id: 1}, act())
    with pytest.raises(IntegrityError) as refusal, transaction.atomic(), connection.cursor() as cursor:
        cursor.execute(f"UPDATE stores_transfer SET {columns}")
    assert says in str(refusal.value)


def test_a_request_is_called_off(sender, transfer):
    transfers.cancel(transfer.pk, act())

    with pytest.raises(TransferNotPossible):
        transfers.send(transfer.pk, {sender.phone_id: 1}, act())
    assert on_hand(sender.outlet_id, sender.phone_id) == 5


def test_goods_that_were_called_off_return(sender, transfer):
    unit = create_unit()
    stock.receive(sender.outlet_id, {sender.phone_id: 1}, act(), {sender.phone_id: [unit]})
    transfers.send(transfer.pk, {sender.phone_id: 1}, act(), {sender.phone_id: [unit]})

    transfers.cancel(transfer.pk, act("off"))
    transfers.cancel(transfer.pk, act("off"))

    assert on_hand(sender.outlet_id, sender.phone_id) == 6
    assert [event.kind for event in handsets.life(unit[0])] == ["received", "transfer_out", "transfer_in"]


def test_each_step_happens_once(sender, transfer):
    phone_id = sender.phone_id
    assert transfers.request(sender.outlet_id, transfer.receiver_id, {phone_id: 3}, act("ask")) == transfer
    with pytest.raises(OperationKeyReused):
        transfers.request(sender.outlet_id, transfer.receiver_id, {phone_id: 2}, act("ask"))
    for _ in range(2):
        transfers.send(transfer.pk, {phone_id: 3}, act("send"))
    with pytest.raises(OperationKeyReused):
        transfers.send(transfer.pk, {phone_id: 2}, act("send"))
    for _ in range(2):
        transfers.receive(transfer.pk, {phone_id: Arrival(2, damaged=1)}, act("receive"))
    with pytest.raises(OperationKeyReused):
        transfers.receive(transfer.pk, {phone_id: Arrival(1)}, act("receive"))
    with pytest.raises(TransferNotPossible):
        transfers.receive(transfer.pk, {phone_id: Arrival(2, damaged=1)}, act("again"))

    assert (on_hand(sender.outlet_id, phone_id), on_hand(transfer.receiver_id, phone_id)) == (2, 2)


@pytest.fixture
def travelling(sender, transfer):
    """Three scanned phones on their way."""
    units = [create_unit(second=True) for _ in range(3)]
    stock.receive(sender.outlet_id, {sender.phone_id: 3}, act(), {sender.phone_id: units})
    transfers.send(transfer.pk, {sender.phone_id: 3}, act(), {sender.phone_id: units})
    return units


def test_units_on_their_way_can_be_sold_nowhere(sender, travelling):
    with pytest.raises(UnitRefused) as refusal:
        stock.sell(sender.outlet_id, {sender.phone_id: travelling[:1]}, act())
    assert refusal.value.problems[0].reason == "in_transit"


def test_all_units_arrive_without_being_scanned_again(sender, transfer, travelling):
    transfers.receive(transfer.pk, {sender.phone_id: Arrival(3)}, act())

    stock.sell(transfer.receiver_id, {sender.phone_id: travelling}, act())

    assert [event.kind for event in handsets.life(travelling[0][1])] == [
        "received", "transfer_out", "transfer_in", "walk_in_sale",
    ]  # fmt: skip


def test_when_some_units_are_missing_the_others_are_named(sender, transfer, travelling):
    whole, broken, lost = travelling

    with pytest.raises(UnitRefused) as refusal:
        transfers.receive(transfer.pk, {sender.phone_id: Arrival(1, damaged=1)}, act())
    assert {problem.reason for problem in refusal.value.problems} == {"not_named"}
    arrival = Arrival(1, 1, [whole[:1]], [broken])
    transfers.receive(transfer.pk, {sender.phone_id: arrival}, act())

    last = [handsets.life(unit[0]).last().kind for unit in travelling]
    assert last == ["transfer_in", "damaged", "transfer_out"]
    # Found behind the seat of the lorry, a week later.
    stock.adjust(transfer.receiver_id, {sender.phone_id: 1}, act(reason="found"), {sender.phone_id: [lost]})


def test_a_unit_of_another_transfer_does_not_arrive_here(sender, transfer, travelling):
    other = transfers.request(sender.outlet_id, create_outlet().pk, {sender.phone_id: 1}, act())
    transfers.approve(other.pk, act())
    transfers.send(other.pk, {sender.phone_id: 1}, act())

    with pytest.raises(UnitRefused) as refusal:
        transfers.receive(other.pk, {sender.phone_id: Arrival(1, whole_units=travelling[:1])}, act())
    assert refusal.value.problems[0].reason == "in_transit"
