"""What happens to people who sign in: they join, are assigned to places, get and choose passwords."""

from __future__ import annotations

import re
import secrets
import unicodedata
from collections.abc import Iterable
from datetime import date
from typing import Any

from django.db import IntegrityError, transaction
from django.db.models import Q
from django.utils import timezone
from django.utils.translation import gettext as _

from catalog.acting import acting_as
from stores import second_step
from stores.mobiles import read_mobile
from stores.models import Assignment, Outlet, Person, Region, Role

# Without letters and digits that look alike on paper.
_ALPHABET = "abcdefghjkmnpqrstuvwxyz23456789"
_FIRST_PASSWORD_LENGTH = 10
_WORD = re.compile(r"\S{2,40}")


class BadAssignment(ValueError):
    """Somebody cannot be this at this place on these days."""


class BadPerson(ValueError):
    """A username or mobile number cannot be taken: it is malformed, or somebody else's."""


def plain_username(typed: str) -> str:
    """Return a username as it is kept: full-width letters made plain, no capitals, no blanks around."""
    return unicodedata.normalize("NFKC", typed[:100]).strip().casefold()


def find_person(typed: str) -> Person | None:
    """Return whoever signs in with this username or mobile number. One query."""
    return Person.objects.known_as(plain_username(typed), read_mobile(typed))


def check_person(username: str, mobile: str, *, other_than: int | None = None) -> str | None:
    """
    Return `mobile` as it is kept, if somebody can have this plain username and this number ("": none).

    Raises BadPerson, also where another person than that of the key `other_than` has one of them.
    """
    known_mobile = read_mobile(mobile) if mobile else None
    if not _WORD.fullmatch(username) or re.fullmatch(r"[+0-9-]+", username):
        raise BadPerson(_("A username has 2 to 40 characters, no blanks, and not digits alone."))
    if mobile and known_mobile is None:
        raise BadPerson(_("%(mobile)s is no Chinese mobile number.") % {"mobile": mobile})
    others = Person.objects.exclude(pk=other_than or 0)
    if others.filter(username=username).exists() or (known_mobile and others.filter(mobile=known_mobile).exists()):
        raise BadPerson(_("Somebody with this username or mobile number is there already."))
    return known_mobile


def add_person(username: str, name: str, *, mobile: str = "", password: str | None = None) -> tuple[Person, str]:
    """
    Let somebody sign in; return the person and the first password, which is made up unless given.

    A made-up password must be changed at first sign-in. Raises BadPerson.
    """
    username = plain_username(username)
    known_mobile = check_person(username, mobile)
    first = password or _first_password()
    person = Person(username=username, name=name, mobile=known_mobile, must_change_password=password is None)
    person.set_password(first)
    person.save()
    return person, first


def assign(
    person: Person, role: Role, place: Outlet | Region, *, first_day: date | None = None, last_day: date | None = None
) -> Assignment:
    """
    Let `person` work as `role` at an outlet, or in a region, from `first_day` (today) to `last_day` (no end).

    Raises BadAssignment: a region has region managers and an outlet the others, and nobody is two things in one place.
    """
    if isinstance(place, Region) != (role == Role.REGION_MANAGER):
        raise BadAssignment("A region manager is assigned to a region, clerks and managers are to outlets.")
    first_day = first_day or timezone.localdate()
    if last_day and last_day < first_day:
        raise BadAssignment("The last day is before the first.")
    try:
        with transaction.atomic():
            return Assignment.objects.create(
                person=person, role=role, starts_on=first_day, ends_on=last_day, **_at(place)
            )
    except IntegrityError as error:
        raise BadAssignment(f"{person.username} is assigned there on some of these days already.") from error


def end_assignment(person: Person, place: Outlet | Region, last_day: date | None = None) -> int:
    """Let what `person` is at a place end with `last_day` (today), and take back what would begin later; how many."""
    last_day = last_day or timezone.localdate()
    there = person.assignments.filter(**_at(place))
    with transaction.atomic():
        taken_back, _kinds = there.filter(starts_on__gt=last_day).delete()
        going_on = there.filter(Q(ends_on__isnull=True) | Q(ends_on__gt=last_day))
        return taken_back + going_on.update(ends_on=last_day)


def _at(place: Outlet | Region) -> dict[str, Any]:
    return {"region": place} if isinstance(place, Region) else {"outlet": place}


def switch_off(person: Person) -> None:
    """Let nobody sign in as `person` any more; who is signed in is out with the next click."""
    person.is_active = False
    person.save(update_fields=["is_active"])


@transaction.atomic
def reset_password(person: Person) -> str:
    """
    Give somebody who cannot sign in any more a new first password, and return it. It must be changed at sign-in.

    The second step of signing in is taken away, too: who lost the telephone lost that. Ends all sessions.
    """
    password = _first_password()
    second_step.give_up(person)
    person.set_password(password)
    person.must_change_password = True
    person.save(update_fields=["password", "must_change_password"])
    return password


def choose_password(person: Person, password: str) -> None:
    """Make `password`, which a form has found good, the person's own. Ends the other sessions."""
    person.set_password(password)
    person.must_change_password = False
    with acting_as(person.actor):
        person.save(update_fields=["password", "must_change_password"])


def name_of(actor: str) -> str:
    """Say who an actor of the books is: a person by name, everybody else in a word. At most one query."""
    return names_of([actor])[actor]


def names_of(actors: Iterable[str]) -> dict[str, str]:
    """Say who each of these actors is. At most one query."""
    asked = set(actors)
    people_ids = {int(found[1]) for each in asked if (found := re.fullmatch(r"person:([0-9]{1,18})", each))}
    names = dict(Person.objects.filter(pk__in=people_ids).values_list("pk", "name")) if people_ids else {}
    words = {
        "customer": _("the customer"),
        "system": _("the system"),
        "partner": _("a partner"),
        "person": _("a colleague"),
    }

    def name(actor: str) -> str:
        kind, _separator, key = actor.partition(":")
        known = names.get(int(key)) if kind == "person" and key.isdecimal() else None
        return known or words.get(kind, actor)

    return {each: name(each) for each in asked}


class Names(dict[str, str]):
    """Who each actor of a long list is, in words; each is asked for once, when it comes up."""

    def __missing__(self, actor: str) -> str:
        self[actor] = names_of([actor])[actor]
        return self[actor]


def _first_password() -> str:
    return "".join(secrets.choice(_ALPHABET) for _ in range(_FIRST_PASSWORD_LENGTH))
