"""Many customers, or one impatient one, at the web door in the same instant."""

from __future__ import annotations

import threading
from collections import Counter
from collections.abc import Iterable
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pytest
from django.db import connection
from django.http import HttpResponse
from django.test import Client

from orders.models import Order
from stores.models import StockLevel
from tests.order_factories import create_shelf, new_mobile
from tests.test_reserve import form_of

pytestmark = pytest.mark.django_db(transaction=True)

# So many come through the door in the same instant; all have threads and connections of their own.
AT_ONCE = 20


def all_at_once(forms: Iterable[dict[str, Any]]) -> list[HttpResponse]:
    """Send every form, AT_ONCE at a time."""
    start = threading.Barrier(AT_ONCE)

    def send(forms: list[dict[str, Any]]) -> list[HttpResponse]:
        client = Client(raise_request_exception=False)
        start.wait()
        try:
            return [client.post("/checkout/", form) for form in forms]
        finally:
            connection.close()

    queue = list(forms)
    with ThreadPoolExecutor(AT_ONCE) as pool:
        return [answer for answers in pool.map(send, (queue[n::AT_ONCE] for n in range(AT_ONCE))) for answer in answers]


def test_the_same_form_fifty_times_at_once_is_one_order() -> None:
    shelf = create_shelf(on_hand=60)
    form = form_of(shelf)
    # More often than one mobile number may ask: sending the same form again is not asking again.
    answers = all_at_once([form] * 50)
    order = Order.objects.get()
    assert Counter((answer.status_code, answer["Location"]) for answer in answers) == {
        (302, f"/orders/{order.number}/"): 50
    }
    shelf.refresh_from_db()
    assert shelf.reserved == 1


def test_two_hundred_buyers_of_the_last_five_are_five_orders_and_195_told_so() -> None:
    shelf = create_shelf(on_hand=5)
    answers = all_at_once(form_of(shelf, mobile=new_mobile()) for _ in range(200))
    assert Counter(answer.status_code for answer in answers) == {302: 5, 409: 195}
    assert Order.objects.count() == 5
    assert StockLevel.objects.get(outlet=shelf.outlet, phone=shelf.phone).reserved == 5
    refused = [answer for answer in answers if answer.status_code == 409]
    name = shelf.phone.name_zh
    assert all(name in answer.content.decode() and answer.context["refusal"].data["short"] for answer in refused)


def test_one_mobile_number_at_many_doors_gets_no_more_than_it_may(settings) -> None:
    settings.MAX_OPEN_ORDERS = 3
    mobile, shelves = new_mobile(), [create_shelf() for _ in range(10)]
    answers = all_at_once(form_of(shelf, mobile=mobile) for shelf in shelves * 2)
    assert Counter(answer.status_code for answer in answers)[302] >= 3
    assert Order.objects.count() == 3


def test_cancelling_twenty_times_at_once_gives_the_phone_back_once() -> None:
    shelf = create_shelf(on_hand=1)
    client = Client()
    confirmation = client.post("/checkout/", form_of(shelf))["Location"]
    cookies = client.cookies

    def cancel(_number: int) -> int:
        browser = Client(raise_request_exception=False)
        browser.cookies = cookies
        try:
            return browser.post(f"{confirmation}cancel/").status_code
        finally:
            connection.close()

    with ThreadPoolExecutor(AT_ONCE) as pool:
        assert set(pool.map(cancel, range(AT_ONCE))) == {302}
    shelf.refresh_from_db()
    assert (shelf.on_hand, shelf.reserved) == (1, 0)
