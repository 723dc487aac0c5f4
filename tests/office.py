"""People of head office to test with."""

from __future__ import annotations

from django.test import Client

from office.membership import join
from office.models import OfficeRole
from stores.models import Person
from tests.desk import create_person, sign_in


def create_member(*roles: OfficeRole) -> Person:
    """Somebody of head office in these roles, who has chosen a password."""
    person = create_person()
    for role in roles:
        join(person, role)
    return person


def office_client(*roles: OfficeRole) -> Client:
    """A client that such a person has signed in with."""
    return sign_in(create_member(*roles))
