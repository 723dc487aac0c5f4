"""What programs read of catalogue and outlets: the same as the pages show, as little and as much as they ask for."""

from __future__ import annotations

import re
from collections.abc import Callable
from datetime import date
from typing import Any

import pytest
from django.db import connection
from django.test import Client
from django.urls import reverse

from api.calls import WITHOUT_CREDENTIALS
from api.schema import schema
from catalog.catalogue import Catalogue
from stores.hours import forget_hours
from stores.models import ClosedPeriod, Outlet, TimetableHours
from stores.search import index_places
from tests.api_schema import check, operations
from tests.factories import create_outlet, create_phone, create_region, create_stock

pytestmark = pytest.mark.django_db

V1 = "/api/v1/"


def read(client: Client, path: str, query: str = "", **values: str) -> Any:
    """Read `path` (a key of the schema without /api/v1/) and hold the answer against the schema."""
    response = client.get(V1 + path.format(**values) + query)
    assert response.status_code == 200, response.content
    return check(V1 + path, response)


def codes(told: Any) -> list[str]:
    return [entry["code"] for entry in told["results"]]


def test_every_operation_is_described_and_valid() -> None:
    paths = schema()["paths"]
    assert schema()["openapi"].startswith("3.1")
    assert set(paths) >= {
        V1 + path
        for path in (
            "phones", "phones/{code}", "brands", "tiers", "regions", "regions/{code}", "outlets", "outlets/{code}",
            "outlets/{code}/stock", "stock", "orders", "orders/{code}", "orders/{code}/cancel",
        )
    }  # fmt: skip
    assert all("summary" in told for _method, _path, told in operations())


def test_phones_are_those_of_the_page_in_shelf_order(client: Client, catalogue: Catalogue) -> None:
    told = read(client, "phones")
    assert [phone["slug"] for phone in told["results"]] == [phone.slug for phone in catalogue.listed]
    assert told["results"][0]["price"] == {"amount": "299.00", "currency": "CNY"}
    assert told["results"][0]["provenance"]["price_fen"] == "reported"


def test_phones_are_narrowed_by_the_rules_of_the_page(client: Client, catalogue: Catalogue) -> None:
    told = read(client, "phones", "?tier=yunos&battery=day&fields=slug")
    page = client.get("/en/phones/?tier=yunos&battery=day").content.decode()
    slugs = [phone["slug"] for phone in told["results"]]
    assert 0 < len(slugs) < len(catalogue.listed)
    assert all((f"/phones/{phone.slug}/" in page) == (phone.slug in slugs) for phone in catalogue.listed)


def test_as_little_and_as_much_is_told_as_was_asked_for(client: Client, catalogue: Catalogue) -> None:
    [phone] = read(client, "phones", "?limit=1&fields=slug,brand&expand=brand")["results"]
    assert phone == {"slug": "uniscope-y401", "brand": {"slug": "uniscope", "name": {"zh": "优思", "en": "Uniscope"}}}
    assert read(client, "phones/{code}", "?fields=tier", code="uniscope-y401") == {"tier": "yunos"}
    assert read(client, "phones", "?limit=1&fields=slug&fields=brand&expand=brand")["results"] == [phone]


def test_what_lies_inside_a_field_is_told_whole_where_few_fields_are_wanted(
    client: Client, outlets: list[Outlet]
) -> None:
    day = date(2099, 2, 16)
    ClosedPeriod.objects.create(outlet=outlets[0], first_day=day, last_day=day, reason_zh="春节", reason_en="New Year")
    [closure] = read(client, "outlets/{code}", "?fields=closures", code=outlets[0].code)["closures"]
    assert closure == {
        "first_day": "2099-02-16", "last_day": "2099-02-16", "reason": {"zh": "春节", "en": "New Year"},
    }  # fmt: skip


@pytest.mark.parametrize("path", ["phones", "brands", "tiers"])
def test_a_cursor_leads_through_the_catalogue(client: Client, catalogue: Catalogue, path: str) -> None:
    whole = read(client, path)["results"]
    assert _all_pages(client, f"{V1}{path}?limit=2") == whole


def _all_pages(client: Client, address: str) -> list[Any]:
    told: list[Any] = []
    while address:
        page = client.get(address).json()
        told += page["results"]
        address = page["next"]
    return told


@pytest.fixture
def outlets(catalogue: Catalogue) -> list[Outlet]:
    """Nine outlets, each farther to the east than the one before; every third has the first phone."""
    create_region(
        "130121100", name_zh="丰宁镇", name_pinyin="Fengning Zhen", name_en="Fengning Town", pinyin_initials="fn"
    )
    made = [
        create_outlet(code=f"130121100-{number:02}", longitude=114 + number / 10, latitude=38)
        for number in range(1, 10)
    ]
    for number, outlet in enumerate(made):
        if number % 3 == 0:
            create_stock(outlet=outlet, phone=catalogue.phones[0])
    index_places()
    return made


@pytest.mark.parametrize(
    "query", ["fields=code", "near=38,115", "q=fengning", "region=130000", "has=uniscope-y401&near=38,114"]
)
def test_a_cursor_leads_through_all_outlets_once(client: Client, outlets: list[Outlet], query: str) -> None:
    whole = read(client, "outlets", f"?{query}")["results"]
    assert len(whole) == (3 if "has" in query else 9)
    assert _all_pages(client, f"{V1}outlets?limit=2&{query}") == whole


def test_an_outlet_that_opens_meanwhile_shifts_nothing(client: Client, outlets: list[Outlet]) -> None:
    first = client.get(V1 + "outlets?limit=4").json()
    create_outlet(code="130121100-00")
    second = client.get(first["next"]).json()
    assert codes(first)[-1] == "130121100-04"
    assert codes(second)[0] == "130121100-05"


def test_the_nearest_come_first_and_no_distance_claims_more_than_is_known(
    client: Client, outlets: list[Outlet]
) -> None:
    vague = create_outlet(code="130121100-50", longitude=115, latitude=38.05, coordinate_source="county_offset")
    suspended = create_outlet(code="130121100-51", longitude=115, latitude=38, state="suspended")
    told = read(client, "outlets", "?near=38,115.02")["results"]
    assert told[0]["code"] == vague.code
    assert told[0]["distance"] == {"km": 10, "precision": "within"}
    assert suspended.code not in {outlet["code"] for outlet in told}


def test_what_can_be_had_is_what_the_outlet_can_promise(client: Client, outlets: list[Outlet]) -> None:
    told = read(client, "outlets", "?has=uniscope-y401")
    assert codes(told) == ["130121100-01", "130121100-04", "130121100-07"]


def test_an_outlet_tells_what_its_page_does(client: Client, outlets: list[Outlet]) -> None:
    told = read(client, "outlets/{code}", "?expand=town", code="130121100-01")
    assert told["name"]["zh"] in client.get("/outlets/130121100-01/").content.decode()
    assert told["town"]["name"]["en"] == "Fengning Town"
    assert told["hours"]["monday"] == [{"opens": "08:30", "closes": "18:00"}]
    [listed] = [o for o in read(client, "outlets", "?expand=town")["results"] if o["code"] == "130121100-01"]
    assert listed == told


def test_what_has_changed_since_is_told_whoever_changed_it(client: Client, outlets: list[Outlet]) -> None:
    with connection.cursor() as cursor:
        cursor.execute("SELECT clock_timestamp()")
        moment = cursor.fetchone()[0].isoformat().replace("+00:00", "Z")
        assert codes(read(client, "outlets", f"?updated_since={moment}")) == []
        cursor.execute("UPDATE stores_outlet SET telephone = '0311-1' WHERE code LIKE '%%-01'", [])
        # What nobody is told, and what was so before, is no change.
        cursor.execute("UPDATE stores_outlet SET call_first = true WHERE code LIKE '%%-02'", [])
        cursor.execute("UPDATE stores_outlet SET name_en = name_en WHERE code LIKE '%%-03'", [])
        # Nobody says when it was.
        cursor.execute("UPDATE stores_outlet SET updated_at = '2000-01-01' WHERE code LIKE '%%-05'", [])
    Outlet.objects.filter(code="130121100-04").update(state="closed")
    told = read(client, "outlets", f"?updated_since={moment}")
    assert codes(told) == ["130121100-01", "130121100-04", "130121100-05"]
    assert [outlet["state"] for outlet in told["results"]] == ["open", "closed", "open"]
    assert "130121100-04" not in codes(read(client, "outlets"))
    opened = create_outlet(code="130121100-77")
    assert opened.code in codes(read(client, "outlets", f"?updated_since={moment}"))


def test_new_hours_and_closed_days_are_a_change_of_the_outlets_they_are_of(
    client: Client, outlets: list[Outlet]
) -> None:
    def changed(by: Callable[[], object]) -> list[str]:
        with connection.cursor() as cursor:
            cursor.execute("SELECT clock_timestamp()")
            moment = cursor.fetchone()[0].isoformat().replace("+00:00", "Z")
        by()
        return codes(read(client, "outlets", f"?updated_since={moment}"))

    day = date(2099, 2, 16)
    closure = ClosedPeriod(outlet=outlets[1], first_day=day, last_day=day, reason_zh="春节", reason_en="New Year")
    assert changed(closure.save) == [outlets[1].code]
    assert changed(closure.delete) == [outlets[1].code]
    sundays = TimetableHours.objects.filter(timetable=outlets[2].timetable, weekday=6)
    assert changed(sundays.delete) == [outlets[2].code]
    assert changed(lambda: TimetableHours.objects.filter(timetable=outlets[0].timetable).update(closes="17:00")) == [
        outlets[0].code
    ]


def test_regions_are_a_tree(client: Client) -> None:
    create_region("130121100")
    assert codes(read(client, "regions", "?level=county")) == ["130121"]
    assert codes(read(client, "regions", "?parent=130121&expand=parent")) == ["130121100"]
    assert read(client, "regions/{code}", code="130121100")["parent"] == "130121"
    assert read(client, "regions/{code}", "?expand=parent&fields=parent", code="130000") == {"parent": None}


def test_the_number_of_queries_does_not_grow(
    client: Client, outlets: list[Outlet], held_memory: Any, django_assert_num_queries: Any
) -> None:
    held_memory()
    # One counts the call.
    for address, queries in {
        "phones": 1,
        "phones/uniscope-y401?expand=brand,tier": 1,
        "brands": 1,
        "regions?expand=parent": 2,
        "regions/130121100": 2,
        "outlets?expand=town": 3,
        "outlets?near=38,114&has=uniscope-y401&region=130000": 4,
        "outlets?q=fengning": 4,
        "outlets?updated_since=2026-01-01T00:00:00Z": 3,
        "outlets/130121100-01?expand=town": 3,
    }.items():
        forget_hours()
        with django_assert_num_queries(queries):
            assert client.get(V1 + address).status_code == 200


def test_who_has_it_already_gets_nothing_again(client: Client, catalogue: Catalogue) -> None:
    first = client.get(V1 + "phones")
    again = client.get(V1 + "phones", headers={"If-None-Match": first["ETag"]})
    assert (again.status_code, again.content) == (304, b"")
    check(V1 + "phones", again)
    # Who asks for the headers alone gets those of GET.
    head = client.head(V1 + "phones")
    assert (head.status_code, head.content) == (200, b"")
    assert {**head.headers, "RateLimit": ""} == {**first.headers, "RateLimit": ""}
    assert client.head(V1 + "phones", headers={"If-None-Match": first["ETag"]}).status_code == 304
    create_phone()
    from catalog.catalogue import forget_catalogue

    forget_catalogue()
    assert client.get(V1 + "phones", headers={"If-None-Match": first["ETag"]}).status_code == 200


def test_answers_are_compressed_and_kept_by_nobody_unasked(client: Client, catalogue: Catalogue) -> None:
    response = client.get(V1 + "phones", headers={"Accept-Encoding": "gzip"})
    assert response["Content-Encoding"] == "gzip"
    assert response["Cache-Control"] == "private, no-cache"
    assert "Authorization" in response["Vary"]
    assert not response.cookies


def test_every_answer_tells_how_many_calls_are_left(client: Client, catalogue: Catalogue) -> None:
    most = WITHOUT_CREDENTIALS.most
    left = [client.get(V1 + "brands")["RateLimit"].split(";")[1] for _call in range(2)]
    assert left == [f"r={most - 1}", f"r={most - 2}"]
    for _call in range(most - 2):
        client.get(V1 + "brands", {"limit": "0"})
    refused = client.get(V1 + "brands")
    assert check(V1 + "brands", refused)["type"].endswith("/api/problems/too-many-requests/")
    assert refused.status_code == 429
    assert 0 < int(refused["Retry-After"]) <= 60
    assert refused["RateLimit"].startswith('"default";r=0;t=')
    # Another address has its own.
    assert client.get(V1 + "brands", REMOTE_ADDR="203.0.113.9").status_code == 200


def test_the_schema_is_kept_ready_and_the_page_of_it_needs_no_network(client: Client, catalogue: Catalogue) -> None:
    response = client.get(reverse("api:schema"))
    assert response["Content-Type"] == "application/vnd.oai.openapi+json"
    assert response["Cache-Control"] == "public, max-age=3600"
    for address in ("/api/v1/docs/", "/en/api/v1/docs/"):
        page = client.get(address).content.decode()
        assert all(f"{method} {path}" in page for method, path, _told in operations())
        assert "src=" not in page
        assert "`" not in page
        named = re.findall(r'<h2 id="(\w+)"', page)
        assert len(named) == len(set(named)) == len(list(operations()))
        assert re.findall(r'href="#(\w+)"', page) == ["main", *named]
    assert client.get("/en/api/")["Location"] == client.get("/en/api/v1/")["Location"] == "/en/api/v1/docs/"
    assert "读取自己的订单" in client.get("/api/v1/docs/").content.decode()
