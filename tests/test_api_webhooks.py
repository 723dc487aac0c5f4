"""Webhooks over REST: made, read, changed, deleted by whose they are; secrets shown once; deliveries told."""

from __future__ import annotations

import json
from threading import BoundedSemaphore, Event
from typing import Any
from uuid import uuid4

import pytest
from django.db import connection
from django.test import Client
from django.utils import timezone

from api.models import IdempotencyKey
from partners import webhook_addresses, webhooks
from partners.callers import Caller
from partners.keys import issue_key
from partners.models import ApiKey, Delivery, Partner, Webhook
from partners.webhook_secrets import secret_of
from tests.api_schema import check
from tests.factories import create_outlet, create_region

pytestmark = pytest.mark.django_db

SCOPES = ["stores:read", "stock:read", "webhooks:manage"]
URL = "https://example.com/cunpu"


@pytest.fixture
def partner() -> Partner:
    return Partner.objects.create(name="ERP")


@pytest.fixture
def key(partner: Partner) -> str:
    return issue_key(partner, SCOPES)


@pytest.fixture(autouse=True)
def names(monkeypatch: pytest.MonkeyPatch) -> dict[str, list[str]]:
    """What names mean: nothing, but for those that a test adds. No network is asked."""
    known: dict[str, list[str]] = {}

    def look_up(target: webhook_addresses.Target) -> list[str]:
        if target.host not in known:
            raise webhook_addresses.BadAddress("no such host")
        return known[target.host]

    monkeypatch.setattr(webhook_addresses, "look_up", look_up)
    return known


def call(key: str, method: str, path: str, status: int, body: Any = None, name: str = "", **values: str) -> Any:
    """Call a door of webhooks and hold the answer against the schema."""
    more = {"Idempotency-Key": name or str(uuid4())} if method == "POST" else {}
    whole = f"/api/v1/webhooks{path}"
    response = Client().generic(
        method,
        whole.format(**values),
        b"" if body is None else json.dumps(body),
        content_type="application/json",
        headers={"Authorization": f"Bearer {key}", **more},
    )
    assert response.status_code == status, response.content
    return check(whole, response, method)


def subscribe(key: str, **values: Any) -> Any:
    return call(key, "POST", "", 201, {"url": URL} | values)


def test_a_webhook_is_made_read_changed_and_deleted(key: str) -> None:
    outlet = create_outlet()
    made = subscribe(key, types=["stock.changed"], outlets=[outlet.code])
    code = made["code"]
    assert made["secret"].startswith("whsec_")
    assert made["secret"] == secret_of(Webhook.objects.get())
    read = call(key, "GET", "/{code}", 200, code=code)
    assert read == {name: value for name, value in made.items() if name != "secret"}
    assert call(key, "GET", "", 200)["results"] == [read]
    changed = call(key, "PATCH", "/{code}", 200, {"types": [], "url": f"{URL}/2"}, code=code)
    assert (changed["types"], changed["outlets"], changed["url"]) == ([], [outlet.code], f"{URL}/2")
    paused = call(key, "PATCH", "/{code}", 200, {"state": "disabled"}, code=code)
    assert (paused["state"], paused["disabled_because"]) == ("disabled", "asked")
    resumed = call(key, "PATCH", "/{code}", 200, {"state": "active"}, code=code)
    assert (resumed["state"], resumed["disabled_because"], resumed["disabled_at"]) == ("active", "", None)
    call(key, "DELETE", "/{code}", 204, code=code)
    call(key, "GET", "/{code}", 404, code=code)


def test_a_secret_is_shown_to_who_made_it_and_kept_nowhere(key: str) -> None:
    name = str(uuid4())
    made = call(key, "POST", "", 201, {"url": URL}, name)
    # Who lost the answer asks again, and one webhook was made.
    assert call(key, "POST", "", 201, {"url": URL}, name) == made
    assert Webhook.objects.count() == 1
    renewed = call(key, "POST", "/{code}/secret", 200, {}, code=made["code"])
    assert renewed["secret"] not in ("", made["secret"])
    assert renewed["old_secret_until"] is not None
    for secret in (made["secret"], renewed["secret"]):
        kept = str(list(Webhook.objects.values())) + str([bytes(row.body) for row in IdempotencyKey.objects.all()])
        assert secret not in kept
    assert "secret" not in call(key, "GET", "/{code}", 200, code=made["code"])


@pytest.mark.parametrize(
    ("body", "pointers"),
    [
        ({}, ["#/url"]),
        ({"url": "http://10.0.0.1/"}, ["#/url"]),
        ({"url": "https://localhost:x/"}, ["#/url"]),
        ({"url": 1}, ["#/url"]),
        ({"url": URL + "a" * 500}, ["#/url"]),
        ({"url": URL, "types": ["stock.stolen"]}, ["#/types/0"]),
        ({"url": URL, "types": ["order.placed"]}, ["#/types"]),
        ({"url": URL, "types": "stock.changed"}, ["#/types"]),
        ({"url": URL, "outlets": ["999999999-99"]}, ["#/outlets"]),
        ({"url": URL, "outlets": ["\0"]}, ["#/outlets/0"]),
        ({"url": URL, "secret": "mine"}, ["#/secret"]),
        ([], ["#"]),
    ],
)
def test_what_makes_no_sense_is_refused_by_its_place(key: str, body: Any, pointers: list[str]) -> None:
    problem = call(key, "POST", "", 400, body)
    assert [error["pointer"] for error in problem["errors"]] == pointers
    assert not Webhook.objects.exists()


@pytest.mark.parametrize("addresses", [["10.1.2.3"], ["93.184.216.34", "127.0.0.1"], ["fd12:3456::1"]])
def test_a_name_that_leads_inside_is_refused_before_anything_is_sent(
    key: str, names: dict[str, list[str]], addresses: list[str]
) -> None:
    names |= {"inside.example": addresses, "example.com": ["93.184.216.34"]}
    code = subscribe(key)["code"]
    for method, path in (("POST", ""), ("PATCH", "/{code}")):
        [error] = call(key, method, path, 400, {"url": "https://inside.example/"}, code=code)["errors"]
        assert error["pointer"] == "#/url"
    assert Webhook.objects.get().url == URL


def test_nobody_waits_long_for_what_a_name_means(key: str, monkeypatch: pytest.MonkeyPatch) -> None:
    answered, looking = Event(), BoundedSemaphore(1)
    asked = []

    def look_up(target: webhook_addresses.Target) -> list[str]:
        asked.append(target.host)
        answered.wait()
        return ["10.1.2.3"]

    monkeypatch.setattr(webhook_addresses, "look_up", look_up)
    monkeypatch.setattr(webhook_addresses, "LOOK_SECONDS", 0.01)
    monkeypatch.setattr(webhook_addresses, "_looking", looking)
    subscribe(key)
    # Nor does a server of names that never answers get more than its share of threads.
    subscribe(key)
    assert asked == ["example.com"]
    answered.set()
    assert looking.acquire(timeout=60)


def test_no_door_opens_to_the_webhook_of_another_partner(key: str) -> None:
    code = subscribe(key)["code"]
    stranger = issue_key(Partner.objects.create(name="Stranger"), SCOPES)
    assert call(stranger, "GET", "", 200)["results"] == []
    for method, path, body in (
        ("GET", "/{code}", None),
        ("PATCH", "/{code}", {"url": URL}),
        ("DELETE", "/{code}", None),
        ("POST", "/{code}/secret", {}),
        ("GET", "/{code}/deliveries", None),
        ("POST", "/{code}/replay", {"after": "1-0"}),
        ("POST", "/{code}/ping", {}),
    ):
        call(stranger, method, path, 404, body, code=code)
    assert Webhook.objects.get().url == URL
    assert not Delivery.objects.exists()


def test_a_narrow_key_gets_no_hold_of_a_wider_webhook(partner: Partner, key: str) -> None:
    wide = subscribe(key)["code"]
    narrow = issue_key(partner, SCOPES, regions=["130000"])
    poor = issue_key(partner, ["webhooks:manage"])
    for other in (narrow, poor):
        assert call(other, "GET", "", 200)["results"] == []
        call(other, "PATCH", "/{code}", 404, {"url": "https://example.net/"}, code=wide)
    made = subscribe(narrow)["code"]
    assert Webhook.objects.get(code=made).reach.regions == ["130000"]
    outlet = create_outlet()
    far = create_outlet(town=create_region("410122100"))
    assert call(narrow, "PATCH", "/{code}", 200, {"outlets": [outlet.code]}, code=made)
    call(narrow, "PATCH", "/{code}", 400, {"outlets": [far.code]}, code=made)
    # The wider key may do with both what it likes.
    assert len(call(key, "GET", "", 200)["results"]) == 2


def test_a_ping_and_deliveries_are_told(key: str) -> None:
    code = subscribe(key)["code"]
    told = call(key, "POST", "/{code}/ping", 202, {}, code=code)
    assert (told["type"], told["state"], told["attempts"]) == ("webhook.ping", "waiting", 0)
    assert call(key, "GET", "/{code}/deliveries", 200, code=code)["results"] == [told]
    moment = timezone.now()
    Delivery.objects.update(state="failed", attempts=1, status=500, error="status 500", last_attempt_at=moment)
    [failed] = call(key, "GET", "/{code}/deliveries", 200, code=code)["results"]
    assert (failed["status"], failed["error"], failed["next_attempt_at"]) == (500, "status 500", None)


def test_a_replay_goes_back_and_not_ahead(key: str) -> None:
    code = subscribe(key)["code"]
    here = f"{Webhook.objects.get().tick}-{Webhook.objects.get().event_id}"
    call(key, "POST", "/{code}/replay", 200, {"after": here}, code=code)
    for after in ("99-1", "yesterday", "0-1", ""):
        problem = call(key, "POST", "/{code}/replay", 400, {"after": after}, code=code)
        assert [error["pointer"] for error in problem["errors"]] == ["#/after"]
    with connection.cursor() as cursor:
        cursor.execute("SELECT events_forget(NULL), events_forget(NULL)")
    problem = call(key, "POST", "/{code}/replay", 410, {"after": "1-0"}, code=code)
    assert problem["type"].endswith("/events-forgotten/")


def test_a_partner_has_so_many_webhooks_and_no_more(key: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(webhooks, "MOST_WEBHOOKS", 2)
    subscribe(key)
    subscribe(key)
    problem = call(key, "POST", "", 409, {"url": URL})
    assert problem["type"].endswith("/too-many-webhooks/")


def test_many_webhooks_and_deliveries_cost_as_many_queries_as_one(
    partner: Partner, key: str, django_assert_num_queries: Any
) -> None:
    caller = Caller(partner, ApiKey.objects.get())
    first = webhooks.subscribe(caller, url=URL, types=[], outlets=[])
    webhooks.ping(first)
    headers = {"Authorization": f"Bearer {key}"}
    Client().get("/api/v1/webhooks", headers=headers)
    for _round in range(2):
        # The key, the call, the webhooks.
        with django_assert_num_queries(2):
            Client().get("/api/v1/webhooks", headers=headers)
        # The key, the call, the webhook, its deliveries.
        with django_assert_num_queries(3):
            Client().get(f"/api/v1/webhooks/{first.code}/deliveries", headers=headers)
        for _number in range(5):
            webhooks.subscribe(caller, url=URL, types=[], outlets=[])
            webhooks.ping(first)
