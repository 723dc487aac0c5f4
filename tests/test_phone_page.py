"""Somebody looks at one phone."""

import pytest
from django.test import Client
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from catalog.catalogue import Catalogue, current_catalogue
from catalog.comparison import differences, neighbours
from tests.factories import change_phone
from tests.pages import read


@pytest.mark.parametrize("prefix", ["", "/en", "/large", "/large/en"])
def test_every_phone_has_a_page(client: Client, catalogue: Catalogue, prefix: str) -> None:
    for phone in catalogue.phones:
        page = read(client, f"{prefix}/phones/{phone.slug}/")
        assert (phone.name_en if "/en" in prefix else phone.name_zh) in page.text


def test_says_what_it_does_in_plain_words_with_the_value_beside(client: Client, catalogue: Catalogue) -> None:
    text = read(client, "/en/phones/uniscope-y501/").text

    assert "Battery lasts a full day 2000 mAh *" in text
    assert "Photos clear photos by day 5 megapixels *" in text
    assert "SIM cards two cards: two numbers in one phone 2 *" in text


def test_marks_what_the_press_printed_and_what_is_made_up(client: Client, catalogue: Catalogue) -> None:
    text = read(client, "/en/phones/uniscope-y401/").text

    assert "299 yuan °" in text, "the floor price is reported"
    assert "YunOS 3.0 °" in text
    assert "4 inches *" in text
    assert "° printed in the press of 2015 · * sample value" in text


def test_says_what_is_in_the_box_and_what_the_tier_means(client: Client, catalogue: Catalogue) -> None:
    page = read(client, "/phones/coolpad-t501/")

    assert "充电器和数据线" in page.text
    assert "出厂就装好“手机淘宝”" in page.text


def test_says_how_the_next_cheaper_and_dearer_differ(client: Client, catalogue: Catalogue) -> None:
    text = read(client, "/en/phones/uniscope-y451/").text

    assert "Kingsun Y403 costs 20 yuan less" in text
    assert "－ smaller screen: 4 inches, not 4.5 inches" in text
    assert "Ctyon Y452 costs 50 yuan more" in text
    assert "＋ bigger battery: 2000 mAh, not 1800 mAh" in text


def test_ends_of_the_row_have_one_neighbour(catalogue: Catalogue) -> None:
    first, last = catalogue.phones[0], catalogue.phones[-1]

    assert neighbours(catalogue, first)[0] is None
    assert neighbours(catalogue, first)[1].phone.slug == "ctyon-y402"
    assert neighbours(catalogue, last)[0].phone.slug == "hisense-t552"
    assert neighbours(catalogue, last)[1] is None


def test_phones_of_one_price_are_neighbours_in_shelf_order(catalogue: Catalogue) -> None:
    change_phone("ctyon-y402", price_fen=29900)
    phones = current_catalogue()
    cheaper, dearer = neighbours(phones, phones.by_slug["ctyon-y402"])

    assert (cheaper.phone.slug, cheaper.gap_fen) == ("uniscope-y401", 0)
    assert dearer.phone.slug == "kingsun-y403"


@settings(max_examples=100, suppress_health_check=[HealthCheck.function_scoped_fixture], deadline=None)
@given(st.integers(0, 13), st.integers(0, 13))
def test_differences_are_the_same_seen_from_both_sides(catalogue: Catalogue, one: int, other: int) -> None:
    a, b = catalogue.phones[one], catalogue.phones[other]
    there = {difference.key: difference.is_better for difference in differences(a, b)}
    back = {difference.key: not difference.is_better for difference in differences(b, a)}

    assert there == back
    assert (there == {}) >= (a is b)


def test_the_drawing_is_named_for_who_cannot_see_it(client: Client, catalogue: Catalogue) -> None:
    html = read(client, "/en/phones/tcl-t553/").html

    assert 'aria-label="TCL T553 from the front, the back and the side, 146.3 × 75.1 × 7.9 mm, beside a coin"' in html


def test_a_discontinued_phone_stays_and_says_so(client: Client, catalogue: Catalogue) -> None:
    change_phone("ctyon-y402", is_discontinued=True)

    page = read(client, "/en/phones/ctyon-y402/")

    assert "No longer made." in page.text
    assert "/en/phones/kingsun-y403/" in page.links, "neighbours that are on sale are offered"
    assert "No longer made." in read(client, "/en/compare/?p=tcl-t553&p=ctyon-y402").text
    assert "ctyon-y402" not in read(client, "/en/phones/").html


def test_looks_for_shops_that_have_it(client: Client, catalogue: Catalogue) -> None:
    html = read(client, "/phones/tcl-t553/").html

    assert '<input type="hidden" name="phone" value="tcl-t553">' in html


@pytest.mark.parametrize(
    ("slug", "meant"),
    [("tcl-t55", "tcl-t553"), ("coolpad", "coolpad-t501"), ("UNISCOPE-Y401", "uniscope-y401"), ("y452", "ctyon-y452")],
)
def test_an_unknown_name_gets_suggestions(client: Client, catalogue: Catalogue, slug: str, meant: str) -> None:
    page = read(client, f"/en/phones/{slug}/", status=404)

    assert f"/en/phones/{meant}/" in page.links
    assert "We have no phone of this name." in page.text


def test_a_name_like_no_other_gets_the_way_on_alone(client: Client, catalogue: Catalogue) -> None:
    page = read(client, "/en/phones/zzzzzzzzzzzzzzzzzzzz/", status=404)

    assert "Did you mean:" not in page.text
    assert {"/en/", "/en/phones/", "/en/outlets/"} <= set(page.links)


@pytest.mark.usefixtures("held_memory")
def test_asks_nothing_of_the_database_for_the_phone(
    client: Client, catalogue: Catalogue, django_assert_max_num_queries
) -> None:
    with django_assert_max_num_queries(2):  # the country's two figures
        client.get("/phones/tcl-t553/")
