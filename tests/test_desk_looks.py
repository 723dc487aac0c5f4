"""The desk in a browser: axe finds nothing, nothing sticks out, it is light, and Today brings itself up to date."""

from __future__ import annotations

import gzip
import random
import re
from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path

import pytest
from django.conf import settings
from django.test import Client
from django.utils import timezone
from playwright.sync_api import Browser, BrowserContext

from catalog.catalogue import current_catalogue
from orders import desk_today, refunds, walk_in
from orders.models import Order, OrderLine, Payment, State
from orders.today import OnTheWay, OpenOrder, Shelf, Today
from stores.models import Outlet, Role, Transfer
from tests.browser import follow
from tests.desk import PASSWORD, create_person, fill, sign_in
from tests.desk_walk import doors, samples
from tests.factories import act, create_outlet, create_phone, create_region
from tests.order_factories import create_order, create_shelf
from tests.test_accessibility import examine, in_turn
from tests.test_desk_counter import shelf

pytestmark = pytest.mark.django_db(transaction=True)

FIRST_VIEW_BYTES = 14_600
# Headers of an answer.
HEADER_BYTES = 800
# Pages take turns: each is seen in light and dark, in Chinese and English, large and not.
LOOKS = [("", 360, "light"), ("/en", 320, "dark"), ("/large", 360, "light"), ("/large/en", 1280, "dark")]


@pytest.fixture
def outlet(live_server: object) -> Outlet:
    """An outlet where there is much to do."""
    outlet = create_outlet(
        town=create_region("130826100", name_zh="大阁镇"),
        name_zh="丰宁县大阁镇营业厅",
        name_en="Dage Store, Fengning County",
    )
    fill(outlet, 3)
    phone = create_phone(slug="walk")
    number, brought_back = shelf(outlet, phone, 2)
    walk_in.sell(outlet.pk, phone, (number,), act(), method=Payment.Method.CASH, amount_fen=phone.price_fen)
    walk_in.sell(outlet.pk, phone, (brought_back,), act(), method=Payment.Method.CASH, amount_fen=phone.price_fen)
    refunds.take_back(outlet.pk, phone.pk, (brought_back,), act(), method="cash", amount_fen=phone.price_fen)
    return outlet


@pytest.fixture
def context(browser: Browser, live_server: object) -> Iterator[BrowserContext]:
    context = browser.new_context(base_url=str(live_server), viewport={"width": 360, "height": 740})
    context.set_default_timeout(30_000)
    yield context
    context.close()


def let_in(context: BrowserContext, live_server: object, client: Client) -> None:
    """Give the browser the session of `client`."""
    value = client.cookies[settings.SESSION_COOKIE_NAME].value
    context.add_cookies([{"name": settings.SESSION_COOKIE_NAME, "value": value, "url": str(live_server)}])


def pages(outlet: Outlet) -> list[str]:
    """Return the addresses of all pages of the desk that can be read."""
    return [
        door.address(outlet.code, samples(outlet))
        for door in doors()
        if door.rule and (door.rule.reading or not door.rule.of_an_outlet) and door.name != "desk:sign_out"
    ]


@pytest.mark.parametrize("look", range(len(LOOKS)), ids=lambda look: "-".join(map(str, LOOKS[look])).strip("/"))
def test_every_page_can_be_read_by_everybody(browser: Browser, live_server: object, outlet: Outlet, look: int) -> None:
    prefix, width, colours = LOOKS[look]
    context = browser.new_context(viewport={"width": width, "height": 740}, color_scheme=colours)
    findings: list[str] = []
    tab = context.new_page()
    tab.on("console", lambda message: findings.append(message.text) if message.type == "error" else None)
    tab.goto(f"{live_server}{prefix}/desk/sign-in/")
    findings += examine(tab, width)
    let_in(context, live_server, sign_in(create_person(Role.MANAGER, outlet)))
    for number, page in enumerate(pages(outlet)):
        if not in_turn(number, look):
            continue
        tab.goto(f"{live_server}{prefix}{page}")
        findings += [f"{page}: {finding}" for finding in examine(tab, width)]
        assert tab.locator("h1").count() == 1, page
    context.close()
    assert findings == []


def test_every_page_is_light(live_server: object, outlet: Outlet) -> None:
    """In bytes as sent, style and script included, which later pages find in the browser."""
    client = sign_in(create_person(Role.MANAGER, outlet))
    for prefix in ("", "/large/en"):
        for page in pages(outlet):
            assert weight(client.get(prefix + page, follow=True).text) <= FIRST_VIEW_BYTES, page


def weight(html: str) -> int:
    """Return the bytes of a page and of the files that it names, compressed, with the headers of all answers."""
    files = set(re.findall(r"/static/([\w-]+\.(?:css|js))", html))
    assert {"desk.css", "desk.js"} <= files
    contents = [html.encode(), *(Path(settings.BASE_DIR / "static" / name).read_bytes() for name in files)]
    return sum(len(gzip.compress(content)) + HEADER_BYTES for content in contents)


def test_today_is_light_however_much_waits(outlet: Outlet, monkeypatch: pytest.MonkeyPatch) -> None:
    """As many orders of each kind as are told, for all phones, with every shelf in trouble, and more."""
    now, phones = timezone.now(), current_catalogue().listed
    draw = random.Random(5)

    def order(number: int) -> OpenOrder:
        placed = now - timedelta(minutes=draw.randrange(4000))
        order = Order(
            outlet=outlet, number=f"{draw.randrange(10**12):012}", name=draw.choice("王李张刘陈杨赵黄周吴") + "某",
            mobile=f"+86138{draw.randrange(10**8):08}", state=State.READY if number % 2 else State.PLACED,
            placed_at=placed, held_until=placed + timedelta(hours=70),
        )  # fmt: skip
        lines = [
            OrderLine(name_zh=each.name_zh, name_en=each.name_en, quantity=draw.randint(1, 2))
            for each in draw.sample(phones, 2)
        ]
        return OpenOrder(order, lines, now)

    def transfer(number: int) -> OnTheWay:
        transfer = Transfer(pk=draw.randrange(10**6), sender=outlet, receiver=outlet, state="requested")
        return OnTheWay(transfer, outlet, bool(number % 2), number, f"{number} minutes")

    orders = [order(number) for number in range(80)]
    shelves = [Shelf(phone, draw.randrange(9), draw.randrange(9), 1, 5) for phone in phones]
    much = Today(
        orders[::2], orders[1::2], shelves, shelves, [(phone, 3) for phone in phones],
        [transfer(number) for number in range(400)],
    )  # fmt: skip
    monkeypatch.setattr(desk_today, "today_at", lambda outlet, now: much)
    client = sign_in(create_person(Role.MANAGER, outlet))

    for prefix in ("", "/large/en"):
        page = client.get(f"{prefix}/desk/{outlet.code}/").text
        assert page.count('class="when"') >= 60 + 2 * len(phones)
        assert page.count(f"{outlet.code}/transfers/") == 1 + Today.most
        assert weight(page) <= FIRST_VIEW_BYTES


def test_a_clerk_signs_in_by_keyboard_and_without_script(browser: Browser, live_server: object, outlet: Outlet) -> None:
    person = create_person(Role.CLERK, outlet)
    context = browser.new_context(java_script_enabled=False, viewport={"width": 360, "height": 740})
    tab = context.new_page()
    tab.goto(f"{live_server}/en/desk/{outlet.code}/")

    # The field for the name has the focus: autofocus needs no script.
    tab.locator("input:focus").wait_for()
    tab.keyboard.type(person.username)
    tab.keyboard.press("Tab")
    tab.keyboard.type(PASSWORD)
    with tab.expect_navigation():
        tab.keyboard.press("Enter")

    assert tab.url == f"{live_server}/en/desk/{outlet.code}/"
    assert "waiting for" in tab.locator("main").inner_text()
    follow(tab.get_by_text("Show what is new"))
    assert tab.url == f"{live_server}/en/desk/{outlet.code}/"
    follow(tab.get_by_role("button", name="Sign out"))
    assert tab.url == f"{live_server}/en/desk/sign-in/"
    context.close()


def test_today_brings_itself_up_to_date_until_the_session_ends(
    context: BrowserContext, live_server: object, outlet: Outlet
) -> None:
    client = sign_in(create_person(Role.CLERK, outlet))
    let_in(context, live_server, client)
    shelf = create_shelf(outlet)
    tab = context.new_page()
    tab.clock.install()
    tab.goto(f"/en/desk/{outlet.code}/")
    figure = tab.locator("a[href='#aside'] b")
    before = int(figure.inner_text())
    tab.locator("a[href='#aside']").focus()

    create_order(shelf)
    with tab.expect_response(lambda answer: answer.status == 200):
        tab.clock.fast_forward(61_000)
    tab.wait_for_function(f"document.querySelector(\"a[href='#aside'] b\").textContent == {before + 1}")
    assert tab.evaluate("document.activeElement.getAttribute('href')") == "#aside"
    with tab.expect_response(lambda answer: answer.status == 304):
        tab.clock.fast_forward(61_000)

    client.post("/desk/sign-out/")
    with tab.expect_navigation(url="**/sign-in/**"):
        tab.clock.fast_forward(61_000)
