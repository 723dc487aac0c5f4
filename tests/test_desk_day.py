"""A day at the desk in Chromium, from the first delivery to the count in the evening; the books add up all along."""

from __future__ import annotations

from collections.abc import Callable, Iterator

import pytest
from playwright.sync_api import Browser, Page

from catalog.catalogue import Catalogue
from catalog.models import Phone
from orders.models import Order, Payment
from stores.audit import disagreements
from stores.models import Handset, Outlet, Person, Role, StockLevel
from stores.search import index_places
from tests.browser import follow
from tests.desk import PASSWORD, create_person
from tests.factories import create_outlet, create_region, create_unit

pytestmark = pytest.mark.django_db(transaction=True)

Open = Callable[[], Page]


@pytest.fixture(params=[False, True], ids=["without script", "with script"])
def open_tab(request: pytest.FixtureRequest, browser: Browser, live_server: object) -> Iterator[Open]:
    """Opens the telephone of one more person."""
    contexts = []

    def open_tab() -> Page:
        context = browser.new_context(
            base_url=str(live_server), viewport={"width": 360, "height": 740}, java_script_enabled=request.param
        )
        context.set_default_timeout(30_000)
        contexts.append(context)
        return context.new_page()

    yield open_tab
    for context in contexts:
        context.close()


@pytest.fixture
def outlet(live_server: object) -> Outlet:
    county = create_region(
        "130826", name_zh="丰宁满族自治县", name_pinyin="Fengning", name_en="Fengning", outlet_count=2
    )
    town = create_region("130826100", name_zh="大阁镇", name_en="Dage", parent=county, outlet_count=2)
    outlet = create_outlet(town=town, code="130826100-01", name_zh="丰宁县大阁镇营业厅", name_en="Dage Store")
    index_places()
    return outlet


@pytest.fixture
def neighbour(outlet: Outlet) -> Outlet:
    return create_outlet(
        town=outlet.town, code="130826100-02", name_zh="丰宁县城东营业厅", name_en="East Store", latitude=38.1
    )


@pytest.fixture
def phone(outlet: Outlet, catalogue: Catalogue) -> Phone:
    """The lowest-priced phone: the first one on the shop's home page."""
    return catalogue.listed[0]


def sign_in(tab: Page, person: Person, outlet: Outlet) -> Page:
    tab.goto(f"/en/desk/{outlet.code}/")
    tab.get_by_label("Name or mobile number").fill(person.username)
    tab.get_by_label("Password").fill(PASSWORD)
    follow(tab.get_by_role("button", name="Sign in"))
    return tab


def says(tab: Page, text: str) -> None:
    tab.locator("main", has_text=text).wait_for()


def scan(tab: Page, digits: str, answer: str) -> None:
    """What a scanner does, into whatever has the focus: digits and Enter. `answer` is what the page says then."""
    tab.locator("input:focus").wait_for()
    tab.keyboard.type(digits)
    tab.keyboard.press("Enter")
    says(tab, answer)


def open_page(tab: Page, name: str) -> None:
    follow(tab.get_by_role("navigation").get_by_role("link", name=name, exact=True))


def press(tab: Page, name: str) -> None:
    follow(tab.get_by_role("button", name=name))


def assert_books(on_hand: dict[Outlet, int]) -> None:
    """What `audit_stock` asks, and so many phones at each outlet."""
    assert list(disagreements()) == []
    levels = StockLevel.objects.filter(outlet__in=on_hand).values_list("outlet", "on_hand")
    assert dict(levels) == {outlet.pk: number for outlet, number in on_hand.items()}


def test_a_day_at_the_desk(open_tab: Open, outlet: Outlet, neighbour: Outlet, phone: Phone) -> None:
    numbers = [create_unit()[0] for _ in range(20)]
    clerk = sign_in(open_tab(), create_person(Role.CLERK, outlet), outlet)

    receive(clerk, phone, numbers)
    assert_books({outlet: 20})

    order = reserve(open_tab(), outlet)
    assert_books({outlet: 20})

    set_aside(clerk, order)
    hand_over(clerk, order, numbers[0])
    assert_books({outlet: 19})

    sell(clerk, numbers[1])
    assert_books({outlet: 18})
    take_back(clerk, numbers[1])
    assert_books({outlet: 19})
    sell(clerk, numbers[1])
    assert_books({outlet: 18})

    east = sign_in(open_tab(), create_person(Role.CLERK, neighbour), neighbour)
    ask_for_three(east, phone)
    manager = sign_in(open_tab(), create_person(Role.MANAGER, outlet), outlet)
    agree(manager)
    send(clerk, numbers[2:5])
    assert_books({outlet: 15})
    receive_short(east, numbers[2:4])
    assert_books({outlet: 15, neighbour: 2})

    count_all_but_one(clerk, phone, numbers[5:19], missing=numbers[19])
    assert_books({outlet: 14, neighbour: 2})
    states = {state: Handset.objects.filter(state=state).count() for state in ("on_shelf", "sold")}
    assert states == {"on_shelf": 16, "sold": 2}


def receive(tab: Page, phone: Phone, numbers: list[str]) -> None:
    open_page(tab, "Receive")
    tab.get_by_label("Number of the delivery note").fill("LS-20261122")
    press(tab, "Begin to scan")
    tab.get_by_label("Phone", exact=True).first.select_option(phone.slug)
    tab.get_by_label("Scan both numbers of each").uncheck()
    tab.get_by_role("button", name="Scan this phone").click()
    says(tab, f"Now: {phone.name_en}.")
    tab.locator("#number").focus()
    for place, number in enumerate(numbers, start=1):
        scan(tab, number, f"Phone {place}:")
    scan(tab, numbers[6], "is in this box already: phone 7")
    assert not StockLevel.objects.exists()
    press(tab, "Put 20 phones on the shelf")
    says(tab, "Received: 20 phones.")


def reserve(tab: Page, outlet: Outlet) -> Order:
    """What a customer does on the shop's pages; returns the order, whose code is on the customer's page."""
    tab.goto("/en/")
    follow(tab.locator("main ul.shelf a").first)
    follow(tab.get_by_role("link", name="Reserve it"))
    tab.get_by_label("Where are you? Town, county or shop").fill("fengning")
    press(tab, "Find")
    follow(tab.get_by_role("link", name="Collect here"))
    tab.get_by_label("Your name").fill("王小明")
    tab.get_by_label("Mobile number").fill("138 0013 8000")
    tab.locator("#consent").check()
    follow(tab.locator("main form button").last)
    order = Order.objects.get()
    assert order.outlet == outlet
    assert tab.locator(".code b").inner_text().replace(" ", "") == order.pickup_code
    return order


def set_aside(tab: Page, order: Order) -> None:
    open_page(tab, "Today")
    follow(tab.get_by_role("link", name=order.spoken_number))
    press(tab, "Set aside")
    says(tab, "Set aside. The customer gets a text message.")


def hand_over(tab: Page, order: Order, number: str) -> None:
    open_page(tab, "Find an order")
    scan(tab, order.pickup_code, "Pickup code shown.")
    scan(tab, number, "That is the phone.")
    press(tab, "cash")
    says(tab, "Handed over and paid.")
    assert number in tab.locator(".receipt").inner_text()
    assert Payment.objects.get().amount_fen == order.due_fen


def sell(tab: Page, number: str) -> None:
    open_page(tab, "Sell")
    scan(tab, number, number)
    press(tab, "cash")
    says(tab, "Sold and paid:")
    assert number in tab.locator(".receipt").inner_text()


def take_back(tab: Page, number: str) -> None:
    open_page(tab, "Sell")
    follow(tab.get_by_role("link", name="Take a phone back"))
    scan(tab, number, "Paid 299 yuan, cash")
    tab.get_by_label("Why").fill("for the wrong card")
    press(tab, "cash")
    says(tab, "Given back 299 yuan, cash")


def ask_for_three(tab: Page, phone: Phone) -> None:
    open_page(tab, "Stock")
    follow(tab.get_by_role("link", name=phone.name_en))
    follow(tab.get_by_role("link", name="Who has it nearby"))
    tab.get_by_label("How many to ask for").fill("3")
    press(tab, "Ask for it Dage Store")
    says(tab, "Asked Dage Store for 3")


def agree(tab: Page) -> None:
    open_page(tab, "Transfers")
    follow(tab.get_by_role("link", name="to East Store"))
    press(tab, "Agree to send it")
    says(tab, "It can be packed now.")


def send(tab: Page, numbers: list[str]) -> None:
    open_page(tab, "Transfers")
    follow(tab.get_by_role("link", name="to East Store"))
    press(tab, "Pack it")
    for place, number in enumerate(numbers, start=1):
        scan(tab, number, f"Phone {place}:")
    press(tab, "Send 3 phones on their way")
    says(tab, "3 phones are on their way.")


def receive_short(tab: Page, numbers: list[str]) -> None:
    open_page(tab, "Receive")
    follow(tab.get_by_role("link", name="Dage Store"))
    press(tab, "It has arrived: unpack it")
    for place, number in enumerate(numbers, start=1):
        scan(tab, number, f"Phone {place}:")
    says(tab, "One of those that were sent is missing.")
    press(tab, "Put 2 phones on the shelf")
    says(tab, "Received: 2 phones.")
    says(tab, "one missing")


def count_all_but_one(tab: Page, phone: Phone, numbers: list[str], missing: str) -> None:
    open_page(tab, "Count the shelf")
    for number in numbers:
        scan(tab, number, f"✓ {number}")
    follow(tab.get_by_role("link", name="Compare with the books: one phone"))
    says(tab, f"{phone.name_en} ! one missing")
    says(tab, f"Not seen: {missing}")
    tab.get_by_label("Why?").fill("missing, not known why")
    press(tab, "Book the count")
    says(tab, "Booked: one difference.")
