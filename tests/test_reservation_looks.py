"""The pages that only come after a form was sent: axe finds nothing on them, nothing sticks out, and they are light."""

from __future__ import annotations

import gzip
from collections.abc import Iterator

import pytest
from django.utils import translation
from django.utils.translation import gettext as _
from playwright.sync_api import Browser
from playwright.sync_api import Page as Tab

from catalog.catalogue import Catalogue
from orders import lifecycle
from orders.models import Order
from stores.models import Outlet, StockLevel
from tests.browser import follow
from tests.factories import create_outlet, create_region, create_stock
from tests.order_factories import CLERK
from tests.test_accessibility import examine
from tests.test_weight import NEXT_PAGE_BYTES

pytestmark = pytest.mark.django_db(transaction=True)

LOOKS = [
    ("", "zh-hans", 320, "dark"),
    ("/en", "en", 320, "light"),
    ("/large/en", "en", 320, "dark"),
    ("/large", "zh-hans", 1280, "light"),
    ("/en", "en", 1280, "dark"),
]


@pytest.fixture
def shops(live_server: object, catalogue: Catalogue) -> list[Outlet]:
    """Two shops with every phone, one of them at a place of which only the county is known."""
    town = create_region("130826100", name_zh="大阁镇")
    near = create_outlet(town=town, name_zh="丰宁县大阁镇营业厅", name_en="Dage Store, Fengning County")
    far = create_outlet(town=town, latitude=38.4, coordinate_source="county_offset", coordinate_accuracy_km=60)
    for outlet in (near, far):
        for phone in catalogue.listed:
            create_stock(outlet=outlet, phone=phone, on_hand=9)
    return [near, far]


@pytest.fixture(params=LOOKS, ids=lambda look: "-".join(map(str, look)).strip("/"))
def look(request: pytest.FixtureRequest, browser: Browser, shops: list[Outlet], live_server: object) -> Iterator[Tab]:
    prefix, language, width, colours = request.param
    context = browser.new_context(
        viewport={"width": width, "height": 740}, color_scheme=colours, base_url=f"{live_server}{prefix}/"
    )
    context.set_default_timeout(30_000)
    tab = context.new_page()
    tab.goto(f"{live_server}{prefix}/")
    with translation.override(language):
        yield tab
    context.close()


class Findings(list[str]):
    """What was wrong on the pages looked at so far."""

    def __init__(self, tab: Tab) -> None:
        self.tab, self.home = tab, tab.url

    def look(self, name: str) -> None:
        width = self.tab.viewport_size["width"] if self.tab.viewport_size else 0
        self += [f"{name}: {finding}" for finding in examine(self.tab, width)]
        weight = len(gzip.compress(self.tab.content().encode()))
        if weight > NEXT_PAGE_BYTES:
            self.append(f"{name}: {weight} bytes")

    def go(self, path: str) -> None:
        self.tab.goto(self.home + path)


def fill_in(tab: Tab) -> None:
    tab.locator("#name").fill("王小明")
    tab.locator("#mobile").fill("138 0013 8000")
    tab.locator("#consent").check()


def room_beside_code(tab: Tab, width: int) -> float:
    """Return how many pixels are between the pickup code and its picture in a window of this width."""
    size = tab.viewport_size
    tab.set_viewport_size({"width": width, "height": 740})
    room: float = tab.evaluate(
        """() => {
            const text = document.createRange()
            text.selectNodeContents(document.querySelector(".code b"))
            const code = text.getBoundingClientRect(), picture = document.querySelector(".qr").getBoundingClientRect()
            return Math.max(picture.left - code.right, picture.top - code.bottom)
        }"""
    )
    assert size
    tab.set_viewport_size(size)
    return room


def test_the_pages_of_a_reservation(look: Tab, shops: list[Outlet], catalogue: Catalogue) -> None:
    found, (phone, other, *_rest), (near, _far) = Findings(look), catalogue.listed, shops
    for each in (phone, other):
        found.go(f"phones/{each.slug}/")
        follow(look.get_by_role("button", name=_("Put into the basket")))
    found.look("basket")

    found.go(f"checkout/?outlet={near.code}")
    follow(look.locator("main form button").last)
    found.look("form with errors")
    fill_in(look)
    StockLevel.objects.filter(outlet=near, phone=phone).update(safety_stock=9)
    follow(look.locator("main form button").last)
    found.look("sold out meanwhile")
    assert look.locator("input[type=radio][name=outlet]").count() == 1
    StockLevel.objects.filter(outlet=near, phone=phone).update(safety_stock=0)
    found.go(f"checkout/?p={phone.slug}:2&p={other.slug}&outlet={near.code}")
    fill_in(look)
    follow(look.locator("main form button").last)
    found.look("placed")
    assert room_beside_code(look, 360) > 8

    order = Order.objects.get()
    here = f"orders/{order.number}/"
    found.go(f"{here}move/")
    found.look("move")
    lifecycle.set_ready(order, CLERK)
    found.go(here)
    found.look("ready")
    lifecycle.decline(order, CLERK, "not found")
    found.go(here)
    found.look("declined")
    follow(look.get_by_role("link", name=_("See the nearest shops that have it")))
    follow(look.locator("ol.wanted button").first)
    found.look("moved")
    follow(look.get_by_role("button", name=_("Cancel the reservation")))
    found.look("cancelled")

    found.go("orders/")
    look.locator("#number").fill(order.number)
    look.locator("#last_four").fill("1111")
    follow(look.locator("main form button").last)
    found.look("no such order")
    assert not found, "\n".join(found)
