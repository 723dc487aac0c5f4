"""A clerk orders for somebody who calls or stands at the counter, by the rule of the shop."""

from __future__ import annotations

import re
from datetime import datetime
from typing import Any

import pytest
from django.test import Client

from catalog.moments import SHANGHAI
from orders.models import Message, Order
from stores.models import Role, StockLevel
from tests.desk import create_person, sign_in
from tests.factories import create_outlet, create_window
from tests.order_factories import create_order, create_shelf

CODE = "130826100-01"
PAGE = f"/en/desk/{CODE}/new-order/"


@pytest.fixture
def shelf(db: None) -> StockLevel:
    return create_shelf(create_outlet(code=CODE), on_hand=2)


@pytest.fixture
def desk(shelf: StockLevel) -> Client:
    return sign_in(create_person(Role.CLERK, shelf.outlet))


def sent(desk: Client, shelf: StockLevel, **values: Any) -> dict[str, Any]:
    """The form of the page, filled in."""
    key = re.search(r'name="form_key" value="(\w+)"', desk.get(PAGE).text)[1]
    filled = {"name": "刘桂英", "mobile": "138 0013 8000", "language": "zh-hans", "channel": "hotline"}
    return (
        {"form_key": key, f"quantity-{shelf.phone_id}": "1", f"price-{shelf.phone_id}": shelf.phone.price_fen}
        | filled
        | values
    )


def test_a_caller_gets_an_order_like_everybody_else(desk: Client, shelf: StockLevel) -> None:
    form = sent(desk, shelf)
    answer = desk.post(PAGE, form)

    order = Order.objects.get()
    assert (order.name, order.mobile, order.channel) == ("刘桂英", "+8613800138000", "hotline")
    assert order.history.get().actor == f"person:{desk.session['_auth_user_id']}"
    assert Message.objects.get().kind == "placed"
    page = desk.get(answer["Location"]).text
    assert f"{order.pickup_code[:3]} {order.pickup_code[3:]}" in page

    # The answer was lost, and the form is sent again; then it is used for somebody else.
    assert "This was placed before" in desk.post(PAGE, form, follow=True).text
    assert Order.objects.count() == 1
    desk.post(PAGE, form | {"mobile": "13900138000"})
    assert Order.objects.count() == 2


@pytest.mark.parametrize(("channel", "is_proved"), [("desk", True), ("hotline", False)])
def test_who_stands_here_needs_no_code_and_who_called_does(
    desk: Client, shelf: StockLevel, channel: str, is_proved: bool
) -> None:
    page = desk.post(PAGE, sent(desk, shelf, channel=channel))["Location"]
    desk.post(f"{page}set-aside/")
    assert ("Pickup code shown." in desk.get(page).text) is is_proved


def test_it_says_what_is_missing_and_which_neighbour_has_it(desk: Client, shelf: StockLevel) -> None:
    neighbour = create_outlet(latitude=38.1)
    create_shelf(neighbour, phone=shelf.phone)
    create_order(shelf, 2)

    answer = desk.post(PAGE, sent(desk, shelf))
    assert answer.status_code == 409
    assert f"{shelf.phone.name_en}: this outlet has none left." in answer.text
    assert neighbour.name_en in answer.text
    assert Order.objects.count() == 1


@pytest.mark.parametrize(
    ("values", "words"),
    [
        ({"name": ""}, "write the customer&#x27;s name"),
        ({"name": "12"}, "A name has letters only."),
        ({"mobile": "123"}, "not a Chinese mobile number"),
        ({"mobile": ""}, "a relative&#x27;s or a neighbour&#x27;s"),
        ({"quantity": "0"}, "choose at least one phone"),
        ({"quantity": "-3"}, "choose at least one phone"),
        ({"quantity": "99"}, "at most 2 of the same phone"),
        ({"form_key": "x"}, "send the form once more"),
        ({"channel": "web"}, "Place the order"),
        ({"language": "tlh"}, "Place the order"),
    ],
)
def test_what_cannot_be_taken_is_named(desk: Client, shelf: StockLevel, values: dict[str, str], words: str) -> None:
    quantity = values.pop("quantity", "1")
    answer = desk.post(PAGE, sent(desk, shelf, **values) | {f"quantity-{shelf.phone_id}": quantity})
    assert answer.status_code in (200, 409)
    assert words in answer.text.replace("&#39;", "&#x27;")
    assert not Order.objects.exists()


def test_one_mobile_number_has_its_limits_here_too(desk: Client, shelf: StockLevel, settings: Any) -> None:
    settings.MAX_OPEN_ORDERS = 1
    create_order(shelf, mobile="+8613800138000")
    assert "open orders already" in desk.post(PAGE, sent(desk, shelf)).text


@pytest.mark.usefixtures("held_memory")
def test_the_number_of_queries_is_fixed(desk: Client, shelf: StockLevel, django_assert_num_queries: Any) -> None:
    for _ in range(5):
        create_shelf(shelf.outlet)
    desk.get(PAGE)  # the catalogue is read
    with django_assert_num_queries(5):
        desk.get(PAGE)


def test_the_clerk_is_told_of_a_dearer_price_before_anything_is_ordered(desk: Client, shelf: StockLevel) -> None:
    answer = desk.post(PAGE, sent(desk, shelf) | {f"price-{shelf.phone_id}": "24900"})

    assert answer.status_code == 409
    assert f'name="price-{shelf.phone_id}" value="29900"' in answer.content.decode()
    assert not Order.objects.exists()


def test_beyond_the_limit_of_a_sale_window_the_clerk_offers_the_next_price(desk: Client, shelf: StockLevel) -> None:
    create_window({shelf.phone: 24900})
    create_window({shelf.phone: 27900}, name_en="Long Sale", ends_at=datetime(2030, 11, 12, tzinfo=SHANGHAI))
    desk.post(PAGE, sent(desk, shelf) | {f"price-{shelf.phone_id}": "24900"})
    refused = desk.post(PAGE, sent(desk, shelf) | {f"price-{shelf.phone_id}": "24900"})

    assert refused.status_code == 409
    text = refused.content.decode()
    assert f'name="price-{shelf.phone_id}" value="27900"' in text
    assert f'name="offered-{shelf.phone_id}"' in text
    assert "(ordinarily 299 yuan; this price until the end of November 11; Long Sale: one phone" in text
    desk.post(PAGE, sent(desk, shelf) | {f"price-{shelf.phone_id}": "27900", f"offered-{shelf.phone_id}": "1"})
    assert sorted(Order.objects.values_list("total_fen", flat=True)) == [24900, 27900]
