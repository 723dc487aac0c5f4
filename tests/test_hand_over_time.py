"""How long a clerk needs to hand a normal order over: what is typed, pressed and scanned, and how long pages take."""

from __future__ import annotations

import time
from dataclasses import dataclass, field

import pytest
from playwright.sync_api import Browser
from playwright.sync_api import Page as Tab

from catalog.catalogue import Catalogue
from orders.models import Order
from stores import stock
from stores.models import Role
from tests.browser import follow
from tests.desk import create_person, sign_in
from tests.factories import act, create_outlet, create_region, create_unit
from tests.order_factories import create_order, create_shelf
from tests.test_desk_looks import let_in

# Seconds that people take, by the keystroke-level model (Card, Moran and Newell, 1980): a key for somebody who types
# seldom, reaching for a place on the screen, and making up one's mind before each step.
KEY, REACH, THINK = 0.28, 1.1, 1.35
# A scanner types by itself; somebody takes it and aims.
AIM = 2.0
SECONDS, INPUTS = 60, 4


@dataclass
class Clerk:
    """Somebody at the counter, whose movements are added up instead of waited for."""

    tab: Tab
    seconds: float = 0
    inputs: list[str] = field(default_factory=list)

    def press(self, label: str) -> None:
        """Press a link or a button."""
        self.seconds += THINK + REACH
        began = time.monotonic()
        follow(self.tab.locator("main, nav").locator("a, button").get_by_text(label, exact=True).first)
        self.seconds += time.monotonic() - began

    def type(self, what: str, text: str) -> None:
        """Type into the field that has the focus, and press Enter."""
        self.seconds += THINK + KEY * (len(text) + 1)
        self._send(what, text)

    def scan(self, what: str, text: str) -> None:
        self.seconds += THINK + AIM
        self._send(what, text)

    def _send(self, what: str, text: str) -> None:
        self.inputs.append(what)
        began = time.monotonic()
        self.tab.locator("input:focus").wait_for()
        self.tab.keyboard.type(text)
        with self.tab.expect_navigation():
            self.tab.keyboard.press("Enter")
        self.seconds += time.monotonic() - began


@pytest.mark.django_db(transaction=True)
def test_a_normal_order_is_handed_over_in_a_minute_with_four_inputs(
    browser: Browser, live_server: object, catalogue: Catalogue, record_property
) -> None:
    outlet = create_outlet(town=create_region("130826100"))
    shelf = create_shelf(outlet, phone=catalogue.listed[0], on_hand=1)
    unit = create_unit()
    stock.receive(outlet.pk, {shelf.phone_id: 1}, act(), {shelf.phone_id: [unit]})
    order = create_order(shelf, state="ready")
    context = browser.new_context(viewport={"width": 360, "height": 740}, base_url=f"{live_server}/en/desk/")
    context.set_default_timeout(20_000)
    let_in(context, live_server, sign_in(create_person(Role.CLERK, outlet)))
    clerk = Clerk(context.new_page())
    clerk.tab.goto(f"{outlet.code}/")

    clerk.press("Find an order")
    clerk.type("pickup code", order.pickup_code)
    clerk.scan("IMEI", unit[0])
    clerk.inputs.append("payment")
    clerk.press("cash")

    assert "Handed over and paid." in clerk.tab.locator("main").inner_text()
    assert Order.objects.get(number=order.number).state == "collected"
    context.close()
    record_property("seconds", round(clerk.seconds, 1))
    assert len(clerk.inputs) <= INPUTS, clerk.inputs
    assert clerk.seconds < SECONDS
