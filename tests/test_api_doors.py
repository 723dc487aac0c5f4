"""Every operation of the API with every scope, without a key, and with one that has ended."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import timedelta
from typing import Any
from uuid import uuid4

import pytest
from django.test import Client
from django.utils import timezone

from api.credentials import SCOPES
from catalog.catalogue import Catalogue
from partners.keys import issue_key, revoke_key
from partners.models import Partner
from tests.api_schema import check, operations
from tests.factories import create_outlet

pytestmark = pytest.mark.django_db

# What opens the doors below an address: to read, and to change something.
SCOPES_OF = {
    "phones": "catalog:read",
    "brands": "catalog:read",
    "tiers": "catalog:read",
    "regions": "stores:read",
    "outlets": "stores:read",
    "stock": "stock:read",
    "stock-counts": "stock:write",
    "orders": ("orders:read", "orders:write"),
    "events": "events:read",
    "webhooks": "webhooks:manage",
}
OPEN_TO_ALL = {"catalog:read", "stores:read"}


def scope_of(method: str, path: str) -> str:
    thing, *rest = path.removeprefix("/api/v1/").split("/")
    scopes = SCOPES_OF["stock" if rest[-1:] == ["stock"] else thing]
    return scopes if isinstance(scopes, str) else scopes[method != "GET"]


@pytest.fixture
def addresses(catalogue: Catalogue) -> dict[str, str]:
    """The address of something that is there, for each path where there is something for everybody."""
    outlet = create_outlet()
    return {
        "/api/v1/phones/{code}": "/api/v1/phones/uniscope-y401",
        "/api/v1/regions/{code}": f"/api/v1/regions/{outlet.town_id}",
        "/api/v1/outlets/{code}": f"/api/v1/outlets/{outlet.code}",
        "/api/v1/outlets/{code}/stock": f"/api/v1/outlets/{outlet.code}/stock",
    }


def calls(addresses: dict[str, str], key: str = "") -> Iterator[tuple[str, str, Any]]:
    """Try every operation with `key` and an empty body; yield its method, its path and the answer."""
    headers = {"Authorization": f"Bearer {key}"} if key else {}
    for method, path, _told in operations():
        address = addresses.get(path, path.replace("{code}", "none").replace("{id}", str(uuid4())))
        more = {"Idempotency-Key": str(uuid4())} if method == "POST" else {}
        response = Client().generic(method, address, "{}", content_type="application/json", headers=headers | more)
        check(path, response, method)
        yield method, path, response


@pytest.mark.parametrize("scope", SCOPES)
def test_every_door_opens_to_its_scope_alone(addresses: dict[str, str], scope: str) -> None:
    key = issue_key(Partner.objects.create(name="ERP"), [scope], calls_per_minute=10_000)
    for method, path, response in calls(addresses, key):
        if scope_of(method, path) != scope:
            assert response.status_code == 403, (method, path)
        elif "{" in path and path not in addresses:
            # Nothing of the name "none" is there for anybody.
            assert response.status_code in (400, 404), (method, path)
        else:
            assert response.status_code == (200 if method == "GET" else 400), (method, path)


def test_without_a_key_one_reads_what_is_open_to_all(addresses: dict[str, str]) -> None:
    for method, path, response in calls(addresses):
        is_open = method == "GET" and scope_of(method, path) in OPEN_TO_ALL
        assert response.status_code == (200 if is_open else 401), (method, path)


@pytest.mark.parametrize("end", ["expired", "revoked"])
def test_a_key_that_has_ended_opens_nothing(addresses: dict[str, str], end: str) -> None:
    key = issue_key(Partner.objects.create(name="ERP"), list(SCOPES), calls_per_minute=10_000)
    if end == "revoked":
        revoke_key(key.split("_")[1], timezone.now())
    else:
        Partner.objects.get().keys.update(expires_at=timezone.now() - timedelta(seconds=1))
    assert {response.status_code for _method, _path, response in calls(addresses, key)} == {401}


def test_the_description_names_the_scope_of_every_door() -> None:
    for method, path, told in operations():
        scope = scope_of(method, path)
        assert told["security"][0] == {"key": [scope]}, (method, path)
        assert ({} in told["security"]) == (scope in OPEN_TO_ALL), (method, path)
