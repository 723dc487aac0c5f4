"""Who is what where: outlets and roles of a person, for one outlet, for many, and for a whole region."""

from __future__ import annotations

from collections.abc import Callable
from datetime import date, timedelta
from typing import Any

import pytest
from django.db import IntegrityError, connection, transaction
from django.utils import timezone

from stores import access, people
from stores.access import Deed, NotAllowed
from stores.models import Assignment, Outlet, Person, Role
from tests.desk import create_person
from tests.factories import create_outlet, create_region

TODAY = date(2026, 3, 1)


def roles(person: Person, outlet: Outlet, day: date | None = None) -> set[Role]:
    standing = access.standing_at(person, outlet.code, day)
    return set(standing.roles) if standing else set()


@pytest.mark.parametrize("code", ["130000", "130800", "130826", "130826100"])
def test_a_region_manager_answers_for_all_inside_whatever_the_level(db: None, code: str) -> None:
    inside = create_outlet(town=create_region("130826100"))
    outside = create_outlet(town=create_region("140105001"))
    person = create_person(Role.REGION_MANAGER, create_region(code))

    assert roles(person, inside) == {Role.REGION_MANAGER}
    assert roles(person, outside) == set()
    assert list(access.outlets_of(person)) == [inside]


def test_several_places_and_roles_come_together(db: None) -> None:
    outlets = [create_outlet(town=create_region("130826100")) for _ in range(3)]
    elsewhere, foreign = create_outlet(), create_outlet()
    person = create_person(Role.CLERK, outlets[0])
    people.assign(person, Role.MANAGER, elsewhere)
    people.assign(person, Role.REGION_MANAGER, create_region("130826"))

    assert set(access.outlets_of(person)) == {*outlets, elsewhere}
    assert roles(person, outlets[0]) == {Role.CLERK, Role.REGION_MANAGER}
    assert roles(person, foreign) == set()
    standing = access.standing_at(person, outlets[0].code)
    assert standing is not None
    assert standing.role == Role.CLERK
    assert standing.may(Deed.SELL)
    assert standing.may(Deed.ADJUST_MUCH)


@pytest.mark.parametrize(
    ("starts", "ends", "holds"), [(0, None, True), (0, 0, True), (-5, -1, False), (1, None, False), (-5, 5, True)]
)
def test_an_assignment_holds_from_its_first_to_its_last_day(
    db: None, starts: int, ends: int | None, holds: bool
) -> None:
    outlet, person = create_outlet(), create_person()
    Assignment.objects.create(
        person=person,
        role=Role.CLERK,
        outlet=outlet,
        starts_on=TODAY + timedelta(days=starts),
        ends_on=None if ends is None else TODAY + timedelta(days=ends),
    )

    assert bool(roles(person, outlet, TODAY)) is holds
    assert access.outlets_of(person, TODAY).exists() is holds


def test_require_lets_through_or_says_who_may(db: None) -> None:
    outlet = create_outlet()
    clerk, manager = create_person(Role.CLERK, outlet), create_person(Role.MANAGER, outlet)

    assert access.require(manager, outlet, Deed.ADJUST_MUCH).role == Role.MANAGER
    with pytest.raises(NotAllowed) as refusal:
        access.require(clerk, outlet, Deed.ADJUST_MUCH)
    assert str(refusal.value) == "这一步要店长 / 区域经理来做：大量更正库存。"
    with pytest.raises(NotAllowed):
        access.require(create_person(), outlet, Deed.READ)


def test_what_it_costs_does_not_grow(db: None, django_assert_num_queries: Callable[..., Any]) -> None:
    person = create_person(Role.REGION_MANAGER, create_region("130800"))
    for number in range(20):
        people.assign(person, Role.CLERK, create_outlet(town=create_region(f"13082{number % 5}100")))
    code = Outlet.objects.values_list("code", flat=True)[0]

    with django_assert_num_queries(2):
        access.standing_at(person, code)
    with django_assert_num_queries(2):
        assert len(access.outlets_of(person)) == 20


def test_a_person_is_known_by_one_name_and_one_number(db: None) -> None:
    people.add_person("wang.fang", "王芳", mobile="13800138000")
    for username, mobile in [
        ("WANG.FANG", ""),
        ("other", "+86 138 0013 8000"),
        ("13900139000", ""),
        ("a b", ""),
        ("x", ""),
    ]:
        with pytest.raises(people.BadPerson):
            people.add_person(username, "王芳", mobile=mobile)
    with pytest.raises(people.BadPerson):
        people.add_person("third", "王芳", mobile="12345")


ATTACKS = {
    "person_username_is_a_plain_word": "UPDATE stores_person SET username = %s",
    "person_mobile_is_well_formed": "UPDATE stores_person SET mobile = '13800138000'",
    "person_has_a_name": "UPDATE stores_person SET name = ''",
    "person_has_a_password": "UPDATE stores_person SET password = ''",
    "assignment_ends_after_it_starts": "UPDATE stores_assignment SET ends_on = starts_on - 1",
}


def refused(sql: str, *parameters: object) -> str:
    with pytest.raises(IntegrityError) as error, transaction.atomic(), connection.cursor() as cursor:
        cursor.execute(sql, parameters or None)
    return str(error.value)


@pytest.mark.parametrize("constraint", ATTACKS)
@pytest.mark.parametrize("name", ["Capital", "two words", "1380013", "x", "+86-13"])
def test_the_database_refuses_people_who_cannot_be(db: None, constraint: str, name: str) -> None:
    create_person(Role.CLERK)
    sql = ATTACKS[constraint]

    assert constraint in refused(sql, *([name] if "%s" in sql else []))


@pytest.mark.parametrize(
    "columns",
    [
        "role = 'manager', outlet_id = NULL",
        "role = 'region_manager'",
        "role = 'region_manager', region_id = '130826'",
        "role = 'clerk', region_id = '130826'",
        "role = 'clerk', outlet_id = NULL, region_id = '130826'",
        "role = 'owner'",
    ],
)
def test_the_database_refuses_a_role_without_its_place(db: None, columns: str) -> None:
    create_region("130826")
    create_person(Role.CLERK)

    assert "assignment_place_suits_its_role" in refused(f"UPDATE stores_assignment SET {columns}")


@pytest.mark.parametrize(("starts", "ends"), [(-5, None), (5, None), (0, 0), (3, 9), (-9, 0), (9, 20)])
def test_the_database_refuses_two_assignments_at_once_to_one_outlet(db: None, starts: int, ends: int | None) -> None:
    outlet, person, today = create_outlet(), create_person(), timezone.localdate()
    first = Assignment.objects.create(person=person, role=Role.CLERK, outlet=outlet, starts_on=today)
    Assignment.objects.filter(pk=first.pk).update(ends_on=today + timedelta(days=9))
    second = Assignment(
        person=person,
        role=Role.MANAGER,
        outlet=outlet,
        starts_on=today + timedelta(days=starts),
        ends_on=None if ends is None else today + timedelta(days=ends),
    )

    with pytest.raises(IntegrityError, match="assignment_once_at_an_outlet"), transaction.atomic():
        second.save()


def test_after_one_assignment_another_may_follow(db: None) -> None:
    outlet, region, person, today = create_outlet(), create_region("130826"), create_person(), timezone.localdate()
    first = people.assign(person, Role.CLERK, outlet)
    Assignment.objects.filter(pk=first.pk).update(ends_on=today + timedelta(days=9))

    people.assign(person, Role.MANAGER, outlet, first_day=today + timedelta(days=10))
    people.assign(create_person(), Role.CLERK, outlet)
    people.assign(person, Role.REGION_MANAGER, region)
    with pytest.raises(people.BadAssignment, match="already") as refusal:
        people.assign(person, Role.REGION_MANAGER, region, first_day=today + timedelta(days=3))
    assert "assignment_once_in_a_region" in str(refusal.value.__cause__)


def test_an_assignment_ends_and_what_was_planned_is_taken_back(db: None) -> None:
    outlet, person, today = create_outlet(), create_person(), timezone.localdate()
    people.assign(person, Role.CLERK, outlet, first_day=today - timedelta(days=9), last_day=today + timedelta(days=9))
    people.assign(person, Role.MANAGER, outlet, first_day=today + timedelta(days=10))

    assert people.end_assignment(person, outlet) == 2

    assert roles(person, outlet) == {Role.CLERK}
    assert roles(person, outlet, today + timedelta(days=1)) == set()
    assert roles(person, outlet, today + timedelta(days=20)) == set()
    assert people.end_assignment(person, outlet) == 0


@pytest.mark.parametrize(
    ("role", "place", "days"),
    [
        (Role.CLERK, "region", 1),
        (Role.MANAGER, "region", 1),
        (Role.REGION_MANAGER, "outlet", 1),
        (Role.CLERK, "outlet", -1),
    ],
)
def test_an_assignment_that_makes_no_sense_is_refused(db: None, role: Role, place: str, days: int) -> None:
    where = create_region("130826") if place == "region" else create_outlet()
    with pytest.raises(people.BadAssignment):
        people.assign(create_person(), role, where, last_day=timezone.localdate() + timedelta(days=days))


def test_people_with_a_past_are_not_deleted(db: None) -> None:
    create_person(Role.CLERK)

    assert "violates foreign key constraint" in refused("DELETE FROM stores_person; SET CONSTRAINTS ALL IMMEDIATE")
