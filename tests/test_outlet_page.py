"""Looking at one shop: where it is, when it is open, what it has; and choosing it as one's own."""

from datetime import UTC, date, datetime

import pytest
import time_machine

from catalog.catalogue import forget_catalogue
from stores import pages
from stores.models import ClosedPeriod, LastCounts, Outlet
from stores.my_outlet import COOKIE
from tests.factories import create_outlet, create_phone, create_region, create_stock
from tests.pages import read

TOWN = "130826100"
CODE = f"{TOWN}-01"
# A Monday, ten o'clock in Shanghai.
MONDAY_MORNING = datetime(2026, 11, 23, 2, 0, tzinfo=UTC)


@pytest.fixture
def shop(db):
    create_region("130826", name_zh="丰宁县", name_en="Fengning County", latitude=41.2, longitude=116.6)
    town = create_region(TOWN, name_zh="大阁镇", name_en="Dage Town")
    names = {"name_zh": "丰宁县大阁镇营业厅", "name_en": "Dage Town Store, Fengning County"}
    return create_outlet(code=CODE, town=town, latitude=41.2, longitude=116.7, **names)


@pytest.fixture(autouse=True)
def on_monday_morning():
    with time_machine.travel(MONDAY_MORNING, tick=False):
        yield


def test_says_where_and_when(client, shop):
    page = read(client, f"/outlets/{CODE}/")

    assert shop.name_zh in page.text
    assert shop.address_zh in page.text
    assert "开着，晚上 6 点关门" in page.text
    assert "周一至周日 08:30–18:00" in page.text
    assert "在县城的东面，直线约 8 公里" in page.text
    assert {"/regions/130826/", f"/regions/{TOWN}/"} <= set(page.links)


def test_says_when_it_opens_again_and_why(client, shop):
    ClosedPeriod.objects.create(
        outlet=shop,
        first_day=date(2026, 11, 23),
        last_day=date(2026, 11, 24),
        reason_zh="盘点",
        reason_en="Stocktaking",
    )

    page = read(client, f"/outlets/{CODE}/")

    assert "关着，周三上午 8 点半开门" in page.text
    assert "11 月 23 日至 11 月 24 日 休息 盘点" in page.text
    assert "Stocktaking" in read(client, f"/en/outlets/{CODE}/").text


@pytest.mark.parametrize(("state", "words"), [("planned", "即将开业"), ("suspended", "暂停营业")])
def test_a_shop_that_does_no_business_says_so_and_promises_nothing(client, shop, state, words):
    phone = create_phone()
    create_stock(outlet=shop, phone=phone)
    Outlet.objects.update(state=state)

    page = read(client, f"/outlets/{CODE}/")

    assert words in page.text
    assert "这里没有" in page.text
    assert "有货" not in page.text
    assert "清点" not in page.text


def test_a_shop_that_has_closed_for_good_is_gone_and_names_the_nearest(client, shop):
    near = create_outlet(code=f"{TOWN}-02", town=shop.town)
    Outlet.objects.filter(pk=shop.pk).update(state="closed")

    page = read(client, f"/outlets/{CODE}/", status=410)

    assert near.get_absolute_url() in page.links
    assert "它附近有" in page.text


def test_says_of_every_phone_whether_it_is_here(client, shop):
    here, last, never, promised = (create_phone(name_zh=f"手机{name}") for name in "甲乙丙丁")
    create_stock(outlet=shop, phone=here, on_hand=3)
    create_stock(outlet=shop, phone=last, on_hand=1)
    create_stock(outlet=shop, phone=promised, on_hand=2, reserved=2)

    text = read(client, f"/outlets/{CODE}/").text

    assert "手机甲 299 元 ✓ 有货" in text
    assert "手机乙 299 元 ① 只剩一台" in text or "手机乙 299 元 ! 只剩一台" in text
    assert "手机丙 299 元 ✗ 这里没有" in text
    assert "手机丁 299 元 ✗ 这里没有" in text
    assert text.index("手机乙") < text.index("手机丙")
    assert never.name_zh in text


def test_names_the_three_nearest_that_have_what_it_lacks(client, shop):
    phone = create_phone()
    others = [
        create_outlet(code=f"{TOWN}-{number:02}", town=shop.town, latitude=41.2 + number / 10, longitude=116.7)
        for number in (5, 3, 4, 2, 6)
    ]
    for other in others[:4]:
        create_stock(outlet=other, phone=phone, on_hand=0 if other.code.endswith("2") else 1)

    page = read(client, f"/outlets/{CODE}/")

    assert [link for link in page.links if link.startswith(f"/outlets/{TOWN}")] == [
        f"/outlets/{TOWN}-03/",
        f"/outlets/{TOWN}-04/",
        f"/outlets/{TOWN}-05/",
    ]
    assert "约 33 公里" in page.text


def test_of_those_three_one_known_to_be_near_comes_before_one_that_may_be_far(client, shop):
    vague, exact = (
        create_outlet(code=f"{TOWN}-{number:02}", town=shop.town, latitude=41.2 + number / 20, longitude=116.7, **how)
        for number, how in [(2, {"coordinate_source": "county_offset", "coordinate_accuracy_km": 55}), (3, {})]
    )
    phone = create_phone()
    create_stock(outlet=vague, phone=phone)
    create_stock(outlet=exact, phone=phone)

    page = read(client, f"/outlets/{CODE}/")

    assert page.links.index(exact.get_absolute_url()) < page.links.index(vague.get_absolute_url())
    assert page.text.index("约 17 公里") < page.text.index("60 公里以内")


@pytest.mark.parametrize("neighbours", [1, 3, 6, 50])
def test_names_the_same_shops_however_many_of_the_nearest_are_looked_at_first(client, shop, neighbours, monkeypatch):
    monkeypatch.setattr(pages, "NEIGHBOURS", neighbours)
    common, rare = create_phone(), create_phone(name_zh="手机乙", name_en="Phone B")
    for number in range(2, 30):
        other = create_outlet(code=f"{TOWN}-{number:02}", town=shop.town, latitude=41.2 + number / 50, longitude=116.7)
        for phone in (common, rare) if number % 9 == 0 else (common,) if number % 2 else ():
            create_stock(outlet=other, phone=phone)

    page = read(client, f"/outlets/{CODE}/")

    found = [link[-3:-1] for link in page.links if link.startswith(f"/outlets/{TOWN}")]
    assert found == ["03", "05", "07", "09", "18", "27"]


def test_says_when_it_was_counted(client, shop):
    phones = [create_stock(outlet=shop).phone_id for _ in range(2)]
    LastCounts.objects.create(outlet=shop, phones=phones, counted_at=[datetime(2026, 11, 3, 20, tzinfo=UTC)] * 2)

    assert "数目是 11 月 4 日清点的" in read(client, f"/outlets/{CODE}/").text


def test_says_how_far_where_the_visitor_said_from(client, shop):
    assert "约 11 公里" in read(client, f"/outlets/{CODE}/?lat=41.1&lng=116.7").text
    assert client.get(f"/outlets/{CODE}/?lat=41.1").status_code == 400


def test_of_a_vague_place_it_claims_no_way(client, shop):
    Outlet.objects.update(coordinate_source="county_offset", coordinate_accuracy_km=24)

    text = read(client, f"/outlets/{CODE}/").text

    assert "只知道在这个县" in text
    assert "县城的" not in text


def test_names_are_escaped(client, shop):
    phone = create_phone(name_zh="手机<b>甲")
    other = create_outlet(town=shop.town, name_zh="别处<i>&", name_en="Else<i>&")
    create_stock(outlet=other, phone=phone)

    body = client.get(f"/outlets/{CODE}/").content.decode()

    assert "手机&lt;b&gt;甲" in body
    assert "别处&lt;i&gt;&amp;" in body
    assert "<i>" not in body


@pytest.mark.parametrize("mode", ["", "/en", "/large", "/large/en"])
def test_every_mode_keeps_to_the_rules_of_the_shop(client, shop, mode):
    create_stock(outlet=shop)
    create_stock(outlet=create_outlet(name_en="Far Store"), phone=create_phone())

    read(client, f"{mode}/outlets/{CODE}/?lat=41&lng=116")


@pytest.mark.parametrize(("number", "queries"), [(10, 4), (100, 5), (1000, 5)])
def test_costs_a_query_more_for_phones_that_the_nearest_shops_lack_and_no_more(
    client, shop, number, queries, django_assert_num_queries, held_memory
):
    phone = create_phone()
    Outlet.objects.bulk_create(
        Outlet(
            code=f"{number:09}-{copy:02}" if copy < 100 else f"{copy:09}-01",
            town=shop.town,
            timetable=shop.timetable,
            latitude=40,
            longitude=110 + copy / 1000,
            coordinate_source="town",
            coordinate_accuracy_km=2,
        )
        for copy in range(number)
    )
    create_stock(outlet=Outlet.objects.first(), phone=phone)
    forget_catalogue()
    held_memory()

    with django_assert_num_queries(queries):
        page = client.get(f"/outlets/{CODE}/").content.decode()
    assert phone.name_zh in page


def test_an_unknown_code_gets_the_shops_of_that_town(client, shop):
    page = read(client, f"/outlets/{TOWN}-99/", status=404)

    assert f"/outlets/{CODE}/" in page.links


@pytest.mark.parametrize("code", ["130826999-01", "130826", "13-"])
def test_an_unknown_town_gets_the_regions_around_it(client, shop, code):
    page = read(client, f"/outlets/{code}/", status=404)

    assert ("/regions/130826/" in page.links) == code.startswith("130826")


@pytest.mark.parametrize("code", ["x", "%00", "%ff", "1" * 100, "..", "<b>"])
def test_nonsense_is_not_found(client, db, code):
    assert client.get(f"/outlets/{code}/").status_code == 404


def test_choosing_it_makes_it_mine(client, shop):
    response = client.post(f"/outlets/{CODE}/choose/", {"next": "/phones/"})

    assert (response.status_code, response["Location"]) == (302, "/phones/")
    page = client.get(f"/outlets/{CODE}/")
    assert "这是我的营业厅" in page.content.decode()
    assert page["Cache-Control"].startswith("private")
    assert "Cookie" in page["Vary"]


@pytest.mark.parametrize("address", ["https://evil.example/", "//evil.example", "javascript:alert(1)", "", "\r\nX: y"])
def test_the_way_back_is_always_one_of_our_pages(client, shop, address):
    response = client.post(f"/outlets/{CODE}/choose/", {"next": address})

    assert response["Location"] in (f"/outlets/{CODE}/", "%0D%0AX:%20y")


def test_the_choice_can_be_taken_back(client, shop):
    client.post(f"/outlets/{CODE}/choose/")

    response = client.post("/outlets/mine/forget/", {"next": f"/outlets/{CODE}/"})

    assert (response.status_code, response["Location"]) == (302, f"/outlets/{CODE}/")
    assert "设为我的营业厅" in client.get(f"/outlets/{CODE}/").content.decode()
    assert client.cookies[COOKIE].value == ""


def test_the_choice_keeps_language_and_size(client, shop):
    assert client.post(f"/large/en/outlets/{CODE}/choose/")["Location"] == f"/large/en/outlets/{CODE}/"


def test_another_site_cannot_choose(client, shop):
    response = client.post(f"/outlets/{CODE}/choose/", headers={"sec-fetch-site": "cross-site"})

    assert response.status_code == 403
    assert COOKIE not in response.cookies


def test_only_a_shop_that_exists_can_be_chosen(client, shop):
    assert client.post(f"/outlets/{TOWN}-99/choose/").status_code == 404
    assert client.get(f"/outlets/{CODE}/choose/").status_code == 405
