"""People to sign in as: in a demo, once, and nowhere else."""

import pytest
from django.test import override_settings

from stores import access
from stores.loading.demo_people import CITY, COUNTY, PEOPLE, add_people, sign_ins
from stores.models import Assignment, Person, Role
from tests.factories import create_outlet, create_region


@pytest.fixture
def outlets(db: None) -> list[str]:
    create_region(CITY)
    return [create_outlet(code=f"{COUNTY}100-0{n}", town=create_region(f"{COUNTY}100")).code for n in (1, 2, 3)]


def test_everybody_can_sign_in_and_stands_where_said(outlets: list[str]) -> None:
    assert add_people() == 4

    for each in PEOPLE:
        person = Person.objects.get(username=each.username)
        assert person.check_password(each.password)
        assert not person.must_change_password
        at = list(access.outlets_of(person).order_by("code").values_list("code", flat=True))
        assert at == ([outlets[number] for number in each.outlets] or outlets)
    assert [role for role, _, _ in sign_ins()] == ["clerk", "clerk", "manager", "region manager"]


def test_a_second_time_nobody_is_added_or_changed(outlets: list[str]) -> None:
    add_people()
    person = Person.objects.get(username="wangfang")
    person.set_password("changed-by-a-visitor")
    person.save()

    assert add_people() == 0
    assert Assignment.objects.filter(role=Role.MANAGER).count() == 2
    person.refresh_from_db()
    assert person.check_password("changed-by-a-visitor")


def test_outside_a_demo_there_is_nobody(outlets: list[str]) -> None:
    with override_settings(DEMO=False):
        assert add_people() == 0
    assert not Person.objects.exists()
    add_people()
    with override_settings(DEMO=False):
        # What was a demo once tells its passwords no more.
        assert sign_ins() == []


def test_another_installation_has_other_passwords() -> None:
    here = [each.password for each in PEOPLE]
    with override_settings(SECRET_KEY="another secret " * 5):
        there = [each.password for each in PEOPLE]

    assert len(set(here + there)) == 8
