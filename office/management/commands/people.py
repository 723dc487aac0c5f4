from argparse import ArgumentTypeError
from datetime import date
from typing import Any

from django.core.management.base import CommandError, CommandParser

from catalog.acting import acting_as
from catalog.loading.console import ConsoleCommand
from office.membership import join, leave
from office.models import OfficeRole
from stores import people
from stores.models import Outlet, Person, Region, Role


class Command(ConsoleCommand):
    help = "Let people sign in, say where they work, at outlets or in head office, and give them new passwords."

    def add_arguments(self, parser: CommandParser) -> None:
        deeds = parser.add_subparsers(dest="deed", required=True)
        add = deeds.add_parser("add", help="let somebody sign in; prints the first password, to be changed at once")
        add.add_argument("username")
        add.add_argument("name", help="as colleagues and receipts call them")
        add.add_argument("--mobile", default="", help="a mobile number to sign in with, too")
        assign = deeds.add_parser("assign", help="let somebody work at an outlet, or manage a region")
        assign.add_argument("username")
        assign.add_argument("role", choices=Role.values)
        assign.add_argument("place", help="code of the outlet, or of the region")
        assign.add_argument("--first-day", type=_day, help="YYYY-MM-DD; today if not given")
        assign.add_argument("--last-day", type=_day, help="YYYY-MM-DD; none if not given")
        end = deeds.add_parser("end", help="end an assignment")
        end.add_argument("username")
        end.add_argument("place")
        end.add_argument("--last-day", type=_day, help="YYYY-MM-DD; today if not given")
        for deed, text in (
            ("join", "let somebody work in head office"),
            ("leave", "end somebody's role in head office"),
        ):
            office = deeds.add_parser(deed, help=text)
            office.add_argument("username")
            office.add_argument("role", choices=OfficeRole.values)
        for deed, text in (
            ("reset", "print a new first password; the code from an app is not asked for any more"),
            ("switch-off", "let somebody sign in no more"),
        ):
            deeds.add_parser(deed, help=text).add_argument("username")

    def handle(self, *args: Any, deed: str, username: str, **options: Any) -> None:
        try:
            with acting_as("system:people"):
                said = getattr(self, f"_{deed.replace('-', '_')}")(username, **options)
        except (people.BadPerson, people.BadAssignment) as refusal:
            raise CommandError(str(refusal)) from refusal
        self.stdout.write(said)

    def _add(self, username: str, name: str, mobile: str, **options: Any) -> str:
        person, password = people.add_person(username, name, mobile=mobile)
        return f"{person.username} signs in with the password {password}."

    def _assign(
        self, username: str, role: str, place: str, first_day: date | None, last_day: date | None, **options: Any
    ) -> str:
        people.assign(_person(username), Role(role), _place(place), first_day=first_day, last_day=last_day)
        return f"{username}: {role} at {place}."

    def _end(self, username: str, place: str, last_day: date | None, **options: Any) -> str:
        return f"Assignments ended: {people.end_assignment(_person(username), _place(place), last_day)}."

    def _join(self, username: str, role: str, **options: Any) -> str:
        join(_person(username), OfficeRole(role))
        return f"{username}: {role} in head office."

    def _leave(self, username: str, role: str, **options: Any) -> str:
        return f"Roles ended: {leave(_person(username), OfficeRole(role))}."

    def _reset(self, username: str, **options: Any) -> str:
        return f"{username} signs in with the password {people.reset_password(_person(username))}."

    def _switch_off(self, username: str, **options: Any) -> str:
        people.switch_off(_person(username))
        return f"{username} cannot sign in any more."


def _day(text: str) -> date:
    try:
        return date.fromisoformat(text)
    except ValueError:
        raise ArgumentTypeError(f"{text} is no day like 2026-11-30") from None


def _person(username: str) -> Person:
    person = people.find_person(username)
    if person is None:
        raise CommandError(f"nobody has the username {username}")
    return person


def _place(code: str) -> Outlet | Region:
    """Return the outlet or region of a code; outlets have a hyphen in theirs."""
    kind: Any = Outlet if "-" in code else Region
    place: Outlet | Region | None = kind.objects.filter(code=code).first()
    if place is None:
        raise CommandError(f"no {kind.__name__.lower()} has the code {code}")
    return place
