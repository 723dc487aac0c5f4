"""Choosing "my outlet": the cookie, and what pages learn from it."""

import pytest
from django.http import HttpResponse
from django.test import RequestFactory

from stores import context
from stores.models import RegionStock
from stores.my_outlet import COOKIE, chosen_code, forget_outlet, my_outlet, remember_outlet
from tests.factories import create_outlet, create_phone, create_stock

CODE = "130826100-01"


def request_with(cookie: str | None):
    request = RequestFactory().get("/")
    if cookie is not None:
        request.COOKIES[COOKIE] = cookie
    return request


def cookie_for(outlet) -> str:
    response = HttpResponse()
    remember_outlet(response, outlet)
    return response.cookies[COOKIE].value


def test_carries_the_code_and_is_out_of_reach_of_scripts(db):
    response = HttpResponse()

    remember_outlet(response, create_outlet(code=CODE))

    morsel = response.cookies[COOKIE]
    assert morsel.value.startswith(CODE)
    assert (morsel["httponly"], morsel["samesite"], morsel["max-age"]) == (True, "Lax", 365 * 24 * 3600)
    assert chosen_code(request_with(morsel.value)) == CODE


def test_can_be_forgotten():
    response = HttpResponse()

    forget_outlet(response)

    assert response.cookies[COOKIE].value == ""
    assert response.cookies[COOKIE]["max-age"] == 0


@pytest.mark.parametrize(
    "cookie",
    [
        None,
        "",
        CODE,
        f"{CODE}:forged",
        "x" * 10_000,
        "\x00",
        "130826100-01:1:é",
        f"{CODE}:1vN2Xq:{'A' * 43}",
        ":" * 100,
    ],
)
def test_what_we_have_not_signed_is_none(cookie, db, django_assert_num_queries):
    with django_assert_num_queries(0):
        assert my_outlet(request_with(cookie)) is None


def test_another_of_our_signatures_does_not_do(db):
    response = HttpResponse()
    response.set_signed_cookie(COOKIE, CODE, salt="something else")

    assert chosen_code(request_with(response.cookies[COOKIE].value)) is None


def test_tells_outlet_and_stock_in_one_query(db, django_assert_num_queries):
    outlet, phone, other = create_outlet(), create_phone(), create_phone()
    create_stock(outlet=outlet, phone=phone, on_hand=3, reserved=1)
    create_stock(phone=other)

    with django_assert_num_queries(1):
        mine = my_outlet(request_with(cookie_for(outlet)))

        assert mine.outlet == outlet
        assert mine.outlet.name
        assert mine.outlet.get_absolute_url
        assert {key: level.available for key, level in mine.stock.items()} == {phone.pk: 2}


def test_an_outlet_that_never_had_a_phone_has_no_stock(db):
    assert my_outlet(request_with(cookie_for(create_outlet()))).stock == {}


def test_an_outlet_that_is_gone_is_none(db):
    outlet = create_outlet(state="closed")

    assert my_outlet(request_with(cookie_for(outlet))) is None


def test_pages_that_do_not_ask_cost_no_query(db, django_assert_num_queries):
    request = request_with(cookie_for(create_outlet()))

    with django_assert_num_queries(0):
        mine, country = context.my_outlet(request), context.country(request)
    with django_assert_num_queries(1):
        assert mine["my_outlet"]
        assert mine["my_outlet"].outlet.code
    assert not context.my_outlet(request_with(None))["my_outlet"]
    assert country["country"].outlets_with == {}


def test_the_country_knows_how_many_shops_have_each_phone(db, django_assert_num_queries):
    phone = create_phone()
    RegionStock.objects.create(phone=phone, outlets_with=5, on_hand=9, reserved=0, available=9)

    with django_assert_num_queries(1):
        country = context.count_country()

    assert country.outlets_with == {phone.pk: 5}
