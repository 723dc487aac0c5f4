"""Somebody walks in and buys: a scan, a look, paid; the receipt on paper or to a number that is forgotten again."""

from __future__ import annotations

import re
from datetime import datetime
from functools import partial

import pytest
from django.db import IntegrityError, connection, transaction
from django.test import Client
from django.utils import timezone

from catalog.catalogue import Catalogue
from catalog.models import Phone
from catalog.moments import SHANGHAI
from orders import walk_in
from orders.messages import outbox
from orders.messages.backends import FileBackend, SendFailed, read_file
from orders.messages.segments import count_segments
from orders.messages.texts import render_walk_in
from orders.models import Payment, WalkInMessage, WalkInSale
from orders.refusals import WrongAmount
from stores import stock
from stores.models import Outlet, Role, StockMovement
from tests.books import assert_books_add_up
from tests.crowd import at_once
from tests.desk import create_person, sign_in
from tests.factories import act, create_outlet, create_unit, create_window
from tests.test_desk_counter import KEY, at, on_hand, shelf, state


@pytest.fixture
def outlet(db: None) -> Outlet:
    return create_outlet(name_en="Dage Store")


@pytest.fixture
def phone(catalogue: Catalogue) -> Phone:
    return catalogue.listed[0]


@pytest.fixture
def clerk(outlet: Outlet) -> Client:
    return sign_in(create_person(Role.CLERK, outlet))


def paid(number: str, phone: Phone, **values: str) -> dict[str, str]:
    return {"number": number, "method": "cash", "amount_fen": str(phone.price_fen)} | values


def sold(outlet: Outlet, phone: Phone) -> WalkInSale:
    (number,) = shelf(outlet, phone, 1)
    return walk_in.sell(outlet.pk, phone, (number,), act(), method=Payment.Method.CASH, amount_fen=phone.price_fen)


def test_sells_with_one_scan_and_one_button(clerk: Client, outlet: Outlet, phone: Phone) -> None:
    number = shelf(outlet, phone, 2)[0]
    page = at(outlet, "sell")
    assert re.search(r'id="number"[^>]* autofocus', clerk.get(page).text)

    looked = clerk.post(page, {"number": number})
    assert f"Paid {phone.price_fen // 100} yuan by" in looked.text
    assert f'name="amount_fen" value="{phone.price_fen}"' in looked.text
    assert state(number) == "on_shelf"
    receipt = clerk.post(page, paid(number, phone, form_key=KEY, method="wechat"), follow=True)

    assert (state(number), on_hand(outlet, phone)) == ("sold", 1)
    sale = WalkInSale.objects.get()
    assert (sale.price_fen, sale.method) == (phone.price_fen, "wechat")
    assert StockMovement.objects.get(outlet=outlet, phone=phone, seq=sale.seq).kind == "walk_in_sale"
    for said in (number, f"Paid {phone.price_fen // 100} yuan, WeChat Pay", f"{outlet.code}/{phone.pk}/{sale.seq}"):
        assert said in receipt.text
    assert "receipt.css" in receipt.text
    assert "Return within 7 days" in receipt.text
    assert "You pay" not in receipt.text
    assert "Sold lately" in clerk.get(page).text
    # The answer was lost; the browser sends the same form again, or somebody scans the phone anew.
    again = clerk.post(page, paid(number, phone, form_key=KEY, method="wechat"), follow=True)
    assert "Done already by" in again.text
    assert number in again.text
    anew = clerk.post(page, {"number": number})
    assert (anew.status_code, "was sold already" in anew.text) == (422, True)
    assert (on_hand(outlet, phone), WalkInSale.objects.count()) == (1, 1)
    assert_books_add_up()


def test_sells_a_phone_that_was_only_counted(clerk: Client, outlet: Outlet, phone: Phone) -> None:
    shelf(outlet, phone, 0, others=1)
    (number,) = create_unit()
    asked = clerk.post(at(outlet, "sell"), {"number": number})
    assert "Choose which phone it is." in asked.text
    assert '<select id="phone"' in asked.text
    # What was looked at is what the button sends.
    seen = clerk.post(at(outlet, "sell"), {"number": number, "phone": phone.slug}).text
    chosen = re.search(r'<select id="phone".*?<option value="([^"]+)" selected', seen, re.S)
    clerk.post(at(outlet, "sell"), paid(number, phone) | {"phone": chosen[1]})
    assert (state(number), on_hand(outlet, phone)) == ("sold", 0)


def test_a_strange_number_does_not_take_the_place_of_a_known_one(clerk: Client, outlet: Outlet, phone: Phone) -> None:
    (known,) = shelf(outlet, phone, 1)
    answer = clerk.post(at(outlet, "sell"), paid(create_unit()[0], phone) | {"phone": phone.slug})
    assert (answer.status_code, known in answer.text, on_hand(outlet, phone)) == (422, True, 1)


def test_what_is_promised_or_elsewhere_is_not_sold(clerk: Client, outlet: Outlet, phone: Phone) -> None:
    number = shelf(outlet, phone, 1)[0]
    stock.reserve(outlet.pk, {phone.pk: 1}, act())
    foreign = shelf(create_outlet(name_en="Other Store"), phone, 1)[0]
    wrong = number[:-1] + str((int(number[-1]) + 1) % 10)
    for typed, says in ((number, "not promised"), (foreign, "belongs to Other Store"), (wrong, "wrong"), ("", "IMEI")):
        answer = clerk.post(at(outlet, "sell"), paid(typed, phone))
        assert (answer.status_code, says in answer.text, 'role="alert"' in answer.text) == (422, True, True)
    assert (on_hand(outlet, phone), WalkInSale.objects.count()) == (1, 0)


@pytest.mark.parametrize("amount", ["", "1", "-1", "x", "9" * 30])
def test_a_price_that_is_no_longer_true_is_shown_anew(clerk: Client, outlet: Outlet, phone: Phone, amount: str) -> None:
    number = shelf(outlet, phone, 1)[0]
    answer = clerk.post(at(outlet, "sell"), paid(number, phone, amount_fen=amount))

    assert (answer.status_code, "The price has changed." in answer.text) == (422, True)
    assert f'name="amount_fen" value="{phone.price_fen}"' in answer.text
    assert state(number) == "on_shelf"


def test_the_same_operation_sells_once_and_another_price_not_at_all(outlet: Outlet, phone: Phone) -> None:
    (number,) = shelf(outlet, phone, 1)
    operation = act()

    def sell(amount: int) -> WalkInSale:
        return walk_in.sell(outlet.pk, phone, (number,), operation, method=Payment.Method.CARD, amount_fen=amount)

    with pytest.raises(WrongAmount):
        sell(phone.price_fen - 1)
    assert sell(phone.price_fen) == sell(phone.price_fen)
    assert on_hand(outlet, phone) == 0


def test_the_price_of_a_sale_lasts_as_long_as_the_quota_of_the_outlet(
    clerk: Client, outlet: Outlet, phone: Phone
) -> None:
    create_window({phone: phone.price_fen - 5000}, quota=1)
    create_window({phone: phone.price_fen - 1000}, ends_at=datetime(2030, 11, 12, tzinfo=SHANGHAI))
    first, second = shelf(outlet, phone, 2)
    sale = {"amount_fen": str(phone.price_fen - 5000)}
    seen = clerk.post(at(outlet, "sell"), {"number": first}).text
    assert f"Paid {phone.price_fen // 100 - 50} yuan by" in seen
    assert f"ordinarily {phone.price_fen // 100} yuan; this price until" in seen
    assert clerk.post(at(outlet, "sell"), paid(first, phone, **sale)).status_code == 302

    refused = clerk.post(at(outlet, "sell"), paid(second, phone, **sale))
    assert (refused.status_code, "The price has changed." in refused.text) == (422, True)
    assert "as many as it may at the lowest price of the sale" in refused.text
    says = f"ordinarily {phone.price_fen // 100} yuan; this price until the end of November 11"
    assert (f"Paid {phone.price_fen // 100 - 10} yuan by" in refused.text, says in refused.text) == (True, True)
    sale = {"amount_fen": str(phone.price_fen - 1000)}
    assert clerk.post(at(outlet, "sell"), paid(second, phone, **sale)).status_code == 302
    elsewhere = create_outlet()
    assert walk_in.price_at(elsewhere.pk, phone.pk).price_fen == phone.price_fen - 5000
    assert_books_add_up()


def send(clerk: Client, outlet: Outlet, phone: Phone, sale: WalkInSale, mobile: str, **values: str):
    page = at(outlet, f"sales/{phone.slug}/{sale.seq}")
    return clerk.post(f"{page}send/", {"mobile": mobile, "language": "en"} | values, follow=True)


@pytest.fixture
def sent(settings, tmp_path):
    settings.SMS_BACKEND, settings.SMS_FILE = "file", tmp_path / "messages.jsonl"
    return lambda: [(record["mobile"], record["words"]) for record in read_file(settings.SMS_FILE)]


def test_the_receipt_goes_to_a_number_once_and_the_number_is_forgotten(
    clerk: Client, outlet: Outlet, phone: Phone, sent
) -> None:
    sale = sold(outlet, phone)
    refused = send(clerk, outlet, phone, sale, "123")
    assert (refused.status_code, 'role="alert"' in refused.text, WalkInMessage.objects.count()) == (422, True, 0)

    assert "goes out by text message" in send(clerk, outlet, phone, sale, "138 0013 8000").text
    assert "was sent by text message before" in send(clerk, outlet, phone, sale, "13800138001").text
    assert outbox.send_due() == 1

    ((mobile, words),) = sent()
    assert mobile == "+8613800138000"
    assert f"{phone.price_fen // 100} yuan paid at Dage Store" in words
    message = WalkInMessage.objects.get()
    assert (message.mobile, message.state) == ("", "sent")
    assert outbox.send_due() == 0
    shown = clerk.get(at(outlet, f"sales/{phone.slug}/{sale.seq}")).text
    assert "Text message:" in shown
    assert "138" not in shown.replace(outlet.code, "")


def test_a_number_is_forgotten_where_no_gateway_takes_the_message(
    outlet: Outlet, phone: Phone, sent, monkeypatch
) -> None:
    def fail(self, sms):
        raise SendFailed("no such number", lasting=True)

    monkeypatch.setattr(FileBackend, "send", fail)
    walk_in.send_receipt(sold(outlet, phone), "+8613800138000", "en")
    outbox.send_due()

    message = WalkInMessage.objects.get()
    assert (message.state, message.mobile, message.error) == ("given_up", "", "no such number")


def test_a_receipt_whose_sender_died_is_sent_later(outlet: Outlet, phone: Phone, sent) -> None:
    walk_in.send_receipt(sold(outlet, phone), "+8613800138000", "zh-hans")
    outbox._claim(timezone.now(), 10)

    assert outbox.send_due() == 0
    assert outbox.send_due(now=timezone.now() + outbox.CLAIM) == 1
    assert len(sent()) == 1


@pytest.mark.parametrize("language", ["zh-hans", "en"])
def test_two_parts_are_enough_for_the_longest_names(phone: Phone, language: str) -> None:
    outlet = create_outlet(name_zh="村" * 80, name_en="Store " * 26)
    walk_in.send_receipt(sold(outlet, phone), "+8613800138000", language)
    text = render_walk_in(WalkInMessage.objects.select_related("sale__outlet", "sale__phone").get())

    assert count_segments(text.words) <= 2
    assert outlet.code in text.words


def test_who_does_not_sell_sees_receipts_and_sends_none(outlet: Outlet, phone: Phone) -> None:
    sale, region = sold(outlet, phone), create_person(Role.REGION_MANAGER, outlet.town)
    page = at(outlet, f"sales/{phone.slug}/{sale.seq}")

    shown = sign_in(region).get(page)
    assert (shown.status_code, "send/" in shown.text) == (200, False)
    assert sign_in(region).post(f"{page}send/", {"mobile": "13800138000"}).status_code == 403
    elsewhere = create_person(Role.CLERK)
    there = elsewhere.assignments.get().outlet
    assert sign_in(elsewhere).get(at(there, f"sales/{phone.slug}/{sale.seq}")).status_code == 404


@pytest.mark.parametrize(
    "sql", ["UPDATE orders_walkinsale SET price_fen = price_fen - 1", "DELETE FROM orders_walkinsale"]
)
def test_the_database_lets_nobody_change_a_sale(outlet: Outlet, phone: Phone, sql: str) -> None:
    sold(outlet, phone)
    with (
        pytest.raises(IntegrityError, match="orders move forward"),
        transaction.atomic(),
        connection.cursor() as cursor,
    ):
        cursor.execute(sql)


@pytest.mark.parametrize(
    ("values", "name"),
    [
        ({"price_fen": 0}, "walkinsale_price_is_positive"),
        ({"method": "cows"}, "walkinsale_method_is_known"),
        ({"actor": "nobody"}, "walkinsale_was_made_by_somebody"),
        ({"seq": 99}, "walkinsale_is_of_a_line"),
    ],
)
def test_the_database_refuses_an_impossible_sale(outlet: Outlet, phone: Phone, values, name: str) -> None:
    shelf(outlet, phone, 1)
    row = {"price_fen": 100, "method": "cash", "actor": "person:1", "terms": "2026-11", "seq": 1} | values
    with pytest.raises(IntegrityError, match=name), transaction.atomic():
        WalkInSale.objects.create(outlet=outlet, phone=phone, **row)


def test_pages_of_a_sale_cost_the_same_whatever_was_sold(
    clerk: Client, outlet: Outlet, phone: Phone, django_assert_max_num_queries, held_memory
) -> None:
    held_memory()
    sale = sold(outlet, phone)
    for _ in range(9):
        sold(outlet, phone)
    for path, most in (("sell", 8), (f"sales/{phone.slug}/{sale.seq}", 13)):
        clerk.get(at(outlet, path))
        with django_assert_max_num_queries(most):
            clerk.get(at(outlet, path))


@pytest.mark.django_db(transaction=True)
def test_one_form_sent_twenty_times_at_once_sells_once(outlet: Outlet, catalogue: Catalogue) -> None:
    phone, clients = catalogue.listed[0], [sign_in(create_person(Role.CLERK, outlet)) for _ in range(2)]
    number = shelf(outlet, phone, 5)[0]
    form = paid(number, phone, form_key=KEY)

    answers = at_once([partial(clients[each % 2].post, at(outlet, "sell"), form) for each in range(20)])

    assert {answer.status_code for answer in answers} == {302}
    assert len({answer["Location"] for answer in answers}) == 1
    assert (state(number), on_hand(outlet, phone), WalkInSale.objects.count()) == ("sold", 4, 1)
    assert_books_add_up()
