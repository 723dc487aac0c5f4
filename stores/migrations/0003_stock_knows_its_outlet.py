"""Let a stock level carry what a reservation and the nearest-outlet index must know of its outlet."""

import datetime

import django.contrib.postgres.indexes
import django.db.models.deletion
import django.db.models.expressions
import django.db.models.functions.text
from django.contrib.postgres.operations import BtreeGistExtension
from django.db import migrations, models

import stores.geography


class Migration(migrations.Migration):
    dependencies = [
        ("catalog", "0002_version_and_provenance"),
        ("stores", "0002_ledger_chain"),
    ]

    operations = [
        # A whole number and a position in one index.
        BtreeGistExtension(),
        migrations.CreateModel(
            name="RegionStockChange",
            fields=[
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                ("county_code", models.CharField(max_length=6)),
                ("outlets_with", models.IntegerField()),
                ("on_hand", models.IntegerField()),
                ("reserved", models.IntegerField()),
                ("available", models.IntegerField()),
            ],
        ),
        migrations.RemoveConstraint(
            model_name="stockmovement",
            name="stockmovement_operation_once",
        ),
        migrations.AddField(
            model_name="outlet",
            name="county_code",
            field=models.GeneratedField(
                db_persist=True,
                expression=django.db.models.functions.text.Left(models.F("town_id"), 6),
                output_field=models.CharField(max_length=6),
            ),
        ),
        migrations.AddField(
            model_name="outlet",
            name="trades",
            field=models.GeneratedField(
                db_persist=True,
                expression=models.ExpressionWrapper(models.Q(("state", "open")), models.BooleanField()),
                output_field=models.BooleanField(),
            ),
        ),
        migrations.AddField(
            model_name="stocklevel",
            name="county_code",
            field=models.CharField(default="", max_length=6),
            preserve_default=False,
        ),
        migrations.AddField(
            model_name="stocklevel",
            name="outlet_trades",
            field=models.BooleanField(default=False),
            preserve_default=False,
        ),
        migrations.AddField(
            model_name="stocklevel",
            name="moved_at",
            field=models.DateTimeField(
                default=datetime.datetime(2026, 1, 1, 0, 0, tzinfo=datetime.UTC),
                help_text="when the newest line of its ledger was written",
            ),
            preserve_default=False,
        ),
        migrations.AddField(
            model_name="stocklevel",
            name="position",
            field=stores.geography.CubeField(default="(0, 0, 0)"),
            preserve_default=False,
        ),
        migrations.AddField(
            model_name="stocklevel",
            name="reorder_point",
            field=models.PositiveSmallIntegerField(default=0, help_text="0: the outlet does not keep this phone"),
        ),
        migrations.AddField(
            model_name="stockmovement",
            name="counted",
            field=models.PositiveIntegerField(null=True),
        ),
        migrations.AddField(
            model_name="stockmovement",
            name="counted_at",
            field=models.DateTimeField(null=True),
        ),
        migrations.AddField(
            model_name="stockmovement",
            name="operation_line",
            field=models.SmallIntegerField(default=1),
            preserve_default=False,
        ),
        migrations.AlterField(
            model_name="stockmovement",
            name="created_at",
            field=models.DateTimeField(),
        ),
        migrations.AlterField(
            model_name="stockmovement",
            name="outlet",
            field=models.ForeignKey(
                db_constraint=False,
                db_index=False,
                on_delete=django.db.models.deletion.PROTECT,
                related_name="+",
                to="stores.outlet",
            ),
        ),
        migrations.AlterField(
            model_name="stockmovement",
            name="phone",
            field=models.ForeignKey(
                db_constraint=False,
                db_index=False,
                on_delete=django.db.models.deletion.PROTECT,
                related_name="+",
                to="catalog.phone",
            ),
        ),
        migrations.AddField(
            model_name="stocklevel",
            name="is_available",
            field=models.GeneratedField(
                db_persist=True,
                expression=models.ExpressionWrapper(
                    models.Q(
                        (
                            "on_hand__gt",
                            django.db.models.expressions.CombinedExpression(
                                models.F("reserved"), "+", models.F("safety_stock")
                            ),
                        ),
                        ("outlet_trades", True),
                    ),
                    models.BooleanField(),
                ),
                output_field=models.BooleanField(),
            ),
        ),
        migrations.AddIndex(
            model_name="stocklevel",
            index=django.contrib.postgres.indexes.GistIndex(
                models.F("phone"),
                models.F("position"),
                condition=models.Q(("is_available", True)),
                name="stocklevel_nearest",
            ),
        ),
        migrations.AddConstraint(
            model_name="stockmovement",
            constraint=models.UniqueConstraint(
                fields=("outlet", "operation_key", "operation_line"), name="stockmovement_operation_once"
            ),
        ),
        migrations.AddConstraint(
            model_name="stockmovement",
            constraint=models.CheckConstraint(
                condition=models.Q(
                    models.Q(("counted__isnull", False), ("counted_at__isnull", False), ("kind", "counted")),
                    models.Q(
                        models.Q(("kind", "counted"), _negated=True),
                        ("counted__isnull", True),
                        ("counted_at__isnull", True),
                    ),
                    _connector="OR",
                ),
                name="stockmovement_count_says_what_and_when",
            ),
        ),
        migrations.AddConstraint(
            model_name="stockmovement",
            constraint=models.CheckConstraint(
                condition=models.Q(
                    (
                        "kind__in",
                        [
                            "opening",
                            "received",
                            "reserved",
                            "released",
                            "handed_over",
                            "walk_in_sale",
                            "returned",
                            "damaged",
                            "adjusted",
                            "counted",
                            "transfer_out",
                            "transfer_in",
                        ],
                    )
                ),
                name="stockmovement_kind_is_known",
            ),
        ),
        migrations.AddField(
            model_name="regionstockchange",
            name="phone",
            field=models.ForeignKey(
                db_index=False, on_delete=django.db.models.deletion.CASCADE, related_name="+", to="catalog.phone"
            ),
        ),
    ]
