"""What the region tree knows about the outlets in it."""

from __future__ import annotations

from django.db import connection, transaction
from django_q.tasks import async_task

from stores.models import Region

NAMES = ("name_zh", "name_en", "name_pinyin", "pinyin_initials")

# Upwards from the town: every outlet counts in its town, county, city and province.
COUNT = """
    WITH RECURSIVE counted (region_id, outlets) AS (
        SELECT town_id, count(*) FROM stores_outlet WHERE state <> 'closed' GROUP BY town_id
        UNION ALL
        SELECT region.parent_id, counted.outlets
        FROM counted JOIN stores_region AS region ON region.code = counted.region_id
        WHERE region.parent_id IS NOT NULL
    ), totals AS (
        SELECT region.code, coalesce(sum(counted.outlets), 0)::integer AS outlets
        FROM stores_region AS region LEFT JOIN counted ON counted.region_id = region.code
        GROUP BY region.code
    )
    UPDATE stores_region AS region SET outlet_count = totals.outlets
    FROM totals WHERE totals.code = region.code AND region.outlet_count <> totals.outlets
"""


def recount_outlets() -> int:
    """
    Set how many outlets each region has; return how many regions had another number before.

    An outlet counts unless it is closed for good: customers see it, opening soon and closed for now included.
    """
    with connection.cursor() as cursor:
        cursor.execute(COUNT)
        return cursor.rowcount


def save_names(region: Region) -> None:
    """Store corrected names of a region; the worker then lets the finder know them, and what lies in it by them."""
    with transaction.atomic():
        region.save(update_fields=NAMES)
        async_task("stores.search.index_places")
