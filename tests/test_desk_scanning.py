"""Scanning in a browser: keystrokes of a scanner, the camera, a lost answer; every state of a box looks right."""

from __future__ import annotations

from collections.abc import Iterator
from itertools import cycle

import pytest
from playwright.sync_api import Browser, Route
from playwright.sync_api import Page as Tab

from catalog.catalogue import Catalogue
from catalog.models import Phone
from stores import boxes, stock, transfers
from stores.models import Box, Outlet, Role, StockLevel, Transfer
from tests.browser import follow
from tests.desk import create_person, sign_in
from tests.factories import act, create_outlet, create_region, create_stock, create_unit
from tests.order_factories import create_order
from tests.test_accessibility import examine, listen
from tests.test_desk_looks import FIRST_VIEW_BYTES, let_in, weight

pytestmark = pytest.mark.django_db(transaction=True)


@pytest.fixture
def outlet(live_server: object) -> Outlet:
    return create_outlet(town=create_region("130826100"), name_zh="丰宁县大阁镇营业厅", name_en="Dage Store, Fengning")


@pytest.fixture
def phone(catalogue: Catalogue) -> Phone:
    return catalogue.listed[0]


@pytest.fixture(params=[("/en", 360, "light")], ids=["360"])
def tab(request: pytest.FixtureRequest, browser: Browser, live_server: object, outlet: Outlet) -> Iterator[Tab]:
    prefix, width, colours = request.param
    context = browser.new_context(
        viewport={"width": width, "height": 740}, color_scheme=colours, base_url=f"{live_server}{prefix}/desk/"
    )
    context.set_default_timeout(10_000)
    let_in(context, live_server, sign_in(create_person(Role.MANAGER, outlet)))
    yield context.new_page()
    context.close()


def open_box(outlet: Outlet, phone: Phone) -> Box:
    box = boxes.open_delivery(outlet.pk, "LS-1", "person:1")
    boxes.choose_phone(box.pk, phone.pk, has_pairs=False)
    return box


def scan(tab: Tab, number: str) -> None:
    """Type as a scanner does, into whatever has the focus."""
    tab.locator("input:focus").wait_for()
    tab.keyboard.type(number)
    tab.keyboard.press("Enter")


def says(tab: Tab, text: str) -> None:
    tab.locator("#said", has_text=text).wait_for()


def test_a_scanner_fills_a_box_on_one_page(tab: Tab, outlet: Outlet, phone: Phone) -> None:
    box, said = open_box(outlet, phone), listen(tab)
    tab.goto(f"{outlet.code}/boxes/{box.pk}/")
    tab.evaluate("window.stays = true")
    numbers = [create_unit()[0] for _ in range(20)]
    for number in numbers:
        scan(tab, number)
    says(tab, "Phone 20:")
    scan(tab, numbers[3])
    says(tab, "in this box already: phone 4")
    assert tab.locator("#said").get_attribute("role") == "alert"
    assert tab.evaluate("document.activeElement.id") == "number"
    tab.get_by_role("button", name="Take back").click()
    says(tab, f"Taken back: {numbers[19]}.")
    assert tab.evaluate("document.activeElement.id") == "number"
    assert tab.evaluate("window.stays")

    follow(tab.get_by_role("button", name="Put 19 phones on the shelf"))
    assert StockLevel.objects.get(outlet=outlet, phone=phone).on_hand == 19
    assert "Received: 19 phones." in tab.locator("main").inner_text()
    assert said == []


def test_a_number_whose_answer_was_lost_is_told_and_sent_again(tab: Tab, outlet: Outlet, phone: Phone) -> None:
    box, number = open_box(outlet, phone), create_unit()[0]
    address = f"{outlet.code}/boxes/{box.pk}/"
    tab.goto(address)

    def lose(route: Route) -> None:
        route.fetch()
        route.abort()

    tab.route("**/boxes/*/", lose, times=1)
    scan(tab, number)
    says(tab, "was not sent")
    assert tab.locator("#number").input_value() == number
    tab.keyboard.press("Enter")
    tab.locator(".done", has_text="and not again: Phone 1:").wait_for()
    assert tab.evaluate("document.activeElement.id") == "number"
    assert box.scans.count() == 1


# A camera that sees one bar code for ever, in a browser that reads them.
CAMERA = """
    window.BarcodeDetector = class { detect() { return Promise.resolve([{rawValue: window.code || ''}]); } };
    Object.defineProperty(navigator, 'mediaDevices', {value: {getUserMedia: () => Promise.resolve(new MediaStream())}});
"""


def test_the_camera_scans_where_the_browser_reads_bar_codes(tab: Tab, outlet: Outlet, phone: Phone) -> None:
    box, number = open_box(outlet, phone), create_unit()[0]
    tab.goto(f"{outlet.code}/boxes/{box.pk}/")
    assert tab.get_by_role("button", name="Camera").count() == 0
    tab.add_init_script(CAMERA)
    tab.reload()
    tab.get_by_role("button", name="Camera").click()
    tab.evaluate(f"window.code = '{number}'")
    says(tab, "Phone 1:")
    tab.wait_for_timeout(700)
    assert "✓" in tab.locator("#said").inner_text()
    tab.get_by_role("button", name="Camera").click()
    assert tab.locator("video").count() == 0
    assert box.scans.count() == 1

    # The customer's picture finds the order, and then the phone is read.
    stock.receive(outlet.pk, {phone.pk: 1}, act(), {phone.pk: [(number,)]})
    order = create_order(phone.stock_levels.select_related("outlet", "phone").get(outlet=outlet), state="ready")
    tab.goto(f"{outlet.code}/find/")
    for code, said in ((order.number + order.pickup_code, "Pickup code shown."), (number, "That is the phone.")):
        tab.get_by_role("button", name="Camera").click()
        with tab.expect_navigation():
            tab.evaluate(f"window.code = '{code}'")
        tab.locator("main", has_text=said).wait_for()


def test_by_keyboard_alone_and_without_script(
    browser: Browser, live_server: object, outlet: Outlet, phone: Phone
) -> None:
    context = browser.new_context(java_script_enabled=False, viewport={"width": 360, "height": 740})
    context.set_default_timeout(10_000)
    let_in(context, live_server, sign_in(create_person(Role.CLERK, outlet)))
    tab, box = context.new_page(), open_box(outlet, phone)
    tab.goto(f"{live_server}/en/desk/{outlet.code}/boxes/{box.pk}/")
    numbers = [create_unit()[0] for _ in range(3)]
    for number in [*numbers, numbers[0]]:
        tab.locator("input:focus").wait_for()
        tab.keyboard.type(number)
        with tab.expect_navigation():
            tab.keyboard.press("Enter")
    assert "in this box already: phone 1" in tab.locator("#said").inner_text()
    button = tab.get_by_role("button", name="Put 3 phones on the shelf")
    button.focus()
    with tab.expect_navigation():
        tab.keyboard.press("Enter")
    assert StockLevel.objects.get(outlet=outlet, phone=phone).on_hand == 3
    context.close()


def send_two(outlet: Outlet, phone: Phone) -> Transfer:
    sender = create_stock(phone=phone, on_hand=9)
    asked = transfers.request(sender.outlet_id, outlet.pk, {phone.pk: 2}, act())
    transfers.approve(asked.pk, act())
    return transfers.send(asked.pk, {phone.pk: 2}, act())


# Each state is seen in both, at the two widths in turn.
LOOKS = [("", 320, "dark"), ("/large/en", 320, "light")]
WIDTHS = {"": (320, 360), "/large/en": (320, 1280)}


@pytest.mark.parametrize("tab", LOOKS, indirect=True, ids=["dark", "large-en-light"])
def test_every_state_can_be_read_and_is_light(
    tab: Tab, request: pytest.FixtureRequest, outlet: Outlet, phone: Phone, catalogue: Catalogue
) -> None:
    findings = listen(tab)
    widths = cycle(WIDTHS[request.node.callspec.params["tab"][0]])
    for each in catalogue.listed:
        create_stock(outlet=outlet, phone=each, on_hand=20, reserved=3)
        create_stock(outlet=create_outlet(latitude=38.2), phone=each, on_hand=7)
    arriving = boxes.open_transfer(send_two(outlet, phone), Box.Purpose.ARRIVING, "person:1")
    asked = transfers.request(outlet.pk, create_outlet().pk, {phone.pk: 2}, act())

    def look(name: str) -> None:
        width = next(widths)
        tab.set_viewport_size({"width": width, "height": 740})
        findings.extend(f"{name}: {finding}" for finding in examine(tab, width))
        if (size := weight(tab.content())) > FIRST_VIEW_BYTES:
            findings.append(f"{name}: {size} bytes")

    def go(name: str, path: str) -> None:
        tab.goto(f"{outlet.code}/{path}")
        look(name)

    def submit(name: str, selector: str) -> None:
        follow(tab.locator(selector))
        look(name)

    for name in ("stock", f"stock/{phone.slug}", f"stock/{phone.slug}/nearby", "receive", "transfers", "adjust"):
        go(name, f"{name}/")
    box = boxes.open_delivery(outlet.pk, "LS-1", "person:1")
    boxes.choose_phone(box.pk, phone.pk, has_pairs=True)
    go("empty box", f"boxes/{box.pk}/")
    unit = create_unit(second=True)
    for name, number in (("waits for the second", unit[0]), ("refused", "123"), ("paired", unit[1])):
        before = tab.locator("#said").inner_text()
        tab.locator("#number").fill(number)
        tab.keyboard.press("Enter")
        tab.wait_for_function("before => document.getElementById('said').innerText !== before", arg=before)
        look(name)
    boxes.drop(box.pk, "person:1")
    go("thrown away", f"boxes/{box.pk}/")
    boxes.scan(arriving.pk, create_unit()[0])
    go("arriving short", f"boxes/{arriving.pk}/")
    go("asked of us", f"transfers/{asked.pk}/")
    submit("agreed to", 'form[action*="approve"] button')
    go("sell", "sell/")
    tab.locator("#number").fill("123")
    submit("not sold", "main form [type=submit]")
    tab.locator("#number").fill(create_unit()[0])
    submit("which phone", "main form [type=submit] >> nth=0")
    tab.locator("#phone").select_option(phone.slug)
    submit("found", "main form [type=submit] >> nth=0")
    submit("sold", 'button[value="cash"]')
    tab.locator("#mobile").fill("123")
    submit("no number", 'form[action*="send"] button')
    go("adjust", "adjust/")
    submit("nothing to adjust", "main form button")
    assert findings == []
