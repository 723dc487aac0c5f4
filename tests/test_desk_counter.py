"""Single phones at the counter: taken back, written off, corrected; with what is known of each."""

from __future__ import annotations

import re

import pytest
from django.test import Client

from catalog.catalogue import Catalogue
from catalog.models import Phone
from stores import handsets, stock
from stores.models import Handset, Outlet, Role, StockLevel, StockMovement
from tests.books import assert_books_add_up
from tests.desk import create_person, sign_in
from tests.factories import act, create_outlet, create_stock, create_unit

KEY = "0123456789abcdef" * 2


@pytest.fixture
def outlet(db: None) -> Outlet:
    return create_outlet()


@pytest.fixture
def phone(catalogue: Catalogue) -> Phone:
    return catalogue.listed[0]


@pytest.fixture
def clerk(outlet: Outlet) -> Client:
    return sign_in(create_person(Role.CLERK, outlet))


@pytest.fixture
def manager(outlet: Outlet) -> Client:
    return sign_in(create_person(Role.MANAGER, outlet))


def at(outlet: Outlet, path: str) -> str:
    return f"/en/desk/{outlet.code}/{path}/"


def shelf(outlet: Outlet, phone: Phone, units: int, others: int = 0) -> list[str]:
    """Put phones on the shelf: so many by number, and others without; return the numbers."""
    known = [create_unit() for _ in range(units)]
    stock.receive(outlet.pk, {phone.pk: units + others}, act(), {phone.pk: known})
    return [unit[0] for unit in known]


def on_hand(outlet: Outlet, phone: Phone) -> int:
    return StockLevel.objects.get(outlet=outlet, phone=phone).on_hand


def state(number: str) -> str:
    return Handset.objects.get(numbers__number=number).state


def form(number: str = "", do: str = "done", key: str = KEY, **values: str) -> dict[str, str]:
    return {"form_key": key, "number": number, "do": do} | values


def test_takes_back_what_was_sold_anywhere_with_a_reason(clerk: Client, outlet: Outlet, phone: Phone) -> None:
    other = create_outlet()
    number = shelf(other, phone, 1)[0]
    page = at(outlet, "take-back")
    assert "stands on the shelf of" in clerk.post(page, form(number)).text
    stock.sell(other.pk, {phone.pk: [(number,)]}, act())
    assert "Say why" in clerk.post(page, form(number)).text
    assert "on record" in clerk.post(page, form(create_unit()[0], reason="x")).text

    for _ in range(2):
        clerk.post(page, form(number, reason="screen stays dark"))

    assert (state(number), on_hand(outlet, phone)) == ("on_shelf", 1)
    last = StockMovement.objects.filter(outlet=outlet).latest("seq")
    assert (last.kind, last.reason) == ("returned", "screen stays dark")
    assert [event.kind for event in handsets.life(number)][-1] == "returned"


def test_writes_off_by_number_where_numbers_are_known(clerk: Client, outlet: Outlet, phone: Phone) -> None:
    number = shelf(outlet, phone, 1, others=1)[0]
    page = at(outlet, "write-off")
    first = clerk.post(page, form(phone=phone.slug, reason="fell", key=KEY), follow=True)
    assert "without a number" in first.text
    refused = clerk.post(page, form(phone=phone.slug, reason="fell", key=KEY[::-1]))
    assert (refused.status_code, number in refused.text) == (422, True)
    clerk.post(page, form(number, reason="fell", key=KEY[::-1]))
    assert (state(number), on_hand(outlet, phone)) == ("written_off", 0)
    assert_books_add_up()


def test_nothing_is_written_off_by_the_enter_of_a_scanner(clerk: Client, outlet: Outlet, phone: Phone) -> None:
    """Whoever scans the next phone presses what has the focus: that only looks, or is no button."""
    number, page = shelf(outlet, phone, 1)[0], at(outlet, "write-off")
    for reason, focused in (("", r'<input id="reason"'), ("fell", r'<p class="said ok"')):
        seen = clerk.post(page, {"number": number, "reason": reason}).text
        assert re.findall(r"<[^>]* autofocus", seen)[0].startswith(focused)
        assert len(re.findall("autofocus", seen)) == 1
    refused = clerk.post(page, {"number": number, "do": "done"})
    assert refused.status_code == 422
    assert re.search(r'id="reason_error" role="alert">✗ Say why', refused.text)
    assert re.search(r'<input id="reason"[^>]*aria-describedby="reason_error" autofocus', refused.text)
    assert state(number) == "on_shelf"


def correct(client: Client, outlet: Outlet, of: Phone, key: str, **values: str):
    fields = {"form_key": key, "phone": of.slug, "way": "fewer", "quantity": "1", "reason": "miscounted"}
    return client.post(at(outlet, "adjust"), fields | values)


def test_a_clerk_corrects_a_few_and_a_manager_more(
    clerk: Client, manager: Client, outlet: Outlet, phone: Phone
) -> None:
    create_stock(outlet=outlet, phone=phone, on_hand=20)
    keys = [f"{number:032x}" for number in range(9)]
    too_many = correct(clerk, outlet, phone, keys[0], quantity="3")
    assert too_many.status_code == 403
    assert re.search(r'role="alert" id="refused"><b>✗ This is for the manager', too_many.text)
    # Nothing that was typed is lost.
    assert re.search(r'id="quantity"[^>]* value="3"', too_many.text)
    assert re.search(r'id="reason"[^>]* value="miscounted"', too_many.text)
    assert correct(clerk, outlet, phone, keys[1]).status_code == 302
    assert correct(clerk, outlet, phone, keys[2], way="more").status_code == 302
    # In small steps it adds up; the same form again does not.
    assert correct(clerk, outlet, phone, keys[3]).status_code == 403
    assert correct(clerk, outlet, phone, keys[2], way="more").status_code == 302
    assert on_hand(outlet, phone) == 20
    assert correct(manager, outlet, phone, keys[4], quantity="7").status_code == 302
    assert on_hand(outlet, phone) == 13
    reasons = StockMovement.objects.filter(outlet=outlet, kind="adjusted").values_list("reason", flat=True)
    assert set(reasons) == {"miscounted"}


@pytest.mark.parametrize(
    ("values", "says"),
    [
        ({"phone": "none"}, "Choose one of the phones"),
        ({"way": ""}, "more or fewer"),
        ({"quantity": "0"}, "Type how many"),
        ({"quantity": "１"}, "Type how many"),
        ({"reason": " "}, "Say why"),
        ({"quantity": "2", "number": "350000000000000"}, "for one phone"),
        ({"way": "more", "number": "123"}, "no IMEI"),
        ({"quantity": "2"}, "known here by its numbers"),
    ],
)
def test_a_correction_says_what_is_wrong(manager: Client, outlet: Outlet, phone: Phone, values, says: str) -> None:
    shelf(outlet, phone, 2)
    answer = correct(manager, outlet, phone, KEY, **values)
    assert (answer.status_code, says in answer.text) == (422, True)
    assert 'role="alert" id="refused"' in answer.text
    assert on_hand(outlet, phone) == 2


def test_one_that_turns_up_is_on_record_again(manager: Client, outlet: Outlet, phone: Phone) -> None:
    number = shelf(outlet, phone, 1)[0]
    stock.write_off(outlet.pk, {phone.pk: 1}, act(), {phone.pk: [(number,)]})
    assert correct(manager, outlet, phone, KEY, way="more", number=number).status_code == 302
    assert (state(number), on_hand(outlet, phone)) == ("on_shelf", 1)
