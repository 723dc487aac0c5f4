"""The change feed: nothing is missed, nothing changes its place, whatever else is running meanwhile."""

from __future__ import annotations

import random
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import timedelta
from typing import Any

import pytest
from django.core.management import call_command
from django.db import DatabaseError, connection, transaction
from django.utils import timezone
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from events.feed import Place, kept, make_tick, place_of
from events.models import Event, Tick, Type
from events.recording import Happening, record
from tests.crowd import at_once
from tests.feed import read_feed

pytestmark = pytest.mark.django_db(transaction=True)

LINE = "INSERT INTO events_event (type, outlet_id, data) VALUES ('stock.changed', %s, %s)"


@contextmanager
def another_connection() -> Iterator[Any]:
    """A connection beside the test's own, with transactions that the test begins and ends."""
    other = connection.copy()
    try:
        with other.cursor() as cursor:
            yield cursor
    finally:
        other.close()


def happen(cursor: Any, outlet_id: int, number: int) -> None:
    cursor.execute(LINE, [outlet_id, f'{{"1": {number}}}'])


def numbers(told: Any) -> list[int]:
    return [event.data["1"] for event in told]


def test_what_is_rolled_back_never_happened() -> None:
    with transaction.atomic():
        record([Happening(Type.STOCK_CHANGED, 1, data={"1": 1})])
        transaction.set_rollback(True)
    assert read_feed() == []
    assert Tick.objects.count() == 0


def test_an_event_belongs_into_a_transaction() -> None:
    with pytest.raises(RuntimeError):
        record([Happening(Type.STOCK_CHANGED, 1, data={"1": 1})])


def test_events_of_a_transaction_come_in_the_order_in_which_they_happened() -> None:
    with transaction.atomic():
        record(Happening(Type.STOCK_CHANGED, 1, data={"1": number}) for number in range(20))
        record([Happening(Type.PHONE_CHANGED, None, 7)])
    told = read_feed()
    assert numbers(told[:20]) == list(range(20))
    assert (told[20].type, told[20].outlet_id, told[20].phone_id) == ("phone.changed", None, 7)


def test_who_commits_late_is_told_late_and_not_forgotten() -> None:
    with another_connection() as late:
        late.execute("BEGIN")
        happen(late, 1, 1)
        with connection.cursor() as cursor:
            happen(cursor, 2, 2)
        first = read_feed()
        assert numbers(first) == [2]
        with connection.cursor() as cursor:
            happen(cursor, 2, 3)
        # The one that is still running keeps nobody waiting.
        second = read_feed(first[-1].place)
        assert numbers(second) == [3]
        late.execute("COMMIT")
    third = read_feed(second[-1].place)
    assert numbers(third) == [1]
    assert third[0].id < first[0].id
    assert read_feed(third[-1].place) == []
    assert read_feed() == first + second + third


def test_of_one_shelf_the_older_transaction_may_come_second() -> None:
    """It began first and waited for the lock: a feed by transaction numbers would tell it first."""
    with connection.cursor() as cursor:
        cursor.execute("CREATE TABLE one_shelf (id int)")
        cursor.execute("INSERT INTO one_shelf VALUES (1)")
    try:
        with another_connection() as older, another_connection() as younger:
            older.execute("BEGIN; SELECT pg_current_xact_id()")
            younger.execute("BEGIN; SELECT FROM one_shelf FOR UPDATE")
            happen(younger, 1, 1)
            younger.execute("COMMIT")
            older.execute("SELECT FROM one_shelf FOR UPDATE")
            happen(older, 1, 2)
            older.execute("COMMIT")
        assert numbers(read_feed()) == [1, 2]
        first, second = Event.objects.order_by("id")
        assert int(first.xid) > int(second.xid)
    finally:
        with connection.cursor() as cursor:
            cursor.execute("DROP TABLE one_shelf")


@settings(max_examples=25, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(steps=st.lists(st.tuples(st.integers(0, 3), st.sampled_from(["happen", "commit", "roll back", "read"]))))
def test_whatever_overlaps_each_event_is_told_once_and_keeps_its_place(steps: list[tuple[int, str]]) -> None:
    committed: list[int] = []
    told: list[Any] = []
    place = kept().end
    begun = place
    count = 0
    with another_connection() as a, another_connection() as b, another_connection() as c, another_connection() as d:
        cursors = [a, b, c, d]
        waiting: list[list[int]] = [[], [], [], []]

        def read() -> None:
            nonlocal place
            found = read_feed(place)
            told.extend(found)
            place = found[-1].place if found else place
            assert sorted(numbers(told)) == sorted(committed)

        for which, step in steps:
            cursor, mine = cursors[which], waiting[which]
            if step == "happen":
                count += 1
                if not mine:
                    cursor.execute("BEGIN")
                happen(cursor, which, count)
                mine.append(count)
            elif step == "read":
                read()
            elif mine:
                cursor.execute("COMMIT" if step == "commit" else "ROLLBACK")
                committed += mine if step == "commit" else []
                mine.clear()
        for cursor, mine in zip(cursors, waiting, strict=True):
            if mine:
                cursor.execute("COMMIT")
                committed += mine
        read()
    assert read_feed(begun) == told
    for which in range(4):
        mine = numbers(event for event in told if event.outlet_id == which)
        assert mine == sorted(mine)


def test_a_crowd_of_writers_and_readers_who_make_ticks() -> None:
    """Each writer counts up its own counter under a lock; every reader sees every number once, in order."""
    with connection.cursor() as cursor:
        cursor.execute("CREATE TABLE counters (outlet int PRIMARY KEY, number int)")
        cursor.execute("INSERT INTO counters SELECT outlet, 0 FROM generate_series(1, 3) AS outlet")
    over = threading.Event()

    def write() -> None:
        for _round in range(40):
            first, second = random.sample(range(1, 4), 2)
            with transaction.atomic(), connection.cursor() as cursor:
                for outlet in sorted((first, second)):
                    cursor.execute(
                        "UPDATE counters SET number = number + 1 WHERE outlet = %s RETURNING number", [outlet]
                    )
                    happen(cursor, outlet, cursor.fetchone()[0])

    def read() -> list[Any]:
        place, told = Place(1, 0), []
        while True:
            is_last = over.is_set()
            found = read_feed(place, most=7)
            told += found
            if found:
                place = found[-1].place
            elif is_last:
                return told

    def write_all() -> None:
        try:
            outcomes = at_once([write] * 4)
            assert outcomes == [None] * 4
        finally:
            over.set()

    try:
        outcomes = at_once([write_all, read, read])
        assert outcomes[0] is None
        assert outcomes[1] == outcomes[2]
        assert len(outcomes[1]) == 4 * 40 * 2
        for outlet in (1, 2, 3):
            mine = numbers(event for event in outcomes[1] if event.outlet_id == outlet)
            assert mine == list(range(1, len(mine) + 1))
    finally:
        with connection.cursor() as cursor:
            cursor.execute("DROP TABLE counters")


def test_no_tick_is_made_of_nothing_nor_too_soon() -> None:
    with connection.cursor() as cursor:
        make_tick(timedelta(0))
        assert Tick.objects.count() == 0
        happen(cursor, 1, 1)
        make_tick(timedelta(0))
        make_tick(timedelta(0))
        assert Tick.objects.count() == 1
        happen(cursor, 1, 2)
        make_tick(timedelta(minutes=1))
        assert Tick.objects.count() == 1


def test_what_is_too_old_is_forgotten_and_the_rest_keeps_its_place() -> None:
    with connection.cursor() as cursor, another_connection() as late:
        late.execute("BEGIN")
        happen(late, 1, 3)
        happen(cursor, 1, 1)
        [old] = read_feed()
        moment = timezone.now()
        happen(cursor, 1, 2)
        [kept_one] = read_feed(old.place)
        late.execute("COMMIT")
        cursor.execute("SELECT events_forget(%s)", [moment])
        assert kept().first == Place(kept_one.tick, 0)
        told = read_feed()
        assert told[0] == kept_one
        # Of the transaction that was running all the while.
        assert numbers(told) == [2, 3]
        assert place_of(moment) == kept().first
        assert place_of(timezone.now() + timedelta(days=1)) == kept().end


def test_everything_can_be_forgotten_and_places_are_never_used_again() -> None:
    with connection.cursor() as cursor:
        happen(cursor, 1, 1)
        [before] = read_feed()
        cursor.execute("SELECT events_forget(NULL)")
        assert read_feed() == []
        happen(cursor, 1, 2)
        [after] = read_feed()
    assert after.tick > before.tick


def test_events_that_came_from_another_postgresql_are_not_put_in_order() -> None:
    with connection.cursor() as cursor:
        happen(cursor, 1, 1)
        read_feed()
        cursor.execute(
            "INSERT INTO events_tick (number, since, until) SELECT 2, until, '9000000000:9000000000:' FROM events_tick"
        )
        happen(cursor, 1, 2)
        with pytest.raises(DatabaseError, match="forget_events --all"):
            read_feed()
        call_command("forget_events", "--all")
        happen(cursor, 1, 3)
        assert numbers(read_feed()) == [3]


@pytest.mark.parametrize(
    ("attack", "guard"),
    [
        ("UPDATE events_event SET data = '{}'", "event_is_never_changed"),
        ("DELETE FROM events_event", "event_is_kept"),
        ("TRUNCATE events_event", "event_is_not_truncated"),
        ("UPDATE events_tick SET number = 9", "tick_is_never_changed"),
        ("DELETE FROM events_tick", "tick_is_kept"),
        ("TRUNCATE events_tick", "tick_is_not_truncated"),
        ("INSERT INTO events_event (type, data) VALUES ('stock.stolen', '{}')", "event_type_is_known"),
        ("INSERT INTO events_event (id, type, data) VALUES (1, 'stock.changed', '{}')", "cannot insert a non-DEFAULT"),
    ],
)
def test_the_database_keeps_what_happened(attack: str, guard: str) -> None:
    with connection.cursor() as cursor:
        happen(cursor, 1, 1)
        read_feed()
        with pytest.raises(DatabaseError, match=guard):
            cursor.execute(attack)


def test_the_database_knows_every_type() -> None:
    with transaction.atomic():
        record(Happening(type) for type in Type)
    assert [event.type for event in read_feed()] == Type.values
