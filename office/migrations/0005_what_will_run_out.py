"""What each shelf is expected to need, and what is proposed so that it does not run out."""

import django.db.models.deletion
from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [
        ("catalog", "0006_prices_in_their_own_table"),
        ("office", "0004_figures"),
        ("stores", "0023_forms_of_the_desk_once"),
    ]

    operations = [
        migrations.CreateModel(
            name="Forecast",
            fields=[
                (
                    "pk",
                    models.CompositePrimaryKey(
                        "outlet", "phone", blank=True, editable=False, primary_key=True, serialize=False
                    ),
                ),
                ("county_code", models.CharField(max_length=6)),
                ("on_hand", models.IntegerField()),
                ("promised", models.IntegerField()),
                ("coming", models.IntegerField(help_text="on its way here, or agreed to be")),
                ("sold", models.IntegerField(help_text="in the days that were looked at")),
                ("days_in_stock", models.IntegerField()),
                ("rate", models.FloatField()),
                ("expected", models.FloatField()),
                ("enough", models.IntegerField()),
                ("as_of", models.DateTimeField()),
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
        ),
        migrations.CreateModel(
            name="Proposal",
            fields=[
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                (
                    "kind",
                    models.CharField(
                        choices=[("transfer", "transfer"), ("supply", "order to the supplier")], max_length=8
                    ),
                ),
                ("county_code", models.CharField(max_length=6)),
                ("quantity", models.PositiveIntegerField()),
                ("cover_days", models.FloatField()),
                ("distance_km", models.FloatField(null=True)),
                ("made_at", models.DateTimeField()),
                ("accepted_at", models.DateTimeField(null=True)),
                ("accepted_by", models.CharField(blank=True, max_length=60)),
                (
                    "phone",
                    models.ForeignKey(
                        db_index=False,
                        on_delete=django.db.models.deletion.CASCADE,
                        related_name="+",
                        to="catalog.phone",
                    ),
                ),
                (
                    "receiver",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.CASCADE, related_name="+", to="stores.outlet"
                    ),
                ),
                (
                    "sender",
                    models.ForeignKey(
                        db_index=False,
                        null=True,
                        on_delete=django.db.models.deletion.CASCADE,
                        related_name="+",
                        to="stores.outlet",
                    ),
                ),
                (
                    "transfer",
                    models.OneToOneField(
                        null=True, on_delete=django.db.models.deletion.PROTECT, related_name="+", to="stores.transfer"
                    ),
                ),
            ],
            options={
                "ordering": ["cover_days", "pk"],
                "indexes": [
                    models.Index(
                        models.F("county_code"),
                        models.F("cover_days"),
                        condition=models.Q(("accepted_at", None)),
                        name="proposal_open",
                    ),
                    models.Index(
                        models.F("county_code"),
                        models.F("accepted_at"),
                        condition=models.Q(("accepted_at__isnull", False)),
                        name="proposal_accepted",
                    ),
                ],
                "constraints": [
                    models.UniqueConstraint(
                        condition=models.Q(("accepted_at", None)),
                        fields=("receiver", "phone", "sender"),
                        name="proposal_open_once",
                        nulls_distinct=False,
                    ),
                    models.CheckConstraint(
                        condition=models.Q(("quantity__gte", 1)), name="proposal_is_about_something"
                    ),
                    models.CheckConstraint(
                        condition=models.Q(
                            models.Q(("distance_km__isnull", False), ("kind", "transfer"), ("sender__isnull", False)),
                            models.Q(("distance_km", None), ("kind", "supply"), ("sender", None), ("transfer", None)),
                            _connector="OR",
                        ),
                        name="proposal_of_a_transfer_has_a_sender",
                    ),
                    models.CheckConstraint(
                        condition=models.Q(("sender", models.F("receiver")), _negated=True),
                        name="proposal_is_between_two_outlets",
                    ),
                    models.CheckConstraint(
                        condition=models.Q(
                            models.Q(("accepted_at", None), ("accepted_by", ""), ("transfer", None)),
                            models.Q(
                                ("accepted_at__isnull", False),
                                ("accepted_by__regex", "^(person|partner|customer|system):.+$"),
                                models.Q(("kind", "supply"), ("transfer__isnull", False), _connector="OR"),
                            ),
                            _connector="OR",
                        ),
                        name="proposal_accepted_by_somebody_is_carried_out",
                    ),
                ],
            },
        ),
    ]
