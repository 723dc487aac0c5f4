"""The way into head office: the desk's way of signing in, and nobody else comes in."""

from __future__ import annotations

import time
from datetime import timedelta

import pytest
import time_machine
from django.conf import settings
from django.db import IntegrityError
from django.test import Client

from office import demo_people
from office.access import MAY, WORDS, OfficeDeed, office_standing, reach_of
from office.membership import join, leave
from office.models import Membership, OfficeRole
from stores import people, second_step
from stores.models import Person, Role
from tests.desk import PASSWORD, create_person, sign_in
from tests.factories import create_outlet, create_region
from tests.office import create_member, office_client
from tests.test_desk_sign_in import code_of


def enter(client: Client, person: Person, next_: str = "") -> str:
    answer = client.post("/desk/sign-in/", {"username": person.username, "password": PASSWORD, "next": next_})
    assert answer.status_code == 302
    return answer["Location"]


def test_who_asks_for_the_back_office_signs_in_first_and_comes_back(db: None, client: Client) -> None:
    sent_away = client.get("/en/admin/")
    assert sent_away["Location"] == "/en/desk/sign-in/?next=%2Fen%2Fadmin%2F"

    assert enter(client, create_member(OfficeRole.AUDITOR), "/en/admin/") == "/en/admin/"
    assert client.get("/en/admin/").status_code == 200


def test_who_works_in_head_office_alone_begins_there(db: None, client: Client) -> None:
    assert enter(client, create_member(OfficeRole.SUPPORT)) == "/desk/"
    assert client.get("/desk/")["Location"] == "/admin/"


def test_who_works_at_an_outlet_too_begins_there(db: None) -> None:
    outlet = create_outlet()
    person = create_person(Role.CLERK, outlet)
    join(person, OfficeRole.SUPPORT)

    assert sign_in(person).get("/desk/")["Location"] == f"/desk/{outlet.code}/"


def test_the_second_step_and_the_throttle_are_those_of_the_desk(db: None, client: Client) -> None:
    person = create_member(OfficeRole.NETWORK)
    second_step.prepare(person)
    device = person.totpdevice_set.get()
    with time_machine.travel(time.time() + 60):
        assert second_step.confirm(person, int(code_of(device)))
    assert enter(client, person, "/admin/") == "/desk/sign-in/code/"
    assert client.get("/admin/")["Location"].startswith("/desk/sign-in/")
    with time_machine.travel(time.time() + 300):
        enter(client, person, "/admin/")
        assert client.post("/desk/sign-in/code/", {"code": code_of(device)})["Location"] == "/admin/"


def test_a_first_password_must_be_changed_before_anything_else(db: None, client: Client) -> None:
    person, first = people.add_person("new", "新人")
    join(person, OfficeRole.CATALOGUE)
    client.post("/desk/sign-in/", {"username": "new", "password": first})

    assert client.get("/admin/")["Location"] == "/desk/password/"


def test_the_session_ends_as_at_the_desk(db: None) -> None:
    person = create_member(OfficeRole.CATALOGUE)
    with time_machine.travel("2026-03-01 08:00+08:00", tick=False) as clock:
        client = sign_in(person)
        assert client.get("/admin/").status_code == 200
        clock.shift(timedelta(hours=settings.DESK_SESSION_HOURS + 1))
        assert client.get("/admin/")["Location"].startswith("/desk/sign-in/?")


@pytest.mark.parametrize("role", [None, *Role])
def test_to_people_of_the_outlets_there_is_no_back_office(db: None, role: Role | None) -> None:
    client = sign_in(create_person(role))

    assert client.get("/admin/").status_code == 404
    assert client.get("/admin/no-such-page/").status_code == 404


def test_who_leaves_head_office_is_out_with_the_next_click(db: None) -> None:
    person = create_member(OfficeRole.CATALOGUE, OfficeRole.NETWORK)
    client = sign_in(person)

    assert leave(person, OfficeRole.CATALOGUE) == 1
    assert client.get("/admin/").status_code == 200
    leave(person)

    assert client.get("/admin/").status_code == 404


def test_pages_of_head_office_run_nothing_from_elsewhere_and_are_kept_by_nobody(db: None) -> None:
    answer = office_client(OfficeRole.AUDITOR).get("/admin/")

    policy = answer["Content-Security-Policy"]
    assert "default-src 'none'" in policy
    assert "unsafe" not in policy
    assert answer["Cache-Control"] == "no-store, private"
    assert answer["X-Robots-Tag"] == "noindex"


def test_the_table_has_every_deed_and_the_auditor_changes_nothing() -> None:
    assert set(MAY) == set(WORDS) == set(OfficeDeed)
    of_the_auditor = {deed for deed in OfficeDeed if OfficeRole.AUDITOR in MAY[deed]}
    assert of_the_auditor == {deed for deed in OfficeDeed if deed.name.startswith("READ")}


def test_each_role_may_what_the_table_says(db: None) -> None:
    for role in OfficeRole:
        standing = office_standing(create_member(role))
        assert standing
        assert {deed for deed in OfficeDeed if standing.may(deed)} == {deed for deed in OfficeDeed if role in MAY[deed]}


def test_head_office_sees_the_figures_of_the_country_and_a_region_manager_those_of_the_region(db: None) -> None:
    here = create_outlet(town=create_region("130826100"))
    there = create_outlet(town=create_region("130921100"))
    office = reach_of(create_member(OfficeRole.AUDITOR))
    manager = reach_of(create_person(Role.REGION_MANAGER, create_region("130800")))
    assert office
    assert manager

    assert set(office.outlets()) == {here, there}
    assert office.covers("")
    assert set(manager.outlets()) == {here}
    assert [manager.covers(code) for code in ("", "130000", "130800", "130826100", "130900")] == [
        False, False, True, True, False,
    ]  # fmt: skip
    assert manager.may_move_stock("130826")
    assert not manager.may_move_stock("130921")
    assert not office.may_move_stock("130826")
    assert reach_of(create_person(Role.MANAGER, here)) is None
    assert reach_of(create_person()) is None


def test_nobody_is_something_twice(db: None) -> None:
    person = create_member(OfficeRole.SUPPORT)
    assert not join(person, OfficeRole.SUPPORT)

    with pytest.raises(IntegrityError, match="membership_once_in_a_role"):
        Membership.objects.create(person=person, role=OfficeRole.SUPPORT)


def test_a_role_that_is_none_is_refused(db: None) -> None:
    with pytest.raises(IntegrityError, match="membership_role_is_known"):
        Membership.objects.create(person=create_person(), role="chief")


def test_the_demo_has_one_of_each_role(db: None, client: Client) -> None:
    assert demo_people.add_people() == 4
    assert demo_people.add_people() == 0

    for role, username, password in demo_people.sign_ins():
        person = Person.objects.get(username=username)
        assert person.check_password(password)
        standing = office_standing(person)
        assert standing
        assert standing.roles == {role}


def test_outside_a_demo_nobody_is_added(db: None, settings) -> None:
    settings.DEMO = False
    assert demo_people.add_people() == 0
    assert demo_people.sign_ins() == []
