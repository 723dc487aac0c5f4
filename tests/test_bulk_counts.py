"""Many counts at once: a file of the head office, or a partner's."""

import threading
from contextlib import closing, contextmanager
from datetime import timedelta

import psycopg2
import pytest
from django.db import connection
from django.utils import timezone

from stores import ledger_counts, totals
from stores.counts import apply_count, apply_staged_counts, refused_counts
from stores.models import RegionStock, Shortfall, StockLevel, StockMovement
from tests.books import assert_books_add_up
from tests.crowd import at_once
from tests.factories import act, create_outlet, create_phone, create_stock


def count(rows, *, opening=False):
    with staged(rows) as cursor:
        return apply_staged_counts(cursor, table="staged", actor="partner:erp", reference="count:1", opening=opening)


@contextmanager
def staged(rows):
    with connection.cursor() as cursor:
        cursor.execute("DROP TABLE IF EXISTS staged")
        cursor.execute(
            "CREATE TEMPORARY TABLE staged "
            "(outlet_id bigint, phone_id smallint, on_hand integer, counted_at timestamptz)"
        )
        cursor.executemany("INSERT INTO staged VALUES (%s, %s, %s, %s)", rows)
        yield cursor


def ago(**how_long):
    return timezone.now() - timedelta(**how_long)


def test_opens_a_shelf(db):
    outlet, phone, now = create_outlet(), create_phone(), timezone.now()

    summary = count([(outlet.pk, phone.pk, 4, now)], opening=True)

    level = StockLevel.objects.get()
    assert (level.on_hand, level.counted_at, level.is_available) == (4, now, True)
    assert (summary.opened, summary.refused) == (1, 0)


def test_does_not_open_a_shelf_unasked(db):
    outlet, phone = create_outlet(), create_phone()

    summary = count([(outlet.pk, phone.pk, 4, timezone.now())])

    assert (summary.opened, summary.refused) == (0, 1)
    assert not StockMovement.objects.exists()


def test_changes_what_differs_and_notes_what_does_not(db):
    differing, same = create_stock(on_hand=5), create_stock(on_hand=5)
    now = timezone.now()

    summary = count([(differing.outlet_id, differing.phone_id, 3, now), (same.outlet_id, same.phone_id, 5, now)])

    differing.refresh_from_db()
    same.refresh_from_db()
    assert (differing.on_hand, same.on_hand) == (3, 5)
    assert (differing.counted_at, same.counted_at) == (now, now)
    assert (summary.changed, summary.unchanged) == (1, 1)
    line = StockMovement.objects.get(kind="counted")
    assert (line.change_on_hand, line.counted, line.counted_at) == (-2, 3, now)


def test_adds_what_moved_after_the_count_was_taken(db):
    level = create_stock(on_hand=5)  # received a moment ago, after the count

    count([(level.outlet_id, level.phone_id, 2, timezone.now() - timedelta(hours=1))])

    level.refresh_from_db()
    assert level.on_hand == 7


def test_adds_what_moved_also_where_the_books_say_the_same(transactional_db):
    level = create_stock(on_hand=5)  # received after the count, which found as many beside them

    count([(level.outlet_id, level.phone_id, 5, ago(hours=1))])

    level.refresh_from_db()
    assert level.on_hand == 10


def test_refuses_older_news(db):
    level = create_stock(on_hand=5)
    now = timezone.now()
    count([(level.outlet_id, level.phone_id, 4, now)])

    summary = count([(level.outlet_id, level.phone_id, 9, now - timedelta(minutes=1))])

    level.refresh_from_db()
    assert (level.on_hand, summary.refused) == (4, 1)


@pytest.mark.parametrize("again", [None, totals.fold, totals.refresh_region_stock])
def test_totals_follow_by_themselves(db, again):
    outlet, phone = create_outlet(), create_phone()
    count([(outlet.pk, phone.pk, 4, timezone.now())], opening=True)
    if again:
        again()

    totals_of = dict(RegionStock.objects.filter(phone=phone).values_list("region", "available"))

    assert totals_of == {"130121": 4, "130100": 4, "130000": 4, None: 4}


def test_tells_what_it_would_leave_out_and_why(db):
    outlet = create_outlet()
    fine, old, early = (create_stock(outlet=outlet, on_hand=5).phone_id for _ in range(3))
    new = create_phone().pk
    now, yesterday = timezone.now(), ago(days=1)
    apply_count(outlet.pk, {old: 4}, now, act())
    rows = [
        (outlet.pk, fine, 5, yesterday),
        (outlet.pk, old, 9, yesterday),
        (outlet.pk, early, 9, now + timedelta(minutes=6)),
        (outlet.pk, new, 1, now),
        (outlet.pk + 999, fine, 1, now),
    ]

    with staged(rows) as cursor:
        refused = list(refused_counts(cursor, table="staged"))
        opening = list(refused_counts(cursor, table="staged", opening=True))

    reasons = {(outlet.pk, old): "count_is_not_news", (outlet.pk, early): "count_is_of_the_future"}
    nowhere = {(outlet.pk, new): "no_such_shelf", (outlet.pk + 999, fine): "no_such_shelf"}
    assert {(place, phone): why for place, phone, why in refused} == reasons | nowhere
    assert {(place, phone): why for place, phone, why in opening} == reasons
    # What it says is what happens.
    assert count(rows).refused == len(refused)


def test_leaves_a_shelf_alone_that_is_as_counted(transactional_db):
    level, now = create_stock(on_hand=5), timezone.now()
    # Who wrote it and where it lies. It may have been locked: another deed under way is reason enough for that.
    row = "SELECT xmin::text, ctid::text FROM stores_stocklevel"
    with connection.cursor() as cursor:
        cursor.execute(row)
        before = cursor.fetchone()

        summary = count([(level.outlet_id, level.phone_id, 5, now)])

        cursor.execute(row)
        assert cursor.fetchone() == before
    assert (summary.unchanged, level.counted_at) == (1, now)


def test_each_shelf_keeps_the_time_of_its_own_last_count(db):
    outlet = create_outlet()
    first, second, never = (create_stock(outlet=outlet, on_hand=5).phone_id for _ in range(3))
    one, two, three = ago(days=3), ago(days=2), ago(days=1)

    count([(outlet.pk, first, 3, one), (outlet.pk, second, 5, two)])
    count([(outlet.pk, first, 3, three)])
    opened_later = create_stock(outlet=outlet, on_hand=5).phone_id

    times = dict(StockLevel.objects.with_counted_at().values_list("phone_id", "counted_at"))
    assert times == {first: three, second: two, never: None, opened_later: None}
    # The others are as open to older news as they were.
    assert count([(outlet.pk, first, 9, two), (outlet.pk, second, 9, two)]).refused == 2
    assert count([(outlet.pk, never, 9, one), (outlet.pk, opened_later, 9, one)]).changed == 2


def test_a_repeated_count_is_no_news(db):
    level, now = create_stock(on_hand=5), timezone.now()
    row = (level.outlet_id, level.phone_id, 3, now)
    count([row])
    lines = StockMovement.objects.count()

    assert count([row]).refused == 1
    assert StockMovement.objects.count() == lines


def test_opens_and_closes_shortfalls(db):
    level, now = create_stock(on_hand=5, reserved=4), timezone.now()

    for number, (on_hand, missing) in enumerate([(1, 3), (1, 3), (2, 2)]):
        count([(level.outlet_id, level.phone_id, on_hand, now + timedelta(seconds=number))])
        assert Shortfall.objects.get().missing == missing
    count([(level.outlet_id, level.phone_id, 4, now + timedelta(seconds=9))])

    assert Shortfall.objects.get().closed_at


@pytest.mark.parametrize("shelves_at_once", [1, 3, 700])
def test_any_size_of_batch_writes_the_same(transactional_db, monkeypatch, shelves_at_once):
    monkeypatch.setattr("stores.counts.SHELVES_AT_ONCE", shelves_at_once)
    phones = [create_phone() for _ in range(3)]
    outlets = [create_outlet() for _ in range(3)]
    levels = [create_stock(outlet=outlet, phone=phone, on_hand=5) for outlet in outlets for phone in phones[:2]]
    now = timezone.now()

    rows = [(level.outlet_id, level.phone_id, 5 + number % 3, now) for number, level in enumerate(levels)]
    summary = count([*rows, *((outlet.pk, phones[2].pk, 1, now) for outlet in outlets)], opening=True)

    assert (summary.opened, summary.changed, summary.unchanged, summary.refused) == (3, 4, 2, 0)
    found = StockLevel.objects.filter(phone__in=phones[:2]).values_list("outlet_id", "phone_id", "on_hand")
    assert set(found) == {row[:3] for row in rows}
    assert set(StockLevel.objects.with_counted_at().values_list("counted_at", flat=True)) == {now}
    assert_books_add_up()


@pytest.mark.parametrize(("transactions", "rests"), [([7, 8, 9], 0), ([7, 9, 10], 1), ([7, 10, 12], 2)])
def test_rests_after_each_step_during_which_others_wrote(transactional_db, monkeypatch, transactions, rests):
    """Others are seen by the numbers of transactions that went to them."""
    monkeypatch.setattr("stores.counts.SHELVES_AT_ONCE", 1)
    given, slept, write_batch = iter(transactions), [], ledger_counts.write_batch
    monkeypatch.setattr(
        ledger_counts, "write_batch", lambda *args, **kw: write_batch(*args, **kw)._replace(transaction=next(given))
    )
    monkeypatch.setattr("time.sleep", slept.append)
    levels = [create_stock(on_hand=5) for _ in range(3)]

    count([(level.outlet_id, level.phone_id, 6, timezone.now()) for level in levels])

    assert len(slept) == rests
    assert all(pause > 0 for pause in slept)
    assert {level.on_hand for level in StockLevel.objects.all()} == {6}


def test_knows_the_number_of_its_own_transaction(transactional_db, monkeypatch):
    """Whatever others do between two of them takes a number, too."""
    monkeypatch.setattr("stores.counts.SHELVES_AT_ONCE", 1)
    numbers, write_batch = [], ledger_counts.write_batch

    def watched(cursor, **kw):
        written = write_batch(cursor, **kw)
        cursor.execute("SELECT pg_current_xact_id()::text::bigint")
        numbers.append((written.transaction, cursor.fetchone()[0]))
        with closing(psycopg2.connect(connection.connection.dsn)) as other, other, other.cursor() as another:
            another.execute("SELECT pg_current_xact_id()")
        return written

    monkeypatch.setattr(ledger_counts, "write_batch", watched)
    levels = [create_stock(on_hand=5) for _ in range(2)]
    count([(level.outlet_id, level.phone_id, 6, timezone.now()) for level in levels])

    assert all(said == is_so for said, is_so in numbers)
    assert numbers[1][0] > numbers[0][0] + 1


def test_waits_for_a_sale_that_was_under_way_when_it_was_taken(transactional_db):
    level = create_stock(on_hand=5)
    with closing(psycopg2.connect(connection.connection.dsn)) as other, other.cursor() as cursor:
        cursor.execute(
            "SELECT FROM stores_write_lines(%s, %s::smallint[], '{-1}', '{0}',"
            " 'possible', 'walk_in_sale', '', 'person:1', '', 'k')",
            [level.outlet_id, [level.phone_id]],
        )
        # The one that was sold is gone from the shelf, and somebody finds five beside it.
        taken_at = timezone.now()
        end_of_sale = threading.Timer(0.3, other.commit)
        end_of_sale.start()

        count([(level.outlet_id, level.phone_id, 5, taken_at)])

        end_of_sale.join()
    level.refresh_from_db()
    assert level.on_hand == 5
    assert_books_add_up()


def test_waits_for_a_count_that_is_under_way_and_judges_again(transactional_db):
    level, early = create_stock(on_hand=5), timezone.now()
    count([(level.outlet_id, level.phone_id, 5, early)])
    middle, late = early + timedelta(seconds=1), early + timedelta(seconds=2)
    with closing(psycopg2.connect(connection.connection.dsn)) as other, other.cursor() as cursor:
        cursor.execute("UPDATE stores_lastcounts SET counted_at = ARRAY[%s]", [late])
        end_of_count = threading.Timer(0.3, other.commit)
        end_of_count.start()

        summary = count([(level.outlet_id, level.phone_id, 7, middle)])

        end_of_count.join()
    level.refresh_from_db()
    assert (level.on_hand, level.counted_at, summary.refused) == (5, late, 1)


def test_judges_again_where_somebody_counts_meanwhile(transactional_db):
    """Between the comparison and the writing, a clerk counts later than the file did; and one counts earlier."""
    newer, older, quiet = (create_stock(on_hand=5) for _ in range(3))
    early = timezone.now()
    middle, late = early + timedelta(seconds=1), early + timedelta(seconds=2)
    clerks = [
        lambda: apply_count(newer.outlet_id, {newer.phone_id: 2}, late, act()),
        lambda: apply_count(older.outlet_id, {older.phone_id: 2}, early, act()),
    ]

    def count_in_between(execute, sql, params, many, context):
        if "FOR UPDATE OF c" in sql and clerks:
            outcomes = at_once([clerks.pop(), clerks.pop()])
            assert all(isinstance(outcome, tuple) for outcome in outcomes), outcomes
        return execute(sql, params, many, context)

    with connection.execute_wrapper(count_in_between):
        summary = count([(level.outlet_id, level.phone_id, 5, middle) for level in (newer, older, quiet)])

    assert not clerks
    assert (summary.changed, summary.unchanged, summary.refused) == (1, 1, 1)
    for level, on_hand, counted_at in ((newer, 2, late), (older, 5, middle), (quiet, 5, middle)):
        level.refresh_from_db()
        assert (level.on_hand, level.counted_at) == (on_hand, counted_at)
    assert_books_add_up()
