"""The basket: phones put in, changed and taken out, by plain forms and one signed cookie."""

import pytest
from django.http import HttpResponse
from django.test import Client, RequestFactory
from hypothesis import given
from hypothesis import strategies as st

from catalog.catalogue import current_catalogue, forget_catalogue
from catalog.models import Phone
from orders.basket import COOKIE, MOST_LINES, changed, keep_basket, parse_wishes, read_basket, wanted_in
from tests import factories

pytestmark = pytest.mark.django_db

slugs = st.from_regex(r"[a-z0-9][a-z0-9-]{0,59}", fullmatch=True)
baskets = st.dictionaries(slugs, st.integers(1, 2), max_size=MOST_LINES)


@pytest.fixture(autouse=True)
def _fresh_catalogue() -> None:
    forget_catalogue()


def create_phone(**values: object) -> Phone:
    """A phone that the catalogue in memory knows, too."""
    forget_catalogue()
    return factories.create_phone(**values)


def put(client: Client, slug: str, **fields: object) -> HttpResponse:
    return client.post("/basket/", {"phone": slug, **fields})


def shown(client: Client) -> dict[str, int]:
    lines = client.get("/basket/").context["wanted"].lines
    return {line.phone.slug: line.quantity for line in lines}


def test_a_phone_is_put_in_and_the_page_shows_it(client: Client) -> None:
    phone = create_phone(price_fen=29900)
    response = put(client, phone.slug)
    assert response.status_code == 302
    assert response["Location"] == "/basket/"
    page = client.get("/basket/")
    assert phone.name_zh in page.content.decode()
    assert "299 元" in page.content.decode()


def test_putting_it_in_twice_is_putting_it_in_once(client: Client) -> None:
    phone = create_phone()
    put(client, phone.slug)
    put(client, phone.slug)
    assert shown(client) == {phone.slug: 1}


def test_a_phone_put_in_again_keeps_its_number(client: Client) -> None:
    phone = create_phone()
    put(client, phone.slug, quantity=2)
    put(client, phone.slug)
    assert shown(client) == {phone.slug: 2}


def test_the_number_is_changed_and_the_others_stay(client: Client) -> None:
    one, other = create_phone(), create_phone()
    put(client, one.slug)
    put(client, other.slug)
    put(client, one.slug, quantity=2)
    assert shown(client) == {one.slug: 2, other.slug: 1}


def test_nobody_gets_more_than_one_customer_may_have(client: Client, settings) -> None:
    settings.MAX_UNITS_OF_A_PHONE = 2
    phone = create_phone()
    put(client, phone.slug, quantity=999)
    assert shown(client) == {phone.slug: 2}


def test_none_of_it_takes_it_out_and_an_empty_basket_leaves_no_cookie(client: Client) -> None:
    phone = create_phone()
    put(client, phone.slug)
    response = put(client, phone.slug, quantity=0)
    assert shown(client) == {}
    assert response.cookies[COOKIE.name]["max-age"] == 0


def test_a_phone_no_longer_sold_is_named_and_left_out(client: Client) -> None:
    phone = create_phone(is_discontinued=True)
    put(client, phone.slug)
    page = client.get("/basket/")
    assert page.context["wanted"].lines == ()
    assert phone.name_zh in page.content.decode()


@pytest.mark.parametrize(
    "fields",
    [{}, {"phone": ""}, {"phone": "no-such-phone"}, {"phone": "\0"}, {"phone": "x" * 10_000}, {"phone": "村"}],
)
def test_an_unknown_phone_changes_nothing(client: Client, fields: dict[str, str]) -> None:
    response = client.post("/basket/", fields)
    assert response.status_code == 302
    assert shown(client) == {}


@pytest.mark.parametrize("quantity", ["-1", "1.5", "two", "", "９", "9" * 5000, "\0"])
def test_junk_for_a_number_is_as_good_as_none(client: Client, quantity: str) -> None:
    phone = create_phone()
    put(client, phone.slug, quantity=quantity)
    assert shown(client) == {phone.slug: 1}


@pytest.mark.parametrize(
    "cookie",
    [
        "",
        "junk",
        "phone-1:2:abc:def",
        "x" * 5000,
        "\xff\xfe",
        '"quoted\\',
    ],
)
def test_a_cookie_that_is_not_ours_is_an_empty_basket(client: Client, cookie: str) -> None:
    create_phone(slug="phone-1")
    client.cookies[COOKIE.name] = cookie
    assert client.get("/basket/").status_code == 200
    assert shown(client) == {}


def test_another_cookie_of_ours_is_not_taken_for_a_basket(client: Client) -> None:
    response = HttpResponse()
    COOKIE._replace(name="orders").write(response, "phone-1:1")
    create_phone(slug="phone-1")
    client.cookies[COOKIE.name] = response.cookies["orders"].value
    assert shown(client) == {}


def test_the_cookie_is_for_this_site_and_not_for_scripts(client: Client) -> None:
    cookie = put(client, create_phone().slug).cookies[COOKIE.name]
    assert cookie["httponly"]
    assert cookie["samesite"] == "Lax"
    assert cookie["path"] == "/"


def test_a_form_of_another_site_is_refused(client: Client) -> None:
    phone = create_phone()
    response = client.post("/basket/", {"phone": phone.slug}, headers={"origin": "http://evil.example"})
    assert response.status_code == 403
    assert shown(client) == {}


def test_the_form_needs_no_cookie_before_and_no_token() -> None:
    strict = Client(enforce_csrf_checks=True)
    phone = create_phone()
    assert put(strict, phone.slug).status_code == 302
    assert shown(strict) == {phone.slug: 1}


@pytest.mark.parametrize("prefix", ["/en", "/large", "/large/en"])
def test_language_and_size_survive(client: Client, prefix: str) -> None:
    phone = create_phone()
    response = client.post(f"{prefix}/basket/", {"phone": phone.slug})
    assert response["Location"] == f"{prefix}/basket/"


@pytest.mark.usefixtures("held_memory")
def test_the_page_asks_the_database_nothing_for_many_phones(client: Client, django_assert_max_num_queries) -> None:
    for _ in range(6):
        put(client, create_phone().slug)
    client.get("/basket/")
    with django_assert_max_num_queries(0):
        client.get("/basket/")


@given(baskets)
def test_what_is_kept_is_read_again(wishes: dict[str, int]) -> None:
    response = HttpResponse()
    keep_basket(response, wishes)
    request = RequestFactory().get("/")
    request.COOKIES = {name: morsel.value for name, morsel in response.cookies.items()}
    assert read_basket(request) == wishes


@given(baskets, slugs, st.none() | st.integers(0, 9))
def test_a_change_sent_twice_is_one_change(wishes: dict[str, int], slug: str, quantity: int | None) -> None:
    once = changed(wishes, slug, quantity)
    assert changed(once, slug, quantity) == once
    assert len(once) <= MOST_LINES
    others = {each: number for each, number in wishes.items() if each != slug}
    assert {each: number for each, number in once.items() if each != slug} == others


@given(st.lists(st.text(max_size=80) | st.builds("{}:{}".format, slugs, st.integers(-5, 10**6)), max_size=40))
def test_any_lines_in_an_address_are_read_to_a_sensible_basket(texts: list[str]) -> None:
    wishes = parse_wishes(texts)
    assert len(wishes) <= MOST_LINES
    assert all(1 <= quantity <= 2 for quantity in wishes.values())


def test_an_address_may_name_what_is_wanted_instead_of_the_basket(client: Client) -> None:
    one, other = create_phone(), create_phone()
    request = RequestFactory().get("/", {"p": [f"{other.slug}:2", one.slug, "junk!", "unknown"]})
    wanted = wanted_in(request, current_catalogue())
    assert [(line.phone, line.quantity) for line in wanted.lines] == [(one, 1), (other, 2)]
    assert wanted.query == f"p={one.slug}&p={other.slug}%3A2"
    assert wanted.total_fen == one.price_fen + 2 * other.price_fen
