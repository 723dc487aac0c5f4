"""What robots are told: what to leave alone, and every page there is in both languages."""

import re
from xml.etree import ElementTree

import pytest
from django.test import Client

from stores.models import Outlet
from stores.regions import recount_outlets
from tests.factories import create_outlet, create_phone, create_region
from tests.order_factories import create_shelf
from tests.site import Site

NAMES = {"s": "http://www.sitemaps.org/schemas/sitemap/0.9", "x": "http://www.w3.org/1999/xhtml"}
MOST_PAGES = 50_000
MOST_BYTES = 50 * 2**20


def addresses(xml: bytes) -> list[str]:
    return [str(each.text) for each in ElementTree.fromstring(xml).findall("*/s:loc", NAMES)]  # noqa: S314


def text_of(client: Client, path: str) -> bytes:
    answer = client.get(path)
    assert answer.status_code == 200
    return b"".join(answer) if answer.streaming else answer.content


@pytest.mark.django_db
def test_robots_are_led_to_the_sitemap(client: Client) -> None:
    text = text_of(client, "/robots.txt").decode()
    assert "Sitemap: http://testserver/sitemap.xml" in text
    for closed in ("/large/", "/basket/", "/en/basket/", "/checkout/", "/en/checkout/", "/orders/", "/en/orders/"):
        assert f"Disallow: {closed}\n" in text


@pytest.mark.django_db
@pytest.mark.parametrize("language", ["", "/en"])
def test_no_step_of_a_reservation_is_found_by_search_engines(client: Client, language: str) -> None:
    shelf = create_shelf()
    form = f"{language}/checkout/?p={shelf.phone.slug}&outlet={shelf.outlet.code}"
    for address in (f"{language}/basket/", f"{language}/checkout/?p={shelf.phone.slug}", form, f"{language}/orders/"):
        assert client.get(address)["X-Robots-Tag"] == "noindex", address


@pytest.mark.django_db
@pytest.mark.usefixtures("held_memory")
def test_phones_and_outlets_are_in_it_in_both_languages(client: Client, django_assert_num_queries) -> None:
    phone, outlet = create_phone(), create_outlet(code="130121100-01", town=create_region("130121100"))
    gone = create_outlet(code="130121100-02", town=outlet.town, state=Outlet.State.CLOSED)
    recount_outlets()
    parts = addresses(text_of(client, "/sitemap.xml"))
    assert parts == ["http://testserver/sitemaps/catalogue.xml", "http://testserver/sitemaps/130100.xml"]
    catalogue = addresses(text_of(client, "/sitemaps/catalogue.xml"))
    with django_assert_num_queries(3):
        city = text_of(client, "/sitemaps/130100.xml")
    assert f"http://testserver/phones/{phone.slug}/" in catalogue
    assert "http://testserver/regions/130000/" in catalogue
    assert f"http://testserver/en/outlets/{outlet.code}/" in addresses(city)
    assert "http://testserver/regions/130121100/" in addresses(city)
    assert gone.code not in city.decode()
    twins = ElementTree.fromstring(city).findall("s:url[1]/x:link", NAMES)  # noqa: S314
    assert [each.get("hreflang") for each in twins] == ["zh-Hans", "en"]


@pytest.mark.django_db
def test_a_city_without_outlets_has_no_part(client: Client) -> None:
    create_region("130100")
    assert client.get("/sitemaps/130100.xml").status_code == 404
    assert client.get("/sitemaps/nowhere.xml").status_code == 404


def test_the_whole_country_is_in_it_and_every_page_answers(site: Site) -> None:
    parts = addresses(site.get("/sitemap.xml")[1])
    pages: list[str] = []
    for part in parts:
        answer, xml = site.get(part.removeprefix(site.url))
        assert answer.status == 200
        assert len(xml) < MOST_BYTES
        found = addresses(xml)
        assert len(found) < MOST_PAGES
        pages += found
    assert len(parts) < MOST_PAGES
    assert len(set(pages)) == len(pages)
    (open_outlets,) = site.rows("SELECT count(*) FROM stores_outlet WHERE state <> 'closed'")[0]
    assert sum(bool(re.search(r"/outlets/\d{9}-\d\d/$", page)) for page in pages) == 2 * open_outlets
    for page in pages[:: len(pages) // 40]:
        assert site.get(page.removeprefix(site.url))[0].status == 200
