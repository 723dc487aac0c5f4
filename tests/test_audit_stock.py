"""`manage.py audit_stock` proves that the books add up, or lists what does not; `manage.py ledger` shows them."""

from io import StringIO

import pytest
from django.core.management import CommandError, call_command
from django.db import connection, transaction
from django.utils import timezone

import orders.audit
from stores import stock, totals, transfers
from stores.audit import CHECKS, all_disagreements
from stores.counts import apply_count
from stores.models import RegionStock
from stores.transfers import Arrival
from tests.factories import act, create_outlet, create_stock, create_unit

pytestmark = pytest.mark.django_db(transaction=True)


@pytest.fixture(autouse=True)
def stock_alone():
    """Leave out what orders have to say: here phones are promised without one."""
    every = list(CHECKS)
    CHECKS[:] = [check for check in every if check not in orders.audit.CHECKS]
    yield
    CHECKS[:] = every


@pytest.fixture
def level():
    """A shelf with a past: units, a shortfall, transfers that arrived and one called off, totals half folded."""
    level, other = create_stock(on_hand=5, reserved=2), create_outlet()
    unit = create_unit()
    stock.receive(level.outlet_id, {level.phone_id: 1}, act(), {level.phone_id: [unit]})
    for arrival in (Arrival(1), Arrival(0, damaged=1)):
        transfer = transfers.request(level.outlet_id, other.pk, {level.phone_id: 1}, act())
        transfers.approve(transfer.pk, act())
        transfers.send(transfer.pk, {level.phone_id: 1}, act())
        transfers.receive(transfer.pk, {level.phone_id: arrival}, act())
    back = transfers.request(other.pk, level.outlet_id, {level.phone_id: 1}, act())
    transfers.approve(back.pk, act())
    transfers.send(back.pk, {level.phone_id: 1}, act())
    transfers.cancel(back.pk, act())
    totals.fold()
    stock.hand_over(level.outlet_id, {level.phone_id: [unit]}, act())
    apply_count(level.outlet_id, {level.phone_id: 0}, timezone.now(), act())
    return level


def audit():
    out = StringIO()
    try:
        call_command("audit_stock", stdout=out)
    except CommandError as error:
        return f"{out.getvalue()}{error}"
    return out.getvalue()


def test_sound_books_add_up(level):
    assert audit() == "Everything adds up (9 checks).\n"


TOTAL = "UPDATE stores_regionstock SET {0} = {0} + 1 WHERE region_id IS NULL"
FAULTS = {
    "every level is the sum": [
        "UPDATE stores_stocklevel SET on_hand = on_hand + 7",
        "UPDATE stores_stocklevel SET reserved = reserved + 1",
        "UPDATE stores_stocklevel SET seq = seq + 1",
        "UPDATE stores_stocklevel SET moved_at = now()",
        "DELETE FROM stores_stocklevel",
        "DELETE FROM stores_stockmovement",
    ],
    "every line follows": [
        "UPDATE stores_stockmovement SET on_hand = on_hand + 1 WHERE seq = 2",
        "UPDATE stores_stockmovement SET reserved = reserved + 1 WHERE seq = 2",
        "UPDATE stores_stockmovement SET seq = seq + 1 WHERE kind = 'counted'",
    ],
    "every handset stands": [
        "UPDATE stores_handset SET state = 'on_shelf'",
        "UPDATE stores_handset SET state = 'on_shelf'; DELETE FROM stores_stocklevel",
    ],
    "every handset is where": ["UPDATE stores_handset SET seq = 1", "DELETE FROM stores_handsetevent"],
    "every handset has a number": ["DELETE FROM stores_handsetnumber"],
    "every event is part": [
        "UPDATE stores_handsetevent SET kind = 'walk_in_sale' WHERE kind = 'handed_over'",
        "UPDATE stores_stockmovement SET change_on_hand = 0 WHERE kind = 'handed_over'",
    ],
    "every shelf that is short": ["DELETE FROM stores_shortfall", "UPDATE stores_stocklevel SET reserved = 0"],
    "every transfer has moved": [
        "UPDATE stores_transferline SET sent = sent + 1",
        "DELETE FROM stores_transferline",
        "DELETE FROM stores_stockmovement WHERE kind = 'transfer_out'",
    ],
    "every total is the sum": [
        TOTAL.format(column) for column in ("outlets_with", "on_hand", "reserved", "available")
    ],
}  # fmt: skip


@pytest.mark.parametrize(("check", "faults"), FAULTS.items(), ids=FAULTS.keys())
def test_each_fault_is_found(level, check, faults):
    for fault in faults:
        with transaction.atomic(), connection.cursor() as cursor:
            # With guards and keys in place no such fault can be made.
            cursor.execute("""
                SELECT format('ALTER TABLE %s DROP CONSTRAINT %I', conrelid::regclass, conname) FROM pg_constraint
                WHERE conrelid::regclass::text LIKE 'stores_%' AND contype IN ('f', 'c')
                UNION ALL
                SELECT format('ALTER TABLE %s DISABLE TRIGGER USER', oid::regclass) FROM pg_class
                WHERE relkind = 'r' AND oid::regclass::text LIKE 'stores_%'
            """)
            for (sql,) in cursor.fetchall():
                cursor.execute(sql)
            cursor.execute(fault)
            found = [(each.outlet, each.check) for each in all_disagreements()]
            transaction.set_rollback(True)

        outlets = {outlet for outlet, said in found if said.startswith(check)}
        assert outlets == {""} if "total" in check else level.outlet.code in outlets, fault


def test_what_does_not_add_up_is_listed_and_the_exit_status_says_so(level):
    RegionStock.objects.filter(region=None).update(available=99)

    report = audit()

    assert f"- {level.phone.slug}: not so: every total is the sum of its outlets. region country: total of" in report
    assert report.endswith("1 disagreements.")


def test_the_ledger_can_be_read(level):
    out = StringIO()
    call_command("ledger", level.outlet.code, level.phone.slug, stdout=out)

    lines = out.getvalue().splitlines()
    assert len(lines) == 7
    assert f"{level.phone.slug} #6 handed_over     -1    -1 ->     3     1 person:test" in lines[5]


def test_an_unknown_outlet_has_no_ledger():
    with pytest.raises(CommandError, match="no outlet has the code 1"):
        call_command("ledger", "1")
