"""Finding a place by what people type."""

import csv
import string

import pytest
from django.conf import settings
from django.db import connection
from django.test.utils import CaptureQueriesContext
from hypothesis import given
from hypothesis import strategies as st

from stores.models import IndexedPlace, Outlet, PlaceKey, Region
from stores.place_names import is_one_slip_away, plain, spellings, without_kinds_zh, words
from stores.search import MOST_HITS, find_places, index_places
from tests.factories import create_outlet, create_region

DATA = settings.BASE_DIR / "stores" / "data"
FENGNING = "130826"
DAGE = "130826100"


@pytest.fixture
def some_places(db):
    """Fengning with two towns, and places with names like theirs."""
    create_region("130000", name_zh="河北省", name_pinyin="Hebei Sheng", name_en="Hebei", pinyin_initials="hb")
    create_region("130800", name_zh="承德市", name_pinyin="Chengde Shi", name_en="Chengde", pinyin_initials="cd")
    create_region(
        FENGNING,
        name_zh="丰宁满族自治县",
        name_pinyin="Fengning Manzu Zizhixian",
        name_en="Fengning Manchu Autonomous County",
        pinyin_initials="fn",
    )
    create_region(DAGE, name_zh="大阁镇", name_pinyin="Dage Zhen", name_en="Dage Town", pinyin_initials="dg")
    create_region("130826101", name_zh="大滩镇", name_pinyin="Datan Zhen", name_en="Datan Town", pinyin_initials="dt")
    create_region("341200", name_zh="阜阳市", name_pinyin="Fuyang Shi", name_en="Fuyang", pinyin_initials="fy")
    create_region("341225", name_zh="阜南县", name_pinyin="Funan Xian", name_en="Funan County", pinyin_initials="fn")
    create_region("141100", name_zh="吕梁市", name_pinyin="Lüliang Shi", name_en="Lüliang", pinyin_initials="ll")
    create_region(
        "150000",
        name_zh="内蒙古自治区",
        name_pinyin="Nei Mongol Zizhiqu",
        name_en="Inner Mongolia",
        pinyin_initials="nmg",
    )
    create_region(
        "130121101", name_zh="上安镇", name_pinyin="Shang'an Zhen", name_en="Shang'an Town", pinyin_initials="sa"
    )
    create_region(
        "520423", name_zh="镇宁布依族苗族自治县", name_pinyin="Zhenning Buyizu Miaozu Zizhixian", pinyin_initials="zn"
    )
    dage = Region.objects.get(code=DAGE)
    create_outlet(
        town=dage, code=f"{DAGE}-01", name_zh="丰宁县大阁镇营业厅", name_en="Dage Town Store, Fengning County"
    )
    create_outlet(
        town=dage,
        code=f"{DAGE}-02",
        name_zh="丰宁县大阁镇柳庄村营业厅",
        name_en="Dage Town Store, Liuzhuang Village, Fengning County",
    )
    index_places()


def found(question: str) -> list[str]:
    return [hit.code for hit in find_places(question)]


@pytest.mark.parametrize(
    "question", ["丰宁", "fengning", "Fengning", "丰宁县", "丰宁满族自治县", "fengning xian", FENGNING]
)
def test_a_county_comes_before_its_towns(some_places, question):
    assert found(question)[0] == FENGNING
    assert DAGE in found(question) or question == "丰宁满族自治县"


@pytest.mark.parametrize(
    "question",
    [
        "大阁",
        "大阁镇",
        "dage",
        "Dage Zhen",
        "dage town",
        "dg",
        "dag",
        "阁",
        "丰宁大阁",
        "丰宁 大阁",
        "丰宁县大阁镇",
        "丰宁满族自治县大阁镇",
        "大阁，丰宁",
        "fengning dage",
        "fengningdage",
        "fengningdag",
        "fengning xian dage zhen",
        "fengningxiandagezhen",
        "dage fengning",
        "fndg",
        "河北丰宁大阁",
        "河北省承德市丰宁满族自治县大阁镇",
        "hebei chengde dage",
        "丰宁dage",
        "ｄａｇｅ",
        "  DÀGÉ ",
        "大 阁",
        DAGE,
    ],
)
def test_a_town_is_found(some_places, question):
    assert found(question)[0] == DAGE


@pytest.mark.parametrize(
    ("typed", "code"),
    [
        ("fengnign", FENGNING),
        ("fenning", FENGNING),
        ("fengniing", FENGNING),
        ("fangning", FENGNING),
        ("fengnong", FENGNING),
        ("fenginng", FENGNING),
        ("dace", DAGE),
        ("fegningdage", DAGE),
        ("hebei fengnign", FENGNING),
        ("liuzhaung", f"{DAGE}-02"),
    ],
)
def test_one_slip_of_the_finger_is_forgiven(some_places, typed, code):
    assert found(typed)[0] == code


@pytest.mark.parametrize("typed", ["fngnng", "dg zhenn", "zzzz", "不在这里", "?!", "", "    ", "%", "_", "\\", "'"])
def test_other_things_find_nothing(some_places, typed):
    assert found(typed) == []


@pytest.mark.parametrize("typed", ["Shang'an", "shangan", "shang’an", "上安"])
def test_apostrophes_may_be_left_out(some_places, typed):
    assert found(typed) == ["130121101"]


@pytest.mark.parametrize("typed", ["luliang", "lvliang", "Lüliang", "lǚliang", "吕梁"])
def test_u_umlaut_is_typed_in_many_ways(some_places, typed):
    assert found(typed)[0] == "141100"


@pytest.mark.parametrize("typed", ["neimenggu", "Inner Mongolia", "内蒙古", "nei mongol"])
def test_places_known_by_several_names(some_places, typed):
    assert found(typed)[0] == "150000"


def test_a_name_that_begins_with_a_kind_of_place_keeps_it(some_places):
    assert found("镇宁") == ["520423"]


def test_initials_find_all_that_share_them(some_places):
    assert found("fn")[:2] == [FENGNING, "341225"]


def test_initials_may_name_the_kind_of_place(some_places):
    assert found("fnx")[:2] == [FENGNING, "341225"]
    assert DAGE in found("dgz")
    assert "141100" in found("lls")


@pytest.mark.parametrize("typed", ["柳庄", "柳庄村", "liuzhuang", "大阁柳庄", f"{DAGE}-02"])
def test_an_outlet_is_found_by_what_its_own_name_adds(some_places, typed):
    assert found(typed) == [f"{DAGE}-02"]


def test_exact_comes_before_beginning_before_inside(some_places):
    create_region("130826102", name_zh="阁镇", name_pinyin="Ge Zhen", pinyin_initials="g")
    create_region("130826103", name_zh="阁山镇", name_pinyin="Geshan Zhen", pinyin_initials="gs")
    index_places()

    assert [(hit.code, hit.rank) for hit in find_places("阁")] == [("130826102", 0), ("130826103", 2), (DAGE, 3)]


def test_hits_know_where_they_are_and_how_many_shops_they_have(some_places):
    Region.objects.filter(code=FENGNING).update(outlet_count=2)

    hit = find_places("fengning")[0]

    assert (hit.outlet_count, hit.name, hit.within) == (2, "丰宁满族自治县", "河北省承德市")


def test_an_index_that_is_up_to_date_stays_as_it_is(some_places):
    before = all_keys()
    assert index_places() == 0

    Outlet.objects.filter(code=f"{DAGE}-02").delete()
    Region.objects.filter(code="341225").update(name_zh="新名县", name_pinyin="Xinming Xian", pinyin_initials="xm")
    assert index_places() == 2

    assert found("柳庄") == []
    assert found("阜南") == []
    assert found("xinming") == ["341225"]
    assert {row for row in before if row[2] == DAGE} == {row for row in all_keys() if row[2] == DAGE}


def all_keys() -> set[tuple[str, int, str, int]]:
    return set(PlaceKey.objects.values_list("key", "kind", "code", "level"))


@pytest.mark.parametrize(
    ("code", "names", "anew"),
    [
        # With the county its towns, with a town its outlets: their keys begin with its name.
        (FENGNING, {"name_zh": "丰安县", "name_pinyin": "Feng'an Xian", "pinyin_initials": "fa"}, 3),
        (DAGE, {"name_zh": "大楼镇", "name_pinyin": "Dalou Zhen", "pinyin_initials": "dl"}, 3),
        (DAGE, {"name_en": "Big Pavilion Town"}, 1),
        ("130800", {"name_zh": "市辖区"}, 2),
        ("341225", {"outlet_count": 7}, 0),
    ],
)
def test_keys_are_made_anew_of_new_names_alone_and_are_those_of_all_names(some_places, code, names, anew):
    Region.objects.filter(code=code).update(**names)
    assert index_places() == anew
    kept = all_keys()

    IndexedPlace.objects.all().delete()
    PlaceKey.objects.all().delete()
    index_places()

    assert kept == all_keys()


def test_what_closes_for_good_is_found_no_more_and_what_opens_again_is(some_places):
    outlets = Outlet.objects.filter(code=f"{DAGE}-02")
    for state, hits in (("closed", []), ("open", [f"{DAGE}-02"])):
        outlets.update(state=state)
        assert index_places() == 1
        assert found("柳庄") == hits


def test_a_question_is_one_query_and_a_mistyped_one_two(some_places, django_assert_num_queries):
    with django_assert_num_queries(1):
        find_places("fengning dage")
    with django_assert_num_queries(2):
        find_places("fengnign")


@pytest.fixture
def all_regions(db):
    with (DATA / "regions.csv").open(encoding="utf-8", newline="") as file:
        rows = list(csv.DictReader(file))
    kept = ["code", "level", "name_zh", "name_pinyin", "name_en", "pinyin_initials", "outlet_count"]
    Region.objects.bulk_create(
        (Region(**{name: row[name] for name in kept}, parent_id=row["parent_code"] or None) for row in rows),
        batch_size=4000,
    )
    index_places()


def test_the_whole_country(all_regions):
    """Every place is found by its Chinese name, its pinyin and its initials, or there are too many of that name."""
    provinces_and_counties = Region.objects.exclude(name_zh__contains="辖").filter(level__lt=4)
    for region in provinces_and_counties.order_by("code")[::40]:
        for question in [region.name_zh, region.name_pinyin, region.pinyin_initials]:
            hits = found(question)
            assert region.code in hits or len(hits) == MOST_HITS, question

    for question in [*string.ascii_lowercase, "da", "大", "县", "镇", "城关", "chengguan", "cg"]:
        assert len(find_places(question)) <= MOST_HITS


def test_no_question_reads_the_whole_index(all_regions):
    with CaptureQueriesContext(
        connection,
    ) as queries:
        find_places("d")
        find_places("fengnign")
    with connection.cursor() as cursor:
        for query in queries.captured_queries:
            # What is planned once says so in front of what is executed.
            setting, executed, rest = query["sql"].rpartition("EXECUTE ")
            cursor.execute(f"{setting} EXPLAIN {executed}{rest}")
            plan = "\n".join(row[0] for row in cursor)
            assert "Seq Scan on stores_placekey" not in plan
            assert "Seq Scan on stores_region" not in plan


@given(st.text(max_size=60))
def test_any_text_has_words_and_spellings(text):
    for word in words(text):
        assert word == plain(word)
    for key in spellings(words(text)):
        assert set(key) <= set("".join(words(text)))


letters = st.text(string.ascii_lowercase, min_size=2, max_size=12)


@given(letters, st.integers(0, 11), st.sampled_from(string.ascii_lowercase))
def test_one_slip_is_seen_wherever_it_is(word, place, letter):
    place %= len(word)
    swapped = word[:place] + word[place : place + 2][::-1] + word[place + 2 :]
    for typed in (
        word[:place] + letter + word[place:],
        word[:place] + word[place + 1 :],
        word[:place] + letter + word[place + 1 :],
        swapped,
    ):
        assert is_one_slip_away(typed, word)
        assert is_one_slip_away(word, typed)


@given(letters, letters)
def test_a_slip_changes_little(typed, meant):
    if is_one_slip_away(typed, meant):
        assert abs(len(typed) - len(meant)) <= 1
        assert sum(a != b for a, b in zip(sorted(typed), sorted(meant), strict=False)) <= len(typed)


@pytest.mark.parametrize(
    ("name", "stem"),
    [
        ("丰宁满族自治县大阁镇", "丰宁大阁"),
        ("丰宁县", "丰宁"),
        ("镇宁布依族苗族自治县", "镇宁"),
        ("泗水县", "泗水"),
        ("内蒙古自治区", "内"),
        ("阿坝藏族羌族自治州", "阿坝"),
    ],
)
def test_kinds_of_place_are_taken_out_of_names(name, stem):
    assert without_kinds_zh(name) == stem
