"""Joining and leaving head office."""

from __future__ import annotations

from office.models import Membership, OfficeRole
from stores.models import Person


def join(person: Person, role: OfficeRole) -> bool:
    """Let `person` work in head office as `role` from now on; return False if that was so already."""
    _membership, is_new = Membership.objects.get_or_create(person=person, role=role)
    return is_new


def leave(person: Person, role: OfficeRole | None = None) -> int:
    """Take a role, or all of them, from `person`, at once; return how many roles ended."""
    roles = person.office_memberships.all()
    ended, _kinds = (roles.filter(role=role) if role else roles).delete()
    return ended
