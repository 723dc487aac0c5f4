"""People to test the desk with, and their way in."""

from __future__ import annotations

import time
from itertools import count
from typing import Any

from django.test import Client

from stores import people
from stores.models import Outlet, Person, Region, Role
from tests.factories import create_outlet, create_region

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


def sign_in(person: Person, client: Client | None = None) -> Client:
    """Return a client that this person has signed in with, without the cost of the door."""
    client = client or Client()
    client.force_login(person, backend="django.contrib.auth.backends.ModelBackend")
    session = client.session
    session["signed_in_at"] = session["seen_at"] = time.time()
    session.save()
    return client
