"""A clerk finds an order, sets it aside and hands it over against payment, once, whoever else tries."""

from __future__ import annotations

import re
from collections import Counter
from typing import Any

import pytest
from django.core.management import call_command
from django.db import IntegrityError, transaction
from django.http import HttpResponse
from django.test import Client
from django.utils import timezone

from orders import lifecycle
from orders.messages import outbox
from orders.models import Message, Order, Payment, State
from orders.numbers import draw_number, spoken
from stores import counts
from stores.models import HandsetEvent, Outlet, Person, Role, StockLevel
from stores.stock import receive
from tests.books import assert_books_add_up
from tests.crowd import at_once
from tests.desk import create_person, sign_in
from tests.factories import act, create_outlet, create_phone, create_unit
from tests.order_factories import create_order, create_shelf, lead_to

CODE = "130826100-01"


@pytest.fixture
def shelf(db: None) -> StockLevel:
    return create_shelf(create_outlet(code=CODE))


@pytest.fixture
def clerk(shelf: StockLevel) -> Person:
    return create_person(Role.CLERK, shelf.outlet, name="赵小兰")


@pytest.fixture
def desk(clerk: Person) -> Client:
    return sign_in(clerk)


def scanned(order: Order) -> str:
    """What the scanner reads from the customer's picture."""
    return order.number + order.pickup_code


def on_shelf(outlet: Outlet, phone_id: int) -> str:
    """The IMEI of a phone that has just arrived."""
    unit = create_unit()
    receive(outlet.pk, {phone_id: 1}, act(), {phone_id: [unit]})
    return unit[0]


def address(order: Order, rest: str = "") -> str:
    return f"/en/desk/{order.outlet.code}/orders/{order.number}/{rest}"


def find(desk: Client, text: str, code: str = CODE) -> HttpResponse:
    return desk.post(f"/en/desk/{code}/find/", {"q": text})


def form(page: HttpResponse, **more: Any) -> dict[str, Any]:
    """The hidden fields of a page's form, and what is typed or pressed."""
    hidden = dict(re.findall(r'type="hidden" name="(\w+)" value="(\w+)"', page.text))
    return {name: hidden[name] for name in ("form_key", "amount_fen")} | more


def test_a_normal_order_takes_four_inputs(desk: Client, shelf: StockLevel) -> None:
    imei, order = on_shelf(shelf.outlet, shelf.phone_id), create_order(shelf)

    found = find(desk, scanned(order))  # 1: the picture is scanned
    assert found["Location"] == address(order)
    desk.post(address(order, "set-aside/"))  # 2: set aside
    page = desk.get(address(order))
    assert "Set aside. The customer gets a text message." in page.text
    assert "Pickup code shown." in page.text
    checked = desk.post(address(order), form(page, **{"imei-1-1": imei}))  # 3: the phone is scanned
    assert "That is the phone." in checked.text
    assert Order.objects.get(number=order.number).state == State.READY
    paid = desk.post(address(order), form(checked, **{"imei-1-1": imei}, method="wechat"))  # 4: how it was paid

    assert paid["Location"] == address(order, "receipt/")
    receipt = desk.get(paid["Location"])
    assert all(text in receipt.text for text in ("Handed over and paid.", imei, "Paid 299 yuan, WeChat Pay", "赵小兰"))
    payment = Payment.objects.get(number=order.number)
    assert (payment.method, payment.amount_fen, payment.actor) == ("wechat", 29900, f"person:{clerk_of(desk).pk}")
    assert HandsetEvent.objects.get(handset__numbers__number=imei, state="sold").outlet == shelf.outlet
    assert_books_add_up()


def clerk_of(desk: Client) -> Person:
    return Person.objects.get(pk=desk.session["_auth_user_id"])


def test_every_way_to_find_an_order(desk: Client, shelf: StockLevel) -> None:
    order, other = create_order(shelf, mobile="+8613800131234"), create_order(shelf, mobile="+8613900131234")

    for text in (order.pickup_code, order.number, spoken(order.number), scanned(order)):
        assert find(desk, text)["Location"] == address(order), text
    both = find(desk, "1234")
    assert all(number in both.text for number in (spoken(order.number), spoken(other.number), "王*"))
    assert "王小明 1" not in both.text
    assert find(desk, "13900131234")["Location"] == address(other)
    for text in ("", "12", "王小明", "0000", "1" * 12, draw_number(shelf.outlet_id), "9" * 18, "\0"):
        assert 'role="alert"' in find(desk, text).text, text


def test_a_clerk_of_another_outlet_finds_nothing(desk: Client, shelf: StockLevel) -> None:
    order = create_order(shelf, state="ready")
    elsewhere = create_outlet()
    stranger = sign_in(create_person(Role.CLERK, elsewhere))

    for text in (order.pickup_code, order.number, order.mobile[-4:], scanned(order)):
        assert "No order of this outlet fits" in find(stranger, text, elsewhere.code).text
    for rest in ("", "decline/", "cancel/", "receipt/"):
        assert "No such outlet of yours" in stranger.get(address(order, rest)).text
        assert "No such order" in stranger.get(address(order, rest).replace(CODE, elsewhere.code)).text
    posted = stranger.post(address(order).replace(CODE, elsewhere.code), {"method": "cash"})
    assert posted.status_code == 404
    assert Order.objects.get(number=order.number).state == State.READY


def test_who_is_not_the_clerk_sees_a_mask(desk: Client, shelf: StockLevel) -> None:
    order = create_order(shelf, state="ready")
    region_manager = sign_in(create_person(Role.REGION_MANAGER, shelf.outlet.town))

    assert order.mobile[3:] in desk.get(address(order)).text
    masked = region_manager.get(address(order)).text
    assert order.masked_mobile in masked
    assert order.mobile[3:] not in masked
    assert "王小明" not in masked
    lifecycle.cancel(order, "customer:web")
    assert order.mobile[3:] not in desk.get(address(order)).text


def test_wrong_codes_are_counted_and_then_only_a_manager_can(desk: Client, shelf: StockLevel) -> None:
    imei, order = on_shelf(shelf.outlet, shelf.phone_id), create_order(shelf, state="ready")
    page = desk.get(address(order))
    wrong = f"{(int(order.pickup_code) + 1) % 10**6:06}"

    for _ in range(5):
        answer = desk.post(address(order), form(page, code=wrong, method="cash", **{"imei-1-1": imei}))
        assert "This is not the pickup code" in answer.text
    right = desk.post(address(order), form(page, code=order.pickup_code, method="cash", **{"imei-1-1": imei}))
    assert right.status_code == 429
    assert "A manager can hand the order over without the code. Or try again in 1 hour." in right.text
    alone = form(page, reason="I know her", method="cash", **{"imei-1-1": imei})
    assert "Not for you" in desk.post(address(order), alone).text
    assert Order.objects.get(number=order.number).state == State.READY

    manager = sign_in(create_person(Role.MANAGER, shelf.outlet))
    done = manager.post(address(order), form(manager.get(address(order)), **alone))
    assert done.status_code == 302
    assert Order.objects.get(number=order.number).history.last().reason == "I know her"


def test_guessed_codes_are_counted_and_right_ones_are_not(desk: Client, shelf: StockLevel) -> None:
    order = create_order(shelf)
    for _ in range(15):
        assert find(desk, order.pickup_code).status_code == 302
    answers = [find(desk, f"{(int(order.pickup_code) + n) % 10**6:06}").status_code for n in range(1, 12)]
    assert answers[:9] == [200] * 9
    assert answers[-1] == 429
    assert find(desk, order.pickup_code).status_code == 429
    assert find(desk, order.number).status_code == 302


def test_a_phone_that_is_not_this_one_is_refused_and_named(desk: Client, shelf: StockLevel) -> None:
    other_phone, elsewhere = create_phone(), create_outlet()
    order = create_order(shelf, state="ready")
    find(desk, scanned(order))
    page = desk.get(address(order))
    sold = on_shelf(shelf.outlet, shelf.phone_id)
    lifecycle.collect(
        create_order(shelf, state="ready"),
        "person:1",
        method="cash",
        amount_fen=29900,
        units={shelf.phone_id: [(sold,)]},
    )
    cases = {
        "": "Please scan this phone.",
        "12345": "This is no IMEI",
        create_unit()[0][:-1] + "x": "This is no IMEI",
        f"{int(create_unit()[0]) + 1}": "A digit of this number is wrong.",
        on_shelf(shelf.outlet, other_phone.pk): "is another phone",
        on_shelf(elsewhere, shelf.phone_id): elsewhere.name_en,
        sold: "was sold already",
    }
    for imei, words in cases.items():
        answer = desk.post(address(order), form(page, method="cash", **{"imei-1-1": imei}))
        assert answer.status_code == 200
        assert re.search(rf'role="alert">✗ [^<]*{re.escape(words)}', answer.text), (imei, words)
    assert not Payment.objects.filter(number=order.number).exists()


def test_a_unit_that_was_only_counted_is_taken_up(desk: Client, shelf: StockLevel) -> None:
    order, new = create_order(shelf, 2, state="ready"), [create_unit()[0], create_unit()[0]]
    find(desk, scanned(order))
    page = desk.get(address(order))
    twice = desk.post(address(order), form(page, method="card", **{"imei-1-1": new[0], "imei-1-2": new[0]}))
    assert "was scanned twice" in twice.text

    both = form(page, method="card", **{"imei-1-1": new[0], "imei-1-2": new[1]})
    wrong_amount = desk.post(address(order), both | {"amount_fen": "1"})
    assert "The amount is not what is due." in wrong_amount.text
    assert desk.post(address(order), both).status_code == 302
    receipt = desk.get(address(order, "receipt/")).text
    assert all(imei in receipt for imei in new)


def test_sent_again_after_a_lost_answer_it_says_what_was_done(desk: Client, shelf: StockLevel) -> None:
    imei, order = on_shelf(shelf.outlet, shelf.phone_id), create_order(shelf, state="ready")
    find(desk, scanned(order))
    page = desk.get(address(order))
    sent = form(page, method="cash", **{"imei-1-1": imei})
    first, again = desk.post(address(order), sent), desk.post(address(order), sent)

    assert first["Location"] == again["Location"] == address(order, "receipt/")
    assert "and not again: Handed over and paid." in desk.get(again["Location"]).text
    colleague = create_person(Role.CLERK, shelf.outlet)
    second = sign_in(colleague).post(address(order), sent | {"form_key": "f" * 32})
    assert second.status_code == 409
    assert "Already handed over by 赵小兰 at" in second.text
    assert Payment.objects.filter(number=order.number).count() == 1


def test_set_aside_decline_and_cancel_say_who_did_it_before(desk: Client, shelf: StockLevel) -> None:
    colleague = create_person(Role.CLERK, shelf.outlet, name="李红")
    aside, declined, cancelled = (create_order(shelf) for _ in range(3))
    lifecycle.set_ready(aside, colleague.actor)
    lifecycle.decline(declined, colleague.actor, "damaged")
    lifecycle.cancel(cancelled, colleague.actor)

    for order, rest, words in (
        (aside, "set-aside/", "Set aside before, by 李红 at"),
        (declined, "decline/", "Declined before, by 李红 at"),
        (cancelled, "cancel/", "Cancelled before, by 李红 at"),
    ):
        answer = desk.post(address(order, rest), {"reason": "gone"})
        assert words in desk.get(answer["Location"]).text
    refused = desk.post(address(declined, "set-aside/"))
    assert refused.status_code == 409
    assert "the order is declined" in refused.text


def test_a_declined_order_says_why_and_puts_the_shelf_right(desk: Client, shelf: StockLevel) -> None:
    order, other = create_order(shelf), create_order(shelf)
    for typed, words in (({}, "Please say why."), ({"reason": "gone", "count-1": "-1"}, "a number from 0")):
        assert words in desk.post(address(order, "decline/"), typed).text
    assert Order.objects.get(number=order.number).state == State.PLACED

    desk.post(address(order, "decline/"), {"reason": "gone", "count-1": "3"})
    shelf.refresh_from_db()
    assert (shelf.on_hand, shelf.reserved) == (3, 1)
    assert "gone" in desk.get(address(order)).text
    desk.post(address(other, "cancel/"))
    shelf.refresh_from_db()
    assert (shelf.on_hand, shelf.reserved) == (3, 0)
    assert_books_add_up()


def test_a_promise_that_the_shelf_cannot_keep_is_told_before_it_is_set_aside(desk: Client, shelf: StockLevel) -> None:
    order = create_order(shelf, 2)
    ready_at_once = re.compile("autofocus>Set aside")
    assert ready_at_once.search(desk.get(address(order)).text)
    counts.apply_count(shelf.outlet_id, {shelf.phone_id: 1}, timezone.now(), act())

    page = desk.get(address(order)).text

    assert "2 promised, 1 on the shelf" in page
    assert f'/stock/{shelf.phone.slug}/nearby/">Who has it nearby' in page
    assert not ready_at_once.search(page)


def test_a_receipt_goes_by_text_message_once(desk: Client, shelf: StockLevel, settings: Any, tmp_path: Any) -> None:
    settings.SMS_BACKEND, settings.SMS_FILE = "file", tmp_path / "sms"
    order = create_order(shelf, state="collected")
    for _ in range(2):
        desk.post(address(order, "receipt/send/"))
    assert Message.objects.filter(kind="receipt").count() == 1
    while outbox.send_due():
        pass
    assert "299" in next(words for words in settings.SMS_FILE.read_text().splitlines() if "-receipt" in words)
    assert desk.post(address(create_order(shelf), "receipt/send/")).status_code == 409


@pytest.mark.usefixtures("held_memory")
def test_the_number_of_queries_is_fixed(desk: Client, shelf: StockLevel, django_assert_num_queries: Any) -> None:
    order = create_order(shelf, state="ready")
    for number in range(5):
        create_order(create_shelf(shelf.outlet), mobile=f"+86138{number:04}9999")
    lead_to(order, "collected")
    with django_assert_num_queries(PAGE):
        desk.get(address(order))
    with django_assert_num_queries(PAGE + 5):
        desk.get(address(order, "receipt/"))
    with django_assert_num_queries(PAGE - 2):
        assert find(desk, "9999").status_code == 200


# Session, person, outlet, standing; order, lines, history, names.
PAGE = 8


@pytest.mark.django_db(transaction=True)
def test_two_desks_hand_over_the_same_order_a_hundred_times(shelf: StockLevel) -> None:
    order = create_order(shelf, state="ready")
    people = [create_person(Role.CLERK, shelf.outlet, name=name) for name in ("王小明", "李红")]
    imei, desks = on_shelf(shelf.outlet, shelf.phone_id), [sign_in(person) for person in people]
    for desk in desks:
        assert find(desk, scanned(order))["Location"] == address(order)

    def hand_over(number: int) -> HttpResponse:
        paid = {"imei-1-1": imei, "amount_fen": order.due_fen, "method": "cash", "form_key": f"{number:032x}"}
        return desks[number % 2].post(address(order), paid)

    outcomes = [
        each
        for start in range(0, 100, 25)
        for each in at_once([lambda n=n: hand_over(n) for n in range(start, start + 25)])
    ]

    assert Counter(outcome.status_code for outcome in outcomes) == {302: 1, 409: 99}
    payment = Payment.objects.get()
    who = next(person.name for person in people if person.actor == payment.actor)
    for refused in outcomes:
        assert refused.status_code == 302 or f"Already handed over by {who} at" in refused.text
    call_command("audit_stock")


def test_the_database_holds_who_took_what_payment(shelf: StockLevel) -> None:
    open_order = create_order(shelf, state="ready")
    values = {"outlet": shelf.outlet, "number": open_order.number, "amount_fen": 29900}
    attacks = {
        "payment_was_taken_by_somebody": {"method": "cash", "actor": "thief"},
        "payment_method_is_known": {"method": "other", "actor": "person:1"},
    }
    for constraint, attack in attacks.items():
        with pytest.raises(IntegrityError, match=constraint), transaction.atomic():
            Payment.objects.create(**values | attack)
    Payment.objects.create(**values, method="cash", actor="person:1", form_key="a" * 32)
    third = create_order(shelf, state="ready")
    with pytest.raises(IntegrityError, match="payment_once_a_form"), transaction.atomic():
        Payment.objects.create(**values | {"number": third.number}, method="cash", actor="person:1", form_key="a" * 32)
