"""Nonsense in any field of any form of the desk is refused in words, never by an error of ours."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from stores.desk_keys import new_key
from stores.models import Role
from tests.desk import create_person, sign_in
from tests.desk_walk import doors, samples
from tests.test_desk_once import FORMS, Counter, Sent

NONSENSE = ("", "\0", "\0 1\0", "x" * 5000, "９", "-1", "0", "1e9", "9" * 40, "<b>&\"'", "村")


@pytest.mark.parametrize(("name", "forms"), FORMS.items(), ids=FORMS)
def test_nonsense_in_a_field_is_no_error(db: None, name: str, forms: tuple[Callable[[Counter], Sent], ...]) -> None:
    here = Counter()
    client = sign_in(create_person(Role.MANAGER, here.outlet))
    for send in forms:
        path, values = send(here)
        for field in [*values, "form_key", "strange"]:
            for nonsense in NONSENSE:
                sent = values | {"form_key": new_key()} | {field: nonsense}
                answer = client.post(f"/desk/{here.outlet.code}/{path}", sent)
                assert answer.status_code < 500, (path, field, nonsense)


def test_nonsense_in_an_address_is_no_error(db: None) -> None:
    here = Counter()
    client = sign_in(create_person(Role.MANAGER, here.outlet))
    known = samples(here.outlet)
    for door in doors():
        if door.rule and door.rule.of_an_outlet and door.rule.reading:
            for field in ("phone", "before", "q", "number", "page"):
                for nonsense in NONSENSE:
                    answer = client.get(door.address(here.outlet.code, known), {field: nonsense})
                    assert answer.status_code < 500, (door.route, field, nonsense)
