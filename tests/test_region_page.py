"""Looking at a region: its shops, how many have each phone, and a map of dots."""

import pytest

from stores.maps import draw_maps
from stores.models import Outlet, Region
from stores.regions import recount_outlets
from stores.totals import refresh_region_stock
from tests.factories import create_outlet, create_phone, create_region, create_stock
from tests.pages import read


@pytest.fixture
def county(db):
    create_region("130000", name_zh="河北省", name_en="Hebei")
    create_region("130800", name_zh="承德市", name_en="Chengde")
    return create_region("130826", name_zh="丰宁县", name_en="Fengning County")


def create_shops(number: int, **fields) -> list[Outlet]:
    town = create_region("130826100", name_zh="大阁镇", name_en="Dage Town")
    shops = [
        create_outlet(town=town, code=f"{town.code}-{place + 1:02}", latitude=41 + place / 100, **fields)
        for place in range(number)
    ]
    recount_outlets()
    draw_maps()
    return shops


def test_shows_places_shops_phones_and_a_map(client, county):
    shops, phone = create_shops(3), create_phone(name_zh="优思 Y401")
    create_stock(outlet=shops[0], phone=phone)
    refresh_region_stock()

    page = read(client, "/regions/130826/")

    assert {"/regions/130000/", "/regions/130800/", "/regions/130826100/"} <= set(page.links)
    assert {f"/outlets/{shop.code}/" for shop in shops} <= set(page.links)
    assert "大阁镇 3" in page.text
    assert "优思 Y401 1" in page.text
    assert page.html.count("h0") == 3
    assert 'aria-label="丰宁县的营业厅，一个点是一处"' in page.html


@pytest.mark.parametrize("code", ["130000", "130800", "130826", "130826100"])
@pytest.mark.parametrize("mode", ["", "/en", "/large", "/large/en"])
def test_every_level_and_mode_keeps_to_the_rules_of_the_shop(client, county, code, mode):
    create_shops(2, name_en="A Store")
    create_phone()

    assert "2" in read(client, f"{mode}/regions/{code}/").text


def test_a_region_without_shops_leads_on(client, county):
    Region.objects.filter(code="130800").update(latitude=41, longitude=117.5)
    create_phone()

    page = read(client, "/regions/130800/")

    assert "这里还没有营业厅" in page.text
    assert 'name="q"' in page.html
    assert "/outlets/?lat=41.0&lng=117.5" in page.links
    assert "有几家营业厅有货" not in page.text


def test_shows_only_the_shops_that_have_a_phone(client, county):
    shops, phone, other = create_shops(2), create_phone(), create_phone()
    create_stock(outlet=shops[0], phone=phone)
    Region.objects.filter(code="130826").update(latitude=41, longitude=117.5)

    every = read(client, f"/regions/130826/?phone={phone.slug}")
    only = read(client, f"/regions/130826/?phone={phone.slug}&only=1")
    none = read(client, f"/regions/130826/?phone={other.slug}&only=1")

    assert f"?phone={phone.slug}&only=1" in every.links
    assert f"/outlets/{shops[0].code}/" in only.links
    assert f"/outlets/{shops[1].code}/" not in only.links
    assert "这些营业厅今天都没有这款手机" in none.text
    assert any(link.startswith("/outlets/?lat=41.0&lng=117.5&phone=") for link in none.links)


def test_a_later_page_is_known_by_its_own_address(client, county):
    create_shops(21)

    assert (
        'rel="canonical" href="http://testserver/regions/130826/?page=2"'
        in read(client, "/regions/130826/?page=2").html
    )


def test_says_which_shops_have_a_phone(client, county):
    shops, phone = create_shops(2), create_phone()
    create_stock(outlet=shops[1], phone=phone)

    page = read(client, f"/regions/130826/?phone={phone.slug}")

    assert "✗ 这里没有" in page.text
    assert "✓ 有货" in page.text
    only = read(client, f"/regions/130826/?phone={phone.slug}&only=1")
    assert f"/outlets/{shops[0].code}/" not in only.links


def test_shops_closed_for_good_are_in_no_list(client, county):
    (shop,) = create_shops(1, state="closed")

    assert f"/outlets/{shop.code}/" not in read(client, "/regions/130826/").links


def test_pages_have_twenty_shops(client, county):
    shops = create_shops(45)

    pages = [read(client, f"/regions/130826/?page={number}") for number in (1, 2, 3)]

    listed = [[link for link in page.links if link.startswith("/outlets/1")] for page in pages]
    assert [len(links) for links in listed] == [20, 20, 5]
    assert [link for links in listed for link in links] == [f"/outlets/{shop.code}/" for shop in shops]
    assert "?page=2" in pages[0].links
    read(client, "/regions/130826/?page=4", status=404)


@pytest.mark.parametrize("number", [10, 90])
def test_costs_six_queries_however_many_shops_there_are(client, county, number, django_assert_num_queries, held_memory):
    create_shops(number)
    held_memory()

    with django_assert_num_queries(6):
        client.get("/regions/130826/")


@pytest.mark.parametrize("code", ["130829", "130826999", "1308261"])
def test_an_unknown_code_gets_the_regions_around_it(client, county, code):
    page = read(client, f"/regions/{code}/", status=404)

    assert {"/regions/130000/", "/regions/130800/"} <= set(page.links)


@pytest.mark.parametrize("address", ["/regions/999999/", "/regions/Hebei/", "/outlets/dage/", "/outlets/999999999-01/"])
def test_a_code_like_no_other_gets_all_provinces(client, county, address):
    assert "您要找的是不是： 各省" in read(client, address, status=404).text


@pytest.mark.parametrize("code", ["x", "%00", "%ff", "9" * 30, "-"])
def test_nonsense_is_not_found(client, db, code):
    assert client.get(f"/regions/{code}/").status_code == 404
