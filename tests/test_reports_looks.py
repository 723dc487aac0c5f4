"""Reports in a browser: axe finds nothing, nothing sticks out, they are light; links lead from country to outlet."""

from __future__ import annotations

import gzip
from pathlib import Path

import pytest
from django.conf import settings
from django.test import Client
from django.utils import timezone
from playwright.sync_api import Browser, ConsoleMessage

from catalog.catalogue import Catalogue
from office.models import Forecast, OfficeRole, Proposal
from office.rollup import roll_up_all
from office.run_out import foresee_run_out
from stores import stock
from stores.models import Outlet, Role, Transfer
from tests.browser import follow
from tests.desk import create_person, sign_in
from tests.factories import act, create_region
from tests.history import create_outlets_with_past
from tests.office import office_client
from tests.test_accessibility import examine, in_turn
from tests.test_desk_looks import FIRST_VIEW_BYTES, HEADER_BYTES, LOOKS, let_in

pytestmark = pytest.mark.django_db(transaction=True)

FILES = ("desk.css", "office.css", "reports.css")
PAGES = (
    "/reports/",
    "/reports/?show=stock&by=day",
    "/reports/130000/?show=cover&days=90",
    "/reports/130121/?show=waiting",
    "/reports/outlets/130121100-01/?show=lapsed&by=phone",
    "/reports/outlets/130121100-01/?by=day",
    "/reports/run-out/",
)


@pytest.fixture
def member(live_server: object, catalogue: Catalogue) -> Client:
    """Somebody of head office; there is a past."""
    create_outlets_with_past(catalogue, days=40)
    roll_up_all(timezone.now())
    foresee_run_out()
    return office_client(OfficeRole.NETWORK)


def test_every_kind_of_page_can_be_read_by_everybody(browser: Browser, live_server: object, member: Client) -> None:
    findings: list[str] = []

    def hear(message: ConsoleMessage) -> None:
        if message.type == "error":
            findings.append(message.text)

    for look, (prefix, width, colours) in enumerate(LOOKS):
        context = browser.new_context(viewport={"width": width, "height": 740}, color_scheme=colours)
        let_in(context, live_server, member)
        tab = context.new_page()
        tab.on("console", hear)
        for number, page in enumerate(PAGES):
            if not in_turn(number, look):
                continue
            tab.goto(f"{live_server}{prefix}{page}")
            findings += [f"{prefix}{page} {width}: {finding}" for finding in examine(tab, width)]
            assert tab.locator("h1").count() == 1, page
        context.close()
    assert findings == []


def test_every_page_is_light(member: Client) -> None:
    """In bytes as sent, style included, which later pages find in the browser."""
    files = sum(len(gzip.compress((Path(settings.BASE_DIR) / "static" / name).read_bytes())) for name in FILES)
    for prefix in ("", "/large/en"):
        for page in PAGES:
            size = len(gzip.compress(member.get(prefix + page).content))
            assert size + files + HEADER_BYTES <= FIRST_VIEW_BYTES, f"{page}: {size} beside {files} of files"


def sold_out_beside_plenty() -> Proposal:
    """Let the shelf that sells best be empty, and its neighbour have plenty; return what is proposed then."""
    best = Forecast.objects.filter(county_code__startswith="13").order_by("-enough", "outlet", "phone")[0]
    neighbour = Outlet.objects.filter(county_code=best.county_code).exclude(pk=best.outlet_id)[0]
    stock.receive(neighbour.pk, {best.phone_id: 30}, act())
    if best.on_hand:
        stock.adjust(best.outlet_id, {best.phone_id: -best.on_hand}, act(reason="gone"))
    roll_up_all(timezone.now())
    foresee_run_out()
    return Proposal.objects.get(kind="transfer", receiver=best.outlet_id, phone=best.phone_id)


def test_from_the_country_to_an_outlet_and_to_a_transfer_without_script(
    browser: Browser, live_server: object, member: Client
) -> None:
    context = browser.new_context(java_script_enabled=False, viewport={"width": 360, "height": 740})
    let_in(context, live_server, sign_in(create_person(Role.REGION_MANAGER, create_region("130000"))))
    tab = context.new_page()
    tab.goto(f"{live_server}/en/reports/")
    assert tab.url.endswith("/en/reports/130000/")

    for code in ("130100", "130121"):
        follow(tab.locator(f"table a[href*='/{code}/']"))
    outlet = Outlet.objects.get(code="130121100-01")
    follow(tab.get_by_role("link", name=outlet.name_en, exact=True))
    assert outlet.name_en in tab.locator("h1").inner_text()
    follow(tab.get_by_role("link", name="day", exact=True))
    assert tab.locator("svg.chart").count() == 1

    proposal = sold_out_beside_plenty()
    tab.goto(f"{live_server}/en/reports/run-out/{proposal.county_code}/?kind=transfer")
    follow(tab.locator(f"button[value='{proposal.pk}']"))
    assert "is asked for" in tab.locator("[role=status]").inner_text()
    assert Transfer.objects.get().lines.get().requested == proposal.quantity
    context.close()
