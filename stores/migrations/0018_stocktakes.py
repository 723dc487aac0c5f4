"""Shelves that are being counted, until they are booked."""

import django.db.models.deletion
from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [
        ("catalog", "0002_version_and_provenance"),
        ("stores", "0017_notes_without_a_key"),
    ]

    operations = [
        migrations.CreateModel(
            name="Stocktake",
            fields=[
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
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
                        on_delete=django.db.models.deletion.PROTECT, related_name="stocktakes", to="stores.outlet"
                    ),
                ),
            ],
            options={
                "ordering": ["-opened_at"],
            },
        ),
        migrations.CreateModel(
            name="StocktakeLine",
            fields=[
                (
                    "pk",
                    models.CompositePrimaryKey(
                        "stocktake", "phone", blank=True, editable=False, primary_key=True, serialize=False
                    ),
                ),
                ("counted", models.PositiveIntegerField()),
                ("counted_at", models.DateTimeField()),
                ("counted_by", models.CharField(max_length=60)),
                ("form_key", models.CharField(blank=True, max_length=32)),
                (
                    "phone",
                    models.ForeignKey(
                        db_index=False,
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="+",
                        to="catalog.phone",
                    ),
                ),
                (
                    "stocktake",
                    models.ForeignKey(
                        db_index=False,
                        on_delete=django.db.models.deletion.CASCADE,
                        related_name="lines",
                        to="stores.stocktake",
                    ),
                ),
            ],
            options={
                "ordering": ["stocktake", "phone"],
            },
        ),
        migrations.CreateModel(
            name="StocktakeScan",
            fields=[
                (
                    "pk",
                    models.CompositePrimaryKey(
                        "stocktake", "number", blank=True, editable=False, primary_key=True, serialize=False
                    ),
                ),
                ("number", models.CharField(max_length=15)),
                ("scanned_at", models.DateTimeField()),
                (
                    "phone",
                    models.ForeignKey(
                        db_index=False,
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="+",
                        to="catalog.phone",
                    ),
                ),
                (
                    "stocktake",
                    models.ForeignKey(
                        db_index=False,
                        on_delete=django.db.models.deletion.CASCADE,
                        related_name="scans",
                        to="stores.stocktake",
                    ),
                ),
            ],
            options={
                "ordering": ["stocktake", "scanned_at"],
            },
        ),
        migrations.AddConstraint(
            model_name="stocktake",
            constraint=models.UniqueConstraint(
                condition=models.Q(("closed_at__isnull", True)), fields=("outlet",), name="stocktake_open_once"
            ),
        ),
        migrations.AddConstraint(
            model_name="stocktake",
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
                name="stocktake_was_closed_by_somebody",
            ),
        ),
        migrations.AddConstraint(
            model_name="stocktake",
            constraint=models.CheckConstraint(
                condition=models.Q(("opened_by__regex", "^(person|partner|customer|system):.+$")),
                name="stocktake_was_opened_by_somebody",
            ),
        ),
        migrations.AddConstraint(
            model_name="stocktakeline",
            constraint=models.CheckConstraint(
                condition=models.Q(("counted__lte", 10000)), name="stocktakeline_count_is_possible"
            ),
        ),
        migrations.AddConstraint(
            model_name="stocktakeline",
            constraint=models.CheckConstraint(
                condition=models.Q(("counted_by__regex", "^(person|partner|customer|system):.+$")),
                name="stocktakeline_says_who",
            ),
        ),
        migrations.AddConstraint(
            model_name="stocktakescan",
            constraint=models.CheckConstraint(
                condition=models.Q(("number__regex", "^([0-9]{15}|[0-9A-F]{14})$")),
                name="stocktakescan_number_is_well_formed",
            ),
        ),
    ]
