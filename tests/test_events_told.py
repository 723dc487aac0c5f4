"""What happens is told: each change that a partner may see is an event, whoever made it and by which way."""

from __future__ import annotations

from datetime import date, time, timedelta
from typing import Any

import pytest
from django.conf import settings
from django.db import transaction
from django.utils import timezone

from catalog.loading.phones import load_phones
from catalog.models import Colour, Phone
from orders import lifecycle
from orders.checkout import place_order
from orders.holds import expire_orders
from orders.refusals import OutOfStock
from stores import transfers
from stores.models import ClosedPeriod, Outlet, TimetableHours
from stores.outlets import change_state
from stores.transfers import Arrival
from tests.factories import act, create_outlet, create_phone, create_stock, create_timetable
from tests.feed import Told, read_feed
from tests.order_factories import create_order, create_shelf, request_for

pytestmark = pytest.mark.django_db(transaction=True)


@pytest.fixture
def outlet() -> Outlet:
    return create_outlet()


class Since:
    """What happened since it was asked last."""

    def __init__(self) -> None:
        self.place: Any = None
        self()

    def __call__(self, about: str = "") -> list[Told]:
        told = read_feed(self.place)
        self.place = told[-1].place if told else self.place
        return [event for event in told if event.type.startswith(about)]


def kinds(told: list[Told]) -> list[tuple[str, int | None]]:
    return [(event.type, event.outlet_id) for event in told]


def test_an_outlet_tells_when_it_is_added_opened_and_closed(outlet: Outlet) -> None:
    [added] = read_feed()
    assert (added.type, added.outlet_id, added.data) == ("outlet.added", outlet.pk, {"state": "open"})
    since = Since()
    for state, told in (("suspended", "outlet.suspended"), ("open", "outlet.opened"), ("closed", "outlet.closed")):
        change_state(outlet.pk, Outlet.State(state))
        assert kinds(since()) == [(told, outlet.pk)]


def test_an_outlet_tells_when_it_moves_and_keeps_quiet_when_nothing_changes(outlet: Outlet) -> None:
    since = Since()
    Outlet.objects.update(latitude=30.5)
    assert kinds(since()) == [("outlet.changed", outlet.pk)]
    # Nothing that a partner sees.
    Outlet.objects.update(latitude=30.5, call_first=True)
    assert since() == []


def test_outlets_tell_of_new_hours_once_whatever_is_written_for_it(outlet: Outlet) -> None:
    neighbour = create_outlet(timetable=outlet.timetable)
    create_outlet()
    since = Since()
    with transaction.atomic():
        TimetableHours.objects.filter(timetable=outlet.timetable, weekday=6).delete()
        TimetableHours.objects.filter(timetable=outlet.timetable, weekday=5).update(closes=time(12))
    assert kinds(since()) == [("outlet.changed", outlet.pk), ("outlet.changed", neighbour.pk)]
    period = ClosedPeriod.objects.create(
        outlet=outlet, first_day=date(2026, 2, 16), last_day=date(2026, 2, 20), reason_zh="春节", reason_en="New Year"
    )
    assert kinds(since()) == [("outlet.changed", outlet.pk)]
    period.delete()
    assert kinds(since()) == [("outlet.changed", outlet.pk)]
    outlet.timetable = create_timetable()
    outlet.save()
    assert kinds(since()) == [("outlet.changed", outlet.pk)]


def test_a_transfer_tells_both_outlets_each_step(outlet: Outlet) -> None:
    phone, receiver = create_phone(), create_outlet()
    create_stock(outlet=outlet, phone=phone, on_hand=5)
    create_stock(outlet=receiver, phone=phone, on_hand=0)
    since = Since()
    transfer = transfers.request(outlet.pk, receiver.pk, {phone.pk: 2}, act("ask"))
    transfers.request(outlet.pk, receiver.pk, {phone.pk: 2}, act("ask"))
    asked, also_asked = since("transfer.")
    assert kinds([asked, also_asked]) == [("transfer.requested", outlet.pk), ("transfer.requested", receiver.pk)]
    line = {"phone": phone.slug, "requested": 2, "sent": None, "received": None, "damaged": None}
    whole = {"transfer": transfer.pk, "state": "requested", "sender": outlet.code, "receiver": receiver.code}
    assert asked.data == also_asked.data == whole | {"lines": [line]}
    transfers.approve(transfer.pk, act())
    transfers.send(transfer.pk, {phone.pk: 2}, act("send"))
    transfers.send(transfer.pk, {phone.pk: 2}, act("send"))
    transfers.receive(transfer.pk, {phone.pk: Arrival(1, damaged=1)}, act())
    told = since("transfer.")
    assert [event.type for event in told[::2]] == ["transfer.approved", "transfer.sent", "transfer.received"]
    assert told[-1].data["lines"] == [line | {"sent": 2, "received": 1, "damaged": 1}]
    called_off = transfers.request(outlet.pk, receiver.pk, {phone.pk: 1}, act())
    transfers.cancel(called_off.pk, act())
    assert [event.type for event in since("transfer.")[2:]] == ["transfer.cancelled"] * 2


def test_an_order_tells_each_state_once_and_names_nobody() -> None:
    since = Since()
    order = create_order()
    assert [event.data for event in since("order.")] == [{"order": order.number, "state": "placed"}]
    lifecycle.extend_hold(order, actor="customer:web")
    lifecycle.set_ready(order, actor="person:1")
    lifecycle.set_ready(order, actor="person:1")
    lifecycle.cancel(order, actor="customer:web")
    told = since("order.")
    assert [event.type for event in told] == ["order.extended", "order.ready", "order.cancelled"]
    assert {event.outlet_id for event in told} == {order.outlet_id}
    assert [event.data for event in told] == [
        {"order": order.number, "state": state} for state in ("placed", "ready", "cancelled")
    ]


def test_orders_that_expire_tell_it() -> None:
    order, other = create_order(), create_order()
    since = Since()
    expire_orders(now=timezone.now() + timedelta(days=30))
    told = since("order.")
    assert [(event.type, event.data["order"]) for event in told] == [
        ("order.expired", order.number), ("order.expired", other.number),
    ]  # fmt: skip


def test_an_order_that_is_refused_tells_nothing() -> None:
    shelf = create_shelf(on_hand=1)
    since = Since()
    with pytest.raises(OutOfStock):
        place_order(**request_for(shelf, 2))
    assert since() == []


def test_a_moved_order_says_where_it_went() -> None:
    order = create_order()
    elsewhere = create_stock(phone=order.lines.get().phone)
    since = Since()
    moved = lifecycle.move_order(order, elsewhere.outlet, actor="customer:web")
    told = {event.type: (event.outlet_id, event.data) for event in since("order.")}
    assert told == {
        "order.moved": (order.outlet_id, {"order": order.number, "state": "cancelled", "moved_to": moved.number}),
        "order.placed": (moved.outlet_id, {"order": moved.number, "state": "placed"}),
    }


def phones_told(told: list[Told]) -> list[tuple[str, int | None]]:
    return [(event.type, event.phone_id) for event in told if event.type.startswith("phone.")]


def test_a_phone_tells_that_it_is_new_or_changed_once_whatever_of_it_is_written() -> None:
    since = Since()
    phone = create_phone()
    assert phones_told(since()) == [("phone.added", phone.pk)]
    with transaction.atomic():
        Phone.objects.update(position=phone.position + 100)
        Colour.objects.create(phone=phone, position=1, name_zh="红", name_en="red", rgb="#FF0000")
        Phone.objects.update(position=phone.position, is_discontinued=True)
    assert phones_told(since()) == [("phone.changed", phone.pk)]
    Colour.objects.all().delete()
    assert phones_told(since()) == [("phone.changed", phone.pk)]
    phone.brand.name_en = "Renamed"
    phone.brand.save()
    assert phones_told(since()) == [("phone.changed", phone.pk)]
    phone.brand.save()
    assert phones_told(since()) == []


def test_a_catalogue_that_is_loaded_tells_what_differs() -> None:
    document = (settings.BASE_DIR / "catalog" / "data" / "phones.json").read_bytes()
    since = Since()
    load_phones(document, apply=True)
    assert [event.type for event in since("phone.")] == ["phone.added"] * 14
    load_phones(document, apply=True)
    assert since() == []
    load_phones(document.replace(b"2000", b"2001"), apply=True)
    assert {event.type for event in since("phone.")} == {"phone.changed"}
