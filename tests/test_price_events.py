"""Partners are told of every price that comes into force, once, whether it was set or its time has come."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest

from catalog.catalogue import version_and_clock
from catalog.price_events import tell_of_due_prices, tell_of_prices
from events.models import Event
from tests.crowd import at_once
from tests.factories import change_price, create_phone, create_window, wait_until


def told() -> list[tuple[Any, ...]]:
    events = Event.objects.filter(type="price.changed").order_by("id")
    return [(event.phone_id, event.data["price_fen"], event.data["ordinary_fen"]) for event in events]


@pytest.mark.django_db
def test_the_first_price_comes_with_the_phone() -> None:
    create_phone()

    assert tell_of_prices() == 0
    assert told() == []


@pytest.mark.django_db
def test_a_new_price_is_told_once() -> None:
    phone = create_phone(price_fen=29900)
    tell_of_prices()
    change_price(phone, 31900)

    assert [tell_of_prices(), tell_of_prices()] == [1, 0]
    assert told() == [(phone.pk, 31900, 31900)]


@pytest.mark.django_db
def test_both_edges_of_a_window_are_told_even_if_nobody_looked_between_them() -> None:
    phone = create_phone(price_fen=29900)
    other = create_phone()
    tell_of_prices()
    starts_at = version_and_clock()[1] + timedelta(seconds=2)
    ends_at = starts_at + timedelta(seconds=0.2)
    create_window({phone: 24900}, starts_at=starts_at, ends_at=ends_at)
    assert tell_of_prices() == 0
    wait_until(ends_at)

    assert tell_of_prices() == 2
    assert told() == [(phone.pk, 24900, 29900), (phone.pk, 29900, 29900)]
    data = Event.objects.filter(type="price.changed").order_by("id").first().data
    assert data["since"] == starts_at.isoformat()
    assert data["until"] == ends_at.isoformat()
    assert other.pk not in {phone_id for phone_id, *_ in told()}


@pytest.mark.django_db(transaction=True)
def test_who_looks_every_second_tells_what_is_due() -> None:
    phone = create_phone(price_fen=29900)
    tell_of_prices()
    assert tell_of_due_prices() == 0
    change_price(phone, 31900)

    assert [tell_of_due_prices(), tell_of_due_prices()] == [1, 0]
    assert told() == [(phone.pk, 31900, 31900)]


@pytest.mark.django_db(transaction=True)
def test_workers_together_tell_it_once() -> None:
    phone = create_phone()
    tell_of_prices()
    change_price(phone, 31900)

    assert sorted(at_once([tell_of_prices] * 6)) == [0, 0, 0, 0, 0, 1]
    assert told() == [(phone.pk, 31900, 31900)]
