"""Scanning a box: what is refused at once, what pairs up, what can be taken back, and that it is booked once."""

from __future__ import annotations

from functools import partial

import pytest
from django.db import IntegrityError, connection, transaction
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from hypothesis.extra.django import TestCase

from catalog.catalogue import forget_catalogue
from catalog.models import Phone
from stores import boxes, handsets, stock, transfers
from stores.box_contents import contents_of
from stores.boxes import BoxRefused
from stores.models import Box, Handset, Outlet, StockLevel, Transfer
from stores.refusals import MoreThanWasSent, NumberNeeded, TransferNotPossible, UnitNumberInvalid, UnitRefused
from tests.books import assert_books_add_up
from tests.crowd import at_once
from tests.factories import act, create_outlet, create_phone, create_stock, create_unit

CLERK, OTHER = "person:1", "person:2"


@pytest.fixture
def outlet(db: None) -> Outlet:
    return create_outlet()


@pytest.fixture
def phone(db: None) -> Phone:
    return create_phone()


@pytest.fixture
def box(outlet: Outlet, phone: Phone) -> Box:
    """A delivery of phones that are scanned by one number each."""
    opened = boxes.open_delivery(outlet.pk, "LS-7", CLERK)
    boxes.choose_phone(opened.pk, phone.pk, has_pairs=False)
    return opened


def number() -> str:
    return create_unit()[0]


def version(box: Box) -> int:
    return Box.objects.get(pk=box.pk).version


def book(box: Box, actor: str = CLERK, **values: bool) -> boxes.Booked:
    return boxes.book(box.pk, version(box), actor, **values)


def on_hand(outlet_id: int, phone: Phone) -> int:
    return sum(StockLevel.objects.filter(outlet=outlet_id, phone=phone).values_list("on_hand", flat=True))


def test_nothing_is_booked_until_somebody_says_so(box: Box, phone: Phone) -> None:
    numbers = [number() for _ in range(3)]
    for each in numbers:
        boxes.scan(box.pk, each)
    boxes.count(box.pk, phone.pk, 4)
    assert on_hand(box.outlet_id, phone) == 0
    assert not Handset.objects.exists()
    # Somebody else comes back to it later.
    assert boxes.open_delivery(box.outlet_id, "", OTHER) == box

    booked = book(box, OTHER)

    assert (booked.quantity, booked.is_new, on_hand(box.outlet_id, phone)) == (7, True, 7)
    assert [event.kind for each in numbers for event in handsets.life(each)] == ["received"] * 3
    again = boxes.book(box.pk, booked.box.version, CLERK)
    assert (again.quantity, again.is_new, again.box.closed_by) == (7, False, OTHER)
    assert on_hand(box.outlet_id, phone) == 7
    assert boxes.open_delivery(box.outlet_id, "", CLERK) != box


def test_a_wrong_number_is_refused_at_once(box: Box) -> None:
    good = number()
    wrong = good[:-1] + str((int(good[-1]) + 1) % 10)
    for typed, reason in ((wrong, "check_digit"), ("12345", "form"), ("", "form")):
        with pytest.raises(UnitNumberInvalid) as refusal:
            boxes.scan(box.pk, typed)
        assert refusal.value.reason == reason
    assert not box.scans.exists()


def test_what_is_somewhere_is_refused_with_the_reason(box: Box, phone: Phone) -> None:
    here, there, sold = create_unit(), create_unit(second=True), create_unit()
    elsewhere = create_outlet()
    stock.receive(box.outlet_id, {phone.pk: 2}, act(), {phone.pk: [here, sold]})
    stock.receive(elsewhere.pk, {phone.pk: 1}, act(), {phone.pk: [there]})
    stock.sell(box.outlet_id, {phone.pk: [sold]}, act())
    for typed, reason, outlet_id in (
        (here[0], "on_shelf", box.outlet_id),
        (there[1], "on_shelf", elsewhere.pk),
        (sold[0], "sold", box.outlet_id),
    ):
        with pytest.raises(UnitRefused) as refusal:
            boxes.scan(box.pk, typed)
        (problem,) = refusal.value.problems
        assert (problem.number, problem.reason, problem.outlet_id) == (typed, reason, outlet_id)


def test_a_number_is_in_a_box_once(box: Box) -> None:
    first, second = number(), number()
    boxes.scan(box.pk, first)
    boxes.scan(box.pk, second)
    with pytest.raises(BoxRefused, match=r"2") as refusal:
        boxes.scan(box.pk, f" {second[:6]}-{second[6:]} ")
    assert refusal.value.code == "in_this_box"


def test_two_numbers_make_one_phone_and_come_apart_again(box: Box, phone: Phone) -> None:
    boxes.choose_phone(box.pk, phone.pk, has_pairs=True)
    one, two = create_unit(second=True), create_unit(second=True)
    seqs = [boxes.scan(box.pk, each).seq for each in (*one, *two)]
    assert [each.numbers for each in contents_of(box).scanned] == [one, two]

    assert boxes.undo(box.pk, seqs[3])
    # The answer was lost, and the same is sent again.
    assert boxes.undo(box.pk, seqs[3]) is None
    (_, last) = contents_of(box).scanned
    assert (last.numbers, last.awaits_second) == (two[:1], True)
    boxes.scan(box.pk, two[1])
    assert [each.numbers for each in contents_of(box).scanned] == [one, two]

    for seq in (4, 3, 2):
        assert boxes.undo(box.pk, seq)
    # It has no second number after all.
    boxes.choose_phone(box.pk, phone.pk, has_pairs=True)
    alone = number()
    boxes.scan(box.pk, alone)
    assert [each.numbers for each in contents_of(box).scanned] == [one[:1], (alone,)]
    assert book(box).quantity == 2


def test_what_somebody_else_has_changed_is_not_booked_unseen(box: Box) -> None:
    boxes.scan(box.pk, number())
    seen = version(box)
    boxes.scan(box.pk, number())
    with pytest.raises(BoxRefused) as refusal:
        boxes.book(box.pk, seen, OTHER)
    assert refusal.value.code == "changed"


def test_an_empty_box_and_one_thrown_away_are_not_booked(box: Box, phone: Phone) -> None:
    with pytest.raises(BoxRefused) as refusal:
        book(box)
    assert refusal.value.code == "empty"
    boxes.count(box.pk, phone.pk, 3)
    boxes.drop(box.pk, CLERK)
    for late in (partial(book, box), partial(boxes.scan, box.pk, number()), partial(boxes.count, box.pk, phone.pk, 1)):
        with pytest.raises(BoxRefused) as refusal:
            late()
        assert refusal.value.code == "closed"
    assert on_hand(box.outlet_id, phone) == 0


@pytest.fixture
def transfer(phone: Phone) -> Transfer:
    """Three phones asked for and agreed to, of a shelf of five."""
    level = create_stock(phone=phone, on_hand=5)
    asked = transfers.request(level.outlet_id, create_outlet().pk, {phone.pk: 3}, act())
    return transfers.approve(asked.pk, act())


def pack(transfer: Transfer, *numbers: str, phone: Phone) -> Transfer:
    """Send these numbers, or three without any."""
    box = boxes.open_transfer(transfer, Box.Purpose.SENDING, CLERK)
    boxes.choose_phone(box.pk, phone.pk, has_pairs=False)
    for each in numbers:
        boxes.scan(box.pk, each)
    if not numbers:
        boxes.count_all(box.pk)
    book(box)
    return Transfer.objects.get(pk=transfer.pk)


def test_a_transfer_is_scanned_out_and_in_short_and_damaged(transfer: Transfer, phone: Phone) -> None:
    with pytest.raises(TransferNotPossible):
        boxes.open_transfer(transfer, Box.Purpose.ARRIVING, CLERK)
    numbers = [number() for _ in range(3)]
    sent = pack(transfer, *numbers, phone=phone)
    box = boxes.open_transfer(sent, Box.Purpose.ARRIVING, OTHER)
    with pytest.raises(UnitRefused) as refusal:
        boxes.scan(box.pk, number())
    assert refusal.value.problems[0].reason == "unknown"
    for counted, damaged in ((2, 0), (3, 1)):
        with pytest.raises(BoxRefused) as by_count:
            boxes.count(box.pk, phone.pk, counted, damaged)
        assert by_count.value.code == "sent_by_number"
    boxes.count(box.pk, phone.pk, 3)
    boxes.count(box.pk, phone.pk, 0)

    boxes.scan(box.pk, numbers[0])
    boxes.mark(box.pk, boxes.scan(box.pk, numbers[2]).seq, damaged=True)
    book(box, OTHER)

    line = transfer.lines.get()
    assert (line.sent, line.received, line.damaged, line.lost) == (3, 1, 1, 1)
    states = [Handset.objects.get(numbers__number=each).state for each in numbers]
    assert states == ["on_shelf", "in_transit", "written_off"]
    assert_books_add_up()


def test_what_is_known_by_number_leaves_by_number(transfer: Transfer, phone: Phone) -> None:
    """Or the outlet would go on keeping numbers of phones that are gone."""
    known = [create_unit() for _ in range(4)]
    stock.receive(transfer.sender_id, {phone.pk: 4}, act(), {phone.pk: known})
    stock.write_off(transfer.sender_id, {phone.pk: 3}, act())
    box = boxes.open_transfer(transfer, Box.Purpose.SENDING, CLERK)
    boxes.count(box.pk, phone.pk, 3)
    with pytest.raises(NumberNeeded) as refusal:
        book(box)
    assert refusal.value.numbers == tuple(unit[0] for unit in known)
    boxes.count(box.pk, phone.pk, 0)
    boxes.choose_phone(box.pk, phone.pk, has_pairs=False)
    for _ in range(3):
        boxes.scan(box.pk, number())
    with pytest.raises(NumberNeeded):
        book(box)
    for seq in (3, 2, 1):
        boxes.undo(box.pk, seq)
    # Two of six are known by no number.
    boxes.count(box.pk, phone.pk, 2)
    assert book(box).quantity == 2


def test_what_is_on_another_way_does_not_arrive_with_this_one(transfer: Transfer, phone: Phone) -> None:
    numbers = [number() for _ in range(3)]
    sent = pack(transfer, *numbers, phone=phone)
    other = transfers.approve(transfers.request(transfer.sender_id, create_outlet().pk, {phone.pk: 1}, act()).pk, act())
    strange = number()
    pack(other, strange, phone=phone)
    box = boxes.open_transfer(sent, Box.Purpose.ARRIVING, CLERK)
    with pytest.raises(UnitRefused) as refusal:
        boxes.scan(box.pk, strange)
    assert refusal.value.problems[0].reason == "in_transit"


def test_all_arrived_and_nothing_arrived(transfer: Transfer, phone: Phone) -> None:
    sent = pack(transfer, phone=phone)
    box = boxes.open_transfer(sent, Box.Purpose.ARRIVING, CLERK)
    boxes.count(box.pk, phone.pk, 4)
    with pytest.raises(MoreThanWasSent):
        book(box)
    boxes.count_all(box.pk)
    assert book(box).quantity == 3

    level = StockLevel.objects.get(outlet=transfer.sender_id)
    asked = transfers.request(level.outlet_id, transfer.receiver_id, {phone.pk: 1}, act())
    lost = boxes.open_transfer(pack_one(transfers.approve(asked.pk, act())), Box.Purpose.ARRIVING, CLERK)
    book(lost, nothing_arrived=True)
    assert asked.lines.get().lost == 1


def pack_one(transfer: Transfer) -> Transfer:
    box = boxes.open_transfer(transfer, Box.Purpose.SENDING, CLERK)
    boxes.count_all(box.pk)
    book(box)
    return Transfer.objects.get(pk=transfer.pk)


@pytest.mark.django_db(transaction=True)
def test_two_desks_book_the_same_box_twenty_times_at_once() -> None:
    outlet, phone = create_outlet(), create_phone()
    box = boxes.open_delivery(outlet.pk, "", CLERK)
    boxes.choose_phone(box.pk, phone.pk, has_pairs=False)
    for _ in range(5):
        boxes.scan(box.pk, number())
    calls = [partial(boxes.book, box.pk, version(box), f"person:{1 + each % 2}") for each in range(20)]

    outcomes = at_once(calls)

    assert sorted(outcome.is_new for outcome in outcomes) == [False] * 19 + [True]
    assert {outcome.quantity for outcome in outcomes} == {5}
    assert on_hand(outlet.pk, phone) == 5
    assert_books_add_up()


@pytest.mark.django_db(transaction=True)
def test_one_number_scanned_at_two_desks_at_once_is_in_the_box_once() -> None:
    outlet, phone, same = create_outlet(), create_phone(), number()
    opened = at_once([partial(boxes.open_delivery, outlet.pk, "", CLERK)] * 8)
    assert len(set(opened)) == 1
    box = opened[0]
    boxes.choose_phone(box.pk, phone.pk, has_pairs=False)

    outcomes = at_once([partial(boxes.scan, box.pk, same)] * 8)

    refused = [outcome for outcome in outcomes if isinstance(outcome, BoxRefused)]
    assert (len(refused), box.scans.count()) == (7, 1)


ATTACKS = {
    "box_open_once": """INSERT INTO stores_box (outlet_id, purpose, note, has_pairs, version,
        opened_by, opened_at, "end", closed_by)
        SELECT outlet_id, purpose, '', false, 0, 'person:1', now(), '', '' FROM stores_box""",
    "box_is_of_a_delivery_or_a_transfer": """INSERT INTO stores_box (outlet_id, purpose, note, has_pairs, version,
        opened_by, opened_at, "end", closed_by) SELECT outlet_id, 'sending', '', false, 0, 'person:1', now(), '', ''
        FROM stores_box""",
    "box_was_closed_by_somebody": "UPDATE stores_box SET closed_at = now(), \"end\" = 'booked'",
    "box_was_opened_by_somebody": "UPDATE stores_box SET opened_by = 'someone'",
    "box_stays_closed": "UPDATE stores_box SET version = version - 1",
    "boxscan_once_a_number": "UPDATE stores_boxscan SET number = '{number}'",
    "boxscan_once_a_slot": "UPDATE stores_boxscan SET unit = 1, slot = 2 WHERE seq > 1",
    "boxscan_is_first_or_second": "UPDATE stores_boxscan SET unit = 1 WHERE seq = 2",
    "boxscan_is_imei_or_meid": "UPDATE stores_boxscan SET number = '350000000000000' WHERE seq = 1",
    "boxcount_is_a_number_of_phones": "UPDATE stores_boxcount SET damaged = counted + 1",
}


@pytest.mark.parametrize("constraint", ATTACKS)
def test_the_database_refuses_boxes_that_cannot_be(box: Box, phone: Phone, constraint: str) -> None:
    numbers = [number() for _ in range(3)]
    for each in numbers:
        boxes.scan(box.pk, each)
    boxes.count(box.pk, phone.pk, 1)
    with pytest.raises(IntegrityError) as refusal, transaction.atomic(), connection.cursor() as cursor:
        cursor.execute(ATTACKS[constraint].replace("{number}", numbers[0]))
    assert constraint in str(refusal.value)


def test_the_database_lets_no_closed_box_open_again(box: Box) -> None:
    boxes.drop(box.pk, CLERK)
    with pytest.raises(IntegrityError, match="box_stays_closed"), transaction.atomic():
        Box.objects.filter(pk=box.pk).update(closed_at=None, closed_by="", end="")


class AnyScanning(TestCase):
    """Whatever is scanned, taken back and paired: each number is in one phone, and what is booked is what was shown."""

    @settings(max_examples=30, deadline=None, suppress_health_check=list(HealthCheck))
    @given(st.lists(st.one_of(st.integers(0, 5), st.sampled_from(["undo", "pairs", "single"])), max_size=14))
    def test_the_box_is_what_it_shows(self, steps: list[int | str]) -> None:
        phone, numbers = create_phone(), [number() for _ in range(6)]
        forget_catalogue()
        box = boxes.open_delivery(create_outlet().pk, "", CLERK)
        boxes.choose_phone(box.pk, phone.pk, has_pairs=False)
        model: list[str] = []
        for step in steps:
            if step == "undo":
                if boxes.undo(box.pk, contents_of(box).last_seq):
                    model.pop()
            elif isinstance(step, str):
                boxes.choose_phone(box.pk, phone.pk, has_pairs=step == "pairs")
            elif numbers[step] in model:
                with pytest.raises(BoxRefused):
                    boxes.scan(box.pk, numbers[step])
            else:
                boxes.scan(box.pk, numbers[step])
                model.append(numbers[step])
        shown = [each.numbers for each in contents_of(box).scanned]
        assert [each for unit in shown for each in unit] == model
        if model:
            assert book(box).quantity == len(shown)
            recorded = Handset.objects.filter(phone=phone).prefetch_related("numbers").order_by("pk")
            assert sorted(tuple(n.number for n in each.numbers.all()) for each in recorded) == sorted(shown)
