"""Somebody puts phones side by side."""

import pytest
from django.test import Client

from catalog.catalogue import Catalogue
from catalog.comparison import compare
from stores.models import Outlet
from tests.factories import create_outlet, create_stock
from tests.pages import read


@pytest.mark.parametrize("prefix", ["", "/en", "/large", "/large/en"])
@pytest.mark.parametrize("count", [2, 3, 4])
def test_two_to_four_phones(client: Client, catalogue: Catalogue, prefix: str, count: int) -> None:
    phones = catalogue.phones[:count]
    page = read(client, f"{prefix}/compare/?" + "&".join(f"p={phone.slug}" for phone in phones))

    assert page.html.count('scope="col"') == count
    for phone in phones:
        assert f"{prefix}/phones/{phone.slug}/" in page.links


def test_says_what_my_shop_has_of_each(client: Client, catalogue: Catalogue) -> None:
    here, never_here = catalogue.phones[:2]
    shop = create_outlet(name_zh="大阁镇营业厅")
    create_stock(outlet=shop, phone=here, on_hand=5)
    comparison = f"/compare/?p={here.slug}&p={never_here.slug}"

    assert "有货" not in read(client, comparison).text
    client.post(f"/outlets/{shop.code}/choose/")
    assert f"大阁镇营业厅： {here.name} ✓ 有货 {never_here.name} ✗ 这里没有" in read(client, comparison).text
    assert "大阁镇营业厅： ✗ 这里没有" in read(client, never_here.get_absolute_url()).text

    Outlet.objects.update(state=Outlet.State.SUSPENDED)
    assert "大阁镇营业厅： 暂停营业" in read(client, comparison).text


def test_differences_are_said_in_words(client: Client, catalogue: Catalogue) -> None:
    text = read(client, "/en/compare/?p=uniscope-y401&p=tcl-t553").text

    assert "5.5 inches ＋ bigger screen" in text
    assert "160 g － heavier" in text
    assert "All the same: two cards: two numbers in one phone" in text
    assert "“＋” is better than the Uniscope Y401" in text


def test_the_first_phone_is_the_one_compared_with(catalogue: Catalogue) -> None:
    by_slug = catalogue.by_slug
    rows = compare((by_slug["tcl-t553"], by_slug["uniscope-y401"]))

    assert all(row.cells[0].difference is None for row in rows)
    battery = next(row for row in rows if row.cells[0].fact.key == "battery_mah")
    assert battery.cells[1].difference.is_better is False


def test_every_row_has_a_cell_for_every_phone(catalogue: Catalogue) -> None:
    rows = compare(catalogue.phones[:4])

    assert {len(row.cells) for row in rows} == {4}
    assert all(row.label for row in rows)


@pytest.mark.parametrize("query", ["", "?p=", "?p=tcl-t553", "?p=tcl-t553&p=tcl-t553"])
def test_fewer_than_two_is_a_choice_to_make(client: Client, catalogue: Catalogue, query: str) -> None:
    page = read(client, f"/en/compare/{query}")

    assert page.html.count('type="checkbox"') == 14
    assert page.html.count(" checked") == ("tcl" in query)


def test_more_than_four_is_refused_with_a_reason(client: Client, catalogue: Catalogue) -> None:
    query = "&".join(f"p={phone.slug}" for phone in catalogue.phones[:5])
    page = read(client, f"/en/compare/?{query}", status=400)

    assert "Phones to compare: “5”" in page.text
    assert "At most 4 phones fit side by side." in page.text
    assert "/en/compare/" in page.links


def test_an_unknown_phone_is_not_found_and_a_like_one_offered(client: Client, catalogue: Catalogue) -> None:
    page = read(client, "/en/compare/?p=tcl-t553&p=tcl-t50", status=404)

    assert "/en/phones/tcl-t503/" in page.links


def test_a_comparison_is_known_by_the_phones_in_it(client: Client, catalogue: Catalogue) -> None:
    page = read(client, "/compare/?p=tcl-t553&p=tcl-t503&utm_source=x")

    address = "http://testserver/compare/?p=tcl-t553&amp;p=tcl-t503"
    assert f'rel="canonical" href="{address}"' in page.html
    assert f'hreflang="en" href="{address.replace("/compare", "/en/compare")}"' in page.html


@pytest.mark.usefixtures("held_memory")
def test_no_query_for_the_phones(client: Client, catalogue: Catalogue, django_assert_num_queries) -> None:
    with django_assert_num_queries(0):
        client.get("/compare/?p=tcl-t553&p=tcl-t503")
