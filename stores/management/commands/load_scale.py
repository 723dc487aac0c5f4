"""Fill a database with synthetic outlets and stock, to measure what size does."""

from typing import Any

from django.core.management.base import BaseCommand, CommandError, CommandParser
from django.db import connection, transaction

from catalog.acting import SAMPLE, acting_as
from catalog.models import Phone
from stores.counts import apply_staged_counts
from stores.models import Outlet, Timetable

# No province has the number 99. A hundred outlets a town, ten towns a county, a hundred counties a city.
_TOWNS = """
CREATE TEMPORARY TABLE scale_town AS
SELECT '99' || lpad((number / 10)::text, 4, '0') || lpad((number %% 10)::text, 3, '0') AS code
FROM generate_series(0, (%s - 1) / 100) AS number
"""
_REGIONS = """
INSERT INTO stores_region (code, level, parent_id, name_zh, name_pinyin, name_en, pinyin_initials, outlet_count)
SELECT DISTINCT region.code, level, parent_id, '地' || region.code,
       'di ' || region.code, 'Region ' || region.code, 'd', 0
FROM scale_town AS town, LATERAL (VALUES
    ('990000', 1, NULL), (left(town.code, 4) || '00', 2, '990000'),
    (left(town.code, 6), 3, left(town.code, 4) || '00'), (town.code, 4, left(town.code, 6))
) AS region (code, level, parent_id) ON CONFLICT DO NOTHING
"""
# Spread evenly over the box that China lies in; golden ratios, so that each run makes the same places.
_OUTLETS = """
INSERT INTO stores_outlet (code, name_zh, name_en, town_id, address_zh, address_en, telephone, latitude, longitude,
                           coordinate_source, coordinate_accuracy_km, state, timetable_id)
SELECT town || '-' || lpad((number %% 100)::text, 2, '0'), '店' || number, 'Store ' || number, town, '', '', '',
       20 + 28 * (number * 0.7548776662 %% 1), 80 + 50 * (number * 0.5698402910 %% 1), 'town', 2, 'open', %s
FROM (SELECT number, '99' || lpad((number / 1000)::text, 4, '0') || lpad((number / 100 %% 10)::text, 3, '0') AS town
      FROM generate_series(0, %s - 1) AS number) AS place
"""
# Of every phone 60 of 100 outlets have some, of the last phone 1 of 100; all have a shelf for each.
_COUNTS = """
CREATE TEMPORARY TABLE scale_counts AS
SELECT o.id AS outlet_id, p.id AS phone_id, now() AS counted_at,
       CASE WHEN (hashint8(o.id * 32767 + p.id) & 65535) %% 100 < CASE p.id WHEN %s THEN 1 ELSE 60 END
            THEN 1 + (o.id + p.id) %% 9 ELSE 0 END::int AS on_hand
FROM stores_outlet o CROSS JOIN (SELECT unnest(%s::smallint[]) AS id) AS p
"""


class Command(BaseCommand):
    help = "Make synthetic outlets with stock of the catalogue's phones. For databases that hold nothing else."

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("--outlets", type=int, required=True, help="how many")
        parser.add_argument("--phones", type=int, default=14, help="how many phones each has a shelf for (14)")

    def handle(self, *args: Any, outlets: int, phones: int, **options: Any) -> None:
        keys = list(Phone.objects.order_by("position").values_list("pk", flat=True)[:phones])
        if not 1 <= outlets <= 1_500_000 or not keys:
            raise CommandError("between 1 and 1500000 outlets, and at least one phone in the catalogue")
        if Outlet.objects.exists():
            raise CommandError("this database has outlets already: take an empty one")
        timetable, _ = Timetable.objects.get_or_create(slug="scale", defaults={"name_zh": "每天", "name_en": "Daily"})
        with connection.cursor() as cursor:
            with acting_as(SAMPLE):
                cursor.execute(_TOWNS, [outlets])
                cursor.execute(_REGIONS)
                cursor.execute(_OUTLETS, [timetable.pk, outlets])
            cursor.execute(_COUNTS, [keys[-1], keys])
            cursor.execute("ANALYZE stores_outlet")
            with transaction.atomic():
                summary = apply_staged_counts(
                    cursor, table="scale_counts", actor="system:load_scale", reference="count:load_scale", opening=True
                )
            cursor.execute("DROP TABLE scale_town, scale_counts")
            cursor.execute("VACUUM ANALYZE stores_stocklevel")
            cursor.execute("VACUUM ANALYZE stores_stockmovement")
        self.stdout.write(f"{outlets} outlets, {summary.opened} shelves.")
