"""Handsets with their numbers and events, transfers, and shortfalls; the ledger says who."""

import django.db.models.deletion
import django.db.models.expressions
from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [
        ("stores", "0005_place_keys_and_maps"),
    ]

    operations = [
        migrations.CreateModel(
            name="Handset",
            fields=[
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                (
                    "phone",
                    models.ForeignKey(
                        db_index=False,
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="handsets",
                        to="catalog.phone",
                    ),
                ),
                (
                    "outlet",
                    models.ForeignKey(
                        db_index=False,
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="handsets",
                        to="stores.outlet",
                    ),
                ),
                (
                    "state",
                    models.CharField(
                        choices=[
                            ("on_shelf", "on the shelf"),
                            ("sold", "sold"),
                            ("in_transit", "on its way to another outlet"),
                            ("written_off", "written off"),
                        ],
                        max_length=11,
                    ),
                ),
                ("seq", models.IntegerField()),
            ],
            options={
                "indexes": [
                    models.Index(
                        condition=models.Q(("state", "on_shelf")), fields=["outlet", "phone"], name="handset_on_shelf"
                    )
                ],
                "constraints": [],
            },
        ),
        migrations.CreateModel(
            name="HandsetNumber",
            fields=[
                ("number", models.CharField(max_length=15, primary_key=True, serialize=False)),
                (
                    "handset",
                    models.ForeignKey(
                        db_index=False,
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="numbers",
                        to="stores.handset",
                    ),
                ),
                ("slot", models.PositiveSmallIntegerField()),
            ],
            options={
                "ordering": ["handset", "slot"],
                "constraints": [
                    models.UniqueConstraint(fields=("handset", "slot"), name="handsetnumber_once_a_slot"),
                    models.CheckConstraint(
                        condition=models.Q(("slot__in", [1, 2])), name="handsetnumber_is_one_of_two"
                    ),
                ],
                "indexes": [],
            },
        ),
        migrations.CreateModel(
            name="HandsetEvent",
            fields=[
                (
                    "pk",
                    models.CompositePrimaryKey(
                        "handset", "seq", blank=True, editable=False, primary_key=True, serialize=False
                    ),
                ),
                (
                    "handset",
                    models.ForeignKey(
                        db_constraint=False,
                        db_index=False,
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="events",
                        to="stores.handset",
                    ),
                ),
                ("seq", models.IntegerField()),
                ("kind", models.CharField(max_length=12)),
                (
                    "state",
                    models.CharField(
                        choices=[
                            ("on_shelf", "on the shelf"),
                            ("sold", "sold"),
                            ("in_transit", "on its way to another outlet"),
                            ("written_off", "written off"),
                        ],
                        max_length=11,
                    ),
                ),
                (
                    "outlet",
                    models.ForeignKey(
                        db_constraint=False,
                        db_index=False,
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="+",
                        to="stores.outlet",
                    ),
                ),
                (
                    "phone",
                    models.ForeignKey(
                        db_constraint=False,
                        db_index=False,
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="+",
                        to="catalog.phone",
                    ),
                ),
                ("line_seq", models.BigIntegerField()),
                ("prev_seq", models.IntegerField(null=True)),
                ("prev_state", models.CharField(max_length=11, null=True)),
                ("prev_outlet_id", models.BigIntegerField(null=True)),
                ("created_at", models.DateTimeField()),
            ],
            options={
                "ordering": ["handset", "seq"],
                "indexes": [models.Index(fields=["outlet", "phone", "line_seq"], name="handsetevent_of_line")],
                "constraints": [
                    models.UniqueConstraint(
                        fields=("handset", "seq", "state", "outlet", "phone"), name="handsetevent_link"
                    )
                ],
            },
        ),
        migrations.CreateModel(
            name="Shortfall",
            fields=[
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                (
                    "outlet",
                    models.ForeignKey(
                        db_index=False,
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="shortfalls",
                        to="stores.outlet",
                    ),
                ),
                (
                    "phone",
                    models.ForeignKey(
                        db_index=False,
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="shortfalls",
                        to="catalog.phone",
                    ),
                ),
                ("missing", models.PositiveIntegerField()),
                ("opened_at", models.DateTimeField()),
                ("closed_at", models.DateTimeField(null=True)),
            ],
            options={
                "ordering": ["opened_at"],
                "constraints": [
                    models.UniqueConstraint(
                        condition=models.Q(("closed_at__isnull", True)),
                        fields=("outlet", "phone"),
                        name="shortfall_open_once",
                    ),
                    models.CheckConstraint(
                        condition=models.Q(
                            models.Q(("closed_at__isnull", True), ("missing__gt", 0)),
                            models.Q(("closed_at__gte", models.F("opened_at")), ("missing", 0)),
                            _connector="OR",
                        ),
                        name="shortfall_is_open_while_something_is_missing",
                    ),
                ],
                "indexes": [],
            },
        ),
        migrations.CreateModel(
            name="Transfer",
            fields=[
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                (
                    "sender",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.PROTECT, related_name="transfers_out", to="stores.outlet"
                    ),
                ),
                (
                    "receiver",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.PROTECT, related_name="transfers_in", to="stores.outlet"
                    ),
                ),
                (
                    "state",
                    models.CharField(
                        choices=[
                            ("requested", "requested"),
                            ("sent", "on its way"),
                            ("received", "received"),
                            ("cancelled", "cancelled"),
                        ],
                        default="requested",
                        max_length=9,
                    ),
                ),
                ("requested_by", models.CharField(max_length=60)),
                ("requested_at", models.DateTimeField()),
                ("request_key", models.CharField(max_length=60)),
                ("sent_at", models.DateTimeField(null=True)),
                ("send_key", models.CharField(blank=True, max_length=60)),
                ("ended_at", models.DateTimeField(null=True)),
                ("ended_by", models.CharField(blank=True, max_length=60)),
                ("end_key", models.CharField(blank=True, max_length=60)),
            ],
            options={
                "ordering": ["requested_at"],
                "constraints": [
                    models.UniqueConstraint(fields=("receiver", "request_key"), name="transfer_requested_once"),
                    models.CheckConstraint(
                        condition=models.Q(("sender", models.F("receiver")), _negated=True),
                        name="transfer_is_between_two_outlets",
                    ),
                    models.CheckConstraint(
                        condition=models.Q(
                            models.Q(("ended_at__isnull", True), ("sent_at__isnull", True), ("state", "requested")),
                            models.Q(("ended_at__isnull", True), ("sent_at__isnull", False), ("state", "sent")),
                            models.Q(("ended_at__isnull", False), ("sent_at__isnull", False), ("state", "received")),
                            models.Q(("ended_at__isnull", False), ("state", "cancelled")),
                            _connector="OR",
                        ),
                        name="transfer_times_suit_its_state",
                    ),
                    models.CheckConstraint(
                        condition=models.Q(("requested_by__regex", "^(person|partner|customer|system):.+$")),
                        name="transfer_was_asked_for_by_somebody",
                    ),
                ],
                "indexes": [],
            },
        ),
        migrations.CreateModel(
            name="TransferLine",
            fields=[
                (
                    "pk",
                    models.CompositePrimaryKey(
                        "transfer", "phone", blank=True, editable=False, primary_key=True, serialize=False
                    ),
                ),
                (
                    "transfer",
                    models.ForeignKey(
                        db_index=False,
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="lines",
                        to="stores.transfer",
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
                ("requested", models.PositiveIntegerField()),
                ("sent", models.PositiveIntegerField(null=True)),
                ("received", models.PositiveIntegerField(null=True)),
                ("damaged", models.PositiveIntegerField(null=True)),
            ],
            options={
                "ordering": ["transfer", "phone"],
                "constraints": [
                    models.CheckConstraint(
                        condition=models.Q(
                            models.Q(("damaged__isnull", True), ("received__isnull", True)),
                            (
                                "sent__gte",
                                django.db.models.expressions.CombinedExpression(
                                    models.F("received"), "+", models.F("damaged")
                                ),
                            ),
                            _connector="OR",
                        ),
                        name="transferline_receives_no_more_than_was_sent",
                    )
                ],
                "indexes": [],
            },
        ),
        migrations.AddConstraint(
            model_name="stockmovement",
            constraint=models.CheckConstraint(
                condition=models.Q(("actor__regex", "^(person|partner|customer|system):.+$")),
                name="stockmovement_was_done_by_somebody",
            ),
        ),
    ]
