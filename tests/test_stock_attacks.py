"""Direct attacks by SQL on ledger, stock levels, handsets and what hangs on them: the database refuses each."""

from importlib import import_module

import pytest
from django.db import DatabaseError, IntegrityError, connection, transaction
from django.utils import timezone

from stores import stock, transfers
from stores.counts import apply_count
from stores.models import Handset, StockLevel, StockMovement
from tests.books import assert_books_add_up
from tests.factories import act, create_outlet, create_phone, create_stock, create_unit

LINE = """
    INSERT INTO stores_stockmovement (outlet_id, phone_id, seq, kind, change_on_hand, change_reserved, on_hand,
        reserved, reference, actor, reason, operation_key, operation_line, created_at)
    SELECT outlet_id, phone_id, seq + {on}, 'received', 1, 0, on_hand + 1, reserved,
           '', 'person:1', '', 'attack', 1, clock_timestamp() FROM stores_stocklevel
"""
RIGHT_LINE = LINE.format(on=1)
# A line, and a level that follows it as it should not.
MOVED = """
    WITH line AS ({line} RETURNING *)
    UPDATE stores_stocklevel l
    SET seq = line.seq, on_hand = line.on_hand{more}, moved_at = line.created_at
    FROM line
"""
OPENED = """
    WITH line AS (
        INSERT INTO stores_stockmovement (outlet_id, phone_id, seq, kind, change_on_hand, change_reserved, on_hand,
            reserved, reference, actor, reason, operation_key, operation_line, created_at)
        SELECT outlet_id, phone_id + 1, {seq}, 'opening', 1, 0, {on_hand}, 0, '', 'person:1', '', 'attack', 1, now()
        FROM stores_stocklevel RETURNING *)
    INSERT INTO stores_stocklevel (outlet_id, phone_id, seq, on_hand, reserved,
        safety_stock, reorder_point, moved_at, outlet_trades, county_code, position)
    SELECT l.outlet_id, line.phone_id, line.seq, line.on_hand, 0,
           0, 0, line.created_at, outlet_trades, county_code, position FROM line, stores_stocklevel l
"""
# The doors that write by themselves, given what they must not take.
POSTING = """
    INSERT INTO stores_posting (outlet_id, phone_id, change_on_hand, change_reserved, condition, kind, reference, actor,
        reason, operation_key)
    SELECT outlet_id, phone_id, {on_hand}, 0, 'possible', '{kind}', '', '{actor}', '', {key} FROM stores_stocklevel
"""
COUNTPOSTING = """
    INSERT INTO stores_countposting (outlet_ids, phone_ids, was, found, counted, counted_at, reference, actor, reason)
    SELECT ARRAY[outlet_id], ARRAY[phone_id], ARRAY[{was}], ARRAY[{found}], ARRAY[{counted}], ARRAY[{at}],
           '', 'person:1', ''
    FROM stores_stocklevel
"""
EVENT = """
    INSERT INTO stores_handsetevent (handset_id, seq, kind, state, outlet_id, phone_id, line_seq,
        prev_seq, prev_state, prev_outlet_id, created_at)
    SELECT id, seq + 1, '{kind}', '{state}', outlet_id, phone_id, {line_seq}, seq, {prev_state}, outlet_id, now()
    FROM stores_handset
"""

ALWAYS_ASKED = import_module("stores.migrations.0033_deeds_are_posted").ASKED.format(when="FOR EACH STATEMENT EXECUTE")

ATTACKS = {
    "more on the shelf": ("UPDATE stores_stocklevel SET on_hand = on_hand + 1", "explained_by_the_ledger"),
    "a promise from nowhere": ("UPDATE stores_stocklevel SET reserved = 0", "explained_by_the_ledger"),
    "back to an older line": (
        """UPDATE stores_stocklevel SET seq = m.seq, on_hand = m.on_hand, reserved = m.reserved, moved_at = created_at
           FROM stores_stockmovement m WHERE m.seq = 2""",
        "explained_by_the_ledger",
    ),
    "the same line again": ("UPDATE stores_stocklevel SET moved_at = now()", "explained_by_the_ledger"),
    "an older count": ("UPDATE stores_lastcounts SET counted_at = '{2020-01-01}'", "lastcounts_move_on"),
    "an older count beside a newer one": (
        """UPDATE stores_lastcounts SET phones = phones || 9999::smallint, counted_at = counted_at || counted_at;
           UPDATE stores_lastcounts SET counted_at = '{2030-01-01, 2020-01-01}'""",
        "lastcounts_move_on",
    ),
    "a count at no time": ("UPDATE stores_lastcounts SET counted_at = '{null}'", "lastcounts_move_on"),
    "no count at all": ("UPDATE stores_lastcounts SET phones = '{}', counted_at = '{}'", "lastcounts_move_on"),
    "a count of another phone": ("UPDATE stores_lastcounts SET phones = '{9999}'", "lastcounts_move_on"),
    "a count without a time": (
        "UPDATE stores_lastcounts SET phones = phones || 9999::smallint", "a_time_for_each_phone",
    ),
    "the counts of another outlet": (
        "UPDATE stores_lastcounts SET outlet_id = outlet_id + 1", "lastcounts_stay_with_their_outlet",
    ),
    "counts forgotten": ("DELETE FROM stores_lastcounts", "lastcounts_are_not_deleted"),
    "below zero": ("UPDATE stores_stocklevel SET on_hand = -1", "stocklevel"),
    "safety below zero": ("UPDATE stores_stocklevel SET safety_stock = -1", "stocklevel"),
    "another county": ("UPDATE stores_stocklevel SET county_code = '110101'", "knows_its_outlet"),
    "open while closed": ("UPDATE stores_stocklevel SET outlet_trades = NOT outlet_trades", "knows_its_outlet"),
    "another place": ("UPDATE stores_stocklevel SET position = '(1, 0, 0)'", "knows_its_outlet"),
    "a level gone": ("DELETE FROM stores_stocklevel", "stocklevel_is_not_deleted"),
    "a line changed": ("UPDATE stores_stockmovement SET reason = ''", "append-only"),
    "a line gone": ("DELETE FROM stores_stockmovement WHERE kind = 'reserved'", "append-only"),
    "a second line in one place": (LINE.format(on=0), "stockmovement_pkey"),
    "a line that is left out": (MOVED.format(line=LINE.format(on=2), more=""), "follows_the_one_before"),
    "a line that its level does not follow": (RIGHT_LINE, "moves_its_level"),
    "a line of before the one before": (
        MOVED.format(line=RIGHT_LINE.replace("clock_timestamp()", "now() - interval '1 day'"), more=""),
        "follows_the_one_before",
    ),
    "a line without a shelf": (RIGHT_LINE.replace("phone_id, seq + 1", "phone_id + 1, 1"), "follows_the_one_before"),
    "a line that begins a ledger without a shelf": (
        RIGHT_LINE.replace("phone_id, seq + 1", "phone_id + 1, 1").replace("on_hand + 1, reserved", "1, 0"),
        "moves_its_level",
    ),
    "a level without its ledger": (
        """INSERT INTO stores_stocklevel (outlet_id, phone_id, seq, on_hand, reserved, safety_stock, reorder_point,
               moved_at, outlet_trades, county_code, position)
           SELECT outlet_id, phone_id + 1, 1, 1, 0, 0, 0, now(), outlet_trades, county_code, position
           FROM stores_stocklevel""",
        "begins_with_its_ledger",
    ),

    "a level that says more than its line": (MOVED.format(line=RIGHT_LINE, more=" + 1"), "explained_by_the_ledger"),
    "a line that adds up wrongly": (
        MOVED.format(line=RIGHT_LINE.replace("on_hand + 1", "on_hand + 2"), more=""), "follows_the_one_before",
    ),
    "a shelf that begins in the middle": (OPENED.format(seq=2, on_hand=1), "follows_the_one_before"),
    "a shelf that begins with more than it was given": (OPENED.format(seq=1, on_hand=2), "follows_the_one_before"),
    "a line without a key": (RIGHT_LINE.replace("'attack'", "NULL"), "has_a_key_or_was_counted"),
    "a posting without a key": (POSTING.format(on_hand=1, kind="received", actor="person:1", key="NULL"), "has_a_key"),
    "a posting of a count": (POSTING.format(on_hand=1, kind="counted", actor="person:1", key="'k'"), "has_a_key"),
    "a posting of an unknown kind": (POSTING.format(on_hand=1, kind="stolen", actor="person:1", key="'k'"), "kind_is"),
    "a posting by nobody": (POSTING.format(on_hand=1, kind="received", actor="", key="'k'"), "done_by_somebody"),
    "a count of a shelf that is not so": (
        COUNTPOSTING.format(was="on_hand + 1", found=3, counted=3, at="now()"), "countposting_knows_the_shelf",
    ),
    "a count that finds less than nothing": (
        COUNTPOSTING.format(was="on_hand", found=-1, counted=1, at="now()"), "stocklevel_is_not_negative",
    ),
    "a count of less than nothing": (
        COUNTPOSTING.format(was="on_hand", found=0, counted=-1, at="now()"), "count_says_what_and_when",
    ),
    "a count of no time": (
        COUNTPOSTING.format(was="on_hand", found=3, counted=3, at="NULL::timestamptz"), "count_says_what_and_when",
    ),
    "an outlet under another key": ("UPDATE stores_outlet SET id = -id", "outlet_keeps_its_key"),
    "a line by nobody": (
        RIGHT_LINE.replace("person:1", ""),
        "done_by_somebody",
    ),
    "a line of an unknown kind": (
        RIGHT_LINE.replace("'received'", "'stolen'"),
        "kind_is_known",
    ),
    "a count that says nothing": (
        RIGHT_LINE.replace("'received'", "'counted'"),
        "count_says_what_and_when",
    ),
    "a sold unit back on the shelf": ("UPDATE stores_handset SET state = 'on_shelf'", "handset_moves_forward"),
    "a unit at another outlet": ("UPDATE stores_handset SET outlet_id = outlet_id + 1", "handset_moves_forward"),
    "a unit beyond its events": (
        "UPDATE stores_handset SET seq = seq + 1, state = 'on_shelf'", "handset_is_explained_by_its_events",
    ),
    "a unit gone": ("DELETE FROM stores_handset", "handset_is_not_deleted"),
    "an event changed": ("UPDATE stores_handsetevent SET kind = 'returned'", "handsetevent_is_append_only"),
    "an event gone": ("DELETE FROM stores_handsetevent", "handsetevent_is_append_only"),
    "sold twice": (
        EVENT.format(kind="walk_in_sale", state="sold", prev_state="state", line_seq=1), "handsetevent_is_possible",
    ),
    "an event that misremembers": (
        EVENT.format(kind="walk_in_sale", state="sold", prev_state="'on_shelf'", line_seq=1), "handsetevent_chain",
    ),
    "an event without a movement": (
        EVENT.format(kind="returned", state="on_shelf", prev_state="state", line_seq=99), "part_of_a_movement",
    ),
    "another number": ("UPDATE stores_handsetnumber SET number = '490154203237518'", "handsetnumber_stays"),
    "a number gone": ("DELETE FROM stores_handsetnumber", "handsetnumber_stays"),
    "a number with a wrong check digit": (
        "INSERT INTO stores_handsetnumber SELECT '490154203237519', id, 2 FROM stores_handset", "imei_or_meid",
    ),
    "a number that is none": (
        "INSERT INTO stores_handsetnumber SELECT 'not a number', id, 2 FROM stores_handset", "imei_or_meid",
    ),
    "a third number": (
        "INSERT INTO stores_handsetnumber SELECT '490154203237518', id, 3 FROM stores_handset", "one_of_two",
    ),
    "a number of two units": (
        "INSERT INTO stores_handsetnumber SELECT number, handset_id, 2 FROM stores_handsetnumber", "pkey",
    ),
    "a transfer received unsent": (
        "UPDATE stores_transfer SET state = 'received', sent_at = now(), ended_at = now()", "transfer_moves_on",
    ),
    "a transfer to itself": ("UPDATE stores_transfer SET state = 'cancelled', receiver_id = sender_id", "transfer_"),
    "a transfer gone": ("DELETE FROM stores_transfer", "transfer_is_not_deleted"),
    "a shortfall gone": ("DELETE FROM stores_shortfall", "shortfall_is_not_deleted"),
    "a shortfall closed unmended": ("UPDATE stores_shortfall SET closed_at = now()", "while_something_is_missing"),
}  # fmt: skip


@pytest.fixture
def scene(db):
    """One shelf that is counted, reserved and short, one sold unit, one transfer that was asked for."""
    level = create_stock(on_hand=5)
    stock.sell(level.outlet_id, {level.phone_id: [create_unit()]}, act())
    stock.reserve(level.outlet_id, {level.phone_id: 4}, act())
    apply_count(level.outlet_id, {level.phone_id: 1}, timezone.now(), act())
    transfers.request(level.outlet_id, create_outlet().pk, {level.phone_id: 1}, act())


@pytest.mark.parametrize(("sql", "says"), ATTACKS.values(), ids=ATTACKS.keys())
def test_is_refused(scene, sql, says):
    with pytest.raises(DatabaseError, match=says), transaction.atomic(), connection.cursor() as cursor:
        cursor.execute(sql + "; SET CONSTRAINTS ALL IMMEDIATE")


@pytest.mark.parametrize("on_hand", [-2, 0])
def test_a_posting_that_is_not_possible_writes_nothing(scene, on_hand):
    """One is on the shelf, four are promised: neither can two be taken, nor does a key that was used serve again."""
    before = list(StockMovement.objects.values())
    key = before[-1]["operation_key"]
    with connection.cursor() as cursor:
        cursor.execute(
            POSTING.format(on_hand=on_hand, kind="adjusted", actor="person:1", key="%s")
            + " RETURNING old_on_hand, seq",
            [key],
        )
        assert cursor.fetchall() == [(1, None)]
    assert list(StockMovement.objects.values()) == before


def test_what_the_doors_write_by_themselves_is_what_everybody_is_held_to(db):
    """The triggers ask only who writes the tables himself; here they ask about every deed."""
    with connection.cursor() as cursor:
        cursor.execute(ALWAYS_ASKED)
    phones = [create_phone().pk for _ in range(2)]
    outlet = create_outlet().pk
    unit = create_unit()
    for few in (phones[:1], phones):
        stock.receive(outlet, dict.fromkeys(few, 9), act(), {few[0]: [unit]} if few == phones else None)
        stock.reserve(outlet, dict.fromkeys(few, 2), act())
        stock.release(outlet, dict.fromkeys(few, 1), act())
        apply_count(outlet, dict.fromkeys(few, 8), timezone.now(), act())
        stock.write_off(outlet, dict.fromkeys(few, 1), act())
    stock.sell(outlet, {phones[0]: [unit]}, act())
    stock.return_unit(outlet, phones[0], unit, act())
    stock.hand_over(outlet, {phones[0]: [unit]}, act())
    assert StockMovement.objects.filter(outlet=outlet, kind="counted").count() == 3
    assert_books_add_up()


def test_a_stray_update_by_the_orm_is_refused(scene):
    with pytest.raises(DatabaseError, match="explained_by_the_ledger"), transaction.atomic():
        StockLevel.objects.update(on_hand=9)


def test_a_level_does_not_become_that_of_another_shelf(db):
    shelf = create_stock(on_hand=5)
    with pytest.raises(DatabaseError, match="explained_by_the_ledger"), transaction.atomic():
        StockLevel.objects.filter(outlet=shelf.outlet_id).update(outlet=create_outlet())


def test_the_newest_line_and_its_level_cannot_be_taken_away_together(scene):
    with pytest.raises(DatabaseError, match="append-only"), transaction.atomic(), connection.cursor() as cursor:
        cursor.execute("""
            WITH gone AS (DELETE FROM stores_stockmovement WHERE kind = 'counted')
            UPDATE stores_stocklevel SET on_hand = 4
        """)


# Whatever refuses them: statements that change rows without saying UPDATE or DELETE, and history told anew.
BY_WHATEVER = {
    "a line rewritten where it is": """
        INSERT INTO stores_stockmovement SELECT * FROM stores_stockmovement
        ON CONFLICT (outlet_id, phone_id, seq) DO UPDATE SET reason = 'it was otherwise'""",
    "a line merged away": """
        MERGE INTO stores_stockmovement m USING stores_stocklevel l ON (m.outlet_id, m.seq) = (l.outlet_id, l.seq)
        WHEN MATCHED THEN DELETE""",
    "a level merged upwards": """
        MERGE INTO stores_stocklevel l USING stores_outlet o ON o.id = l.outlet_id
        WHEN MATCHED THEN UPDATE SET on_hand = 9""",
    "an outlet with its history": "DELETE FROM stores_outlet",
    "a unit that became another phone": "UPDATE stores_handset SET phone_id = {other_phone}",
    "a unit that moved without an event": "UPDATE stores_handset SET outlet_id = {other_outlet}, seq = seq + 1",
    "a unit without a past": """
        INSERT INTO stores_handset (id, phone_id, outlet_id, state, seq)
        SELECT id + 999, phone_id, outlet_id, 'on_shelf', 1 FROM stores_handset""",
    "a number that moved to another unit": """
        UPDATE stores_handsetnumber SET handset_id = {other_unit}, slot = 2 WHERE handset_id <> {other_unit}""",
    "an event at another time": "UPDATE stores_handsetevent SET created_at = created_at - interval '1 day'",
    "an event of another movement": "UPDATE stores_handsetevent SET line_seq = line_seq - 1",
    "an event of another unit": "UPDATE stores_handsetevent SET handset_id = {other_unit}, seq = seq + 1",
}


@pytest.mark.parametrize("sql", BY_WHATEVER.values(), ids=BY_WHATEVER.keys())
def test_is_refused_by_whatever(scene, sql):
    other, unit = create_stock(on_hand=0), create_unit()
    stock.receive(other.outlet_id, {other.phone_id: 1}, act(), {other.phone_id: [unit]})
    other_unit = Handset.objects.get(numbers__number=unit[0]).pk
    names = {"other_outlet": other.outlet_id, "other_phone": other.phone_id, "other_unit": other_unit}
    with pytest.raises(IntegrityError), transaction.atomic(), connection.cursor() as cursor:
        cursor.execute(sql.format(**names) + "; SET CONSTRAINTS ALL IMMEDIATE")


HISTORY = {
    "stockmovement", "stocklevel", "handset", "handsetevent", "handsetnumber", "transfer", "transferline", "shortfall",
    "lastcounts",
}  # fmt: skip


def test_history_is_not_truncated(scene):
    with connection.cursor() as cursor:
        cursor.execute("SET CONSTRAINTS ALL IMMEDIATE")
        for table in sorted(HISTORY):
            with pytest.raises(DatabaseError, match=f"TRUNCATE of stores_{table} refused"), transaction.atomic():
                cursor.execute(f"TRUNCATE stores_{table} CASCADE")
            cursor.execute(f"SELECT FROM stores_{table}")
            assert cursor.rowcount
