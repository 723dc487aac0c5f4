"""The counter's pages in a browser: in every state axe finds nothing, and keyboard with scanner are enough."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from itertools import cycle

import pytest
from playwright.sync_api import Browser, Page

from orders import refunds
from orders.models import Order, Payment, State
from stores import stock, transfers
from stores.models import HandsetEvent, Role, StockLevel
from tests.desk import create_person, sign_in
from tests.factories import act, create_outlet, create_unit
from tests.order_factories import create_order, create_shelf
from tests.test_accessibility import examine
from tests.test_desk_looks import let_in

pytestmark = pytest.mark.django_db(transaction=True)

# Each state is seen in both, at the two widths in turn.
LOOKS = [("/desk", (320, 1280), "light"), ("/large/en/desk", (360, 320), "dark")]


@pytest.fixture
def shelf(live_server: object) -> StockLevel:
    return create_shelf(create_outlet(code="130826100-01", name_zh="丰宁县大阁镇营业厅"), on_hand=9)


Open = Callable[..., Page]


@pytest.fixture
def open_desk(browser: Browser, live_server: object, shelf: StockLevel) -> Iterator[Open]:
    """Opens the desk's browser for a manager of the outlet."""
    contexts = []

    def open_desk(width: int = 360, colours: str = "light", script: bool = True) -> Page:
        context = browser.new_context(
            base_url=str(live_server), viewport={"width": width, "height": 740}, color_scheme=colours,
            java_script_enabled=script,
        )  # fmt: skip
        contexts.append(context)
        let_in(context, live_server, sign_in(create_person(Role.MANAGER, shelf.outlet)))
        tab = context.new_page()
        tab.set_default_timeout(30_000)
        return tab

    yield open_desk
    for context in contexts:
        context.close()


def scan(tab: Page, digits: str) -> None:
    """What a scanner does: digits into whatever has the focus, then Enter."""
    tab.locator("input:focus").wait_for()
    tab.keyboard.type(digits)
    with tab.expect_navigation():
        tab.keyboard.press("Enter")


@pytest.mark.parametrize(("prefix", "widths", "colours"), LOOKS)
def test_pages_in_every_state_can_be_read_by_everybody(
    open_desk: Open, shelf: StockLevel, prefix: str, widths: tuple[int, int], colours: str
) -> None:
    tab, here, turns = open_desk(colours=colours), f"{prefix}/{shelf.outlet.code}", cycle(widths)
    orders = [create_order(shelf, state=state) for state in ("placed", "collected", "declined")]
    ready = create_order(shelf, 2, state="ready")
    findings = []

    def look(what: str) -> None:
        width = next(turns)
        tab.set_viewport_size({"width": width, "height": 740})
        findings.extend(f"{what}: {finding}" for finding in examine(tab, width))

    for order in orders:
        for rest in ("", "decline/", "receipt/"):
            tab.goto(f"{here}/orders/{order.number}/{rest}")
            look(f"{order.state} {rest}")
    tab.goto(f"{here}/find/")
    scan(tab, "000000")
    look("nothing found")
    scan(tab, ready.mobile[3:])
    tab.locator("#imei-1-1").fill("490154203237519")
    with tab.expect_navigation():
        tab.locator("button[value=cash]").click()
    look("wrong phone, no code")
    tab.goto(f"{here}/orders/{orders[0].number}/decline/")
    with tab.expect_navigation():
        tab.locator("main button").click()
    look("no reason")
    other = create_shelf(shelf.outlet)
    tab.goto(f"{here}/stocktake/")
    scan(tab, "123")
    look("no IMEI")
    tab.locator(f"#count-{shelf.phone_id}").fill("1")
    tab.locator(f"#count-{other.phone_id}").fill("x")
    with tab.expect_navigation():
        tab.locator("form:has(ul) button").click()
    look("half noted")
    tab.goto(f"{here}/stocktake/differences/")
    with tab.expect_navigation():
        tab.locator("main .choices button").click()
    look("no reason for a difference")
    tab.goto(f"{here}/new-order/")
    tab.locator(f"#quantity-{shelf.phone_id}").fill("50")
    tab.locator("#name").fill("刘桂英")
    with tab.expect_navigation():
        tab.locator("form:has(ul) button").click()
    look("no mobile number")
    tab.locator("#mobile").fill("13800138000")
    with tab.expect_navigation():
        tab.locator("form:has(ul) button").click()
    look("not so many")
    tab.locator(f"#quantity-{shelf.phone_id}").fill("1")
    with tab.expect_navigation():
        tab.locator("form:has(ul) button").click()
    look("ordered for a caller")
    number = create_unit()[0]
    stock.receive(shelf.outlet_id, {shelf.phone_id: 1}, act(), {shelf.phone_id: [(number,)]})
    tab.goto(f"{here}/sell/")
    scan(tab, number)
    look("a phone to be sold")
    with tab.expect_navigation():
        tab.locator("button[value=card]").click()
    look("receipt of a walk-in sale")
    tab.goto(f"{here}/take-back/")
    scan(tab, number)
    look("a phone to be taken back")
    tab.locator("#amount").fill("1000")
    tab.locator("#reason").fill("x")
    with tab.expect_navigation():
        tab.locator("button[value=card]").click()
    look("more than was paid")
    tab.locator("#amount").fill("200")
    with tab.expect_navigation():
        tab.locator("button[value=card]").click()
    assert "/refunds/" in tab.url
    look("receipt of a refund")
    wanted = {shelf.phone_id: 2, other.phone_id: 1}
    coming = transfers.request(create_outlet().pk, shelf.outlet_id, wanted, act())
    tab.goto(f"{here}/transfers/{coming.pk}/")
    look("a transfer of several phones")
    assert findings == []


@pytest.mark.parametrize("script", [True, False])
def test_keyboard_and_scanner_hand_an_order_over(open_desk: Open, shelf: StockLevel, script: bool) -> None:
    order, imei = create_order(shelf, state="ready"), create_unit()[0]
    tab = open_desk(script=script)
    tab.goto(f"/en/desk/{shelf.outlet.code}/find/")

    scan(tab, order.number + order.pickup_code)
    # Enter after the scan only looks: nobody has paid yet.
    scan(tab, imei)
    assert "That is the phone." in tab.locator("main").inner_text()
    assert Order.objects.get(number=order.number).state == State.READY
    tab.keyboard.press("Tab")
    assert tab.locator(":focus").inner_text() == "cash"
    with tab.expect_navigation():
        tab.keyboard.press("Enter")

    assert "Handed over and paid." in tab.locator("main").inner_text()
    assert imei in tab.locator(".receipt").inner_text()
    assert Payment.objects.get().method == "cash"
    assert tab.locator("[data-print]").is_visible() is script


def test_a_receipt_fits_a_roll_of_80_mm(open_desk: Open, shelf: StockLevel) -> None:
    tab, order = open_desk(), create_order(shelf, 2, state="collected")
    unit = tuple(HandsetEvent.objects.first().handset.numbers.values_list("number", flat=True))
    back = refunds.take_back(shelf.outlet_id, shelf.phone_id, unit, act(), method="cash", amount_fen=100)
    tab.emulate_media(media="print")
    for page in (f"orders/{order.number}/receipt", f"refunds/{shelf.phone.slug}/{back.back_seq}"):
        tab.goto(f"/desk/{shelf.outlet.code}/{page}/")

        millimetres = tab.locator("main").bounding_box()["width"] / 96 * 25.4
        assert millimetres <= 72.1
        assert not tab.locator("header, nav, footer, .screen").filter(visible=True).count()
        assert tab.pdf(prefer_css_page_size=True).count(b"/Type /Page\n") == 1
