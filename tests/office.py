"""People of head office to test with."""

from __future__ import annotations

from django.test import Client

from api.credentials import SCOPES
from office.membership import join
from office.models import OfficeRole
from partners.keys import issue_key
from partners.models import Partner
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


def partner_client() -> Client:
    """A program of a partner, with a key that is valid and may do everything that a key can."""
    key = issue_key(Partner.objects.create(name="Logistics"), list(SCOPES))
    return Client(headers={"Authorization": f"Bearer {key}"})
