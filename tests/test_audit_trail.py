"""The audit trail: every administrative change leaves an entry, however it was made, and no entry is ever changed."""

from __future__ import annotations

import csv
import io
import json
from datetime import timedelta

import pytest
from django.core.management import call_command
from django.db import IntegrityError, connection, transaction
from django.utils import timezone

from api.credentials import SCOPES
from catalog.acting import SAMPLE, acting_as, current_actor
from catalog.models import Brand, Phone, Tier
from office import trail
from office.membership import join, leave
from office.models import OfficeRole, TrailEntry
from partners.keys import issue_key, revoke_key
from partners.models import Partner
from stores import people
from stores.models import Outlet, Role
from stores.outlets import change_state
from tests.desk import create_person
from tests.factories import create_brand, create_outlet, create_phone, create_timetable
from tests.office import office_client


def entries(thing: str, **known: str) -> list[TrailEntry]:
    return list(TrailEntry.objects.filter(thing=thing, **known).order_by("id"))


def test_who_changed_what_from_and_to(db: None) -> None:
    brand = create_brand(name_en="Before")
    with acting_as("person:7"):
        Brand.objects.filter(pk=brand.pk).update(name_en="After")

    added, changed = entries("catalog_brand")
    assert (added.deed, added.actor, added.name) == ("insert", "system:database", brand.slug)
    assert added.changes["name_en"] == [None, "Before"]
    assert (changed.deed, changed.actor, changed.key) == ("update", "person:7", str(brand.pk))
    assert changed.changes == {"name_en": ["Before", "After"]}
    assert timezone.now() - changed.happened_at < timedelta(minutes=1)


def test_a_bulk_change_and_plain_sql_leave_an_entry_for_each_row(db: None) -> None:
    for _ in range(3):
        create_brand()
    with connection.cursor() as cursor:
        cursor.execute("UPDATE catalog_brand SET name_zh = '新'")

    assert len(entries("catalog_brand", deed="update")) == 3


def test_what_is_removed_is_still_told(db: None) -> None:
    tier = create_tier_without_phones()
    tier.delete()

    assert entries("catalog_tier")[-1].changes["slug"] == [tier.slug, None]


def create_tier_without_phones() -> Tier:
    return create_phone().tier.__class__.objects.create(
        slug="empty", position=99, name_zh="空", name_en="Empty", summary_zh="", summary_en="", explanation_zh="",
        explanation_en="",
    )  # fmt: skip


def test_a_change_of_nothing_leaves_nothing(db: None) -> None:
    brand = create_brand()
    Brand.objects.filter(pk=brand.pk).update(name_en=brand.name_en)

    assert len(entries("catalog_brand")) == 1


def test_what_the_worker_notes_by_itself_is_nobodys_doing(db: None) -> None:
    outlet = create_outlet()
    Outlet.objects.filter(pk=outlet.pk).update(call_first=True)
    change_state(outlet.pk, Outlet.State.SUSPENDED)

    assert [entry.changes for entry in entries("stores_outlet", deed="update")] == [{"state": ["open", "suspended"]}]


def test_secrets_are_not_told(db: None) -> None:
    person, first = people.add_person("new", "新人", mobile="13800138000")
    people.reset_password(person)
    partner = Partner.objects.create(name="ERP")
    key = issue_key(partner, list(SCOPES)[:1])
    prefix = key.split("_")[1]
    revoke_key(prefix, timezone.now())

    told = str([entry.changes for entry in TrailEntry.objects.all()])
    assert entries("stores_person", deed="update")[-1].changes["password"] == ["***", "***"]
    assert entries("partners_apikey", name=prefix, deed="update")[0].changes.keys() == {"revoked_at"}
    for secret in (first, "138001", "pbkdf2", "md5$", key.split("_", 2)[2]):
        assert secret not in told


def test_people_and_their_roles(db: None) -> None:
    person, outlet = create_person(), create_outlet()
    with acting_as("person:7"):
        people.assign(person, Role.CLERK, outlet)
        people.end_assignment(person, outlet, timezone.localdate())
        join(person, OfficeRole.SUPPORT)
        leave(person)

    assert [(entry.deed, entry.actor) for entry in entries("stores_assignment", name=str(person.pk))] == [
        ("insert", "person:7"),
        ("update", "person:7"),
    ]
    assert [entry.deed for entry in entries("office_membership", name=str(person.pk))] == ["insert", "delete"]


def test_whoever_chooses_a_password_did_it(db: None) -> None:
    person, _ = people.add_person("new", "新人")
    people.choose_password(person, "shelf-and-seal-7")

    assert entries("stores_person", deed="update")[-1].actor == person.actor


def test_commands_are_named(db: None, tmp_path) -> None:
    call_command("people", "add", "new", "新人")
    file = tmp_path / "timetables.json"
    file.write_text("[]")

    assert entries("stores_person")[-1].actor == "system:people"


def test_hours_belong_to_their_timetable(db: None) -> None:
    timetable = create_timetable()

    assert len(entries("stores_timetablehours", name=str(timetable.pk))) == 7


def test_sample_data_leave_no_trail(db: None) -> None:
    with acting_as(SAMPLE):
        create_phone()

    assert not TrailEntry.objects.exists()


def test_a_change_that_was_undone_leaves_nothing(db: None) -> None:
    brand = create_brand()

    def change_and_fail() -> None:
        with acting_as("person:7"):
            Brand.objects.filter(pk=brand.pk).update(name_en="After")
            raise RuntimeError

    with pytest.raises(RuntimeError):
        change_and_fail()

    assert len(entries("catalog_brand")) == 1
    assert current_actor() == ""


def test_the_inner_actor_counts_until_the_inner_deed_is_done(db: None) -> None:
    with acting_as("person:7"):
        with acting_as("system:people"):
            assert current_actor() == "system:people"
        assert current_actor() == "person:7"


@pytest.mark.django_db(transaction=True)
def test_the_next_transaction_is_somebody_elses() -> None:
    with acting_as("person:7"):
        pass

    assert current_actor() == ""


ATTACKS = [
    "UPDATE office_trailentry SET actor = 'person:8'",
    "DELETE FROM office_trailentry",
    "UPDATE office_trailentry SET changes = '{}' WHERE deed = 'insert'",
]


@pytest.mark.parametrize("attack", ATTACKS)
def test_the_database_lets_nobody_change_the_trail(db: None, attack: str) -> None:
    create_brand()

    with connection.cursor() as cursor, pytest.raises(IntegrityError, match="trail_is_not_changed"):
        cursor.execute(attack)


def test_the_trail_is_not_truncated(db: None) -> None:
    with (
        connection.cursor() as cursor,
        pytest.raises(IntegrityError, match="trail_is_not_truncated"),
        transaction.atomic(),
    ):
        cursor.execute("TRUNCATE office_trailentry")


def test_an_entry_says_who(db: None) -> None:
    with pytest.raises(IntegrityError, match="trail_says_who"):
        TrailEntry.objects.create(actor="somebody", deed="shown", thing="order", key="1", changes={})


def test_the_trail_is_taken_as_it_was_searched_and_says_so(db: None) -> None:
    person, brand = create_person(), create_brand(name_en="=Before")
    with acting_as(person.actor):
        Brand.objects.filter(pk=brand.pk).update(name_en="After")
    client = office_client(OfficeRole.AUDITOR)

    answer = client.get(f"/en/admin/trail/export/?who={person.username}&what={brand.slug}")
    head, row = csv.reader(io.StringIO(b"".join(answer.streaming_content).decode("utf-8-sig")))

    assert head[1:5] == ["Who", "Name", "What", "Table"]
    assert row[1:7] == [person.actor, person.name, "changed", "catalog_brand", str(brand.pk), brand.slug]
    assert json.loads(row[7]) == {"name_en": ["=Before", "After"]}
    [taken] = entries("office_trailentry", deed="exported")
    assert brand.slug in taken.changes["query"]


def test_what_no_trigger_sees_is_noted(db: None) -> None:
    with acting_as("person:7"):
        trail.note(TrailEntry.Deed.SHOWN, "order", "107579630694", fields="name, mobile")

    [entry] = entries("order")
    assert (entry.actor, entry.key, entry.changes) == ("person:7", "107579630694", {"fields": "name, mobile"})


def test_every_table_that_head_office_keeps_is_watched(db: None) -> None:
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT tgrelid::regclass::text FROM pg_trigger WHERE tgname LIKE '%leaves_a_trail' AND tgenabled = 'O'"
        )
        watched = {name for (name,) in cursor.fetchall()}

    assert {Phone._meta.db_table, Outlet._meta.db_table, Partner._meta.db_table} <= watched
