"""Who may read what through the API: keys, what they allow and reach, and how they end."""

from __future__ import annotations

from datetime import timedelta
from io import StringIO
from typing import Any

import pytest
from django.core.management import CommandError, call_command
from django.db import IntegrityError, connection, transaction
from django.test import Client
from django.utils import timezone

from api.calls import WITHOUT_CREDENTIALS
from catalog.catalogue import Catalogue
from partners.keys import issue_key, revoke_key, rotate_key
from partners.models import ApiKey, Partner
from stores.models import StockLevel
from tests.api_schema import check
from tests.factories import create_outlet, create_region, create_stock

pytestmark = pytest.mark.django_db


@pytest.fixture
def partner() -> Partner:
    return Partner.objects.create(name="ERP")


def bearer(key: str) -> dict[str, str]:
    return {"Authorization": f"Bearer {key}"}


def read(client: Client, key: str, path: str, query: str = "", **values: str) -> Any:
    response = client.get(f"/api/v1/{path.format(**values)}{query}", headers=bearer(key))
    assert response.status_code == 200, response.content
    return check(f"/api/v1/{path}", response)


@pytest.mark.parametrize(
    "header", ["Bearer", "Bearer x", "Basic YTpi", "Bearer cunpu_aaaaaaaaaaaa_" + "a" * 43, "Bearer \xff", "\0", " "]
)
def test_what_is_no_key_opens_nothing(client: Client, header: str) -> None:
    response = client.get("/api/v1/brands", headers={"Authorization": header})
    assert response.status_code in ((200,) if not header.strip() else (401,))
    if header.strip():
        assert response["WWW-Authenticate"].startswith("Bearer")
        check("/api/v1/brands", response)


def test_who_tries_keys_is_stopped(client: Client) -> None:
    guess = bearer("cunpu_aaaaaaaaaaaa_" + "a" * 43)
    statuses = [client.get("/api/v1/stock", headers=guess).status_code for _try in range(WITHOUT_CREDENTIALS.most + 1)]
    assert set(statuses[:-1]) == {401}
    assert statuses[-1] == 429


def test_a_secret_is_not_kept_and_another_secret_opens_nothing(client: Client, partner: Partner) -> None:
    key, other = issue_key(partner, ["stock:read"]), issue_key(partner, ["stock:read"])
    prefix, secret = key.split("_", 2)[1:]
    assert secret not in str(ApiKey.objects.filter(prefix=prefix).values())
    forged = f"cunpu_{prefix}_{other.split('_', 2)[2]}"
    assert client.get("/api/v1/stock", headers=bearer(forged)).status_code == 401


def test_keys_overlap_expire_and_end_at_once(client: Client, partner: Partner, time_machine: Any) -> None:
    old = issue_key(partner, ["catalog:read"], expires_at=timezone.now() + timedelta(days=1))
    new = issue_key(partner, ["catalog:read"])
    assert [client.get("/api/v1/brands", headers=bearer(key)).status_code for key in (old, new)] == [200, 200]
    time_machine.move_to(timezone.now() + timedelta(days=1, seconds=1))
    assert [client.get("/api/v1/brands", headers=bearer(key)).status_code for key in (old, new)] == [401, 200]
    assert revoke_key(new.split("_")[1], timezone.now())
    assert not revoke_key(new.split("_")[1], timezone.now())
    assert client.get("/api/v1/brands", headers=bearer(new)).status_code == 401


def test_a_key_has_a_successor_and_both_are_good_for_a_while(
    client: Client, partner: Partner, time_machine: Any
) -> None:
    ends_at = timezone.now() + timedelta(days=9)
    may: dict[str, Any] = {
        "regions": ["130000"], "outlets": ["130121100-01"], "phones": ["uniscope-y401"], "calls_per_minute": 77,
    }  # fmt: skip
    old = issue_key(partner, ["catalog:read"], expires_at=ends_at, **may)
    out = StringIO()
    call_command("partners", "rotate", old.split("_")[1], "--hours", "2", stdout=out)
    new = out.getvalue().strip()
    assert [client.get("/api/v1/brands", headers=bearer(key)).status_code for key in (old, new)] == [200, 200]
    successor = ApiKey.objects.get(prefix=new.split("_")[1])
    assert (successor.partner, successor.scopes) == (partner, ["catalog:read"])
    assert {name: getattr(successor, name) for name in may} == may
    assert successor.expires_at == ends_at
    time_machine.move_to(timezone.now() + timedelta(hours=2, seconds=1))
    assert [client.get("/api/v1/brands", headers=bearer(key)).status_code for key in (old, new)] == [401, 200]
    with pytest.raises(CommandError, match="no key"):
        call_command("partners", "rotate", old.split("_")[1])


def test_who_rotates_a_key_does_not_prolong_it(partner: Partner) -> None:
    ends_at = timezone.now() + timedelta(hours=1)
    issue_key(partner, ["catalog:read"], expires_at=ends_at)
    rotate_key(ApiKey.objects.get().prefix, timezone.now(), timedelta(hours=24))
    assert set(ApiKey.objects.values_list("expires_at", flat=True)) == {ends_at}


def test_last_use_is_noted_once_a_minute(client: Client, partner: Partner, django_assert_num_queries: Any) -> None:
    key = issue_key(partner, ["stores:read"])
    began = timezone.now()
    client.get("/api/v1/regions", headers=bearer(key))
    used = ApiKey.objects.get().last_used_at
    assert used is not None
    assert used >= began
    # The key with the call, and the regions.
    with django_assert_num_queries(2):
        client.get("/api/v1/regions", headers=bearer(key))
    assert ApiKey.objects.get().last_used_at == used


def test_each_key_and_scope_has_a_limit_of_its_own(client: Client, partner: Partner) -> None:
    both = ["catalog:read", "stores:read"]
    key, other = issue_key(partner, both, calls_per_minute=1), issue_key(partner, both, calls_per_minute=1)
    statuses = [
        client.get(f"/api/v1/{path}", headers=bearer(used)).status_code
        for path, used in (("brands", key), ("tiers", key), ("regions", key), ("brands", other))
    ]
    assert statuses == [200, 429, 200, 200]


@pytest.fixture
def shops(catalogue: Catalogue) -> list[str]:
    """Codes of three shops in two provinces, two phones in each; the third does no business."""
    towns = [create_region("130121100"), create_region("410122100"), create_region("410122100")]
    states = ["open", "open", "suspended"]
    codes = []
    for number, (town, state) in enumerate(zip(towns, states, strict=True), start=1):
        outlet = create_outlet(code=f"{town.code}-{number:02}", town=town, state=state)
        for phone in catalogue.phones[:2]:
            create_stock(outlet=outlet, phone=phone, on_hand=5, reserved=1, safety_stock=1)
        codes.append(outlet.code)
    return codes


def test_stock_is_what_the_outlet_has_and_can_promise(client: Client, partner: Partner, shops: list[str]) -> None:
    key = issue_key(partner, ["stock:read"])
    told = read(client, key, "outlets/{code}/stock", code=shops[0])
    assert told["levels"][0] == {
        "phone": "uniscope-y401", "available": 3, "on_hand": 5, "reserved": 1, "safety_stock": 1, "counted_at": None,
    }  # fmt: skip
    many = read(client, key, "stock")["results"]
    assert many[0] == told
    assert [outlet["outlet"] for outlet in many] == shops
    # So they are page by page.
    first = read(client, key, "stock", "?limit=2")
    rest = client.get(first["next"], headers=bearer(key)).json()
    assert (first["results"] + rest["results"], rest["next"]) == (many, None)
    # What stands in a shop that does no business can be promised to nobody.
    assert [level["available"] for level in many[2]["levels"]] == [0, 0]
    assert StockLevel.objects.filter(outlet__code=shops[2], on_hand=5).count() == 2


def test_stock_is_narrowed_to_outlets_and_phones(client: Client, partner: Partner, shops: list[str]) -> None:
    key = issue_key(partner, ["stock:read"])
    query = f"?outlets={shops[1]},{shops[0]},999999999-99&phones=ctyon-y402"
    told = read(client, key, "stock", query)["results"]
    assert [outlet["outlet"] for outlet in told] == shops[:2]
    assert [[level["phone"] for level in outlet["levels"]] for outlet in told] == [["ctyon-y402"]] * 2
    assert [shop["outlet"] for shop in read(client, key, "stock", "?region=410000")["results"]] == shops[1:]
    too_many = client.get("/api/v1/stock", {"outlets": ",".join(shops[:1] * 1001)}, headers=bearer(key))
    assert [error["parameter"] for error in too_many.json()["errors"]] == ["outlets"]


@pytest.mark.parametrize(
    ("reach", "reached"),
    [
        ({"regions": ["410000"]}, [1, 2]),
        ({"regions": ["130121"]}, [0]),
        ({"outlets": ["410122100-02"]}, [1]),
        ({"outlets": ["410122100-02"], "regions": ["130100"]}, [0, 1]),
    ],
)
def test_a_key_reaches_no_farther_than_it_was_made_for(
    client: Client, partner: Partner, shops: list[str], reach: dict[str, list[str]], reached: list[int]
) -> None:
    key = issue_key(partner, ["stock:read"], **reach)
    mine = [shops[number] for number in reached]
    asked = "?outlets=" + ",".join(shops)
    for query in ("", asked):
        assert [outlet["outlet"] for outlet in read(client, key, "stock", query)["results"]] == mine
    for code in shops:
        response = client.get(f"/api/v1/outlets/{code}/stock", headers=bearer(key))
        assert response.status_code == (200 if code in mine else 404)


def test_a_key_for_some_phones_tells_of_no_others(client: Client, partner: Partner, shops: list[str]) -> None:
    key = issue_key(partner, ["stock:read"], phones=["ctyon-y402"])
    for query in ("", "?phones=ctyon-y402,uniscope-y401"):
        for outlet in read(client, key, "stock", query)["results"]:
            assert [level["phone"] for level in outlet["levels"]] == ["ctyon-y402"]
    told = read(client, key, "outlets/{code}/stock", code=shops[0])
    assert [level["phone"] for level in told["levels"]] == ["ctyon-y402"]


def test_a_thousand_outlets_cost_as_many_queries_as_one(
    client: Client, partner: Partner, shops: list[str], held_memory: Any, django_assert_num_queries: Any
) -> None:
    key = issue_key(partner, ["stock:read"])
    client.get("/api/v1/stock", headers=bearer(key))
    held_memory()
    # The key with the call; the outlets, their counts, their levels; of one outlet all of it at once.
    for query in ("?limit=1", "?limit=1000"):
        with django_assert_num_queries(4):
            client.get(f"/api/v1/stock{query}", headers=bearer(key))
    with django_assert_num_queries(2):
        client.get(f"/api/v1/outlets/{shops[0]}/stock", headers=bearer(key))


def test_keys_are_issued_listed_and_revoked_from_the_command_line(client: Client) -> None:
    create_region("130121100")
    out = StringIO()
    call_command("partners", "issue", "ERP", "--scope", "stock:read", "--region", "130000", "--days", "9", stdout=out)
    key = out.getvalue().strip()
    assert client.get("/api/v1/stock", headers=bearer(key)).status_code == 200
    listed = StringIO()
    call_command("partners", "list", stdout=listed)
    prefix, secret = key.split("_", 2)[1:]
    assert prefix in listed.getvalue()
    assert "130000" in listed.getvalue()
    assert secret not in listed.getvalue()
    end = ApiKey.objects.get().expires_at
    assert end
    assert f"good until {end:%Y-%m-%d %H:%M} UTC" in listed.getvalue()
    call_command("partners", "revoke", prefix, stdout=out)
    assert client.get("/api/v1/stock", headers=bearer(key)).status_code == 401
    with pytest.raises(CommandError, match="no key"):
        call_command("partners", "revoke", prefix)
    with pytest.raises(CommandError, match="no outlet 1"):
        call_command("partners", "issue", "ERP", "--scope", "stock:read", "--outlet", "1")


@pytest.mark.parametrize(
    ("change", "constraint"),
    [
        ("scopes = '{everything}'", "apikey_scopes_are_known"),
        ("scopes = '{}'", "apikey_scopes_are_known"),
        ("secret_hash = 'open sesame'", "apikey_secret_is_hashed"),
        ("calls_per_minute = 0", "apikey_may_call"),
        ("prefix = 'A'", "apikey_prefix"),
    ],
)
def test_the_database_refuses_a_key_that_makes_no_sense(partner: Partner, change: str, constraint: str) -> None:
    issue_key(partner, ["stock:read"])
    with pytest.raises(IntegrityError, match=constraint), transaction.atomic(), connection.cursor() as cursor:
        cursor.execute(f"UPDATE partners_apikey SET {change}")
