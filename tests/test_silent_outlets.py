"""An outlet that nobody hears of: customers call first, orders are kept longer, and the region sees it."""

from __future__ import annotations

from datetime import UTC, date, datetime, time, timedelta
from typing import Any

import pytest
from django.test import Client
from django.utils import timezone
from hypothesis import given
from hypothesis import strategies as st

from orders.models import Order
from stores import presence
from stores.hours import SHANGHAI, Closure, opening_at
from stores.models import ClosedPeriod, DeskSeen, Outlet, Role, StockLevel
from tests.desk import create_person, sign_in
from tests.factories import create_outlet, create_region
from tests.order_factories import create_order, create_shelf

# Open 8:30 to 18:00 every day: nine and a half hours.
MONDAY = datetime(2026, 11, 23, 12, tzinfo=SHANGHAI)
WEEK = (((time(8, 30), time(18)),),) * 7


@pytest.fixture
def outlet(db: None) -> Outlet:
    return create_outlet(code="130826100-01", town=create_region("130826100"))


def seen(outlet: Outlet, at: datetime) -> None:
    DeskSeen.objects.create(outlet=outlet, seen_at=at)


def is_silent(outlet: Outlet, now: datetime = MONDAY) -> bool:
    presence.mark_silent_outlets(now=now)
    return Outlet.objects.get(pk=outlet.pk).call_first


@pytest.mark.parametrize(
    ("away", "silent"),
    [
        (timedelta(hours=16), False),  # since eight in the evening: three and a half hours of business
        (timedelta(days=1, hours=17), False),  # thirteen hours
        (timedelta(days=2), True),  # nineteen hours
        (timedelta(days=400), True),
    ],
)
def test_only_opening_hours_count(outlet: Outlet, away: timedelta, silent: bool) -> None:
    seen(outlet, MONDAY - away)
    assert is_silent(outlet) is silent


def test_holidays_and_closed_outlets_are_no_silence(outlet: Outlet) -> None:
    suspended = create_outlet(state=Outlet.State.SUSPENDED)
    for each in (outlet, suspended):
        seen(each, MONDAY - timedelta(days=3))
    ClosedPeriod.objects.create(
        outlet=outlet, first_day=date(2026, 11, 20), last_day=date(2026, 11, 22), reason_zh="休", reason_en="holiday"
    )
    assert not is_silent(outlet)
    assert not is_silent(suspended)


def test_an_outlet_that_has_never_worked_with_the_desk_is_left_alone(outlet: Outlet) -> None:
    assert not is_silent(outlet)
    assignment = create_person(Role.CLERK, outlet).assignments.get()
    assert not is_silent(outlet)
    assignment.starts_on = date(2026, 11, 1)
    assignment.save()
    assert is_silent(outlet)


def test_a_clerk_who_comes_back_ends_it_and_a_region_manager_does_not(outlet: Outlet) -> None:
    Outlet.objects.update(call_first=True)
    sign_in(create_person(Role.REGION_MANAGER, outlet.town)).get(f"/desk/{outlet.code}/")
    assert Outlet.objects.get().call_first
    clerk = sign_in(create_person(Role.CLERK, outlet))
    presence._noted.clear()
    clerk.get(f"/desk/{outlet.code}/")
    assert not Outlet.objects.get().call_first
    assert timezone.now() - DeskSeen.objects.get().seen_at < timedelta(minutes=1)


def test_being_seen_is_written_at_most_once_a_minute(outlet: Outlet, django_assert_num_queries: Any) -> None:
    with django_assert_num_queries(1):
        presence.note(outlet)
        presence.note(outlet)
    first = DeskSeen.objects.get().seen_at
    presence._noted.clear()  # another process
    presence.note(outlet)
    assert DeskSeen.objects.get().seen_at == first
    DeskSeen.objects.update(seen_at=first - timedelta(minutes=2))
    presence._noted.clear()
    presence.note(outlet)
    assert DeskSeen.objects.get().seen_at > first - timedelta(minutes=2)


@pytest.mark.usefixtures("outlet")
def test_customers_read_it_wherever_the_shop_is_named(client: Client, outlet: Outlet) -> None:
    shelf = create_shelf(outlet)
    addresses = [
        f"/en/outlets/{outlet.code}/",
        f"/en/regions/{outlet.town_id}/",
        f"/en/checkout/?p={shelf.phone.slug}&outlet=&lat=38.03&lng=114.14",
    ]
    for address in addresses:
        assert "Call first" not in client.get(address).text, address
    Outlet.objects.update(call_first=True)
    for address in addresses:
        # The first answer may be kept for half a minute; in large text it is another page.
        assert "! Call first" in client.get(f"/large{address}").text, address


def test_new_orders_there_are_kept_longer(outlet: Outlet, settings: Any) -> None:
    shelf: StockLevel = create_shelf(outlet)
    usual = create_order(shelf)
    outlet.call_first = True
    outlet.save()
    longer: Order = create_order(StockLevel.objects.select_related("outlet").get(pk=shelf.pk))

    assert usual.held_until - usual.placed_at == timedelta(hours=settings.HOLD_HOURS_PLACED)
    assert longer.held_until - longer.placed_at == timedelta(hours=settings.HOLD_HOURS_CALL_FIRST)
    assert settings.HOLD_HOURS_CALL_FIRST > settings.HOLD_HOURS_PLACED


def test_the_region_manager_sees_it_first(outlet: Outlet) -> None:
    create_order(create_shelf(create_outlet(town=outlet.town)))
    Outlet.objects.filter(pk=outlet.pk).update(call_first=True)
    manager = sign_in(create_person(Role.REGION_MANAGER, outlet.town))
    assert "silent: call there" in manager.get(f"/en/desk/{outlet.code}/").text
    page = manager.get("/en/desk/").text
    assert page.count("silent: call there") == 1
    assert (
        page.index(outlet.code) < page.index("silent: call there") < page.index("Store", page.index(outlet.code) + 40)
    )


moments = st.datetimes(datetime(2026, 1, 1), datetime(2026, 3, 1), timezones=st.just(UTC))
CLOSED = (Closure(date(2026, 2, 4), date(2026, 2, 20)),)


@given(moments, moments, moments)
def test_opening_time_adds_up_and_agrees_with_the_clock(a: datetime, b: datetime, c: datetime) -> None:
    a, b, c = sorted([a, b, c])
    total = presence.opening_time(a, c, WEEK, CLOSED)
    assert total == presence.opening_time(a, b, WEEK, CLOSED) + presence.opening_time(b, c, WEEK, CLOSED)
    instant = presence.opening_time(b, b + timedelta(seconds=1), WEEK, CLOSED)
    assert (instant > timedelta()) == opening_at(b, WEEK, CLOSED).is_open or instant < timedelta(seconds=1)
