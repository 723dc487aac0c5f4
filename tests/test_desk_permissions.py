"""Who may do what at the desk: every door is tried by everybody, reading and sending, and held against the table."""

from __future__ import annotations

import re
from collections.abc import Callable
from datetime import timedelta

import pytest
from django.conf import settings
from django.http import HttpResponse
from django.test import Client
from django.utils import timezone, translation

from partners.keys import issue_key
from partners.models import Partner
from stores import people
from stores.access import MAY, WORDS, Deed
from stores.desk import Rule
from stores.models import Outlet, Role
from tests.desk import create_person, sign_in
from tests.desk_walk import Door, doors, samples
from tests.factories import create_outlet, create_region

DOCS = settings.BASE_DIR / "docs" / "desk.md"
BEGIN, END = "<!-- Written by the tests from here on. -->\n", "<!-- Until here. -->\n"

HERE = "130826100-01"


@pytest.fixture
def outlet(db: None) -> Outlet:
    return create_outlet(code=HERE, town=create_region("130826100"))


def nobody(outlet: Outlet) -> Client:
    return Client()


def partner(outlet: Outlet) -> Client:
    """A program with credentials for the API, and no person."""
    partner = Partner.objects.create(name="ERP")
    key = issue_key(partner, ["catalog:read"])
    assert Client().get("/api/v1/phones", headers={"Authorization": f"Bearer {key}"}).status_code == 200
    return Client(headers={"Authorization": f"Bearer {key}"})


def clerk_elsewhere(outlet: Outlet) -> Client:
    return sign_in(create_person(Role.CLERK))


def region_manager_elsewhere(outlet: Outlet) -> Client:
    return sign_in(create_person(Role.REGION_MANAGER, create_region("130827")))


def clerk_of_yesterday(outlet: Outlet) -> Client:
    return at(outlet, Role.CLERK, starts_on=-9, ends_on=-1)


def clerk_of_tomorrow(outlet: Outlet) -> Client:
    return at(outlet, Role.CLERK, starts_on=1)


def clerk(outlet: Outlet) -> Client:
    return at(outlet, Role.CLERK, starts_on=0, ends_on=0)


def manager(outlet: Outlet) -> Client:
    return at(outlet, Role.MANAGER, starts_on=-9)


def region_manager(outlet: Outlet) -> Client:
    return sign_in(create_person(Role.REGION_MANAGER, create_region("130800")))


def manager_with_first_password(outlet: Outlet) -> Client:
    return sign_in(create_person(Role.MANAGER, outlet, must_change_password=True))


def at(outlet: Outlet, role: Role, **days: int) -> Client:
    person, today = create_person(), timezone.localdate()
    assignment = people.assign(person, role, outlet)
    for name, offset in days.items():
        setattr(assignment, name, today + timedelta(days=offset))
    assignment.save()
    return sign_in(person)


STRANGERS = [nobody, partner]
OUTSIDERS = [clerk_elsewhere, region_manager_elsewhere, clerk_of_yesterday, clerk_of_tomorrow]
INSIDERS = {clerk: Role.CLERK, manager: Role.MANAGER, region_manager: Role.REGION_MANAGER}


def outcome(answer: HttpResponse) -> str:
    """Say what the door did, apart from what the page behind it answered."""
    if answer.status_code == 405:
        return "not so"
    if answer.status_code == 302 and answer["Location"].startswith("/en/desk/sign-in/?"):
        return "sign in"
    if answer.status_code == 302 and answer["Location"] == "/en/desk/sign-in/":
        return "sign in"
    if "<h1>No such outlet of yours</h1>" in answer.text:
        assert answer.status_code == 404
        return "no such outlet"
    if "<h1>Not for you</h1>" in answer.text:
        assert answer.status_code == 403
        return "not for you"
    assert answer.status_code < 500
    return "come in"


def expected(rule: Rule, method: str, who: Callable[[Outlet], Client]) -> str:
    deed = rule.reading if method == "get" else rule.writing
    if rule.of_an_outlet and deed is None:
        return "not so"
    if rule.signed_in and who in STRANGERS:
        return "sign in"
    if not rule.of_an_outlet:
        return "come in"
    if who in OUTSIDERS:
        return "no such outlet"
    return "come in" if INSIDERS[who] in MAY[deed] else "not for you"


@pytest.mark.parametrize("who", [*STRANGERS, *OUTSIDERS, *INSIDERS], ids=lambda who: who.__name__)
def test_every_door_opens_for_whom_the_table_says(outlet: Outlet, who: Callable[[Outlet], Client]) -> None:
    client = who(outlet)
    wrong = []
    for door in doors():
        # Ends the session, and leaves nobody to walk on. The code page leads who has given no password to sign in.
        if door.name in ("desk:sign_out", "desk:code"):
            continue
        assert door.rule, f"{door.route} goes through no door of stores.desk"
        with translation.override("en"):
            address = door.address(outlet.code, samples(outlet))
        for method in ("get", "post"):
            answer = getattr(client, method)(address)
            found, wanted = outcome(answer), expected(door.rule, method, who)
            if found != wanted:
                wrong.append(f"{method} {address}: {found}, not {wanted}")
            assert answer["Cache-Control"] in ("no-store, private", "private, no-cache"), address
            assert wanted in ("not so",) or "no-store" in answer["Cache-Control"], address
    assert wrong == []


def test_the_walk_goes_somewhere() -> None:
    names = {door.name for door in doors()}

    assert {"desk:sign_in", "desk:password", "order_desk:home", "order_desk:today"} <= names
    assert all(door.rule for door in doors())


def test_a_foreign_outlet_is_like_one_that_is_not_there(outlet: Outlet) -> None:
    client = clerk_elsewhere(outlet)
    foreign, missing = client.get(f"/desk/{HERE}/"), client.get("/desk/999999999-99/")

    assert foreign.status_code == missing.status_code == 404
    assert without_token(foreign.text, HERE) == without_token(missing.text, "999999999-99")


def without_token(text: str, code: str) -> str:
    return re.sub(r'value="\w{64}"', "", text.replace(code, ""))


def test_who_has_a_first_password_is_led_to_choose_another(outlet: Outlet) -> None:
    client = manager_with_first_password(outlet)
    for door in doors():
        if door.rule and door.rule.of_an_outlet and (door.rule.reading or door.rule.writing):
            method = "get" if door.rule.reading else "post"
            answer = getattr(client, method)(door.address(outlet.code, samples(outlet)))
            assert (answer.status_code, answer["Location"]) == (302, "/desk/password/"), door.route


def test_a_first_page_of_the_desk_knows_the_role(outlet: Outlet) -> None:
    assert "区域经理" in region_manager(outlet).get(f"/desk/{HERE}/").text
    assert "店长" in manager(outlet).get(f"/desk/{HERE}/").text


def test_the_table_has_every_deed() -> None:
    assert set(MAY) == set(WORDS) == set(Deed)
    assert all(MAY.values())


def test_no_goods_and_no_money_pass_through_a_region_managers_hands() -> None:
    """The line that the table must not cross, whatever else changes in it."""
    for deed in (Deed.HAND_OVER, Deed.SELL, Deed.RECEIVE, Deed.SEND_TRANSFER, Deed.RECEIVE_TRANSFER):
        assert MAY[deed] == {Role.CLERK, Role.MANAGER}
    for deed in (Deed.ADJUST_MUCH, Deed.HAND_OVER_WITHOUT_CODE, Deed.APPROVE_TRANSFER):
        assert Role.CLERK not in MAY[deed]


def test_the_docs_show_the_table(request: pytest.FixtureRequest) -> None:
    with translation.override("en"):
        tables = "\n".join([*table_of_deeds(), "", *table_of_doors(doors())]) + "\n"
    before, _, rest = DOCS.read_text().partition(BEGIN)
    written, _, after = rest.partition(END)
    if request.config.getoption("--write-docs"):
        DOCS.write_text(before + BEGIN + tables + END + after)
        return
    assert written == tables, "write it anew: script/test tests/test_desk_permissions.py --write-docs"


def table_of_deeds() -> list[str]:
    rows = [
        f"| `{deed.name}` | {WORDS[deed]} | " + " | ".join("yes" if role in MAY[deed] else "" for role in Role) + " |"
        for deed in Deed
    ]
    heads = " | ".join(str(role.label) for role in Role)
    return [f"| deed | in words | {heads} |", "| --- | --- | --- | --- | --- |", *rows]


def table_of_doors(found: list[Door]) -> list[str]:
    def asks(door: Door, deed: Deed | None) -> str:
        assert door.rule
        if door.rule.of_an_outlet:
            return f"`{deed.name}`" if deed else ""
        return "signed in" if door.rule.signed_in else "everybody"

    rows = [
        f"| `/{door.route}` | {asks(door, door.rule.reading)} | {asks(door, door.rule.writing)} |"
        for door in found
        if door.rule
    ]
    return ["| address | to read it | to send its form |", "| --- | --- | --- |", *rows]
