"""Boxes that are being scanned, until they are booked; numbers carry a right check digit, a closed box stays closed."""

import django.db.models.deletion
from django.db import migrations, models

GUARD = """
    ALTER TABLE stores_boxscan ADD CONSTRAINT boxscan_is_imei_or_meid CHECK (
        CASE WHEN number ~ '^[0-9]{15}$' THEN stores_luhn_is_right(number) ELSE number ~ '^[A-F][0-9A-F]{13}$' END
    );
    CREATE TRIGGER box_stays_closed BEFORE UPDATE ON stores_box FOR EACH ROW
        WHEN (OLD.closed_at IS NOT NULL OR NEW.version < OLD.version
              OR (OLD.outlet_id, OLD.purpose, OLD.transfer_id)
                 IS DISTINCT FROM (NEW.outlet_id, NEW.purpose, NEW.transfer_id))
        EXECUTE FUNCTION stores_refuse();
"""
NO_GUARD = """
    DROP TRIGGER box_stays_closed ON stores_box;
    ALTER TABLE stores_boxscan DROP CONSTRAINT boxscan_is_imei_or_meid;
"""


class Migration(migrations.Migration):
    dependencies = [
        ("catalog", "0002_version_and_provenance"),
        ("stores", "0015_transfers_are_agreed_to"),
    ]

    operations = [
        migrations.CreateModel(
            name="Box",
            fields=[
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                (
                    "purpose",
                    models.CharField(
                        choices=[
                            ("delivery", "delivery of a supplier"),
                            ("sending", "transfer to another outlet"),
                            ("arriving", "transfer from another outlet"),
                        ],
                        max_length=8,
                    ),
                ),
                ("note", models.CharField(blank=True, help_text="number of the delivery note", max_length=40)),
                ("has_pairs", models.BooleanField(default=False)),
                ("version", models.IntegerField(default=0)),
                ("opened_by", models.CharField(max_length=60)),
                ("opened_at", models.DateTimeField()),
                (
                    "end",
                    models.CharField(
                        blank=True, choices=[("booked", "booked"), ("dropped", "thrown away")], max_length=7
                    ),
                ),
                ("closed_by", models.CharField(blank=True, max_length=60)),
                ("closed_at", models.DateTimeField(null=True)),
                (
                    "outlet",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.PROTECT, related_name="boxes", to="stores.outlet"
                    ),
                ),
                (
                    "phone",
                    models.ForeignKey(
                        db_index=False,
                        null=True,
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="+",
                        to="catalog.phone",
                    ),
                ),
                (
                    "transfer",
                    models.ForeignKey(
                        null=True,
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="boxes",
                        to="stores.transfer",
                    ),
                ),
            ],
            options={
                "ordering": ["-opened_at"],
            },
        ),
        migrations.CreateModel(
            name="BoxCount",
            fields=[
                (
                    "pk",
                    models.CompositePrimaryKey(
                        "box", "phone", blank=True, editable=False, primary_key=True, serialize=False
                    ),
                ),
                ("counted", models.PositiveIntegerField()),
                ("damaged", models.PositiveIntegerField(default=0)),
                (
                    "box",
                    models.ForeignKey(
                        db_index=False,
                        on_delete=django.db.models.deletion.CASCADE,
                        related_name="counts",
                        to="stores.box",
                    ),
                ),
                (
                    "phone",
                    models.ForeignKey(
                        db_index=False,
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="+",
                        to="catalog.phone",
                    ),
                ),
            ],
            options={
                "ordering": ["box", "phone"],
            },
        ),
        migrations.CreateModel(
            name="BoxScan",
            fields=[
                (
                    "pk",
                    models.CompositePrimaryKey(
                        "box", "seq", blank=True, editable=False, primary_key=True, serialize=False
                    ),
                ),
                ("seq", models.IntegerField()),
                ("number", models.CharField(max_length=15)),
                ("unit", models.IntegerField()),
                ("slot", models.PositiveSmallIntegerField(default=1)),
                ("awaits_second", models.BooleanField(default=False)),
                ("is_damaged", models.BooleanField(default=False)),
                (
                    "box",
                    models.ForeignKey(
                        db_index=False,
                        on_delete=django.db.models.deletion.CASCADE,
                        related_name="scans",
                        to="stores.box",
                    ),
                ),
                (
                    "phone",
                    models.ForeignKey(
                        db_index=False,
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="+",
                        to="catalog.phone",
                    ),
                ),
            ],
            options={
                "ordering": ["box", "seq"],
            },
        ),
        migrations.AddConstraint(
            model_name="box",
            constraint=models.UniqueConstraint(
                condition=models.Q(("closed_at__isnull", True)),
                fields=("outlet", "purpose", "transfer"),
                name="box_open_once",
                nulls_distinct=False,
            ),
        ),
        migrations.AddConstraint(
            model_name="box",
            constraint=models.CheckConstraint(
                condition=models.Q(
                    models.Q(("purpose", "delivery"), ("transfer__isnull", True)),
                    models.Q(("note", ""), ("purpose__in", ["sending", "arriving"]), ("transfer__isnull", False)),
                    _connector="OR",
                ),
                name="box_is_of_a_delivery_or_a_transfer",
            ),
        ),
        migrations.AddConstraint(
            model_name="box",
            constraint=models.CheckConstraint(
                condition=models.Q(
                    models.Q(("closed_at__isnull", True), ("closed_by", ""), ("end", "")),
                    models.Q(
                        ("closed_at__gte", models.F("opened_at")),
                        ("closed_by__regex", "^(person|partner|customer|system):.+$"),
                        ("end__in", ["booked", "dropped"]),
                    ),
                    _connector="OR",
                ),
                name="box_was_closed_by_somebody",
            ),
        ),
        migrations.AddConstraint(
            model_name="box",
            constraint=models.CheckConstraint(
                condition=models.Q(("opened_by__regex", "^(person|partner|customer|system):.+$")),
                name="box_was_opened_by_somebody",
            ),
        ),
        migrations.AddConstraint(
            model_name="boxcount",
            constraint=models.CheckConstraint(
                condition=models.Q(("counted__range", (1, 10000)), ("damaged__lte", models.F("counted"))),
                name="boxcount_is_a_number_of_phones",
            ),
        ),
        migrations.AddConstraint(
            model_name="boxscan",
            constraint=models.UniqueConstraint(fields=("box", "number"), name="boxscan_once_a_number"),
        ),
        migrations.AddConstraint(
            model_name="boxscan",
            constraint=models.UniqueConstraint(fields=("box", "unit", "slot"), name="boxscan_once_a_slot"),
        ),
        migrations.AddConstraint(
            model_name="boxscan",
            constraint=models.CheckConstraint(
                condition=models.Q(
                    models.Q(("slot", 1), ("unit", models.F("seq"))),
                    models.Q(("awaits_second", False), ("slot", 2), ("unit__lt", models.F("seq"))),
                    _connector="OR",
                ),
                name="boxscan_is_first_or_second",
            ),
        ),
        migrations.RunSQL(GUARD, NO_GUARD),
    ]
