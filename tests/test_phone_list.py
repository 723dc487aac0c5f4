"""Somebody narrows down the list of phones."""

import re
from functools import partial
from html import unescape
from itertools import product
from urllib.parse import parse_qsl, urlencode

import pytest
from django.http import QueryDict
from django.test import Client
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from catalog import filters
from catalog.catalogue import Catalogue
from catalog.errors import BadQuery
from tests.factories import change_phone
from tests.pages import read

# Each value of each filter, and what it means, written down a second time and differently.
MEANINGS = {
    "tier": {"yunos": lambda p: p.position <= 8, "taobao": lambda p: p.position > 8},
    "brand": {
        brand: partial(lambda brand, p: p.slug.startswith(brand), brand)
        for brand in ("coolpad", "ctyon", "hisense", "kingsun", "tcl", "uniscope")
    },
    "price": {
        "0-399": lambda p: p.price_yuan < 400,
        "400-599": lambda p: 400 <= p.price_yuan < 600,
        "600-899": lambda p: 600 <= p.price_yuan < 900,
        "from-900": lambda p: p.price_yuan >= 900,
    },
    "screen": {
        "small": lambda p: p.slug[-3] == "4" and p.slug[-2] == "0",
        "medium": lambda p: p.slug[-3:-1] == "45",
        "large": lambda p: p.slug[-3:-1] == "50",
        "extra-large": lambda p: p.slug[-3:-1] == "55",
    },
    "battery": {"day": lambda p: p.battery_mah > 1799, "two-days": lambda p: p.battery_mah > 2499},
    "internet": {"4g": lambda p: p.generation == "4G", "3g": lambda p: p.generation == "3G"},
    "sim": {"two": lambda p: p.dual_sim, "one": lambda p: not p.dual_sim},
}
SORTS = ("", "dear", "screen", "battery", "light")
selections = st.fixed_dictionaries(
    {}, optional={name: st.sampled_from(sorted(values)) for name, values in MEANINGS.items()}
)


def expected(catalogue: Catalogue, chosen: dict[str, str]) -> set[str]:
    return {p.slug for p in catalogue.phones if all(MEANINGS[name][value](p) for name, value in chosen.items())}


def slugs(catalogue: Catalogue, query: str) -> list[str]:
    selection = filters.read_selection(catalogue, QueryDict(query))
    return [phone.slug for phone in filters.found(catalogue, selection)]


def test_knows_all_filters_and_their_values(catalogue: Catalogue) -> None:
    known = {question.name: set(question.by_value) for question in filters.filters(catalogue)}

    assert known == {name: set(values) for name, values in MEANINGS.items()}


@settings(max_examples=300, suppress_health_check=[HealthCheck.function_scoped_fixture], deadline=None)
@given(chosen=selections, sort=st.sampled_from(SORTS))
def test_finds_what_a_plain_count_finds(catalogue: Catalogue, chosen: dict[str, str], sort: str) -> None:
    found = slugs(catalogue, urlencode({**chosen, "sort": sort}))

    assert len(found) == len(set(found))
    assert set(found) == expected(catalogue, chosen)


@settings(max_examples=200, suppress_health_check=[HealthCheck.function_scoped_fixture], deadline=None)
@given(chosen=selections, order=st.randoms())
def test_every_combination_has_one_address(catalogue: Catalogue, chosen: dict[str, str], order) -> None:
    shuffled = list({**chosen, "utm_source": "a", "sort": ""}.items())
    order.shuffle(shuffled)
    selection = filters.read_selection(catalogue, QueryDict(urlencode(shuffled)))

    assert dict(parse_qsl(selection.query)) == chosen
    assert selection == filters.read_selection(catalogue, QueryDict(selection.query))
    assert [name for name, _value in selection.chosen] == [name for name in MEANINGS if name in chosen]


@settings(max_examples=200, suppress_health_check=[HealthCheck.function_scoped_fixture], deadline=None)
@given(chosen=selections)
def test_whoever_finds_nothing_is_shown_what_to_let_go(catalogue: Catalogue, chosen: dict[str, str]) -> None:
    selection = filters.read_selection(catalogue, QueryDict(urlencode(chosen)))
    if filters.found(catalogue, selection):
        return

    offers = filters.looser(catalogue, selection)

    assert offers
    for offer in offers:
        assert offer.count == len(slugs(catalogue, offer.address.partition("?")[2])) > 0


@settings(max_examples=100, suppress_health_check=[HealthCheck.function_scoped_fixture], deadline=None)
@given(chosen=selections)
def test_every_choice_says_how_many_are_behind_it(catalogue: Catalogue, chosen: dict[str, str]) -> None:
    selection = filters.read_selection(catalogue, QueryDict(urlencode(chosen)))
    for question in filters.filters(catalogue):
        for choice in filters.choices(catalogue, selection, question):
            if not choice.is_chosen:
                assert choice.count == len(slugs(catalogue, choice.address.partition("?")[2]))


@pytest.mark.parametrize(
    ("sort", "first", "last"),
    [
        ("", "uniscope-y401", "tcl-t553"),
        ("cheap", "uniscope-y401", "tcl-t553"),
        ("dear", "tcl-t553", "uniscope-y401"),
        ("screen", "coolpad-t551", "kingsun-y403"),
        ("battery", "hisense-t552", "uniscope-y401"),
        ("light", "uniscope-y401", "hisense-t552"),
    ],
)
def test_sorts(catalogue: Catalogue, sort: str, first: str, last: str) -> None:
    found = slugs(catalogue, f"sort={sort}")

    assert (found[0], found[-1]) == (first, last)


@pytest.mark.parametrize("prefix", ["", "/en", "/large", "/large/en"])
def test_the_page_shows_what_was_found(client: Client, catalogue: Catalogue, prefix: str) -> None:
    page = read(client, f"{prefix}/phones/?brand=tcl&internet=4g&utm_source=friend")

    assert re.findall(r'<li><a href="[^"]*/phones/([^/"]+)/"', page.html) == ["tcl-t503", "tcl-t553"]
    assert "2" in page.text
    assert (
        f'<link rel="canonical" href="http://testserver{prefix.removeprefix("/large")}/phones/?brand=tcl&amp;internet=4g">'
        in page.html
    )
    assert f"{prefix}/phones/?internet=4g" in page.links, "the brand can be let go"


def test_no_choice_on_the_page_leads_nowhere(client: Client, catalogue: Catalogue) -> None:
    page = read(client, "/en/phones/?tier=yunos&screen=large")

    for link in {link for link in page.links if "?" in link and "/phones/" in link}:
        assert "No phone has all of this." not in read(client, unescape(link)).text


def test_nothing_found_says_what_to_loosen(client: Client, catalogue: Catalogue) -> None:
    page = read(client, "/en/phones/?tier=yunos&screen=extra-large&internet=4g")

    assert "No phone has all of this." in page.text
    assert "without “YunOS phones”: 3 phones" in page.text
    assert "without “extra large”: 3 phones" in page.text
    assert "without “4G”" not in page.text
    assert "/en/phones/?screen=extra-large&internet=4g" in page.links


@pytest.mark.parametrize(
    ("query", "field", "value"),
    [
        ("brand=nokia", "Brand", "nokia"),
        ("tier=TAOBAO", "Family", "TAOBAO"),
        ("sort=random", "Order", "random"),
        ("brand=tcl&brand=coolpad", "Brand", "tcl, coolpad"),
        ("price=%00", "Price", "\ufffd"),
        ("screen=" + "x" * 5000, "Screen", "x" * 59 + "…"),
    ],
)
def test_a_wrong_value_is_named_with_its_field(
    client: Client, catalogue: Catalogue, query: str, field: str, value: str
) -> None:
    page = read(client, f"/en/phones/?{query}", status=400)

    assert f"{field}: “" in page.text
    assert "\x00" not in page.html
    if value != "\ufffd":
        assert f"{field}: “{value}”" in page.text
    assert "/en/phones/" in page.links


def test_empty_and_repeated_values_are_taken_kindly(client: Client, catalogue: Catalogue) -> None:
    assert slugs(catalogue, "brand=&tier=&brand=tcl&brand=tcl") == ["tcl-t503", "tcl-t553"]


def test_a_refusal_offers_the_choices_that_there_are(catalogue: Catalogue) -> None:
    with pytest.raises(BadQuery) as refusal:
        slugs(catalogue, "internet=5g")

    assert [offer.address for offer in refusal.value.way_on] == ["/phones/?internet=4g", "/phones/?internet=3g"]


@pytest.mark.usefixtures("held_memory")
def test_the_number_of_queries_does_not_grow(client: Client, catalogue: Catalogue, django_assert_num_queries) -> None:
    with django_assert_num_queries(0):
        client.get("/phones/?tier=yunos")


def test_discontinued_phones_are_not_listed(client: Client, catalogue: Catalogue) -> None:
    change_phone("tcl-t553", is_discontinued=True)

    assert "tcl-t553" not in read(client, "/phones/?brand=tcl").html


def test_all_pairs_of_two_filters_answer(client: Client, catalogue: Catalogue) -> None:
    for tier, screen in product(MEANINGS["tier"], MEANINGS["screen"]):
        assert client.get("/phones/", {"tier": tier, "screen": screen}).status_code == 200
