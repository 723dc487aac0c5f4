"""Many counts at once: a file of the head office, or a partner's."""

from datetime import timedelta

import pytest
from django.db import connection
from django.utils import timezone

from stores import totals
from stores.counts import apply_staged_counts
from stores.models import RegionStock, StockLevel, StockMovement
from tests.factories import create_outlet, create_phone, create_stock


def count(rows, *, opening=False, key="count-1"):
    with connection.cursor() as cursor:
        cursor.execute("DROP TABLE IF EXISTS staged")
        cursor.execute(
            "CREATE TEMPORARY TABLE staged "
            "(outlet_id bigint, phone_id smallint, on_hand integer, counted_at timestamptz)"
        )
        cursor.executemany("INSERT INTO staged VALUES (%s, %s, %s, %s)", rows)
        return apply_staged_counts(cursor, table="staged", actor="partner:erp", operation_key=key, opening=opening)


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


def test_refuses_older_news(db):
    level = create_stock(on_hand=5)
    now = timezone.now()
    count([(level.outlet_id, level.phone_id, 4, now)])

    summary = count([(level.outlet_id, level.phone_id, 9, now - timedelta(minutes=1))], key="count-2")

    level.refresh_from_db()
    assert (level.on_hand, summary.refused) == (4, 1)


@pytest.mark.parametrize("again", [totals.fold, totals.refresh_region_stock])
def test_totals_follow(db, again):
    outlet, phone = create_outlet(), create_phone()
    count([(outlet.pk, phone.pk, 4, timezone.now())], opening=True)
    again()

    totals_of = dict(RegionStock.objects.filter(phone=phone).values_list("region", "available"))

    assert totals_of == {"130121": 4, "130100": 4, "130000": 4, None: 4}
