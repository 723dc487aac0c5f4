"""What reports read is what ledger and orders say, whatever comes late and whoever is killed."""

from __future__ import annotations

from datetime import timedelta
from functools import partial

import pytest
from django.db import OperationalError, connection
from django.utils import timezone

from catalog.catalogue import Catalogue
from office import rollup
from office.models import OutletDay, RegionDay, RollupDay
from office.rollup import as_of, roll_up, roll_up_all
from orders import lifecycle
from stores import counts, stock, transfers
from stores.models import Outlet
from stores.transfers import Arrival
from tests.crowd import at_once
from tests.factories import act, create_outlet, create_region, create_unit
from tests.history import create_outlets_with_past, open_shelves
from tests.order_factories import CLERK, create_order, create_shelf

DAY = "(created_at AT TIME ZONE 'Asia/Shanghai')::date"
MOVED_HERE = """EXISTS (SELECT FROM orders_order r
    WHERE r.outlet_id = m.outlet_id AND m.operation_key = 'order:' || r.number || ':placed' AND r.moved_from <> '')"""
# The same figures, each asked for by itself in the plainest SQL.
FLOWS = {
    "handed_over": "SELECT -sum(change_on_hand) FROM {lines} AND kind = 'handed_over'",
    "walk_in": "SELECT -sum(change_on_hand) FROM {lines} AND kind = 'walk_in_sale'",
    "returned": "SELECT sum(change_on_hand) FROM {lines} AND kind = 'returned'",
    "received": "SELECT sum(change_on_hand) FROM {lines} AND kind = 'received'",
    "transferred": "SELECT sum(change_on_hand) FROM {lines} AND kind LIKE 'transfer%%'",
    "corrected": "SELECT sum(change_on_hand) FROM {lines} AND kind IN ('opening', 'counted', 'adjusted', 'damaged')",
    "reserved": f"SELECT sum(change_reserved) FROM {{lines}} AND kind = 'reserved' AND NOT {MOVED_HERE}",
    "released": "SELECT -sum(change_reserved) FROM {lines} AND kind = 'released' AND operation_key NOT LIKE '%%:moved'",
    "moved": f"SELECT sum(change_reserved) FROM {{lines}} AND (operation_key LIKE '%%:moved' OR {MOVED_HERE})",
    "placed": "SELECT sum(quantity) FROM {steps} AND kind = 'placed' AND moved_from = ''",
    "set_aside": "SELECT sum(quantity) FROM {steps} AND kind = 'ready'",
    "cancelled": "SELECT sum(quantity) FROM {steps} AND kind = 'cancelled'",
    "declined": "SELECT sum(quantity) FROM {steps} AND kind = 'declined'",
    "expired": "SELECT sum(quantity) FROM {steps} AND kind = 'expired'",
    "within_1_hour": "SELECT sum(quantity) FROM {steps} AND kind = 'ready' AND ready_at - placed_at <= '1 hour'",
}
LEVELS = {
    "on_hand": "SELECT sum(change_on_hand) FROM {until}",
    "promised": "SELECT sum(change_reserved) FROM {until}",
    "missing": """SELECT sum(greatest(reserved - on_hand, 0)) FROM (
        SELECT outlet_id, phone_id, sum(change_on_hand) AS on_hand, sum(change_reserved) AS reserved
        FROM {until} GROUP BY 1, 2) AS shelf""",
}
LINES = "stores_stockmovement m JOIN stores_outlet o ON o.id = m.outlet_id WHERE o.county_code LIKE %(region)s || '%%'"
SOURCES = {
    "lines": f"{LINES} AND {DAY} = %(day)s",
    "until": f"{LINES} AND {DAY} <= %(day)s",
    "steps": "orders_orderchange c JOIN orders_orderline l USING (outlet_id, number) JOIN orders_order r USING "
    "(outlet_id, number) JOIN stores_outlet o ON o.id = c.outlet_id WHERE o.county_code LIKE %(region)s || '%%' "
    f"AND {DAY} = %(day)s",
}


def asked(day, code, sql):
    region = code.rstrip("0") if len(code.rstrip("0")) % 2 == 0 else code.rstrip("0") + "0"
    with connection.cursor() as cursor:
        cursor.execute(sql.format(**SOURCES), {"day": day, "region": region})
        return cursor.fetchone()[0] or 0


def assert_equal_to_the_ledger(days):
    """Hold every region's figures of these days against sums over ledger and histories; then the outlets' likewise."""
    today = timezone.localdate()
    for ago in days:
        day = today - timedelta(days=ago)
        for code in sorted(set(RegionDay.objects.values_list("region_code", flat=True))):
            rows = list(RegionDay.objects.filter(region_code=code, day=day))
            for name, sql in FLOWS.items():
                assert sum(getattr(row, name) for row in rows) == asked(day, code, sql), (day, code, name)
            newest = (
                RegionDay.objects.filter(region_code=code, day__lte=day)
                .order_by("phone_id", "-day")
                .distinct("phone_id")
            )
            for name, sql in LEVELS.items():
                assert sum(getattr(row, name) for row in newest) == asked(day, code, sql), (day, code, name)
    with connection.cursor() as cursor:
        cursor.execute("""
            SELECT outlet_id, phone_id, day FROM office_outletday d JOIN LATERAL (
                SELECT sum(change_on_hand) AS on_hand, sum(change_reserved) AS promised FROM stores_stockmovement m
                WHERE m.outlet_id = d.outlet_id AND m.phone_id = d.phone_id
                    AND (created_at AT TIME ZONE 'Asia/Shanghai')::date <= d.day) AS ledger ON true
            WHERE (d.on_hand, d.promised) IS DISTINCT FROM (ledger.on_hand, ledger.promised)""")
        assert cursor.fetchall() == []


def everything():
    return [
        list(model.objects.order_by("pk").values_list(*(field.attname for field in model._meta.concrete_fields)))
        for model in (OutletDay, RegionDay)
    ]


def much_happens():
    """Have everything happen at two outlets that can, and say so after each deed; yield the first one's shelf."""
    shelf = create_shelf(on_hand=20)
    other = create_outlet(town=create_region("540102001"))
    yield shelf
    for state in ("placed", "ready", "collected", "cancelled", "declined"):
        create_order(shelf, state=state)
        yield shelf
    unit = create_unit()
    stock.sell(shelf.outlet_id, {shelf.phone_id: [unit, create_unit()]}, act())
    yield shelf
    stock.return_unit(shelf.outlet_id, shelf.phone_id, unit, act())
    stock.write_off(shelf.outlet_id, {shelf.phone_id: 1}, act())
    yield shelf
    transfer = transfers.request(shelf.outlet_id, other.pk, {shelf.phone_id: 5}, act())
    transfers.approve(transfer.pk, act())
    transfers.send(transfer.pk, {shelf.phone_id: 5}, act())
    yield shelf
    transfers.receive(transfer.pk, {shelf.phone_id: Arrival(4, damaged=1)}, act())
    yield shelf
    lifecycle.move_order(create_order(shelf), other, CLERK)
    yield shelf
    lifecycle.move_order(create_order(shelf, state="declined"), other, CLERK)
    counts.apply_count(shelf.outlet_id, {shelf.phone_id: 1}, timezone.now(), act())
    yield shelf


@pytest.fixture
def busy_day(db):
    """Two outlets where everything happened that can, today."""
    *_, shelf = much_happens()
    return shelf


def test_a_day_is_what_ledger_and_orders_say_of_it(busy_day):
    roll_up(timezone.now())

    assert_equal_to_the_ledger([0])
    row = OutletDay.objects.get(outlet=busy_day.outlet)
    assert (row.handed_over, row.walk_in, row.returned, row.transferred) == (1, 2, 1, -5)
    assert (row.placed, row.set_aside, row.cancelled, row.declined, row.expired) == (7, 2, 1, 2, 0)
    assert row.within_1_hour == row.within_24_hours == 2
    assert row.set_aside_seconds < 60


def test_an_order_that_moves_is_reserved_and_ordered_once(busy_day):
    roll_up(timezone.now())

    country = RegionDay.objects.get(region_code="")
    here, there = OutletDay.objects.order_by("outlet_id")
    # Seven were ordered, all here. One moved while it was open, one after its phone had been given back.
    assert (country.placed, country.reserved, country.moved) == (7, 7, 1)
    assert (here.placed, here.reserved, here.moved) == (7, 7, -1)
    assert (there.placed, there.reserved, there.moved) == (0, 0, 2)
    assert country.reserved - country.released + country.moved - country.handed_over == country.promised


def test_a_day_that_is_added_to_all_along_is_as_if_it_were_done_at_once(db):
    for _shelf in much_happens():
        assert roll_up(timezone.now()) == 1
    assert_equal_to_the_ledger([0])
    by_and_by = everything()

    RollupDay.objects.all().delete()
    OutletDay.objects.all().delete()
    RegionDay.objects.all().delete()
    roll_up(timezone.now())

    assert everything() == by_and_by


def test_what_was_not_committed_in_its_minutes_is_found_when_the_day_is_over(db):
    shelf, now = create_shelf(on_hand=4), timezone.localtime()
    third = (now.replace(hour=0, minute=0, second=0, microsecond=0) + timedelta(days=1) - now) / 3
    roll_up(now + third)

    # Written before the moment up to which all was added up.
    stock.receive(shelf.outlet_id, {shelf.phone_id: 5}, act())
    roll_up(now + 2 * third)
    assert RegionDay.objects.get(region_code="").received == 4

    roll_up(timezone.now() + timedelta(days=1))
    assert RegionDay.objects.get(region_code="").received == 9
    assert_equal_to_the_ledger([0])


def test_a_shortfall_is_counted_where_it_is_and_goes_when_it_is_worked_off(db):
    shelf = create_shelf(on_hand=3)
    create_order(shelf, 2)
    counts.apply_count(shelf.outlet_id, {shelf.phone_id: 0}, timezone.now(), act())
    roll_up(timezone.now())
    assert {row.missing for row in RegionDay.objects.all()} == {2}

    stock.receive(shelf.outlet_id, {shelf.phone_id: 5}, act())
    roll_up(timezone.now())

    assert {row.missing for row in RegionDay.objects.all()} == {0}
    assert_equal_to_the_ledger([0])


def test_it_goes_on_where_it_stopped_and_says_until_when(busy_day):
    roll_up(timezone.now())
    before, moment = everything(), as_of()

    assert roll_up(timezone.now()) == 0
    assert everything() == before
    assert as_of() > moment

    stock.receive(busy_day.outlet_id, {busy_day.phone_id: 5}, act())
    assert roll_up(timezone.now()) == 1
    assert OutletDay.objects.get(outlet=busy_day.outlet).received == 25
    assert_equal_to_the_ledger([0])


def test_weeks_of_a_country_add_up_day_by_day(catalogue: Catalogue):
    create_outlets_with_past(catalogue, days=33)

    roll_up_all(timezone.now())

    assert_equal_to_the_ledger([0, 1, 5, 14, 15, 32, 33, 50])
    assert RollupDay.objects.count() >= 400


def test_what_was_killed_in_the_middle_is_done_to_its_end(catalogue: Catalogue, monkeypatch):
    create_outlets_with_past(catalogue, days=33, towns=("130121100",))
    roll_up_all(timezone.now())
    whole = everything()
    stock.receive(OutletDay.objects.first().outlet_id, {catalogue.phones[0].pk: 1}, act())
    roll_up(timezone.now())
    after = everything()
    # As if the days of the past had got a line more, so that all after it are to be done.
    RollupDay.objects.filter(lines__gt=0, day__gte=timezone.localdate() - timedelta(days=40)).update(lines=-1)
    add_up, done = rollup._add_up, []

    def dies(first, last, now):
        if len(done) == 1:
            raise OperationalError("the server went away")
        done.append(first)
        add_up(first, last, now)

    monkeypatch.setattr(rollup, "_add_up", dies)
    with pytest.raises(OperationalError):
        roll_up_all(timezone.now())
    monkeypatch.undo()

    assert roll_up_all(timezone.now()) > 0
    assert everything() == after != whole
    assert roll_up_all(timezone.now()) == 0


def test_days_of_much_trade_are_done_fewer_at_a_time(catalogue: Catalogue, monkeypatch: pytest.MonkeyPatch):
    create_outlets_with_past(catalogue, days=20, towns=("130121100",))
    now, add_up, parts = timezone.now(), rollup._add_up, []
    roll_up_all(now)
    whole, lines = everything(), dict(RollupDay.objects.values_list("day", "lines"))
    anew = timezone.localdate() - timedelta(days=30)
    RollupDay.objects.filter(day__gte=anew).update(lines=-1)

    def noted(first, last, until):
        parts.append([day for day in lines if first <= day <= last])
        add_up(first, last, until)

    # Whatever was made up for these days, there is one that has more.
    most = max(number or 0 for day, number in lines.items() if day >= anew) - 1
    monkeypatch.setattr(rollup, "_add_up", noted)
    monkeypatch.setattr(rollup, "LINES_AT_ONCE", most)
    roll_up_all(now)

    assert everything() == whole
    assert 1 in {len(days) for days in parts if sum(lines[day] or 0 for day in days) > most}
    assert any(len(days) > 1 for days in parts)
    assert all(len(days) == 1 or sum(lines[day] or 0 for day in days) <= most for days in parts)


@pytest.mark.django_db(transaction=True)
def test_what_is_not_committed_yet_is_waited_for(monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr(rollup, "SETTLED_AFTER", timedelta())
    shelf, slow = create_shelf(on_hand=0), connection.copy()
    try:
        slow.set_autocommit(False)
        with slow.cursor() as cursor:
            cursor.execute("SELECT now()")
            [began] = cursor.fetchone()
        # Others go on meanwhile; a deed that began before them will bear an earlier moment.
        stock.receive(shelf.outlet_id, {shelf.phone_id: 2}, act())
        roll_up()
        assert as_of() <= began
        slow.rollback()
    finally:
        slow.close()

    roll_up()
    assert as_of() > began
    assert OutletDay.objects.get(outlet=shelf.outlet, received=2)


def test_nobody_is_waited_for_longer_than_an_hour(db: None, monkeypatch: pytest.MonkeyPatch):
    assert rollup.settled() > timezone.now() - rollup.WAITED_FOR
    monkeypatch.setattr(rollup, "SETTLED_AFTER", timedelta(hours=3))
    assert timezone.now() - rollup.settled() < rollup.WAITED_FOR + timedelta(minutes=1)


def test_lines_that_come_late_are_found_at_night(catalogue: Catalogue):
    create_outlets_with_past(catalogue, days=20, towns=("130121100",))
    roll_up_all(timezone.now())
    outlet = create_outlet()
    open_shelves([outlet], catalogue)
    roll_up_all(timezone.now())
    with connection.cursor() as cursor:
        # A deed that began twelve days ago, and committed only now.
        cursor.execute("""
            WITH line AS (
                INSERT INTO stores_stockmovement (outlet_id, phone_id, seq, kind, change_on_hand, change_reserved,
                    on_hand, reserved, reference, actor, reason, operation_key, operation_line, created_at)
                SELECT outlet_id, phone_id, seq + 1, 'received', 4, 0, on_hand + 4, reserved, '',
                       'person:1', '', 'late', 1, now() - interval '12 days'
                FROM stores_stocklevel WHERE (outlet_id, phone_id) = (%s, %s) RETURNING *)
            UPDATE stores_stocklevel l SET seq = line.seq, on_hand = line.on_hand, moved_at = line.created_at
            FROM line WHERE (l.outlet_id, l.phone_id) = (line.outlet_id, line.phone_id)
        """, [outlet.pk, catalogue.phones[0].pk])  # fmt: skip

    roll_up(timezone.now())
    assert not OutletDay.objects.filter(outlet=outlet, received=4).exists()
    roll_up_all(timezone.now())

    late = OutletDay.objects.get(outlet=outlet, day=timezone.localdate() - timedelta(days=12))
    assert late.received == 4
    assert_equal_to_the_ledger([0, 11, 12, 13])


def test_an_outlet_that_moves_takes_its_past_along(catalogue: Catalogue):
    create_outlets_with_past(catalogue, days=20, towns=("130121100", "540102001"))
    roll_up_all(timezone.now())
    moving = Outlet.objects.filter(town_id="130121100").first()
    Outlet.objects.filter(pk=moving.pk).update(town=create_region("540102001"))

    assert roll_up(timezone.now()) == 0
    assert roll_up_all(timezone.now()) > 0

    assert_equal_to_the_ledger([0, 1, 10, 20])
    assert set(OutletDay.objects.filter(outlet=moving).values_list("county_code", flat=True)) == {"540102"}


def test_a_country_where_nothing_happened_is_up_to_date_all_the_same(db):
    assert as_of() is None

    roll_up(timezone.now())

    assert as_of() is not None
    assert roll_up(timezone.now()) == 0


@pytest.mark.django_db(transaction=True)
def test_workers_that_add_up_together_do_it_once(catalogue: Catalogue):
    create_outlets_with_past(catalogue, days=16, towns=("130121100",))

    at_once([partial(roll_up_all, timezone.now())] * 3)

    assert_equal_to_the_ledger([0, 3, 16])
    assert roll_up_all(timezone.now()) == 0


def test_an_order_that_is_set_aside_the_next_day_counts_there(busy_day):
    roll_up(timezone.now())
    stock.receive(busy_day.outlet_id, {busy_day.phone_id: 9}, act())
    lifecycle.set_ready(create_order(busy_day), CLERK)

    roll_up(timezone.now())

    assert OutletDay.objects.get(outlet=busy_day.outlet).set_aside == 3
