"""Reports: what head office and region managers see, equal to the ledger, in few statements, and nobody else's."""

from __future__ import annotations

import csv
import io
import re
from datetime import timedelta

import pytest
from django.db import connection
from django.http import HttpResponse
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.urls import URLPattern, reverse
from django.utils import timezone, translation

from catalog.catalogue import Catalogue
from catalog.csv_answers import harmless
from office import report_urls
from office.models import OfficeRole
from office.report_measures import MEASURES
from office.rollup import roll_up_all
from stores.models import Outlet, Person, Role
from tests import pages
from tests.desk import create_person, sign_in
from tests.factories import create_outlet, create_region
from tests.history import create_outlets_with_past
from tests.office import office_client, partner_client
from tests.pages import Page

MOST_STATEMENTS = 9
OUTLET = "130121100-01"


@pytest.fixture
def country(catalogue: Catalogue) -> Catalogue:
    create_outlets_with_past(catalogue, days=40)
    roll_up_all(timezone.now())
    return catalogue


def addresses() -> dict[str, str]:
    """An address of every page of reports, by its name."""
    with translation.override("en"):
        return {
            pattern.name: reverse(f"reports:{pattern.name}", args=arguments(pattern))
            for pattern in report_urls.urlpatterns
            if isinstance(pattern, URLPattern)
        }


def arguments(pattern: URLPattern) -> list[str]:
    """Something for what an address has beside its words: the outlet, or the county that it is in."""
    if "code" not in pattern.pattern.converters:
        return []
    return [OUTLET if "outlet_code" in str(pattern.pattern) else OUTLET[:6]]


def read(client: Client, address: str) -> Page:
    """Read a page as `tests.pages.read` does, signed in by a name that is of neither language."""
    Person.objects.update(name="2")
    return pages.read(client, address)


def sold_by_ledger(county: str = "", days: int = 28) -> int:
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT -sum(change_on_hand) FROM stores_stockmovement m JOIN stores_outlet o ON o.id = m.outlet_id "
            "WHERE kind IN ('handed_over', 'walk_in_sale', 'returned') AND o.county_code LIKE %s || '%%' "
            "AND (created_at AT TIME ZONE 'Asia/Shanghai')::date > %s",
            [county, timezone.localdate() - timedelta(days=days)],
        )
        return cursor.fetchone()[0] or 0


def total_of(page: Page) -> str:
    return re.search(r"<tfoot>.*?<b>([^<]*)</b></td>(?:<td class=.bars.></td>)?</tr></tfoot>", page.html, re.DOTALL)[1]


def test_from_the_country_to_an_outlet_by_links_and_equal_to_the_ledger(country: Catalogue) -> None:
    client, address = office_client(OfficeRole.AUDITOR), "/en/reports/"
    for code in ("", "13", "1301", "130121"):
        page = read(client, address)
        assert total_of(page).replace(",", "") == str(sold_by_ledger(code)), address
        address = next(
            link for link in page.links
            if re.search({"": "/130000/", "13": "/130100/", "1301": "/130121/", "130121": "/130121100-01/"}[code], link)
        )  # fmt: skip
    page = read(client, address)
    outlet = Outlet.objects.get(code="130121100-01")
    assert page.text.count(outlet.name_en) >= 1
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT -sum(change_on_hand) FROM stores_stockmovement WHERE outlet_id = %s AND kind IN "
            "('handed_over', 'walk_in_sale', 'returned') AND created_at > now() - interval '27 days'", [outlet.pk]
        )  # fmt: skip
    assert "Only" in read(client, next(link for link in page.links if "phone=" in link)).text


@pytest.mark.parametrize("measure", MEASURES, ids=lambda measure: measure.key)
def test_every_measure_by_every_way(country: Catalogue, measure) -> None:
    client = office_client(OfficeRole.NETWORK)
    places = [("/reports/", "place"), ("/en/reports/130121/", "place"), ("/en/reports/outlets/130121100-01/", "phone")]
    for path, first in places:
        for by in (first, "brand", "tier", "day"):
            page = read(client, f"{path}?show={measure.key}&by={by}&days=90")
            assert "<svg" in page.html or "Nothing happened" in page.text
            assert ("<th" in page.html) == ("<tbody" in page.html)


def test_stock_is_that_of_the_evening(country: Catalogue) -> None:
    client = office_client(OfficeRole.CATALOGUE)
    for ago in (0, 9, 30):
        day = timezone.localdate() - timedelta(days=ago)
        with connection.cursor() as cursor:
            cursor.execute(
                "SELECT sum(change_on_hand) FROM stores_stockmovement "
                "WHERE (created_at AT TIME ZONE 'Asia/Shanghai')::date <= %s", [day]
            )  # fmt: skip
            (on_hand,) = cursor.fetchone()
        for by in ("place", "phone", "tier", "day"):
            page = read(client, f"/en/reports/?show=stock&by={by}&from={day - timedelta(days=3)}&to={day}")
            assert total_of(page).replace(",", "") == str(on_hand), (ago, by)


@pytest.mark.parametrize("name", ["country", "region", "outlet", "run_out"])
def test_no_report_takes_ten_statements(country: Catalogue, name: str, held_memory) -> None:
    client, address = office_client(OfficeRole.NETWORK), addresses()[name]
    client.get(address)
    held_memory()
    for measure in MEASURES:
        for by in ("place", "phone", "day") if name in ("country", "region") else ("phone", "day"):
            with CaptureQueriesContext(connection) as queries:
                assert client.get(f"{address}?show={measure.key}&by={by}").status_code == 200
            assert len(queries) <= MOST_STATEMENTS, [query["sql"][:90] for query in queries]


def test_the_file_has_the_lines_of_the_page_and_no_formula(country: Catalogue) -> None:
    Outlet.objects.filter(code="130121100-01").update(name_en='=HYPERLINK("http://evil")', name_zh="=1+1")
    client = office_client(OfficeRole.NETWORK)

    answer = client.get("/en/reports/130121/csv/?show=sold")

    rows = list(csv.reader(io.StringIO(b"".join(answer.streaming_content).decode("utf-8-sig"))))
    assert answer["Content-Type"].startswith("text/csv")
    assert rows[0] == ["Code", "place", "orders handed over", "sold at the counter", "taken back", "sold"]
    assert {row[0] for row in rows[1:]} == {f"130121100-0{n}" for n in (1, 2, 3)}
    assert sum(int(row[-1]) for row in rows[1:]) == sold_by_ledger("130121")
    assert "'=HYPERLINK" in {row[1][:11] for row in rows}


@pytest.mark.parametrize("cell", ["=1", "+1", "-1", "@a", "\t=1", "\r=1"])
def test_no_cell_is_a_formula(cell: str) -> None:
    assert str(harmless(cell)).startswith("'")
    assert harmless(-1) == -1


@pytest.mark.parametrize(
    "query",
    [
        "show=money", "by=moon", "days=0", "days=367", "days=x", "from=2026-02-30&to=2026-03-01", "from=2026-01-01",
        "from=2026-03-01&to=2026-02-01", "from=2010-01-01&to=2010-02-01", "phone=nokia", "brand=%00", "tier=x",
        "from=2024-01-01&to=2026-01-01", "to=9999-12-31&from=9999-12-01",
    ],
)  # fmt: skip
def test_what_cannot_be_understood_is_said(country: Catalogue, query: str) -> None:
    for path in ("/en/reports/", "/en/reports/csv/"):
        assert office_client(OfficeRole.NETWORK).get(f"{path}?{query}").status_code == 400


def nobody() -> Client:
    return Client()


def clerk() -> Client:
    return sign_in(create_person(Role.CLERK, Outlet.objects.get(code="130121100-01")))


def manager() -> Client:
    return sign_in(create_person(Role.MANAGER, Outlet.objects.get(code="130121100-01")))


def region_manager() -> Client:
    return sign_in(create_person(Role.REGION_MANAGER, create_region("130100")))


def region_manager_elsewhere() -> Client:
    return sign_in(create_person(Role.REGION_MANAGER, create_region("540000")))


ROLES = {f"office {role.value}": lambda role=role: office_client(role) for role in OfficeRole}
EVERYBODY = {
    each.__name__: each for each in (nobody, partner_client, clerk, manager, region_manager, region_manager_elsewhere)
}


def outcome(answer: HttpResponse) -> str:
    if answer.status_code == 302:
        return "sign in" if "/sign-in/" in answer["Location"] else f"to {answer['Location']}"
    return {200: "come in", 404: "not there", 409: "come in", 400: "come in"}[answer.status_code]


@pytest.mark.parametrize("who", [*EVERYBODY, *ROLES])
def test_everybody_at_every_door(country: Catalogue, who: str) -> None:
    client = (EVERYBODY | ROLES)[who]()
    for name, address in addresses().items():
        found = outcome(client.get(address))
        if who in ("nobody", "partner_client"):
            assert found == "sign in", name
        elif who.startswith("office"):
            assert found == "come in", name
        elif who == "region_manager":
            whole = {
                "country": "to /en/reports/130100/", "country_file": "not there",
                "run_out": "to /en/reports/run-out/130100/", "run_out_file": "not there",
                "proposed": "not there",
            }  # fmt: skip
            assert found == whole.get(name, "come in"), name
        elif who == "region_manager_elsewhere" and name in ("country", "run_out"):
            assert found == f"to {address}540000/", name
        else:
            assert found == "not there", name


def test_a_region_manager_sees_no_way_out_of_the_region(country: Catalogue) -> None:
    page = read(region_manager(), "/en/reports/130121/?show=stock")

    assert "China" not in page.text
    assert not [link for link in page.links if "/130000/" in link]
    assert [link for link in page.links if "/130100/" in link]
    assert region_manager().get("/en/reports/130000/").status_code == 404
    assert region_manager().get("/en/reports/130423/").status_code == 404


def test_a_place_that_is_none_is_not_there(country: Catalogue) -> None:
    client = office_client(OfficeRole.NETWORK)
    for path in ("/en/reports/990000/", "/en/reports/outlets/990000000-01/", "/en/reports/130121100/"):
        assert client.get(path).status_code == 404


def test_a_region_without_outlets_says_so(country: Catalogue) -> None:
    create_region("650000")
    create_outlet(town=create_region("650102001"), state=Outlet.State.CLOSED)

    page = read(office_client(OfficeRole.NETWORK), "/en/reports/650102/")

    assert "Nothing happened here" in page.text
