"""The change feed over REST: who is told what, from where on, and how long one may wait for it."""

from __future__ import annotations

import threading
import time
from datetime import timedelta
from typing import Any

import pytest
from django.db import connection, transaction
from django.test import Client
from django.utils import timezone

from catalog.catalogue import Catalogue
from events.models import Type
from events.recording import Happening, record
from orders import lifecycle
from partners.events_api import _waiting
from partners.keys import issue_key
from partners.models import Partner, PartnerOrder
from stores.models import Outlet
from tests.api_schema import check
from tests.factories import create_outlet, create_region, create_stock
from tests.feed import read_feed
from tests.order_factories import create_order

pytestmark = pytest.mark.django_db(transaction=True)

ALL = ["catalog:read", "stores:read", "stock:read", "orders:read", "events:read"]
ADDRESS = "/api/v1/events"


@pytest.fixture(autouse=True)
def ticks_at_once(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("events.feed.SHORTEST_TICK", timedelta(0))


@pytest.fixture
def partner() -> Partner:
    return Partner.objects.create(name="ERP")


@pytest.fixture
def catalogue(transactional_db: None, catalogue: Catalogue) -> Catalogue:
    return catalogue


@pytest.fixture
def outlets(catalogue: Catalogue) -> list[Outlet]:
    """Outlets in two provinces, of which only what comes now is news."""
    return [create_outlet(town=create_region(code)) for code in ("130121100", "410122100")]


def stock_changes(outlet: Outlet, **available: int) -> None:
    """`available`: y401=3, the key of the phone and how many there are."""
    with transaction.atomic():
        record([Happening(Type.STOCK_CHANGED, outlet.pk, data=available)])


def ask(key: str, query: str = "", status: int = 200) -> Any:
    response = Client().get(f"{ADDRESS}{query}", headers={"Authorization": f"Bearer {key}"})
    assert response.status_code == status, response.content
    return check(ADDRESS, response)


def latest(key: str) -> str:
    return ask(key, "?after=latest")["cursor"]


def test_a_reader_follows_the_feed_by_its_cursor(partner: Partner, outlets: list[Outlet], catalogue: Catalogue) -> None:
    key, phone = issue_key(partner, ALL), catalogue.phones[0]
    cursor = latest(key)
    assert ask(key, f"?after={cursor}") == {"cursor": cursor, "has_more": False, "results": []}
    stock_changes(outlets[0], **{str(phone.pk): 3})
    stock_changes(outlets[1], **{str(phone.pk): 0})
    first = ask(key, f"?after={cursor}&limit=1")
    [event] = first["results"]
    assert event | {"id": "", "timestamp": ""} == {
        "id": "", "type": "stock.changed", "timestamp": "", "outlet": outlets[0].code, "phone": None,
        "data": {"levels": [{"phone": phone.slug, "available": 3}]},
    }  # fmt: skip
    assert (first["cursor"], first["has_more"]) == (event["id"], True)
    second = ask(key, f"?after={first['cursor']}")
    assert [event["outlet"] for event in second["results"]] == [outlets[1].code]
    assert not second["has_more"]
    assert ask(key, f"?after={second['cursor']}")["results"] == []
    # From the beginning: the outlets and phones of this test, too.
    whole = ask(key)["results"]
    assert [event["type"] for event in whole[-2:]] == ["stock.changed"] * 2
    assert len(whole) > 2


def test_types_and_outlets_are_chosen(partner: Partner, outlets: list[Outlet], catalogue: Catalogue) -> None:
    key = issue_key(partner, ALL)
    cursor = latest(key)
    stock_changes(outlets[0], **{str(catalogue.phones[0].pk): 3})
    Outlet.objects.update(telephone="123")
    code = outlets[0].code
    for query, told in (
        ("types=outlet.changed", ["outlet.changed"] * 2),
        ("types=outlet.changed,stock.changed", ["stock.changed", "outlet.changed", "outlet.changed"]),
        (f"outlets={code},999999999-99", ["stock.changed", "outlet.changed"]),
        (f"outlets={code}&types=order.placed", []),
    ):
        assert [event["type"] for event in ask(key, f"?after={cursor}&{query}")["results"]] == told


@pytest.mark.parametrize(
    ("reach", "told"),
    [
        ({"regions": ["130000"]}, [[0]]),
        ({"regions": ["130121"]}, [[0]]),
        ({"regions": ["410122100"]}, [[1]]),
        ({"phones": ["ctyon-y402"]}, [[0], [1]]),
        ({"phones": ["uniscope-y401"], "regions": ["410000"]}, []),
    ],
)
def test_a_key_is_told_no_more_than_it_reaches(
    partner: Partner, outlets: list[Outlet], catalogue: Catalogue, reach: dict[str, list[str]], told: list[list[int]]
) -> None:
    first, second = (str(phone.pk) for phone in catalogue.phones[:2])
    key = issue_key(partner, ALL, **reach)
    cursor = latest(key)
    stock_changes(outlets[0], **{first: 1, second: 2})
    stock_changes(outlets[1], **{second: 3})
    results = ask(key, f"?after={cursor}")["results"]
    assert [event["outlet"] for event in results] == [outlets[place].code for [place] in told]
    phones = {level["phone"] for event in results for level in event["data"]["levels"]}
    assert phones <= set(reach.get("phones", phones))


def test_each_kind_of_event_needs_the_scope_to_read_it(
    partner: Partner, outlets: list[Outlet], catalogue: Catalogue
) -> None:
    key = issue_key(partner, ["events:read", "stores:read"])
    cursor = latest(key)
    stock_changes(outlets[0], **{str(catalogue.phones[0].pk): 3})
    Outlet.objects.filter(pk=outlets[0].pk).update(telephone="123")
    assert [event["type"] for event in ask(key, f"?after={cursor}")["results"]] == ["outlet.changed"]
    problem = ask(key, "?types=stock.changed,outlet.changed", 400)
    assert [error["parameter"] for error in problem["errors"]] == ["types"]
    assert "stock.changed" in problem["errors"][0]["detail"]


def own(partner: Partner, reference: str) -> Any:
    order = create_order()
    PartnerOrder.objects.create(
        outlet_id=order.outlet_id, number=order.number, partner=partner, reference=reference, placed_at=timezone.now()
    )
    return order


def test_orders_are_told_to_who_placed_them_alone_also_when_they_move(partner: Partner) -> None:
    other = Partner.objects.create(name="Taobao merchant")
    mine, theirs, of_the_page = own(partner, "A-1"), own(other, "B-1"), create_order()
    keys = [issue_key(each, ALL) for each in (partner, other)]
    cursor = latest(keys[0])
    elsewhere = create_stock(phone=mine.lines.get().phone)
    moved = lifecycle.move_order(mine, elsewhere.outlet, actor="customer:web")
    for order in (moved, theirs, of_the_page):
        lifecycle.set_ready(order, actor="person:1")
    told = [
        [
            (event["type"], event["data"]["order"], event["data"]["reference"])
            for event in ask(key, f"?after={cursor}")["results"]
            if event["type"] in ("order.moved", "order.ready")
        ]
        for key in keys
    ]
    assert told[0] == [("order.moved", mine.number, "A-1"), ("order.ready", moved.number, "A-1")]
    assert told[1] == [("order.ready", theirs.number, "B-1")]
    for event in ask(keys[0])["results"]:
        assert mine.mobile not in str(event)
        assert mine.name not in str(event)
    # A key for other phones does not know the order.
    narrow = issue_key(partner, ALL, phones=["uniscope-y401"])
    assert not [event for event in ask(narrow, f"?after={cursor}")["results"] if event["type"].startswith("order.")]


def test_a_reader_of_few_events_moves_on_past_the_others(
    partner: Partner, outlets: list[Outlet], catalogue: Catalogue, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("partners.events_api.SCANNED", 10)
    key = issue_key(partner, ALL, regions=["410000"])
    cursor = latest(key)
    for number in range(25):
        stock_changes(outlets[0], **{str(catalogue.phones[0].pk): number})
    stock_changes(outlets[1], **{str(catalogue.phones[0].pk): 1})
    asked = 0
    results: list[Any] = []
    more = True
    while more:
        page = ask(key, f"?after={cursor}")
        cursor, more, asked = page["cursor"], page["has_more"], asked + 1
        results += page["results"]
    assert asked == 3
    assert [event["outlet"] for event in results] == [outlets[1].code]


def test_who_stayed_away_too_long_is_told_so(partner: Partner, outlets: list[Outlet]) -> None:
    key = issue_key(partner, ALL)
    old = ask(key, "?limit=1")["cursor"]
    Outlet.objects.update(telephone="123")
    read_feed()
    with connection.cursor() as cursor:
        cursor.execute("SELECT events_forget(now())")
    problem = ask(key, f"?after={old}", 410)
    assert problem["type"].endswith("/api/problems/events-forgotten/")
    assert ask(key)["results"]


NONSENSE = [
    "?after=first", "?after=0-0", "?after=99999-1", "?after=1-", "?after=1-1-1", "?after=%00", "?after=1-01",
    "?after=" + "9" * 400, "?types=stock.stolen", "?types=", "?limit=0", "?limit=1001", "?limit=-1", "?wait=26",
    "?wait=1.5", "?wait=x", "?outlets=%00", "?outlets=" + ",".join(["130121100-01"] * 1001), "?cursor=1-0",
]  # fmt: skip


def test_what_makes_no_sense_is_refused_by_its_name(partner: Partner) -> None:
    key = issue_key(partner, ALL)
    for query in NONSENSE:
        problem = ask(key, query, 400)
        assert [error["parameter"] for error in problem["errors"]] == [query[1:].partition("=")[0]]


def test_news_end_a_wait(partner: Partner, outlets: list[Outlet], catalogue: Catalogue) -> None:
    key = issue_key(partner, ALL)
    cursor = latest(key)

    def happen() -> None:
        time.sleep(0.3)
        stock_changes(outlets[0], **{str(catalogue.phones[0].pk): 3})
        connection.close()

    writer = threading.Thread(target=happen)
    began = time.monotonic()
    writer.start()
    page = ask(key, f"?after={cursor}&wait=20")
    writer.join()
    assert len(page["results"]) == 1
    assert time.monotonic() - began < 5


def test_nobody_waits_longer_than_asked_nor_takes_the_last_thread(partner: Partner, outlets: list[Outlet]) -> None:
    key = issue_key(partner, ALL)
    cursor = latest(key)
    began = time.monotonic()
    assert ask(key, f"?after={cursor}&wait=1")["results"] == []
    assert 0.9 < time.monotonic() - began < 5
    # Somebody waits already: the next one is answered at once.
    assert _waiting.acquire(blocking=False)
    try:
        began = time.monotonic()
        assert ask(key, f"?after={cursor}&wait=20")["results"] == []
        assert time.monotonic() - began < 5
    finally:
        _waiting.release()


def test_a_thousand_events_cost_as_many_queries_as_one(
    partner: Partner, outlets: list[Outlet], catalogue: Catalogue, held_memory: Any, django_assert_num_queries: Any
) -> None:
    key = issue_key(partner, ALL)
    with transaction.atomic():
        record(
            Happening(Type.STOCK_CHANGED, outlets[0].pk, data={str(catalogue.phones[0].pk): number})
            for number in range(1000)
        )
    ask(key)
    held_memory()
    # The key, the call, the tick, what is kept (for the beginning, and once more), the events.
    for limit in (1, 1000):
        with django_assert_num_queries(5):
            assert len(ask(key, f"?limit={limit}")["results"]) == limit
