"""Finding a shop: by what is typed, by position, by province."""

import re

import pytest

from stores.maps import draw_maps
from stores.models import Outlet, Region, RegionMap, RegionStock
from stores.search import index_places
from tests.factories import create_outlet, create_phone, create_region, create_stock
from tests.pages import Page, read

FENGNING = "130826"


@pytest.fixture
def county(db):
    create_region("130000", name_zh="河北省", name_pinyin="Hebei Sheng", name_en="Hebei", pinyin_initials="hb")
    names = {"name_pinyin": "Fengning Xian", "name_en": "Fengning County", "pinyin_initials": "fn"}
    return create_region(FENGNING, name_zh="丰宁县", **names)


def create_shops(number: int, **fields):
    """Outlets in a town of their own each, one tenth of a degree further north each."""
    shops = []
    for place in range(number):
        town = create_region(
            f"{FENGNING}{place + 100}",
            name_zh=f"大{chr(0x4E00 + place)}镇",
            name_pinyin="Dage Zhen",
            pinyin_initials="dg",
        )
        defaults = {
            "town": town,
            "code": f"{town.code}-01",
            "latitude": 41 + place / 100,
            "longitude": 116.6,
            "name_zh": f"丰宁县{town.name_zh}营业厅",
        }
        shops.append(create_outlet(**defaults | fields))
    index_places()
    return shops


def shown(response) -> Page:
    return Page(response.content.decode())


def rows(page) -> list[str]:
    """The codes of the shops that a page lists."""
    return [code for link in page.links for code in re.findall(r"^(?:/en)?/outlets/(\d{9}-\d\d)/$", link)]


def test_without_a_question_it_shows_the_provinces(client, county, django_assert_num_queries, held_memory):
    create_shops(3)
    held_memory()
    Region.objects.filter(code="130000").update(outlet_count=3)
    draw_maps()

    with django_assert_num_queries(2):
        page = shown(client.get("/outlets/"))

    assert "/regions/130000/" in page.links
    assert "河北省 3" in page.text
    assert "svg" in page.html


def test_asking_for_a_phone_counts_the_shops_that_have_it(client, county):
    phone = create_phone()
    RegionStock.objects.create(region_id="130000", phone=phone, outlets_with=2, on_hand=5, reserved=0, available=5)

    page = shown(client.get(f"/outlets/?phone={phone.slug}"))

    assert f"/regions/130000/?phone={phone.slug}" in page.links
    assert "河北省 2" in page.text


@pytest.mark.parametrize("question", ["fengning", "fn", "丰宁", "丰宁 县"])
def test_a_county_is_offered_before_its_shops(client, county, question):
    (shop,) = create_shops(1)

    page = shown(client.get("/outlets/", {"q": question}))

    assert f"/regions/{FENGNING}/" in page.links
    assert rows(page) == ([] if question == "fn" else [shop.code])


def test_nothing_found_leads_on(client, county):
    page = shown(client.get("/outlets/?q=zzzz"))

    assert "没有找到" in page.text
    assert "/outlets/" in page.links
    assert 'name="lat"' in page.html


def test_the_question_stays_in_its_box_and_is_only_text(client, county):
    html = client.get("/outlets/", {"q": '"><script>alert(1)</script>'}).content.decode()

    assert "<script>alert" not in html
    assert "&#34;&gt;&lt;script&gt;alert(1)" in html


def test_the_nearest_shops_say_how_far(client, county):
    create_shops(3)

    page = shown(client.get("/outlets/?lat=41&lng=116.6"))

    assert rows(page) == [f"{FENGNING}100-01", f"{FENGNING}101-01", f"{FENGNING}102-01"]
    assert "2 公里以内" in page.text


def test_a_place_that_is_only_about_is_not_given_closer_than_it_is_known(client, county):
    create_shops(1, coordinate_source="county_offset", coordinate_accuracy_km=24, latitude=41.1)

    assert "30 公里以内" in shown(client.get("/outlets/?lat=41&lng=116.6")).text
    assert "约 120 公里" in shown(client.get("/outlets/?lat=40&lng=116.6")).text


def test_a_shop_known_to_be_near_comes_before_one_that_may_be_far(client, county):
    create_shops(3)
    Outlet.objects.filter(code=f"{FENGNING}100-01").update(coordinate_source="county_offset", coordinate_accuracy_km=24)

    page = shown(client.get("/outlets/?lat=41&lng=116.6"))

    assert rows(page) == [f"{FENGNING}101-01", f"{FENGNING}102-01", f"{FENGNING}100-01"]
    assert page.text.index("2 公里以内") < page.text.index("30 公里以内")


def test_says_whether_the_phone_is_there_and_can_leave_out_the_others(client, county):
    shops, phone = create_shops(3), create_phone()
    create_stock(outlet=shops[1], phone=phone, on_hand=1)
    create_stock(outlet=shops[2], phone=phone, on_hand=5)
    near = f"/outlets/?lat=41&lng=116.6&phone={phone.slug}"

    page = shown(client.get(near))
    only = shown(client.get(near + "&only=1"))

    assert len(rows(page)) == 3
    assert page.text.index("这里没有") < page.text.index("只剩一台") < page.text.index("有货")
    assert rows(only) == [shops[1].code, shops[2].code]
    assert rows(shown(client.get("/outlets/", {"q": "丰宁", "phone": phone.slug, "only": "1"}))) == rows(only)


@pytest.mark.parametrize("query", ["lat=41&lng=116.6", "q=fengning"])
def test_pages_have_twenty_rows_and_lose_none(client, county, query):
    shops = create_shops(45)

    seen = []
    for number in (1, 2, 3):
        page = shown(client.get(f"/outlets/?{query}&page={number}"))
        listed = rows(page) + [link for link in page.links if link.startswith("/regions/")]
        assert len(listed) <= 20
        seen += rows(page)

    assert sorted(seen) == [shop.code for shop in shops]
    assert client.get(f"/outlets/?{query}&page=4").status_code == 404


@pytest.mark.parametrize("number", [10, 100])
@pytest.mark.parametrize(
    ("query", "queries"),
    [
        ("q=fengning", 3),
        ("q=fengnign", 2),
        ("q=dgae", 4),
        ("lat=41&lng=116.6", 2),
        ("lat=41&lng=116.6&phone=asked", 2),
        ("q=fengning&phone=asked&only=1", 3),
    ],
)
def test_the_number_of_queries_does_not_grow(
    client, county, number, query, queries, django_assert_num_queries, held_memory
):
    shops, phone = create_shops(number), create_phone(slug="asked")
    for shop in shops:
        create_stock(outlet=shop, phone=phone)
    held_memory()

    with django_assert_num_queries(queries):
        client.get(f"/outlets/?{query}")


@pytest.mark.parametrize(
    ("query", "words"),
    [
        ("lat=91&lng=0", "纬度"),
        ("lat=x&lng=0", "纬度"),
        ("lat=nan&lng=0", "纬度"),
        ("lat=0&lng=-180.1", "经度"),
        ("lat=0&lng=1e999", "经度"),
        ("lat=5", "经度"),
        ("lng=5", "纬度"),
        ("q=fn&page=0", "页码"),
        ("q=fn&page=x", "页码"),
        ("q=fn&page=-1", "页码"),
        ("q=fn&page=１", "页码"),
        ("q=" + "a" * 10_000, "最多打 60 个字"),
        ("q=%00", "认不出来"),
        ("q=%ff%fe", "认不出来"),
        ("phone=no-such-phone", "手机"),
        ("phone=%00", "手机"),
    ],
)
def test_what_makes_no_sense_is_refused_with_field_and_reason(client, db, query, words):
    response = client.get(f"/outlets/?{query}")

    assert response.status_code == 400
    assert words in shown(response).text


@pytest.mark.parametrize("query", ["lat=41&lng=1&page=1000000000", "q=fn&page=101", "q=fn&page=2"])
def test_a_page_behind_the_last_is_not_there(client, county, query):
    assert client.get(f"/outlets/?{query}").status_code == 404


@pytest.mark.parametrize("query", ["lat=1e-320&lng=0", "lat=90&lng=180", "lat=-90&lng=-180", "lat=&lng=", "what=ever"])
def test_odd_but_sensible_questions_are_answered(client, county, query):
    create_shops(1)

    assert client.get(f"/outlets/?{query}").status_code == 200


def test_in_english(client, county):
    create_shops(1)

    page = shown(client.get("/en/outlets/?lat=41&lng=116.6"))

    assert "within 2 km" in page.text
    assert rows(page)


def test_a_map_is_a_dot_for_each_place_on_a_small_grid(county):
    create_shops(5)
    create_outlet(town_id=f"{FENGNING}100", state="closed", latitude=30)

    assert draw_maps() == 4
    drawn = RegionMap.objects.get(region=FENGNING)

    assert drawn.path.count("h0") == 5
    assert max(drawn.width, drawn.height) <= 65
    assert RegionMap.objects.get(region=None).path == drawn.path
    assert draw_maps() == 4


@pytest.mark.parametrize("mode", ["", "/en", "/large", "/large/en"])
@pytest.mark.parametrize("query", ["", "?q=fengning&phone=asked", "?q=zzzz", "?lat=41&lng=116.6&phone=asked&only=1"])
def test_every_mode_keeps_to_the_rules_of_the_shop(client, county, mode, query):
    phone = create_phone(slug="asked")
    create_stock(outlet=create_shops(2)[0], phone=phone)
    draw_maps()

    read(client, f"{mode}/outlets/{query}")


def test_open_or_not_is_said_for_seconds_only(client, county):
    assert "max-age=60" in client.get("/outlets/?q=fengning")["Cache-Control"]


def test_names_of_shops_are_only_text(client, county):
    create_shops(1, name_zh="<b>&店")

    html = client.get("/outlets/?q=fengning").content.decode()

    assert "&lt;b&gt;&amp;店" in html
    assert "<b>&" not in html
