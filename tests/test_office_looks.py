"""Head office in Chromium: outlets opened by the hundred, and pages that anybody can read and use."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
from django.conf import settings
from playwright.sync_api import Browser, BrowserContext, Page
from pytest_django.live_server_helper import LiveServer

from office.import_queue import apply_waiting
from office.models import OfficeRole, OutletImport
from stores.maps import draw_maps
from stores.models import Outlet, Region
from tests.factories import create_outlet, create_region, create_timetable
from tests.office import office_client
from tests.order_factories import create_order, create_shelf
from tests.test_accessibility import AXE, AXE_OPTIONS, listen
from tests.test_outlet_import import as_csv, as_xlsx, row

PICTURES = settings.BASE_DIR / "docs" / "screenshots"


@pytest.fixture
def context(live_server: LiveServer, browser: Browser) -> Iterator[BrowserContext]:
    """A browser in which somebody with every role is signed in."""
    client = office_client(*OfficeRole)
    context = browser.new_context(viewport={"width": 1280, "height": 900}, base_url=live_server.url)
    cookie = client.cookies[settings.SESSION_COOKIE_NAME]
    context.add_cookies([{"name": cookie.key, "value": cookie.value, "url": live_server.url}])
    yield context
    context.close()


def take(tab: Page, name: str, request: pytest.FixtureRequest) -> None:
    if request.config.getoption("--write-docs"):
        tab.screenshot(path=PICTURES / f"{name}.png")


def three_hundred(*, wrong: bool) -> list[list[str]]:
    """Three hundred outlets over the towns of ten counties; seven of them with something to put right."""
    rows = []
    for number in range(300):
        town = f"1308{21 + number // 30:02d}{100 + number % 3:03d}"
        values = {"town_code": town, "code": f"{town}-{number % 30 // 3 + 1:02d}"}
        values |= {"latitude": f"{40 + number // 20 / 6:.3f}", "longitude": f"{115.5 + number % 20 / 8:.3f}"}
        rows.append(row(number, **values))
    if wrong:
        for at, place in ((10, 6), (50, 2), (90, 8), (130, 0), (170, 7), (210, 9), (250, 1)):
            rows[at][place] = "" if place == 2 else "?"
    return rows


@pytest.mark.django_db(transaction=True)
def test_three_hundred_outlets_are_opened_and_customers_find_them(
    context: BrowserContext, tmp_path: Path, request: pytest.FixtureRequest
) -> None:
    create_timetable(slug="every-day")
    for county in range(21, 31):
        for town in range(100, 103):
            create_region(f"1308{county}{town}")
    Region.objects.filter(code="130826101").update(
        name_zh="凤山镇", name_pinyin="Fengshan Zhen", name_en="Fengshan Town"
    )
    for step in range(80):
        create_outlet(town=Region.objects.get(code="130821100"), latitude=30 + step % 9, longitude=100 + step % 17)
    draw_maps()
    tab = context.new_page()
    said = listen(tab)
    tab.goto("/en/admin/")
    tab.get_by_role("navigation", name="Main").get_by_role("link", name="Open outlets").click()

    wrong = tmp_path / "three-hundred.csv"
    wrong.write_bytes(as_csv(three_hundred(wrong=True)))
    tab.set_input_files("input[type=file]", wrong)
    tab.get_by_role("button", name="Look at it").click()
    assert {int(each) for each in tab.locator("tbody th").all_inner_texts()} == {12, 52, 92, 132, 172, 212, 252}
    take(tab, "office-import-wrong", request)
    assert not Outlet.objects.filter(code__startswith="130826").exists()

    tab.get_by_role("link", name="Another file").click()
    right = tmp_path / "three-hundred.xlsx"
    right.write_bytes(as_xlsx(three_hundred(wrong=False)))
    tab.set_input_files("input[type=file]", right)
    tab.get_by_role("button", name="Look at it").click()
    assert tab.get_by_text("New outlets in red: 300").is_visible()
    take(tab, "office-import-map", request)
    tab.get_by_role("button", name="Apply exactly this").click()
    assert tab.get_by_text("It is about to begin.").is_visible()
    take(tab, "office-import-steps", request)
    apply_waiting()
    # The page sees by itself that it is done.
    tab.get_by_text("300 rows: 300 new").wait_for()

    tab.goto("/outlets/?q=fengshan")
    assert tab.get_by_text("新店151").is_visible()
    take(tab, "office-import-finder", request)
    assert OutletImport.objects.filter(applied_at__isnull=False).count() == 1
    assert said == []


PAGES = [
    "", "stores/outlet/", "stores/outlet/{outlet}/change/", "stores/person/", "stores/person/add/",
    "catalog/phone/{phone}/change/", "catalog/phone/add/", "partners/apikey/add/", "trail/", "find/", "import/",
    "jobs/", "outlets/{code}/state/", "outlets/{code}/books/", "orders/{order}/",
]  # fmt: skip
LOOKS = [(360, "/admin/", "light"), (1280, "/en/admin/", "dark")]


@pytest.mark.django_db(transaction=True)
def test_axe_finds_nothing_and_nothing_sticks_out(context: BrowserContext, request: pytest.FixtureRequest) -> None:
    shelf = create_shelf(on_hand=3)
    order = create_order(shelf)
    names = {"outlet": shelf.outlet_id, "phone": shelf.phone_id, "code": shelf.outlet.code, "order": order.number}
    findings: list[str] = []
    tab = context.new_page()
    said = listen(tab)
    for width, prefix, colours in LOOKS:
        tab.set_viewport_size({"width": width, "height": 800})
        tab.emulate_media(color_scheme=colours)
        for path in PAGES:
            answer = tab.goto(prefix + path.format(**names))
            assert answer
            assert answer.status == 200, path
            # axe sets styles of its own, which the CSP refuses and the console tells.
            findings += [f"{path}: {each}" for each in said]
            found = [
                f"{each['id']}: {each['nodes'][0]['html'][:120]}"
                for each in AXE.run(tab, options=AXE_OPTIONS).response["violations"]
            ]
            if (across := tab.evaluate("document.documentElement.scrollWidth")) > width + 1:
                found.append(f"{across} px wide")
            findings += [f"{path}, {width} px, {colours}: {each}" for each in found]
            said.clear()
            if path in ("", "stores/outlet/", "outlets/{code}/state/", "orders/{order}/") and width == 1280:
                take(tab, f"office-{path.partition('/')[0] or 'index'}-{width}", request)
            elif path == "":
                take(tab, f"office-index-{width}", request)
    assert findings == [], "\n".join(findings)


@pytest.mark.django_db(transaction=True)
def test_a_choice_among_thousands_is_typed(context: BrowserContext) -> None:
    create_region("130826101")
    create_timetable(slug="every-day")
    tab = context.new_page()
    said = listen(tab)
    tab.goto("/en/admin/stores/outlet/add/")

    tab.locator(".field-town .select2-selection").click()
    tab.locator(".select2-search__field").fill("130826101")
    tab.locator(".select2-results__option", has_text="130826101").click()

    assert tab.locator("#id_town").input_value() == "130826101"
    assert said == []
