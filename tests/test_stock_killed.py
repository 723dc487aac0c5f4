"""A connection that dies in the middle of a deed leaves all of it or nothing, and the deed can be repeated."""

from contextlib import closing

import psycopg2
import pytest
from django.db import Error, connection
from django.utils import timezone

from stores import stock, transfers
from stores.counts import apply_count, apply_staged_counts
from stores.models import StockLevel
from stores.outlets import change_state
from stores.transfers import Arrival
from tests.books import assert_books_add_up
from tests.factories import act, create_outlet, create_phone, create_stock, create_unit

pytestmark = pytest.mark.django_db(transaction=True)

TABLES = [
    "stocklevel", "stockmovement", "regionstockchange", "handset", "handsetnumber", "handsetevent", "shortfall",
    "transfer", "transferline", "outlet", "lastcounts",
]  # fmt: skip


class Killer:
    """Ends the backend of the test's connection before its statement `at`, or after the last one, before COMMIT."""

    def __init__(self, at):
        self.at, self.statements, self.killed = at, 0, False

    def __call__(self, execute, sql, params, many, context):
        self.statements += 1
        if self.statements == abs(self.at) and self.at > 0:
            self.kill()
        result = execute(sql, params, many, context)
        if self.statements == abs(self.at) and self.at < 0:
            self.kill()
        return result

    def kill(self):
        self.killed = True
        backend = connection.connection.info.backend_pid
        with closing(psycopg2.connect(connection.connection.dsn)) as other, other.cursor() as cursor:
            # Outside a transaction, which would go on seeing the backend as it was at first.
            other.autocommit = True
            cursor.execute("SELECT pg_terminate_backend(%s)", [backend])
            # The database itself would look only every tenth of a second whether it is gone.
            for _ in range(100_000):
                cursor.execute("SELECT FROM pg_stat_activity WHERE pid = %s", [backend])
                if not cursor.rowcount:
                    return
        raise AssertionError("the backend lives on")


def everything():
    with connection.cursor() as cursor:
        rows = []
        for table in TABLES:
            cursor.execute(f"SELECT t::text FROM stores_{table} t ORDER BY 1")
            rows.append(cursor.fetchall())
        return rows


@pytest.fixture
def scene():
    return Scene()


class Scene:
    """Two phones at one outlet, units known and sold, a transfer in each state; every deed has something to do."""

    def __init__(self):
        self.shop, self.other = create_outlet(), create_outlet().pk
        self.outlet = self.shop.pk
        self.phones = [create_stock(outlet=self.shop, on_hand=6, reserved=2).phone_id for _ in range(2)]
        self.new = create_phone().pk
        self.units = {phone: [create_unit(second=True), create_unit()] for phone in self.phones}
        stock.receive(self.outlet, dict.fromkeys(self.phones, 2), act(), self.units)
        self.sold = create_unit()
        stock.sell(self.outlet, {self.phones[0]: [self.sold]}, act())
        self.two = dict.fromkeys(self.phones, 2)
        self.asked, self.sent = (
            transfers.request(self.outlet, self.other, {self.phones[0]: 1}, act()).pk for _ in range(2)
        )
        for transfer in (self.asked, self.sent):
            transfers.approve(transfer, act())
        transfers.send(self.sent, {self.phones[0]: 1}, act())


DEEDS = {
    "reserve one": lambda s, a: stock.reserve(s.outlet, {s.phones[0]: 1}, a),
    "reserve two": lambda s, a: stock.reserve(s.outlet, s.two, a),
    "release": lambda s, a: stock.release(s.outlet, s.two, a),
    "receive": lambda s, a: stock.receive(s.outlet, {s.phones[0]: 1, s.new: 3}, a, {s.new: [UNIT]}),
    "hand over": lambda s, a: stock.hand_over(s.outlet, s.units, a),
    "sell": lambda s, a: stock.sell(s.outlet, {s.phones[0]: [UNIT], s.phones[1]: s.units[s.phones[1]]}, a),
    "return": lambda s, a: stock.return_unit(s.other, s.phones[0], s.sold, a),
    "write off": lambda s, a: stock.write_off(s.outlet, dict.fromkeys(s.phones, 6), a, s.units),
    "adjust": lambda s, a: stock.adjust(s.outlet, {s.phones[0]: -1, s.phones[1]: 1}, a._replace(reason="r")),
    "count": lambda s, a: apply_count(s.outlet, {s.phones[0]: 1, s.phones[1]: 9}, NOW, a),
    "ask for a transfer": lambda s, a: transfers.request(s.outlet, s.other, s.two, a).pk,
    "send": lambda s, a: transfers.send(s.asked, {s.phones[0]: 2}, a, {s.phones[0]: s.units[s.phones[0]]}).state,
    "receive a transfer": lambda s, a: transfers.receive(s.sent, {s.phones[0]: Arrival(0, damaged=1)}, a).state,
    "call a transfer off": lambda s, a: transfers.cancel(s.sent, a).state,
    "suspend the outlet": lambda s, a: change_state(s.outlet, "suspended"),
}
UNIT = ("490154203237518", "A0000000002329")
NOW = timezone.now()


def run(deed, scene, key, killer):
    """Do the deed with the killer at work; return whether it was done, on a connection that works again."""
    try:
        with connection.execute_wrapper(killer):
            deed(scene, key)
    except Error:
        assert killer.killed
        connection.close()
        return False
    if killer.killed:
        connection.close()
    return True


@pytest.mark.parametrize("deed", DEEDS.values(), ids=DEEDS.keys())
def test_all_or_nothing(scene, deed):
    key, before = act("once"), everything()

    # Killed before the first statement, the second, ...; the first time that nobody is killed, the deed is done.
    at = 1
    while not run(deed, scene, key, Killer(at)):
        assert everything() == before, f"killed before statement {at}"
        # The same moment, but after the statement: before the next one, or before COMMIT.
        if run(deed, scene, key, Killer(-at)):
            break  # A deed of one statement is committed by it.
        assert everything() == before, f"killed after statement {at}"
        at += 1

    after = everything()
    assert after != before
    deed(scene, key)
    assert everything() == after
    assert_books_add_up()


def count_in_bulk(rows):
    with connection.cursor() as cursor:
        cursor.execute(
            "CREATE TEMPORARY TABLE staged (outlet_id int, phone_id smallint, on_hand int, counted_at timestamptz)"
        )
        cursor.executemany("INSERT INTO staged VALUES (%s, %s, %s, %s)", rows)
        summary = apply_staged_counts(cursor, table="staged", actor="partner:erp", reference="count:bulk", opening=True)
        cursor.execute("DROP TABLE staged")
        return summary


FOUND = (7, 1, 5, 2)


def outlet_to_count(phones):
    """Return what is found at a new outlet: more, fewer than are promised, as many as are known, a phone it had not."""
    outlet = create_outlet()
    for phone, reserved in zip(phones[:3], (0, 4, 0), strict=True):
        create_stock(outlet=outlet, phone=phone, on_hand=5, reserved=reserved)
    return [(outlet.pk, phone.pk, on_hand, timezone.now()) for phone, on_hand in zip(phones, FOUND, strict=True)]


def books_of(rows):
    asked = (
        "t::text FROM stores_stocklevel t", "t::text FROM stores_stockmovement t", "t::text FROM stores_shortfall t",
        # An empty row is made to be locked, and says nothing.
        "t::text FROM (SELECT * FROM stores_lastcounts WHERE phones <> '{}') t",
    )  # fmt: skip
    with connection.cursor() as cursor:
        books = []
        for table in asked:
            cursor.execute(f"SELECT {table} WHERE outlet_id = %s ORDER BY 1", [rows[0][0]])
            books.append(cursor.fetchall())
        return books


@pytest.mark.parametrize("side", [1, -1], ids=["before", "after"])
def test_a_count_in_bulk_is_whole_by_its_batches(monkeypatch, side):
    """Killed at each statement in turn: a batch, here an outlet, was written or was not; sent again, it is harmless."""
    monkeypatch.setattr("stores.counts.SHELVES_AT_ONCE", 1)
    phones = [create_phone() for _ in FOUND]
    at, numbers_written, killed = 1, set(), True
    while killed:
        counts = [outlet_to_count(phones) for _ in range(2)]
        before = [books_of(rows) for rows in counts]
        killer = Killer(side * at)
        run(lambda rows, _: count_in_bulk(rows), counts[0] + counts[1], None, killer)
        killed = killer.killed
        after = [books_of(rows) for rows in counts]

        again = count_in_bulk(counts[0] + counts[1])

        written = 0
        for rows, old, left in zip(counts, before, after, strict=True):
            found = StockLevel.objects.filter(outlet=rows[0][0]).order_by("phone").values_list("on_hand", flat=True)
            assert tuple(found) == FOUND
            if left != old:
                # It had been written as a whole, for nothing of it was written now.
                assert left == books_of(rows), f"killed at statement {side * at}"
                written += 1
        assert (again.refused, again.changed, again.opened) == (4 * written, 4 - 2 * written, 2 - written)
        numbers_written.add(written)
        at += 1
    assert numbers_written == {0, 1, 2}
    assert_books_add_up()
