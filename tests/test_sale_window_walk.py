"""Chromium: head office opens a sale window, the shop shows its price, a customer orders at it, and it ends."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime, timedelta
from itertools import count
from pathlib import Path

import pytest
from django.conf import settings
from playwright.sync_api import Browser, Locator, Page, expect

from catalog.catalogue import Catalogue, version_and_clock
from catalog.models import SaleWindow
from catalog.moments import SHANGHAI
from office.models import OfficeRole
from orders.models import Order
from tests.browser import follow
from tests.factories import create_outlet, create_stock
from tests.office import office_client

pytestmark = pytest.mark.django_db(transaction=True)

LOOKS = count(1)
PICTURES = Path(settings.BASE_DIR) / "docs" / "screenshots"


@pytest.fixture
def tab(browser: Browser, live_server: object, catalogue: Catalogue) -> Iterator[Page]:
    """A browser without JavaScript in which somebody who sets prices has signed in."""
    session = office_client(OfficeRole.CATALOGUE).cookies[settings.SESSION_COOKIE_NAME].value
    context = browser.new_context(
        java_script_enabled=False, viewport={"width": 1280, "height": 800}, base_url=str(live_server)
    )
    context.add_cookies([{"name": settings.SESSION_COOKIE_NAME, "value": session, "url": str(live_server)}])
    context.set_default_timeout(30_000)
    yield context.new_page()
    context.close()


def fill_moment(tab: Page, name: str, moment: datetime) -> None:
    local = moment.astimezone(SHANGHAI)
    tab.locator(f"#id_{name}_0").fill(f"{local:%Y-%m-%d}")
    tab.locator(f"#id_{name}_1").fill(f"{local:%H:%M:%S}")


def price_in_shop(tab: Page, look: int = 0) -> Locator:
    # Another address for each look: a browser may keep what it has seen for a minute.
    tab.goto(f"/en/phones/uniscope-y401/?look={look}")
    return tab.locator("p.price b")


def wait_for_price(tab: Page, price: str) -> None:
    """Look again until the shop shows `price`: it follows head office within a second or two."""
    for _ in range(60):
        if price_in_shop(tab, next(LOOKS)).inner_text() == price:
            return
        tab.wait_for_timeout(250)
    raise AssertionError(f"the shop does not show {price}")


def test_a_window_is_set_shown_ordered_at_and_ended(
    tab: Page, catalogue: Catalogue, pytestconfig: pytest.Config
) -> None:
    phone, outlet = catalogue.by_slug["uniscope-y401"], create_outlet(code="130826100-01")
    create_stock(outlet=outlet, phone=phone, on_hand=3)
    expect(price_in_shop(tab)).to_have_text("299")

    tab.goto("/en/admin/catalog/salewindow/add/")
    tab.locator("#id_name_zh").fill("双十一")
    tab.locator("#id_name_en").fill("Singles' Day")
    begins = version_and_clock()[1] + timedelta(seconds=6)
    fill_moment(tab, "starts_at", begins)
    fill_moment(tab, "ends_at", begins + timedelta(days=1))
    tab.locator("#id_prices-0-phone").select_option(str(phone.pk))
    tab.locator("#id_prices-0-price_fen").fill("249")
    tab.locator("#id_prices-0-quota_per_outlet").fill("2")
    if pytestconfig.getoption("--write-docs"):
        tab.screenshot(path=PICTURES / "office-sale-window-en-1280.png")
    follow(tab.locator("input[name=_save]"))
    assert SaleWindow.objects.count() == 1, tab.content()

    wait_for_price(tab, "249")
    expect(tab.locator("main")).to_contain_text("ordinarily 299 yuan; this price until")
    expect(tab.locator("main")).to_contain_text("Singles' Day: one phone at this price for each mobile number.")
    tab.set_viewport_size({"width": 360, "height": 740})
    assert tab.evaluate("document.documentElement.scrollWidth") <= 360
    if pytestconfig.getoption("--write-docs"):
        tab.screenshot(path=PICTURES / "sale-phone-en-360.png")

    tab.goto(f"/en/checkout/?p={phone.slug}&outlet={outlet.code}")
    tab.get_by_label("Your name").fill("王小明")
    tab.get_by_label("Mobile number").fill("138 0013 8000")
    tab.locator("#consent").check()
    follow(tab.locator("main form button").last)
    expect(tab.locator("main")).to_contain_text("249 yuan")
    assert Order.objects.get().total_fen == 24900

    tab.set_viewport_size({"width": 1280, "height": 800})
    tab.goto("/en/admin/prices/")
    expect(tab.get_by_role("row").filter(has_text=phone.name_en)).to_contain_text("249")
    if pytestconfig.getoption("--write-docs"):
        tab.screenshot(path=PICTURES / "office-prices-en-1280.png")
    tab.goto("/en/admin/catalog/salewindow/")
    tab.locator("input[name=_selected_action]").check()
    tab.locator("select[name=action]").select_option("end_now")
    follow(tab.locator("button[name=index]"))
    expect(tab.locator("main")).to_contain_text("Ended: 1")
    wait_for_price(tab, "299")
    assert Order.objects.get().total_fen == 24900
