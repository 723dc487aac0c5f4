"""A fresh demo has a day's work at its counters: by the rules, once, and nowhere else."""

from __future__ import annotations

import pytest
from django.core.management import call_command
from django.test import override_settings
from django.utils import timezone

from catalog.catalogue import Catalogue
from orders.demo_day import play
from orders.models import Message, Order, WalkInSale
from orders.today import today_at
from stores.audit import all_disagreements
from stores.loading.demo_people import CITY, COUNTY, add_people
from stores.models import Handset, Outlet, StockMovement, Transfer
from tests.books import assert_books_add_up
from tests.factories import create_outlet, create_region


@pytest.fixture
def outlets(catalogue: Catalogue) -> list[Outlet]:
    create_region(CITY)
    town = create_region(f"{COUNTY}100")
    outlets = [create_outlet(code=f"{COUNTY}100-0{number}", town=town) for number in (1, 2, 3)]
    add_people()
    return outlets


def test_whoever_signs_in_finds_work(outlets: list[Outlet]) -> None:
    assert play() == 2

    today = today_at(outlets[0], timezone.now())
    assert [each.is_late for each in today.placed].count(True) == 1
    assert (len(today.placed), len(today.ready), len(today.lapsing)) == (5, 3, 2)
    assert [shelf.missing for shelf in today.shortfalls] == [1]
    assert len(today.low) >= 2
    assert {each.transfer.state for each in today.transfers} == {"sent", "requested"}
    assert any(each.is_asked_of_us for each in today.transfers)
    states = set(Order.objects.filter(outlet=outlets[0]).values_list("state", flat=True))
    assert states == {"placed", "ready", "collected", "cancelled", "declined"}
    assert set(WalkInSale.objects.values_list("method", flat=True)) == {"cash", "wechat", "alipay"}
    assert Handset.objects.filter(outlet=outlets[0], state="on_shelf").count() > 10
    next_door = today_at(outlets[1], timezone.now())
    assert (len(next_door.placed), len(next_door.ready)) == (1, 1)
    assert Transfer.objects.count() == 3
    assert not StockMovement.objects.filter(outlet=outlets[2]).exists()
    assert_books_add_up()
    assert list(all_disagreements()) == []


def test_it_happens_once_and_again_when_nobody_waits(outlets: list[Outlet]) -> None:
    call_command("demo_day")
    before = Order.objects.count(), StockMovement.objects.count(), Message.objects.count()
    call_command("demo_day")

    assert (Order.objects.count(), StockMovement.objects.count(), Message.objects.count()) == before


def test_outside_a_demo_nothing_happens(outlets: list[Outlet]) -> None:
    with override_settings(DEMO=False):
        assert play() == 0
    assert not Order.objects.exists()


def test_without_the_demos_outlets_nothing_happens(catalogue: Catalogue) -> None:
    assert play() == 0
