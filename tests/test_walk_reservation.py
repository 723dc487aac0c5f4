"""Chromium without JavaScript walks from the home page to a reservation, looks it up and cancels it."""

from __future__ import annotations

import re
from collections.abc import Iterator

import pytest
from django.utils import translation
from django.utils.translation import gettext as _
from playwright.sync_api import Browser, Page, expect

from catalog.catalogue import Catalogue, current_catalogue
from orders.models import Order, State
from stores.models import Outlet, StockLevel
from stores.search import index_places
from tests.browser import follow
from tests.factories import create_outlet, create_region, create_stock

pytestmark = pytest.mark.django_db(transaction=True)

MOBILE = "138 0013 8000"


@pytest.fixture
def town(live_server: object, catalogue: Catalogue) -> Outlet:
    """Two shops in Fengning, of which one has every phone and the other none."""
    county = create_region(
        "130826", name_zh="丰宁满族自治县", name_pinyin="Fengning", name_en="Fengning", outlet_count=2
    )
    place = create_region(
        "130826100", name_zh="大阁镇", name_pinyin="Dage", name_en="Dage", parent=county, outlet_count=2
    )
    create_outlet(town=place, code="130826100-02", name_zh="丰宁县城东营业厅", name_en="Fengning East Store")
    outlet = create_outlet(town=place, code="130826100-01", name_zh="丰宁县大阁镇营业厅", name_en="Dage Store")
    for phone in catalogue.listed:
        create_stock(outlet=outlet, phone=phone, on_hand=3)
    index_places()
    return outlet


@pytest.fixture(
    params=[("", "zh-hans", 360), ("/en", "en", 1280), ("/large", "zh-hans", 360)], ids=["zh", "en", "large"]
)
def walk(request: pytest.FixtureRequest, browser: Browser, town: Outlet, live_server: object) -> Iterator[Page]:
    """A browser without JavaScript at the home page, in one language and text size."""
    prefix, language, width = request.param
    context = browser.new_context(
        java_script_enabled=False, viewport={"width": width, "height": 740}, base_url=str(live_server)
    )
    context.set_default_timeout(30_000)
    page = context.new_page()
    page.goto(f"{prefix}/")
    with translation.override(language):
        yield page
    context.close()


def test_from_home_to_a_reservation_and_back(walk: Page, town: Outlet) -> None:
    # The lowest-priced phone, then: reserve, where, who. Three pages after the phone's own.
    follow(walk.locator("main ul.shelf a").first)
    follow(walk.get_by_role("link", name=_("Reserve it")))
    walk.get_by_label(_("Where are you? Town, county or shop")).fill("fengning")
    follow(walk.get_by_role("button", name=_("Find")))
    expect(walk.locator("ol.wanted li")).to_have_count(1)
    follow(walk.get_by_role("link", name=_("Collect here")))
    # A slip first: what was typed stays.
    walk.get_by_label(_("Your name")).fill("王小明")
    walk.get_by_label(_("Mobile number")).fill("138 0013")
    follow(walk.locator("main form button").last)
    expect(walk.locator("#mobile_error")).to_be_visible()
    expect(walk.get_by_label(_("Your name"))).to_have_value("王小明")
    walk.get_by_label(_("Mobile number")).fill(MOBILE)
    walk.locator("#consent").check()
    follow(walk.locator("main form button").last)

    order = Order.objects.get()
    assert order.outlet == town
    assert re.search(rf"/orders/{order.number}/$", walk.url)
    expect(walk.locator(".code b")).to_have_text(f"{order.pickup_code[:3]} {order.pickup_code[3:]}")
    expect(walk.locator("svg.qr")).to_be_visible()
    assert "3800" not in walk.url

    # Another day, with cookies gone: number and last four digits.
    walk.context.clear_cookies()
    follow(walk.get_by_role("contentinfo").get_by_role("link", name=_("My order")))
    walk.get_by_label(_("Order number")).fill(order.spoken_number)
    walk.get_by_label(_("Last four digits of your mobile number")).fill("8000")
    follow(walk.get_by_role("button", name=_("Show my order")))
    assert walk.url.endswith(f"/orders/{order.number}/")
    follow(walk.get_by_role("button", name=_("Cancel the reservation")))
    expect(walk.get_by_role("heading", level=1)).to_contain_text(_("Cancelled"))
    order.refresh_from_db()
    assert order.state == State.CANCELLED
    assert set(StockLevel.objects.values_list("reserved", flat=True)) == {0}


def test_going_back_and_sending_the_form_again_is_the_same_order(walk: Page, town: Outlet) -> None:
    walk.goto(f"{walk.url}checkout/?p={current_catalogue().listed[0].slug}&outlet={town.code}")
    walk.get_by_label(_("Your name")).fill("王小明")
    walk.get_by_label(_("Mobile number")).fill(MOBILE)
    walk.locator("#consent").check()
    follow(walk.locator("main form button").last)
    confirmation = walk.url
    walk.go_back()
    # The browser still has what was typed, and the key that came with the page.
    expect(walk.get_by_label(_("Your name"))).to_have_value("王小明")
    follow(walk.locator("main form button").last)
    assert walk.url == confirmation
    assert Order.objects.count() == 1


def test_two_phones_from_the_basket(walk: Page, town: Outlet) -> None:
    home = walk.url
    for number in (0, 1):
        walk.goto(home)
        follow(walk.locator("main ul.shelf a").nth(number))
        follow(walk.get_by_role("button", name=_("Put into the basket")))
    expect(walk.locator("main ul.wanted > li")).to_have_count(2)
    follow(walk.locator("form.quantity").first.get_by_role("button").nth(1))
    expect(walk.locator("form.quantity output").first).to_have_text("2")
    follow(walk.get_by_role("link", name=_("Choose a shop and reserve")))
    walk.get_by_label(_("Where are you? Town, county or shop")).fill("fengning")
    follow(walk.get_by_role("button", name=_("Find")))
    follow(walk.get_by_role("link", name=_("Collect here")).first)
    walk.get_by_label(_("Your name")).fill("王小明")
    walk.get_by_label(_("Mobile number")).fill(MOBILE)
    walk.locator("#consent").check()
    follow(walk.locator("main form button").last)
    order = Order.objects.get()
    assert sorted(order.lines.values_list("quantity", flat=True)) == [1, 2]
    walk.goto(home.rstrip("/") + "/basket/")
    expect(walk.locator("main ul.wanted > li")).to_have_count(0)
