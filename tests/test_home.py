"""Somebody opens the shop."""

import gzip
import re

import pytest
from django.test import Client

from catalog.catalogue import Catalogue
from tests.factories import change_phone
from tests.pages import read


def test_says_the_floor_price_that_the_catalogue_has(client: Client, catalogue: Catalogue) -> None:
    change_phone("kingsun-y403", price_fen=28850)

    assert "288.50 元 起的智能手机" in read(client, "/").text


@pytest.mark.parametrize("address", ["/", "/en/", "/large/", "/large/en/"])
def test_all_phones_stand_on_their_tiers_shelf(client: Client, catalogue: Catalogue, address: str) -> None:
    page = read(client, address)

    for phone in catalogue.phones:
        assert f"{address}phones/{phone.slug}/" in page.links
    shelves = page.html.split("<section")[1:]
    assert [shelf.count("<li>") for shelf in shelves] == [8, 6]


def test_discontinued_phones_are_not_on_the_shelf(client: Client, catalogue: Catalogue) -> None:
    change_phone("uniscope-y401", is_discontinued=True)

    page = read(client, "/")

    assert "/phones/uniscope-y401/" not in page.links
    assert "349 元 起" in page.text


def test_says_so_when_nothing_is_on_sale(client: Client, db: None) -> None:
    assert "No phones are on sale just now." in read(client, "/en/").text


@pytest.mark.usefixtures("held_memory")
def test_asks_the_database_for_the_version_only(
    client: Client, catalogue: Catalogue, django_assert_num_queries
) -> None:
    client.get("/", {"x": 1})

    with django_assert_num_queries(0):
        client.get("/", {"x": 2})


def test_asks_for_a_place_without_a_script(client: Client, catalogue: Catalogue) -> None:
    page = read(client, "/large/en/")

    assert '<form class="find" action="/large/en/outlets/">' in page.html
    assert '<label for="q">' in page.html
    assert "<script" not in page.html


@pytest.mark.parametrize("address", ["/", "/en/", "/large/", "/large/en/"])
def test_is_one_small_answer(client: Client, catalogue: Catalogue, address: str) -> None:
    page = read(client, address)

    assert not re.findall(r'(?:src|srcset)="|url\(|@import|<link rel="(?:stylesheet|preload)', page.html)
    assert len(gzip.compress(page.html.encode())) < 7_500


def test_language_and_size_are_one_tap_away(client: Client, catalogue: Catalogue) -> None:
    assert {"/large/", "/en/"} <= set(read(client, "/").links)
    assert {"/en/", "/large/"} <= set(read(client, "/large/en/").links)


def test_search_engines_are_told_of_the_twins(client: Client, catalogue: Catalogue) -> None:
    html = read(client, "/large/en/?utm_source=x").html

    assert '<link rel="canonical" href="http://testserver/en/">' in html
    assert '<link rel="alternate" hreflang="zh-Hans" href="http://testserver/">' in html
    assert '<link rel="alternate" hreflang="x-default" href="http://testserver/">' in html


def test_counts_the_phones_and_their_prices(client: Client, catalogue: Catalogue) -> None:
    change_phone("tcl-t553", is_discontinued=True)

    assert "13 phones from 299 to 1099 yuan; with 4G: 8." in read(client, "/en/").text
