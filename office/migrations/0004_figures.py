"""What happened on each day, added up; and the way to the lines of a day."""

import django.db.models.deletion
from django.db import migrations, models

# Ledger and histories are written in the order of time, so a few bytes for each megabyte find the lines of a day, and
# writing a line costs as good as nothing more.
BY_TIME = """
    CREATE INDEX stockmovement_by_time ON stores_stockmovement USING brin (created_at) WITH (autosummarize = on);
    CREATE INDEX orderchange_by_time ON orders_orderchange USING brin (created_at) WITH (autosummarize = on);
"""
NO_BY_TIME = "DROP INDEX stockmovement_by_time, orderchange_by_time"


class Migration(migrations.Migration):
    dependencies = [
        ("catalog", "0002_version_and_provenance"),
        ("orders", "0005_payments_and_receipts"),
        ("office", "0003_trail_of_prices"),
        ("stores", "0023_forms_of_the_desk_once"),
    ]

    operations = [
        migrations.CreateModel(
            name="RollupDay",
            fields=[
                ("day", models.DateField(primary_key=True, serialize=False)),
                ("lines", models.BigIntegerField()),
                ("changes", models.BigIntegerField()),
                ("rolled_up_at", models.DateTimeField()),
            ],
        ),
        migrations.CreateModel(
            name="OutletDay",
            fields=[
                ("day", models.DateField()),
                ("handed_over", models.IntegerField()),
                ("walk_in", models.IntegerField()),
                ("returned", models.IntegerField()),
                ("received", models.IntegerField()),
                ("transferred", models.IntegerField()),
                ("corrected", models.IntegerField()),
                ("reserved", models.IntegerField()),
                ("released", models.IntegerField()),
                ("placed", models.IntegerField()),
                ("set_aside", models.IntegerField()),
                ("cancelled", models.IntegerField()),
                ("declined", models.IntegerField()),
                ("expired", models.IntegerField()),
                ("set_aside_seconds", models.BigIntegerField()),
                ("within_1_hour", models.IntegerField()),
                ("within_4_hours", models.IntegerField()),
                ("within_24_hours", models.IntegerField()),
                ("on_hand", models.IntegerField()),
                ("promised", models.IntegerField()),
                ("missing", models.IntegerField()),
                (
                    "pk",
                    models.CompositePrimaryKey(
                        "outlet", "phone", "day", blank=True, editable=False, primary_key=True, serialize=False
                    ),
                ),
                ("county_code", models.CharField(max_length=6)),
                ("change_on_hand", models.IntegerField()),
                ("change_promised", models.IntegerField()),
                ("change_missing", models.IntegerField()),
                (
                    "outlet",
                    models.ForeignKey(
                        db_constraint=False,
                        db_index=False,
                        on_delete=django.db.models.deletion.CASCADE,
                        related_name="+",
                        to="stores.outlet",
                    ),
                ),
                (
                    "phone",
                    models.ForeignKey(
                        db_constraint=False,
                        db_index=False,
                        on_delete=django.db.models.deletion.CASCADE,
                        related_name="+",
                        to="catalog.phone",
                    ),
                ),
            ],
            options={
                "indexes": [models.Index(fields=["day"], name="outletday_by_day")],
            },
        ),
        migrations.CreateModel(
            name="RegionDay",
            fields=[
                ("day", models.DateField()),
                ("handed_over", models.IntegerField()),
                ("walk_in", models.IntegerField()),
                ("returned", models.IntegerField()),
                ("received", models.IntegerField()),
                ("transferred", models.IntegerField()),
                ("corrected", models.IntegerField()),
                ("reserved", models.IntegerField()),
                ("released", models.IntegerField()),
                ("placed", models.IntegerField()),
                ("set_aside", models.IntegerField()),
                ("cancelled", models.IntegerField()),
                ("declined", models.IntegerField()),
                ("expired", models.IntegerField()),
                ("set_aside_seconds", models.BigIntegerField()),
                ("within_1_hour", models.IntegerField()),
                ("within_4_hours", models.IntegerField()),
                ("within_24_hours", models.IntegerField()),
                ("on_hand", models.IntegerField()),
                ("promised", models.IntegerField()),
                ("missing", models.IntegerField()),
                (
                    "pk",
                    models.CompositePrimaryKey(
                        "region_code", "phone", "day", blank=True, editable=False, primary_key=True, serialize=False
                    ),
                ),
                ("region_code", models.CharField(max_length=6)),
                (
                    "phone",
                    models.ForeignKey(
                        db_constraint=False,
                        db_index=False,
                        on_delete=django.db.models.deletion.CASCADE,
                        related_name="+",
                        to="catalog.phone",
                    ),
                ),
            ],
            options={
                "indexes": [models.Index(fields=["day"], name="regionday_by_day")],
            },
        ),
        migrations.RunSQL(BY_TIME, NO_BY_TIME),
    ]
