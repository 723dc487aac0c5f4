"""A customer reserves: chooses where to collect, fills in the form, and gets one order, or is told why not."""

import re
from datetime import timedelta
from typing import Any
from uuid import uuid4

import pytest
import time_machine
from django.db import connection
from django.http import HttpResponse
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.utils import timezone

from api.limits import Limit
from orders import doors
from orders.basket import COOKIE as BASKET
from orders.models import Order
from stores.hours import forget_hours
from stores.models import Outlet, Region, StockLevel
from stores.search import index_places
from tests.factories import create_outlet, create_phone, create_region
from tests.order_factories import create_order, create_shelf, new_mobile

pytestmark = pytest.mark.django_db


def form_of(shelf: StockLevel, **fields: Any) -> dict[str, Any]:
    """What the form of one phone at its outlet sends, filled in."""
    return {
        "p": shelf.phone.slug,
        "outlet": shelf.outlet.code,
        "total": shelf.phone.price_fen,
        "form_key": uuid4().hex,
        "name": "王小明",
        "mobile": new_mobile(),
        "language": "zh-hans",
        "consent": "on",
    } | fields


def send(client: Client, shelf: StockLevel, *, at: str = "/checkout/", **fields: Any) -> HttpResponse:
    return client.post(at, form_of(shelf, **fields))


def hidden(page: HttpResponse, name: str) -> str:
    found = re.search(rf'name="{name}" value="([^"]*)"', page.content.decode())
    assert found
    return found[1]


# Choosing where to collect


def test_other_places_of_the_name_are_offered_by_their_names(client: Client) -> None:
    phone = create_phone()
    create_region("130826", name_zh="丰宁县", name_pinyin="Fengning Xian")
    town = create_region("130826100", name_zh="丰宁镇", name_pinyin="Fengning Zhen")
    create_region("340321", name_zh="丰宁口县", name_pinyin="Fengningkou Xian")
    create_shelf(create_outlet(town=town, code="130826100-01"), phone=phone)
    Region.objects.update(outlet_count=1)
    index_places()

    page = client.get("/checkout/", {"p": phone.slug, "q": "fengning"})

    assert [hit.name for hit in page.context["place"].others] == ["丰宁口县"]
    assert "None" not in page.content.decode()


def offered(page: HttpResponse) -> list[str]:
    return [offer.outlet.code for offer in page.context["offers"]]


def outlet_at(latitude: float, **values: Any) -> Outlet:
    return create_outlet(latitude=latitude, longitude=114.0, **values)


def test_the_nearest_shops_that_have_everything_come_first_and_the_others_not(client: Client) -> None:
    one, other = create_phone(), create_phone()
    far, near = outlet_at(39.0), outlet_at(38.1)
    for outlet in (far, near):
        create_shelf(outlet, phone=one)
        create_shelf(outlet, phone=other)
    create_shelf(outlet_at(38.0), phone=one)
    closed = outlet_at(38.0, state="suspended")
    create_shelf(closed, phone=one)
    create_shelf(closed, phone=other)
    create_shelf(sold_out := outlet_at(38.0), phone=one)
    create_shelf(sold_out, phone=other, on_hand=3, reserved=3)
    page = client.get("/checkout/", {"p": [one.slug, other.slug], "lat": 38, "lng": 114})
    assert offered(page) == [near.code, far.code]


def test_two_of_a_phone_need_a_shop_that_has_two(client: Client) -> None:
    phone = create_phone()
    has_one, has_two = outlet_at(38.0), outlet_at(38.2)
    create_shelf(has_one, phone=phone, on_hand=2, safety_stock=1)
    create_shelf(has_two, phone=phone, on_hand=3, safety_stock=1)
    page = client.get("/checkout/", {"p": f"{phone.slug}:2", "lat": 38, "lng": 114})
    assert offered(page) == [has_two.code]


def test_where_no_shop_has_all_it_says_which_part_is_where_and_reserves_just_that(client: Client) -> None:
    phone, rare = create_phone(), create_phone()
    shelf = create_shelf(outlet_at(38.0), phone=phone, on_hand=1)
    page = client.get("/checkout/", {"p": [f"{phone.slug}:2", rare.slug], "lat": 38, "lng": 114})
    assert offered(page) == []
    (offer,) = page.context["partial"]
    assert [(part.line.phone, part.left) for part in offer.parts] == [(phone, 1), (rare, 0)]
    way = f"/checkout/?p={phone.slug}&amp;outlet={shelf.outlet.code}"
    assert way in page.content.decode()
    assert client.get(way.replace("&amp;", "&")).templates[0].name == "orders/reserve.html"


def test_a_shop_near_with_a_part_is_shown_when_the_whole_is_far(client: Client) -> None:
    one, other = create_phone(), create_phone()
    near, far = outlet_at(38.0), outlet_at(40.0)
    create_shelf(near, phone=one)
    create_shelf(far, phone=one)
    create_shelf(far, phone=other)
    page = client.get("/checkout/", {"p": [one.slug, other.slug], "lat": 38, "lng": 114})
    assert offered(page) == [far.code]
    assert [offer.outlet for offer in page.context["partial"]] == [near]


def test_a_shop_that_was_asked_for_and_cannot_is_named_with_what_it_has(client: Client) -> None:
    phone = create_phone()
    shelf = create_shelf(phone=phone, on_hand=1)
    page = client.get("/checkout/", {"p": f"{phone.slug}:2", "outlet": shelf.outlet.code})
    assert page.context["unable"].outlet == shelf.outlet
    assert f"{phone.name_zh}：要 2 台，有 1 台" in page.content.decode()


def test_my_shop_is_taken_at_once_when_it_has_everything_and_another_is_one_tap_away(client: Client) -> None:
    shelf = create_shelf()
    client.post(f"/outlets/{shelf.outlet.code}/choose/")
    page = client.get("/checkout/", {"p": shelf.phone.slug})
    assert page.templates[0].name == "orders/reserve.html"
    other = client.get("/checkout/", {"p": shelf.phone.slug, "outlet": ""})
    assert offered(other) == [shelf.outlet.code]


def test_from_province_to_county_to_the_nearest_shops(client: Client) -> None:
    town = create_region("130121100", name_zh="天长镇", outlet_count=1)
    for code in ("130000", "130100", "130121"):
        create_region(code)
    type(town).objects.update(outlet_count=1)
    shelf = create_shelf(create_outlet(town=town))
    first = client.get("/checkout/", {"p": shelf.phone.slug})
    assert "region=130000" in first.content.decode()
    assert "region=130100" in client.get("/checkout/", {"p": shelf.phone.slug, "region": "130000"}).content.decode()
    county = client.get("/checkout/", {"p": shelf.phone.slug, "region": "130121"})
    assert offered(county) == [shelf.outlet.code]


@pytest.mark.parametrize("count", [1, 12])
@pytest.mark.usefixtures("held_memory")
def test_choosing_asks_the_database_the_same_few_questions(client: Client, count: int) -> None:
    one, other = create_phone(), create_phone()
    for step in range(count):
        outlet = outlet_at(40.0 + step / 10)
        create_shelf(outlet, phone=one)
        create_shelf(outlet, phone=other)
        create_shelf(outlet_at(38.0 + step / 10), phone=one)
    address = f"/checkout/?p={one.slug}&p={other.slug}&lat=38&lng=114"
    client.get(address)
    forget_hours()
    with CaptureQueriesContext(connection) as queries:
        page = client.get(address)
    assert len(page.context["offers"]) == min(count, 10)
    assert page.context["partial"]
    assert len(queries) == 4  # the able ones, and those that have a part, each with their hours


def test_an_empty_basket_has_nothing_to_check_out(client: Client) -> None:
    assert client.get("/checkout/")["Location"] == "/basket/"
    assert client.get("/checkout/", {"p": "unknown"})["Location"] == "/basket/"


# The form


def test_reserves_and_leads_to_the_confirmation(client: Client) -> None:
    shelf = create_shelf()
    response = send(client, shelf, mobile="+86 １３８ 0013-8000")
    order = Order.objects.get()
    assert response.status_code == 302
    assert response["Location"] == f"/orders/{order.number}/"
    assert (order.outlet, order.name, order.mobile) == (shelf.outlet, "王小明", "+8613800138000")
    page = client.get(response["Location"]).content.decode()
    assert f"{order.pickup_code[:3]} {order.pickup_code[3:]}" in page


def test_the_key_of_a_form_stays_in_a_browser_for_half_an_hour_and_is_nobody_elses(client: Client) -> None:
    shelf = create_shelf()
    address = f"/checkout/?p={shelf.phone.slug}&outlet={shelf.outlet.code}"
    key = hidden(client.get(address), "form_key")
    assert hidden(client.get(address), "form_key") == key
    assert hidden(Client().get(address), "form_key") != key
    assert hidden(client.get(address.replace("?p=", "?p=x&p=") + "&p=y"), "form_key") == key
    assert hidden(client.get(address.replace(shelf.phone.slug, f"{shelf.phone.slug}:2")), "form_key") != key
    with time_machine.travel(timezone.now() + timedelta(minutes=31)):
        assert hidden(client.get(address), "form_key") != key


def test_the_same_form_for_another_mobile_number_is_another_order(client: Client) -> None:
    shelf = create_shelf()
    form = form_of(shelf)
    client.post("/checkout/", form)
    client.post("/checkout/", form | {"mobile": new_mobile()})
    assert Order.objects.count() == 2


def test_the_blank_form_is_private_but_no_secret(client: Client) -> None:
    shelf = create_shelf()
    page = client.get(f"/checkout/?p={shelf.phone.slug}&outlet={shelf.outlet.code}")
    assert page["Cache-Control"] == "private, no-cache"


def test_the_form_sets_the_token_that_it_needs() -> None:
    shelf = create_shelf()
    strict = Client(enforce_csrf_checks=True)
    assert send(strict, shelf).status_code == 403
    page = strict.get("/checkout/", {"p": shelf.phone.slug, "outlet": shelf.outlet.code})
    sent = send(strict, shelf, csrfmiddlewaretoken=hidden(page, "csrfmiddlewaretoken"))
    assert sent.status_code == 302


def test_what_is_wrong_is_said_beside_the_field_and_nothing_typed_is_lost(client: Client) -> None:
    shelf = create_shelf()
    page = send(client, shelf, mobile="12345", name="王 小明", language="en", consent="")
    text = page.content.decode()
    assert page.status_code == 200
    assert 'value="12345"' in text
    assert 'value="王 小明"' in text
    field = next(tag for tag in re.findall("<input[^>]*>", text) if 'id="mobile"' in tag)
    assert 'aria-invalid="true"' in field
    described_by = re.search('aria-describedby="([^"]*)"', field)
    assert described_by
    assert all(f'id="{name}"' in text for name in described_by[1].split())
    assert 'id="mobile_error"' in text
    assert 'id="consent_error"' in text
    assert re.search(r'value="en"[^>]*checked', text)
    assert not Order.objects.exists()
    assert page["Cache-Control"] == "no-store, private"


@pytest.mark.parametrize("field", ["name", "mobile", "consent"])
@pytest.mark.parametrize("at", ["/checkout/", "/en/checkout/"])
def test_each_missing_field_is_named(client: Client, field: str, at: str) -> None:
    page = send(client, create_shelf(), at=at, **{field: ""})
    assert list(page.context["form"].errors) == [field]
    assert f'id="{field}_error"' in page.content.decode()


def test_the_same_form_sent_twice_is_one_order_and_the_same_confirmation(client: Client) -> None:
    shelf = create_shelf(on_hand=1)
    form = form_of(shelf)
    first, second = client.post("/checkout/", form), client.post("/checkout/", form)
    assert first["Location"] == second["Location"]
    assert Order.objects.count() == 1


def test_a_form_sent_again_from_another_browser_after_a_lost_answer_is_the_same_order(client: Client) -> None:
    form = form_of(create_shelf())
    client.post("/checkout/", form)
    other = Client()
    response = other.post("/checkout/", form)
    assert other.get(response["Location"]).templates[0].name == "orders/order.html"
    assert Order.objects.count() == 1


def test_a_price_that_has_changed_meanwhile_is_shown_before_anything_is_reserved(client: Client) -> None:
    shelf = create_shelf()
    page = send(client, shelf, total=shelf.phone.price_fen - 100)
    assert page.context["new_prices"]
    assert hidden(page, "total") == str(shelf.phone.price_fen)
    assert not Order.objects.exists()


def test_a_price_that_changed_after_the_order_does_not_hide_the_order(client: Client) -> None:
    shelf = create_shelf()
    form = form_of(shelf)
    first = client.post("/checkout/", form)
    assert client.post("/checkout/", form | {"total": 1})["Location"] == first["Location"]


def test_without_a_good_key_the_form_still_works(client: Client) -> None:
    assert send(client, create_shelf(), form_key="'; DROP TABLE").status_code == 302


def test_the_basket_is_reserved_as_it_was_shown_and_then_empty(client: Client) -> None:
    shelf = create_shelf()
    later = create_phone()
    client.post("/basket/", {"phone": shelf.phone.slug})
    client.post("/basket/", {"phone": later.slug})
    response = send(client, shelf, basket="1")
    assert response.cookies[BASKET.name]["max-age"] == 0
    assert [line.phone_id for line in Order.objects.get().lines.all()] == [shelf.phone_id]


def test_a_phone_reserved_at_one_tap_leaves_the_basket_alone(client: Client) -> None:
    shelf = create_shelf()
    client.post("/basket/", {"phone": shelf.phone.slug})
    assert BASKET.name not in send(client, shelf).cookies


# Refusals


def test_sold_out_meanwhile_says_what_is_left_and_where_else_and_one_more_tap_reserves_there(client: Client) -> None:
    phone = create_phone()
    gone = create_shelf(outlet_at(38.0), phone=phone, on_hand=1, reserved=1)
    other = create_shelf(outlet_at(38.1), phone=phone)
    page = send(client, gone)
    text = page.content.decode()
    assert page.status_code == 409
    assert phone.name_zh in text
    assert 'value="王小明"' in text
    assert [offer.outlet for offer in page.context["others"]] == [other.outlet]
    assert f'<input type="radio" name="outlet" id="o1" value="{other.outlet.code}" checked>' in text
    again = form_of(other, form_key=hidden(page, "form_key"))
    assert client.post("/checkout/", again).status_code == 302
    assert Order.objects.get().outlet == other.outlet


def test_a_shop_that_closed_meanwhile_is_a_refusal_with_the_way_on(client: Client) -> None:
    shelf = create_shelf()
    Outlet.objects.filter(pk=shelf.outlet_id).update(state="suspended")
    page = send(client, shelf)
    assert page.status_code == 409
    assert "others" in page.context
    assert not Order.objects.exists()


def test_too_many_open_orders_are_refused_in_the_language_of_the_page(client: Client, settings) -> None:
    settings.MAX_OPEN_ORDERS = 1
    order = create_order(create_shelf())
    page = send(client, create_shelf(), at="/en/checkout/", mobile=order.mobile)
    assert page.status_code == 409
    assert "has 1 open orders already" in page.content.decode()


def test_a_mobile_number_that_asks_too_often_waits_and_is_told_how_long(client: Client, monkeypatch) -> None:
    monkeypatch.setattr(doors, "RESERVATIONS_OF_A_MOBILE", Limit("test/mobile", most=1, seconds=600))
    shelf, mobile = create_shelf(on_hand=9), new_mobile()
    form = form_of(shelf, mobile=mobile)
    first = client.post("/checkout/", form)
    page = send(client, shelf, mobile=mobile)
    assert page.status_code == 429
    assert 0 < int(page["Retry-After"]) <= 600
    assert "10 分钟" in page.content.decode()
    assert 'value="王小明"' in page.content.decode()
    assert "in 10 minutes" in send(client, shelf, at="/en/checkout/", mobile=mobile).content.decode()
    # Sending the first form again is no new reservation.
    assert client.post("/checkout/", form)["Location"] == first["Location"]
    assert Order.objects.count() == 1


def test_an_address_that_asks_too_often_waits(client: Client, monkeypatch) -> None:
    monkeypatch.setattr(doors, "RESERVATIONS_OF_AN_ADDRESS", Limit("test/address", most=1, seconds=600))
    shelf = create_shelf(on_hand=9)
    send(client, shelf)
    assert send(client, shelf).status_code == 429


# What it costs


@pytest.mark.usefixtures("held_memory")
def test_a_whole_guest_reservation_takes_four_requests_and_few_statements(client: Client) -> None:
    town = create_region("130121100", name_zh="天长镇", name_pinyin="Tianchang")
    shelf = create_shelf(create_outlet(town=town))
    other = create_shelf(create_outlet(town=town), phone=shelf.phone)
    address = f"/checkout/?p={shelf.phone.slug}&lat=38&lng=114"
    client.get(address)  # the catalogue is in memory for whoever comes second
    with CaptureQueriesContext(connection) as queries:
        client.get(address)
        form = client.get(f"/checkout/?p={other.phone.slug}&outlet={other.outlet.code}")
        key = hidden(form, "form_key")
        confirmation = client.get(send(client, other, form_key=key)["Location"])
    assert confirmation.templates[0].name == "orders/order.html"
    statements = [query["sql"] for query in queries if not re.match("SAVEPOINT|RELEASE", query["sql"])]
    assert len(statements) <= 15, "\n".join(statement[:150] for statement in statements)
