"""manage.py people: how somebody comes to the desk where head office has no page for it."""

from __future__ import annotations

import io
from datetime import timedelta

import pytest
from django.core.management import CommandError, call_command
from django.test import Client
from django.utils import timezone

from stores import access
from stores.models import Outlet, Role
from tests.desk import create_person, sign_in
from tests.factories import create_outlet, create_region


@pytest.fixture
def outlet(db: None) -> Outlet:
    return create_outlet(town=create_region("130826100"))


def people(*arguments: str) -> str:
    out = io.StringIO()
    call_command("people", *arguments, stdout=out)
    return out.getvalue()


def password_in(text: str) -> str:
    return text.partition("password ")[2].rstrip(".\n")


def test_somebody_new_gets_to_work(outlet: Outlet) -> None:
    password = password_in(people("add", "wang.fang", "王芳", "--mobile=138 0013 8000"))
    people("assign", "wang.fang", "clerk", outlet.code)

    client = Client()
    assert client.post("/desk/sign-in/", {"username": "13800138000", "password": password}).status_code == 302
    new = {"old": password, "new": "counter-and-shelf-3", "again": "counter-and-shelf-3"}
    assert client.post("/desk/password/", new).status_code == 302
    assert client.get(f"/desk/{outlet.code}/").status_code == 200


def test_a_region_and_its_days_can_be_named(outlet: Outlet) -> None:
    person, today = create_person(), timezone.localdate()
    people("assign", person.username, "region_manager", "130800", f"--first-day={today + timedelta(days=1)}")

    assert not access.outlets_of(person, today).exists()
    assert access.outlets_of(person, today + timedelta(days=1)).exists()

    assert people("end", person.username, "130800") == "Assignments ended: 1.\n"
    assert not access.outlets_of(person, today + timedelta(days=1)).exists()


def test_who_lost_the_way_in_gets_a_new_one(db: None) -> None:
    person = create_person()
    password = password_in(people("reset", person.username))

    answer = Client().post("/desk/sign-in/", {"username": person.username, "password": password})
    assert answer.status_code == 302


def test_who_leaves_is_out_at_once(outlet: Outlet) -> None:
    person = create_person(Role.CLERK, outlet)
    client = sign_in(person)

    people("switch-off", person.username)

    assert client.get(f"/desk/{outlet.code}/").status_code == 302


@pytest.mark.parametrize(
    ("arguments", "says"),
    [
        (["add", "clerk", "王芳"], "is there already"),
        (["add", "a b", "王芳"], "2 to 40 characters"),
        (["add", "new", "王芳", "--mobile=12"], "no Chinese mobile number"),
        (["assign", "nobody", "clerk", "130826100-01"], "nobody has the username nobody"),
        (["assign", "clerk", "clerk", "999999999-99"], "no outlet has the code"),
        (["assign", "clerk", "clerk", "999999"], "no region has the code"),
        (["assign", "clerk", "clerk", "130826"], "A region manager is assigned to a region"),
        (["assign", "clerk", "owner", "130826"], "invalid choice"),
        (["assign", "clerk", "region_manager", "130826", "--last-day=tomorrow"], "no day like"),
        (["assign", "clerk", "region_manager", "130826", "--last-day=2001-01-01"], "before the first"),
        (["dance"], "invalid choice"),
    ],
)
def test_what_cannot_be_is_refused_in_one_line(outlet: Outlet, arguments: list[str], says: str) -> None:
    create_person()
    people("add", "clerk", "店员")

    with pytest.raises(CommandError, match=says):
        people(*arguments)
