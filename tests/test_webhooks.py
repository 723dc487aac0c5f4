"""Webhooks: what arrives, in which order, how often it is tried, and who is never held up by whom."""

from __future__ import annotations

import itertools
import re
import threading
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta
from typing import Any

import pytest
from django.conf import settings as site
from django.db import transaction
from django.utils import timezone
from standardwebhooks import WebhookVerificationError

from catalog.catalogue import forget_catalogue
from events.feed import Place
from events.models import Type
from events.recording import Happening, record
from partners import webhook_queue, webhook_sending, webhooks
from partners.callers import Caller
from partners.keys import issue_key, revoke_key
from partners.models import ApiKey, Delivery, Partner, Webhook
from partners.webhook_secrets import secret_of
from partners.webhook_sender import Sender
from stores.models import Outlet
from tests.factories import create_outlet, create_phone
from tests.feed import read_feed
from tests.receiver import Receiver, listening

pytestmark = pytest.mark.django_db(transaction=True)

State = Delivery.State


@pytest.fixture(autouse=True)
def quick(monkeypatch: pytest.MonkeyPatch, settings: Any) -> None:
    """Ticks at once, receivers on this machine, and no patience with those who do not answer."""
    settings.WEBHOOKS_PRIVATE = True
    monkeypatch.setattr("events.feed.SHORTEST_TICK", timedelta(0))
    monkeypatch.setattr("partners.webhook_sending.SECONDS_TO_ANSWER", 1.0)


@pytest.fixture
def receiver() -> Iterator[Receiver]:
    with listening() as receiver:
        yield receiver


@pytest.fixture
def outlets() -> list[Outlet]:
    create_phone()
    forget_catalogue()
    return [create_outlet() for _number in range(3)]


@pytest.fixture
def caller() -> Caller:
    partner = Partner.objects.create(name="ERP")
    issue_key(partner, ["stores:read", "stock:read", "webhooks:manage"])
    return Caller(partner, ApiKey.objects.get(partner=partner))


def subscribe(caller: Caller, url: str, **values: Any) -> Webhook:
    read_feed()
    return webhooks.subscribe(caller, **{"url": url, "types": [], "outlets": []} | values)


def happen(outlet: Outlet, *numbers: int) -> None:
    for number in numbers:
        with transaction.atomic():
            record([Happening(Type.STOCK_CHANGED, outlet.pk, data={"number": number})])


def send(until: Callable[[], bool], seconds: float = 60) -> None:
    """Let a sender work until something is so, or fail."""
    sender, end = Sender(), time.monotonic() + seconds
    with ThreadPoolExecutor(8) as pool:
        while not until():
            assert time.monotonic() < end, "it did not come to this"
            sender.step(pool)
            time.sleep(0.02)
        while sender._under_way:
            sender._note_finished()
            time.sleep(0.01)


def all_delivered() -> bool:
    states = set(Delivery.objects.values_list("state", flat=True))
    return states == {State.DELIVERED}


def places(receiver: Receiver, outlet: Outlet | None = None) -> list[Place]:
    return [
        Place.of(request.headers["webhook-id"])
        for request in receiver.received
        if outlet is None or request.event["outlet"] == outlet.code
    ]


def test_what_happens_arrives_signed_once_and_in_order(
    receiver: Receiver, caller: Caller, outlets: list[Outlet]
) -> None:
    webhook = subscribe(caller, receiver.url)
    for number, outlet in itertools.product(range(5), outlets):
        happen(outlet, number)
    send(all_delivered)
    assert len(receiver.received) == 15
    for outlet in outlets:
        assert places(receiver, outlet) == sorted(places(receiver, outlet))
    # Different outlets do not wait for each other.
    request = receiver.received[0]
    told = read_feed()
    assert {event.place for event in told if event.type == "stock.changed"} == set(places(receiver))
    assert request.verified_by(secret_of(webhook)) == request.event
    with pytest.raises(WebhookVerificationError):
        request.verified_by("whsec_" + "A" * 43 + "=")
    assert request.path == "/cunpu?from=shop"
    assert request.headers["content-type"] == "application/json"
    assert request.headers["host"] == receiver.url.split("/")[2]


def test_types_and_outlets_are_chosen(receiver: Receiver, caller: Caller, outlets: list[Outlet]) -> None:
    subscribe(caller, receiver.url, types=["stock.changed"], outlets=[outlets[0].code])
    happen(outlets[0], 1)
    happen(outlets[1], 2)
    Outlet.objects.update(telephone="1")
    send(all_delivered)
    assert [(request.event["type"], request.event["outlet"]) for request in receiver.received] == [
        ("stock.changed", outlets[0].code)
    ]


def test_an_old_secret_signs_along_for_a_day(receiver: Receiver, caller: Caller, outlets: list[Outlet]) -> None:
    webhook = subscribe(caller, receiver.url)
    old = secret_of(webhook)
    webhook = webhooks.rotate_secret(webhook)
    assert secret_of(webhook) != old
    happen(outlets[0], 1)
    send(all_delivered)
    for secret in (old, secret_of(webhook)):
        assert receiver.received[0].verified_by(secret)
    Webhook.objects.update(old_secret_until=timezone.now())
    happen(outlets[0], 2)
    send(lambda: len(receiver.received) == 2)
    assert receiver.received[1].verified_by(secret_of(webhook))
    with pytest.raises(WebhookVerificationError):
        receiver.received[1].verified_by(old)


def test_of_one_outlet_the_next_waits_for_the_one_before(
    receiver: Receiver, caller: Caller, outlets: list[Outlet], monkeypatch: pytest.MonkeyPatch
) -> None:
    """The receiver refuses one event twice: only its outlet waits."""
    monkeypatch.setattr(webhook_queue, "FIRST_WAIT", timedelta(milliseconds=100))
    subscribe(caller, receiver.url)
    happen(outlets[0], 1, 2, 3)
    happen(outlets[1], 1, 2, 3)
    bad = next(event.place for event in read_feed() if event.type == "stock.changed")
    refused = itertools.count()
    receiver.answers = lambda request: 503 if request.headers["webhook-id"] == str(bad) and next(refused) < 2 else 200
    send(all_delivered)
    tried = places(receiver, outlets[0])
    assert tried == [bad] * 3 + sorted(set(tried) - {bad})
    assert len(places(receiver, outlets[1])) == 3
    first = Delivery.objects.get(tick=bad.tick, event_id=bad.id)
    assert (first.attempts, first.status, first.error) == (3, 200, "")
    # The body is the same each time; only the time of sending is not.
    assert len({request.body for request in receiver.received if request.headers["webhook-id"] == str(bad)}) == 1


def test_a_flapping_receiver_gets_everything_in_the_end(
    receiver: Receiver, caller: Caller, outlets: list[Outlet], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(webhook_queue, "FIRST_WAIT", timedelta(milliseconds=10))
    subscribe(caller, receiver.url)
    for outlet in outlets:
        happen(outlet, *range(5))
    turns = itertools.count()
    receiver.answers = lambda _request: 500 if next(turns) % 3 == 0 else 200
    send(all_delivered)
    for outlet in outlets:
        arrived = list(dict.fromkeys(places(receiver, outlet)))
        assert arrived == sorted(arrived)
        assert len(arrived) == 5


def test_slow_and_dead_receivers_hold_up_nobody(receiver: Receiver, caller: Caller, outlets: list[Outlet]) -> None:
    is_done = threading.Event()
    with listening() as slow:
        # It answers when all the others have had theirs.
        slow.answers = lambda _request: 204 if is_done.wait(60) else 500
        subscribe(caller, slow.url)
        # Nobody listens at this port.
        subscribe(caller, "http://localhost:1/")
        webhook = subscribe(caller, receiver.url)
        for outlet in outlets:
            happen(outlet, *range(6))
        mine = Delivery.objects.filter(webhook=webhook)
        send(lambda: mine.count() == 18 and not mine.exclude(state=State.DELIVERED).exists())
        assert not slow.received
        is_done.set()
        dead = Webhook.objects.get(url__endswith=":1/")
        assert dead.failures > 0
        assert dead.state == "active"
        told = dead.deliveries.exclude(last_attempt_at=None)[0]
        assert (told.state, told.status, told.error) == ("waiting", None, "no connection")


def test_who_is_slow_or_failing_gets_one_at_a_time(receiver: Receiver, caller: Caller, outlets: list[Outlet]) -> None:
    webhook = subscribe(caller, receiver.url)
    for outlet in outlets:
        happen(outlet, 1, 2)
    webhook_queue.fan_out()
    read_feed()
    webhook_queue.fan_out()
    now = timezone.now()
    Webhook.objects.update(last_ms=2000)
    assert len(webhook_queue.claim(10, now=now)) == 1
    assert len(webhook_queue.claim(10, now=now)) == 0
    Webhook.objects.update(last_ms=10)
    # One of each outlet, and one is under way.
    assert len(webhook_queue.claim(10, now=now)) == 2
    # A sender that was killed has not lost them.
    assert len(webhook_queue.claim(10, now=now + webhook_queue.CLAIM)) == 3
    assert {delivery.attempts for delivery in webhook.deliveries.filter(attempts__gt=0)} == {2}


def one_delivery(caller: Caller, url: str, outlet: Outlet) -> Webhook:
    webhook = subscribe(caller, url)
    happen(outlet, 1)
    read_feed()
    assert webhook_queue.fan_out() == 1
    return webhook


def test_after_three_days_of_failing_it_is_disabled_with_a_notice_and_goes_on_when_enabled(
    receiver: Receiver, caller: Caller, outlets: list[Outlet], caplog: pytest.LogCaptureFixture
) -> None:
    receiver.answers = lambda _request: 500
    webhook = one_delivery(caller, receiver.url, outlets[0])
    attempts, now = 0, timezone.now()
    began = now
    while Webhook.objects.get().state == "active":
        [delivery] = webhook_queue.claim(10, now=now)
        attempts += 1
        webhook_queue.note(delivery, webhook_queue.Outcome(500, "status 500", 5), now=now)
        now = Delivery.objects.get().next_attempt_at
        assert attempts < 40
    assert 12 <= attempts <= 30
    assert timedelta(days=3) <= now - began < timedelta(days=4)
    webhook.refresh_from_db()
    assert webhook.disabled_because == "failing"
    assert f"Webhook {webhook.code}" in caplog.text
    assert receiver.url not in caplog.text
    # Nothing more is sent, and what happens meanwhile is not lost.
    happen(outlets[0], 2)
    read_feed()
    assert webhook_queue.fan_out() == 0
    assert webhook_queue.claim(10, now=now + timedelta(days=1)) == []
    # Enabled again, it has three days again.
    assert webhooks.change(webhook, state="active").failures == 0
    [delivery] = webhook_queue.claim(10, now=now)
    webhook_queue.note(delivery, webhook_queue.Outcome(500, "status 500", 5), now=now)
    assert Webhook.objects.get().state == "active"
    receiver.answers = lambda _request: 200
    webhooks.change(webhook, state="disabled")
    webhooks.change(webhook, state="active")
    send(all_delivered)
    assert len(receiver.received) == 2


def test_a_receiver_that_is_gone_is_left_alone_at_once(
    receiver: Receiver, caller: Caller, outlets: list[Outlet]
) -> None:
    receiver.answers = lambda _request: 410
    webhook = one_delivery(caller, receiver.url, outlets[0])
    send(lambda: Webhook.objects.get().state == "disabled")
    webhook.refresh_from_db()
    assert webhook.disabled_because == "gone"


def test_a_receiver_says_when_to_come_again(receiver: Receiver, caller: Caller, outlets: list[Outlet]) -> None:
    receiver.answers, receiver.headers = lambda _request: 429, {"Retry-After": "600"}
    webhook = one_delivery(caller, receiver.url, outlets[0])
    send(lambda: Delivery.objects.get().status == 429)
    assert Delivery.objects.get().next_attempt_at > timezone.now() + timedelta(seconds=590)
    webhook.refresh_from_db()
    assert webhook.rest_until is not None
    assert webhook.rest_until > timezone.now() + timedelta(seconds=590)
    receiver.headers = {"Retry-After": "999999999"}
    assert webhook_sending.attempt(Delivery.objects.get()).retry_after == timedelta(days=1).total_seconds()


def test_redirects_are_not_followed(receiver: Receiver, caller: Caller, outlets: list[Outlet]) -> None:
    receiver.answers, receiver.headers = lambda _request: 307, {"Location": receiver.url}
    one_delivery(caller, receiver.url, outlets[0])
    send(lambda: Delivery.objects.get().status == 307)
    assert len(receiver.received) == 1
    assert Delivery.objects.get().error == "redirects are not followed"


def test_who_does_not_answer_is_given_up_in_time(receiver: Receiver, caller: Caller, outlets: list[Outlet]) -> None:
    receiver.seconds = 3
    one_delivery(caller, receiver.url, outlets[0])
    send(lambda: Delivery.objects.get().error != "")
    assert Delivery.objects.get().error == "timeout"


def test_an_answer_may_take_longer_than_a_connection(
    receiver: Receiver, caller: Caller, outlets: list[Outlet], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("partners.webhook_sending.SECONDS_TO_CONNECT", 0.3)
    monkeypatch.setattr("partners.webhook_sending.SECONDS_TO_ANSWER", 30)
    receiver.seconds = 0.6
    one_delivery(caller, receiver.url, outlets[0])
    send(all_delivered)
    assert Delivery.objects.get().attempts == 1


def test_a_replay_sends_everything_after_a_place_again(
    receiver: Receiver, caller: Caller, outlets: list[Outlet]
) -> None:
    webhook = subscribe(caller, receiver.url)
    happen(outlets[0], 1, 2, 3)
    send(all_delivered)
    first = places(receiver)
    happen(outlets[0], 4)
    read_feed()
    webhook_queue.fan_out()
    # One waits already, and comes in its turn.
    webhooks.replay(webhook, first[0])
    send(lambda: len(receiver.received) == 6)
    again = places(receiver)[3:]
    assert again[:2] == first[1:]
    assert again[2] > first[2]
    assert Delivery.objects.count() == 6


def test_a_ping_is_sent_once_also_where_it_is_disabled(receiver: Receiver, caller: Caller) -> None:
    webhook = webhooks.change(subscribe(caller, receiver.url), state="disabled")
    receiver.answers = lambda _request: 500
    webhooks.ping(webhook)
    send(lambda: Delivery.objects.get().state == State.FAILED)
    receiver.answers = lambda _request: 200
    delivery = webhooks.ping(webhook)
    send(lambda: Delivery.objects.get(pk=delivery.pk).state == State.DELIVERED)
    assert [request.event["type"] for request in receiver.received] == ["webhook.ping"] * 2
    assert receiver.received[1].verified_by(secret_of(webhook))


def test_a_ping_keeps_nothing_else_waiting(caller: Caller) -> None:
    webhook = subscribe(caller, "http://localhost/")
    webhooks.ping(webhook)
    # What happens at no outlet is in an order, too.
    Delivery.objects.create(
        webhook=webhook, round=webhook.round, tick=1, event_id=1, outlet_id=0, type=Type.PHONE_ADDED, body="{}",
        created_at=timezone.now(), next_attempt_at=timezone.now(),
    )  # fmt: skip
    assert {delivery.type for delivery in webhook_queue.claim(10)} == {"webhook.ping", "phone.added"}


def test_a_partner_without_a_key_is_told_nothing_more(
    receiver: Receiver, caller: Caller, outlets: list[Outlet]
) -> None:
    one_delivery(caller, receiver.url, outlets[0])
    revoke_key(caller.credentials.prefix, timezone.now())
    assert webhook_queue.claim(10) == []
    issue_key(caller.partner, ["webhooks:manage"])
    assert len(webhook_queue.claim(10)) == 1


def test_what_waits_does_not_grow_without_end(
    receiver: Receiver, caller: Caller, outlets: list[Outlet], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(webhook_queue, "MOST_WAITING", 4)
    monkeypatch.setattr(webhook_queue, "AT_ONCE", 3)
    subscribe(caller, receiver.url)
    happen(outlets[0], *range(20))
    read_feed()
    assert [webhook_queue.fan_out() for _time in range(4)] == [3, 3, 0, 0]
    send(lambda: Delivery.objects.filter(state=State.DELIVERED).count() == 20)
    assert places(receiver) == sorted(places(receiver))


def test_deliveries_are_forgotten_with_their_events(receiver: Receiver, caller: Caller, outlets: list[Outlet]) -> None:
    one_delivery(caller, receiver.url, outlets[0])
    send(all_delivered)
    happen(outlets[0], 2)
    read_feed()
    webhook_queue.fan_out()
    Delivery.objects.update(created_at=timezone.now() - timedelta(days=31))
    assert webhook_queue.forget_old_deliveries() == 1
    assert Delivery.objects.get().state == State.WAITING


def test_the_receiver_of_the_documentation_takes_a_delivery_once(
    receiver: Receiver, caller: Caller, outlets: list[Outlet]
) -> None:
    documentation = (site.BASE_DIR / "docs" / "api.md").read_text(encoding="utf-8")
    [code] = re.findall(r"```python\n(.*?)```", documentation, re.DOTALL)
    written: dict[str, Any] = {}
    exec(code, written)  # noqa: S102 - it is our own documentation
    webhook = one_delivery(caller, receiver.url, outlets[0])
    send(all_delivered)
    [request] = receiver.received
    seen: set[str] = set()
    assert written["receive"](secret_of(webhook), request.headers, request.body, seen) == request.event
    assert written["receive"](secret_of(webhook), request.headers, request.body, seen) is None
    with pytest.raises(WebhookVerificationError):
        written["receive"](secret_of(webhook), request.headers, request.body + " ", seen)
