"""Pictures of reports for the docs, of a demo country. Collected only with --write-docs."""

from __future__ import annotations

import pytest
from django.conf import settings
from django.core.management import call_command
from playwright.sync_api import Browser

from office.models import OfficeRole
from office.run_out import foresee_run_out
from stores.models import Outlet
from tests.office import office_client
from tests.test_desk_looks import let_in

FOLDER = settings.BASE_DIR / "docs" / "screenshots"
DAYS = 35
pytestmark = pytest.mark.django_db(transaction=True)


def test_take_pictures(browser: Browser, live_server: object) -> None:
    call_command("load_demo")
    call_command("load_history", days=DAYS)
    foresee_run_out()
    FOLDER.mkdir(parents=True, exist_ok=True)
    outlet = Outlet.objects.open().with_prefix("130826").order_by("code")[0]
    pages = {
        "country": "/en/reports/",
        "province": "/en/reports/130000/",
        "county": "/reports/130826/",
        "outlet": f"/en/reports/outlets/{outlet.code}/",
        "days": "/reports/130000/?show=sold&by=day",
        "waiting": "/en/reports/130000/?show=waiting",
        "run-out": "/reports/run-out/130800/",
    }
    for width in (360, 1280):
        context = browser.new_context(viewport={"width": width, "height": 900}, base_url=str(live_server))
        let_in(context, live_server, office_client(OfficeRole.NETWORK))
        tab = context.new_page()
        for name, address in pages.items():
            tab.goto(address)
            tab.screenshot(path=FOLDER / f"report-{name}-{width}.png")
        context.close()
