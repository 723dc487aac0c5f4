"""Pictures of the desk for the docs. Collected only with --write-docs."""

from __future__ import annotations

from datetime import timedelta

import pytest
import time_machine
from django.conf import settings
from django.utils import timezone
from playwright.sync_api import Browser, Page

from catalog.catalogue import Catalogue, current_catalogue
from orders import lifecycle
from orders.checkout import place_order
from orders.models import Order
from stores import boxes, counts, transfers
from stores.models import Outlet, Role, StockLevel
from tests.desk import create_person, sign_in
from tests.factories import act, create_outlet, create_region, create_stock, create_unit
from tests.order_factories import CLERK, request_for
from tests.test_desk_looks import let_in

FOLDER = settings.BASE_DIR / "docs" / "screenshots"
pytestmark = pytest.mark.django_db(transaction=True)


@pytest.fixture
def outlet(live_server: object, catalogue: Catalogue) -> Outlet:
    """A morning at an outlet of the sample."""
    town = create_region("130826100", name_zh="大阁镇")
    outlet = create_outlet(code="130826100-01", town=town, name_zh="丰宁县大阁镇营业厅", name_en="Dage Store")
    other = create_outlet(code="130826101-01", town=town, name_zh="丰宁县大滩镇营业厅", name_en="Datan Store")
    for phone, on_hand in zip(catalogue.listed, (9, 6, 7, 4, 3, 5, 2, 4, 3, 1, 2, 3, 1, 2), strict=True):
        create_stock(outlet=outlet, phone=phone, on_hand=on_hand, reorder_point=1)
        create_stock(outlet=other, phone=phone, on_hand=5)
    shelves = list(StockLevel.objects.filter(outlet=outlet).select_related("outlet", "phone").order_by("phone"))
    for shelf, name, hours in zip(shelves, ("王小明", "李秀兰", "张建国", "刘桂英"), (26, 5, 2.5, 0.4), strict=False):
        with time_machine.travel(timezone.now() - timedelta(hours=hours)):
            place_order(**request_for(shelf, name=name))
    with time_machine.travel(timezone.now() - timedelta(hours=65)):
        lifecycle.set_ready(place_order(**request_for(shelves[1], name="陈玉")), CLERK)
    place_order(**request_for(shelves[4], 2, name="赵明"))
    counts.apply_count(outlet.pk, {shelves[4].phone_id: 1}, timezone.now(), act())
    with time_machine.travel(timezone.now() - timedelta(hours=20)):
        coming = transfers.request(other.pk, outlet.pk, {shelves[0].phone_id: 3}, act())
        transfers.approve(coming.pk, act())
        transfers.send(coming.pk, {shelves[0].phone_id: 3}, act())
        transfers.request(outlet.pk, other.pk, {shelves[2].phone_id: 1}, act())
    return outlet


def today(tab: Page, outlet: Outlet) -> None:
    tab.goto(f"/desk/{outlet.code}/")


def board(tab: Page, outlet: Outlet) -> None:
    tab.goto(f"/desk/{outlet.code}/stock/")


def receive(tab: Page, outlet: Outlet) -> None:
    """The last of a few phones has just been scanned."""
    box = boxes.open_delivery(outlet.pk, "LS-2041", CLERK)
    boxes.choose_phone(box.pk, current_catalogue().listed[0].pk, has_pairs=False)
    for _ in range(5):
        boxes.scan(box.pk, create_unit()[0])
    tab.goto(f"/desk/{outlet.code}/boxes/{box.pk}/")
    tab.locator("input:focus").wait_for()
    tab.keyboard.type(create_unit()[0])
    tab.keyboard.press("Enter")
    tab.locator("#said.ok").wait_for()


def hand_over(tab: Page, outlet: Outlet) -> None:
    """Code and phone are right: it remains to be paid."""
    order = Order.objects.get(outlet=outlet, state="ready")
    tab.goto(f"/desk/{outlet.code}/find/")
    for digits in (order.pickup_code, create_unit()[0]):
        tab.locator("input:focus").wait_for()
        tab.keyboard.type(digits)
        with tab.expect_navigation():
            tab.keyboard.press("Enter")
    tab.evaluate("scrollTo(0, 0)")


@pytest.mark.parametrize("width", [360, 1280])
def test_take_pictures(browser: Browser, live_server: object, outlet: Outlet, width: int) -> None:
    FOLDER.mkdir(parents=True, exist_ok=True)
    client = sign_in(create_person(Role.CLERK, outlet, name="王芳"))
    context = browser.new_context(viewport={"width": width, "height": 800}, base_url=str(live_server))
    let_in(context, live_server, client)
    tab = context.new_page()
    for name, go in {"today": today, "stock": board, "receive": receive, "hand-over": hand_over}.items():
        go(tab, outlet)
        tab.screenshot(path=FOLDER / f"desk-{name}-{width}.png")
    context.close()
