"""People to test the desk with, and their way in."""

from __future__ import annotations

import time
from datetime import timedelta
from itertools import count
from typing import Any

import time_machine
from django.conf import settings
from django.test import Client
from django.utils import timezone

from orders.models import Order
from stores import counts, people, presence, transfers
from stores.desk_keys import new_key
from stores.models import Outlet, Person, Region, Role, StockLevel
from tests.factories import act, create_outlet, create_phone, create_region, create_stock
from tests.order_factories import create_order, create_shelf

PASSWORD = "shelf-and-seal-7"

_numbers = count(1)


def create_person(role: Role | None = None, place: Outlet | Region | None = None, **values: Any) -> Person:
    """Somebody who has chosen a password (PASSWORD), and works as `role` at an outlet or in a region, if anything."""
    number = next(_numbers)
    person, _ = people.add_person(f"person-{number}", "李店员", password=PASSWORD)
    for name, value in values.items():
        setattr(person, name, value)
    person.save()
    if role:
        people.assign(person, role, place or (create_region() if role == Role.REGION_MANAGER else create_outlet()))
    return person


class DeskClient(Client):
    """A browser whose forms have a key each, as those of the desk's pages have, unless a test gives one."""

    def post(self, path: str, data: Any = None, *args: Any, **kwargs: Any) -> Any:
        return super().post(path, {"form_key": new_key()} | (data or {}), *args, **kwargs)


def sign_in(person: Person, client: Client | None = None) -> Client:
    """Return a client that this person has signed in with, without the cost of the door."""
    client = client or DeskClient()
    client.force_login(person, backend="django.contrib.auth.backends.ModelBackend")
    session = client.session
    session["signed_in_at"] = session["seen_at"] = time.time()
    session.save()
    # As if seen a moment ago, so that the first page asks no more of the database than the next.
    for outlet_id in person.assignments.values_list("outlet_id", flat=True):
        presence._noted[outlet_id] = time.monotonic()
    return client


def order_of(shelf: StockLevel, **ago: float) -> Order:
    """An order placed so long ago. The database lets nobody turn an order's clock."""
    with time_machine.travel(timezone.now() - timedelta(**ago)):
        return create_order(shelf)


def ready_for(shelf: StockLevel, quantity: int = 1, *, hours: float) -> Order:
    """An order that is set aside and kept for so many hours from now."""
    with time_machine.travel(timezone.now() - timedelta(hours=settings.HOLD_HOURS_READY - hours)):
        return create_order(shelf, quantity, state="ready")


def fill(outlet: Outlet, times: int = 1) -> None:
    """Let everything that Today tells of happen `times` at the outlet."""
    other = create_outlet()
    for _ in range(times):
        shelf = create_shelf(outlet, on_hand=9)
        create_order(shelf)
        ready_for(shelf, hours=5)
        short = create_shelf(outlet, on_hand=3)
        create_order(short, 2)
        counts.apply_count(outlet.pk, {short.phone_id: 1}, timezone.now(), act())
        create_stock(outlet=outlet, phone=create_phone(), on_hand=2, reorder_point=5)
        create_stock(outlet=other, phone=shelf.phone, on_hand=9)
        coming = transfers.request(other.pk, outlet.pk, {shelf.phone_id: 3}, act())
        transfers.approve(coming.pk, act())
        transfers.send(coming.pk, {shelf.phone_id: 2}, act())
        transfers.request(outlet.pk, other.pk, {shelf.phone_id: 1}, act())
        create_shelf()
