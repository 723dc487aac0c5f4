"""Orders, their lines, history, payments and messages."""

import django.db.models.deletion
import django.db.models.expressions
import django.db.models.functions.datetime
from django.db import migrations, models


class Migration(migrations.Migration):
    initial = True

    dependencies = [
        ("catalog", "0002_version_and_provenance"),
        ("stores", "0007_handset_chain"),
    ]

    operations = [
        migrations.CreateModel(
            name="Order",
            fields=[
                (
                    "pk",
                    models.CompositePrimaryKey(
                        "outlet", "number", blank=True, editable=False, primary_key=True, serialize=False
                    ),
                ),
                ("number", models.CharField(max_length=12)),
                (
                    "state",
                    models.CharField(
                        choices=[
                            ("placed", "placed"),
                            ("ready", "ready"),
                            ("collected", "collected"),
                            ("cancelled", "cancelled"),
                            ("declined", "declined"),
                            ("expired", "expired"),
                        ],
                        max_length=9,
                    ),
                ),
                ("change_seq", models.PositiveSmallIntegerField()),
                ("name", models.CharField(blank=True, max_length=30)),
                ("mobile", models.CharField(blank=True, max_length=14)),
                ("language", models.CharField(choices=[("zh-hans", "简体中文"), ("en", "English")], max_length=7)),
                (
                    "channel",
                    models.CharField(
                        choices=[
                            ("web", "web site"),
                            ("desk", "counter"),
                            ("hotline", "hotline"),
                            ("sms", "text message"),
                            ("api", "partner"),
                        ],
                        max_length=7,
                    ),
                ),
                ("form_key", models.CharField(max_length=60)),
                ("pickup_fingerprint", models.BinaryField(max_length=32)),
                ("line_count", models.PositiveSmallIntegerField()),
                ("total_fen", models.PositiveIntegerField()),
                ("prepaid_fen", models.PositiveIntegerField(default=0)),
                ("paid_fen", models.PositiveIntegerField(null=True)),
                ("placed_at", models.DateTimeField()),
                ("ready_at", models.DateTimeField(null=True)),
                ("held_until", models.DateTimeField()),
                ("extended_at", models.DateTimeField(null=True)),
                ("reminded_at", models.DateTimeField(null=True)),
                ("escalated_at", models.DateTimeField(null=True)),
                ("ended_at", models.DateTimeField(null=True)),
                ("erased_at", models.DateTimeField(null=True)),
                ("moved_to", models.CharField(blank=True, max_length=12)),
                ("moved_from", models.CharField(blank=True, max_length=12)),
                (
                    "outlet",
                    models.ForeignKey(
                        db_index=False,
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="orders",
                        to="stores.outlet",
                    ),
                ),
            ],
            options={
                "ordering": ["-placed_at"],
            },
        ),
        migrations.CreateModel(
            name="Message",
            fields=[
                (
                    "pk",
                    models.CompositePrimaryKey(
                        "outlet",
                        "number",
                        "change_seq",
                        "kind",
                        blank=True,
                        editable=False,
                        primary_key=True,
                        serialize=False,
                    ),
                ),
                ("number", models.CharField(max_length=12)),
                ("change_seq", models.PositiveSmallIntegerField()),
                (
                    "kind",
                    models.CharField(
                        choices=[
                            ("placed", "placed"),
                            ("ready", "ready"),
                            ("reminder", "reminder"),
                            ("expired", "expired"),
                            ("declined", "declined"),
                            ("cancelled", "cancelled"),
                            ("moved", "moved"),
                            ("escalated", "delayed"),
                        ],
                        max_length=9,
                    ),
                ),
                (
                    "state",
                    models.CharField(
                        choices=[
                            ("waiting", "waiting"),
                            ("sent", "sent"),
                            ("given_up", "given up"),
                            ("outdated", "no longer true when its turn came"),
                        ],
                        default="waiting",
                        max_length=8,
                    ),
                ),
                ("attempts", models.PositiveSmallIntegerField(default=0)),
                ("next_attempt_at", models.DateTimeField(db_default=django.db.models.functions.datetime.Now())),
                ("created_at", models.DateTimeField(db_default=django.db.models.functions.datetime.Now())),
                ("sent_at", models.DateTimeField(null=True)),
                ("segments", models.PositiveSmallIntegerField(null=True)),
                ("receipt", models.CharField(blank=True, help_text="the gateway's own name for it", max_length=100)),
                ("error", models.CharField(blank=True, max_length=200)),
                (
                    "outlet",
                    models.ForeignKey(
                        db_constraint=False,
                        db_index=False,
                        on_delete=django.db.models.deletion.DO_NOTHING,
                        related_name="+",
                        to="stores.outlet",
                    ),
                ),
                (
                    "order",
                    models.ForeignObject(
                        from_fields=["outlet", "number"],
                        on_delete=django.db.models.deletion.DO_NOTHING,
                        related_name="messages",
                        to="orders.order",
                        to_fields=["outlet", "number"],
                    ),
                ),
            ],
            options={
                "ordering": ["created_at"],
            },
        ),
        migrations.CreateModel(
            name="OrderChange",
            fields=[
                (
                    "pk",
                    models.CompositePrimaryKey(
                        "outlet", "number", "seq", blank=True, editable=False, primary_key=True, serialize=False
                    ),
                ),
                ("number", models.CharField(max_length=12)),
                ("seq", models.PositiveSmallIntegerField()),
                (
                    "kind",
                    models.CharField(
                        choices=[
                            ("placed", "placed"),
                            ("ready", "set aside"),
                            ("collected", "handed over"),
                            ("cancelled", "cancelled"),
                            ("declined", "declined"),
                            ("expired", "expired"),
                            ("moved", "moved to another outlet"),
                            ("extended", "kept longer"),
                            ("escalated", "not set aside in time"),
                        ],
                        max_length=9,
                    ),
                ),
                (
                    "state",
                    models.CharField(
                        choices=[
                            ("placed", "placed"),
                            ("ready", "ready"),
                            ("collected", "collected"),
                            ("cancelled", "cancelled"),
                            ("declined", "declined"),
                            ("expired", "expired"),
                        ],
                        max_length=9,
                    ),
                ),
                ("prev_seq", models.PositiveSmallIntegerField(null=True)),
                (
                    "prev_state",
                    models.CharField(
                        choices=[
                            ("placed", "placed"),
                            ("ready", "ready"),
                            ("collected", "collected"),
                            ("cancelled", "cancelled"),
                            ("declined", "declined"),
                            ("expired", "expired"),
                        ],
                        max_length=9,
                        null=True,
                    ),
                ),
                ("actor", models.CharField(max_length=60)),
                ("reason", models.CharField(blank=True, max_length=200)),
                ("created_at", models.DateTimeField(db_default=django.db.models.functions.datetime.Now())),
                (
                    "order",
                    models.ForeignObject(
                        from_fields=["outlet", "number"],
                        on_delete=django.db.models.deletion.DO_NOTHING,
                        related_name="history",
                        to="orders.order",
                        to_fields=["outlet", "number"],
                    ),
                ),
                (
                    "outlet",
                    models.ForeignKey(
                        db_constraint=False,
                        db_index=False,
                        on_delete=django.db.models.deletion.DO_NOTHING,
                        related_name="+",
                        to="stores.outlet",
                    ),
                ),
            ],
            options={
                "ordering": ["outlet", "number", "seq"],
            },
        ),
        migrations.CreateModel(
            name="OrderLine",
            fields=[
                (
                    "pk",
                    models.CompositePrimaryKey(
                        "outlet", "number", "position", blank=True, editable=False, primary_key=True, serialize=False
                    ),
                ),
                ("number", models.CharField(max_length=12)),
                ("line_count", models.PositiveSmallIntegerField()),
                ("position", models.PositiveSmallIntegerField()),
                ("quantity", models.PositiveSmallIntegerField()),
                ("name_zh", models.CharField(max_length=80)),
                ("name_en", models.CharField(max_length=80)),
                ("price_fen", models.PositiveIntegerField()),
                ("terms", models.CharField(max_length=20)),
                ("running_fen", models.PositiveIntegerField()),
                ("prev_position", models.PositiveSmallIntegerField(null=True)),
                ("prev_running_fen", models.PositiveIntegerField(null=True)),
                (
                    "order",
                    models.ForeignObject(
                        from_fields=["outlet", "number"],
                        on_delete=django.db.models.deletion.DO_NOTHING,
                        related_name="lines",
                        to="orders.order",
                        to_fields=["outlet", "number"],
                    ),
                ),
                (
                    "outlet",
                    models.ForeignKey(
                        db_constraint=False,
                        db_index=False,
                        on_delete=django.db.models.deletion.DO_NOTHING,
                        related_name="+",
                        to="stores.outlet",
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
                "ordering": ["outlet", "number", "position"],
            },
        ),
        migrations.CreateModel(
            name="Payment",
            fields=[
                (
                    "pk",
                    models.CompositePrimaryKey(
                        "outlet", "number", blank=True, editable=False, primary_key=True, serialize=False
                    ),
                ),
                ("number", models.CharField(max_length=12)),
                (
                    "method",
                    models.CharField(
                        choices=[("cash", "cash"), ("pos", "bank card"), ("other", "other")], max_length=5
                    ),
                ),
                ("amount_fen", models.PositiveIntegerField()),
                ("actor", models.CharField(max_length=60)),
                ("taken_at", models.DateTimeField(db_default=django.db.models.functions.datetime.Now())),
                (
                    "order",
                    models.ForeignObject(
                        from_fields=["outlet", "number"],
                        on_delete=django.db.models.deletion.DO_NOTHING,
                        related_name="payments",
                        to="orders.order",
                        to_fields=["outlet", "number"],
                    ),
                ),
                (
                    "outlet",
                    models.ForeignKey(
                        db_constraint=False,
                        db_index=False,
                        on_delete=django.db.models.deletion.DO_NOTHING,
                        related_name="+",
                        to="stores.outlet",
                    ),
                ),
            ],
        ),
        migrations.AddIndex(
            model_name="order",
            index=models.Index(models.F("mobile"), condition=models.Q(("mobile__gt", "")), name="order_by_mobile"),
        ),
        migrations.AddIndex(
            model_name="order",
            index=models.Index(
                models.F("held_until"),
                condition=models.Q(("state__in", ["placed", "ready"])),
                name="order_open_by_hold",
            ),
        ),
        migrations.AddIndex(
            model_name="order",
            index=models.Index(
                models.F("placed_at"),
                condition=models.Q(("escalated_at", None), ("state", "placed")),
                name="order_to_escalate",
            ),
        ),
        migrations.AddIndex(
            model_name="order",
            index=models.Index(
                models.F("ended_at"),
                condition=models.Q(("ended_at__isnull", False), ("erased_at", None)),
                name="order_to_erase",
            ),
        ),
        migrations.AddConstraint(
            model_name="order",
            constraint=models.UniqueConstraint(fields=("outlet", "form_key"), name="order_once_a_form"),
        ),
        migrations.AddConstraint(
            model_name="order",
            constraint=models.UniqueConstraint(fields=("outlet", "number", "line_count"), name="order_line_count_link"),
        ),
        migrations.AddConstraint(
            model_name="order",
            constraint=models.UniqueConstraint(
                condition=models.Q(("state__in", ["placed", "ready"])),
                fields=("outlet", "pickup_fingerprint"),
                name="order_pickup_code_is_its_own",
            ),
        ),
        migrations.AddConstraint(
            model_name="order",
            constraint=models.CheckConstraint(
                condition=models.Q(("state__in", ["placed", "ready", "collected", "cancelled", "declined", "expired"])),
                name="order_state_is_known",
            ),
        ),
        migrations.AddConstraint(
            model_name="order",
            constraint=models.CheckConstraint(
                condition=models.Q(("channel__in", ["web", "desk", "hotline", "sms", "api"])),
                name="order_channel_is_known",
            ),
        ),
        migrations.AddConstraint(
            model_name="order",
            constraint=models.CheckConstraint(
                condition=models.Q(("language__in", ["zh-hans", "en"])), name="order_language_is_known"
            ),
        ),
        migrations.AddConstraint(
            model_name="order",
            constraint=models.CheckConstraint(
                condition=models.Q(("line_count__gte", 1), ("total_fen__gt", 0)), name="order_is_for_something"
            ),
        ),
        migrations.AddConstraint(
            model_name="order",
            constraint=models.CheckConstraint(
                condition=models.Q(
                    models.Q(
                        (
                            "paid_fen",
                            django.db.models.expressions.CombinedExpression(
                                models.F("total_fen"), "-", models.F("prepaid_fen")
                            ),
                        ),
                        ("state", "collected"),
                    ),
                    models.Q(models.Q(("state", "collected"), _negated=True), ("paid_fen", None)),
                    _connector="OR",
                ),
                name="order_is_paid_when_collected",
            ),
        ),
        migrations.AddConstraint(
            model_name="order",
            constraint=models.CheckConstraint(
                condition=models.Q(
                    models.Q(("state__in", ["placed", "ready"]), ("ended_at", None)),
                    models.Q(models.Q(("state__in", ["placed", "ready"]), _negated=True), ("ended_at__isnull", False)),
                    _connector="OR",
                ),
                name="order_end_has_its_moment",
            ),
        ),
        migrations.AddConstraint(
            model_name="order",
            constraint=models.CheckConstraint(
                condition=models.Q(
                    models.Q(("erased_at", None), ("mobile__regex", "^\\+861[0-9]{10}$"), ("name__gt", "")),
                    models.Q(("ended_at__isnull", False), ("erased_at__isnull", False), ("mobile", ""), ("name", "")),
                    _connector="OR",
                ),
                name="order_knows_its_customer_until_erased",
            ),
        ),
        migrations.AddIndex(
            model_name="message",
            index=models.Index(
                models.F("next_attempt_at"), condition=models.Q(("state", "waiting")), name="message_waiting"
            ),
        ),
        migrations.AddConstraint(
            model_name="message",
            constraint=models.CheckConstraint(
                condition=models.Q(
                    models.Q(("sent_at__isnull", False), ("state", "sent")),
                    models.Q(models.Q(("state", "sent"), _negated=True), ("sent_at", None)),
                    _connector="OR",
                ),
                name="message_sent_has_its_moment",
            ),
        ),
        migrations.AddConstraint(
            model_name="message",
            constraint=models.CheckConstraint(
                condition=models.Q(("state__in", ["waiting", "sent", "given_up", "outdated"])),
                name="message_state_is_known",
            ),
        ),
        migrations.AddConstraint(
            model_name="message",
            constraint=models.CheckConstraint(
                condition=models.Q(
                    (
                        "kind__in",
                        ["placed", "ready", "reminder", "expired", "declined", "cancelled", "moved", "escalated"],
                    )
                ),
                name="message_kind_is_known",
            ),
        ),
        migrations.AddConstraint(
            model_name="orderchange",
            constraint=models.UniqueConstraint(fields=("outlet", "number", "seq", "state"), name="orderchange_link"),
        ),
        migrations.AddConstraint(
            model_name="orderchange",
            constraint=models.CheckConstraint(condition=models.Q(("actor__gt", "")), name="orderchange_says_who"),
        ),
        migrations.AddConstraint(
            model_name="orderline",
            constraint=models.UniqueConstraint(fields=("outlet", "number", "phone"), name="orderline_once_a_phone"),
        ),
        migrations.AddConstraint(
            model_name="orderline",
            constraint=models.UniqueConstraint(
                fields=("outlet", "number", "position", "running_fen"), name="orderline_link"
            ),
        ),
        migrations.AddConstraint(
            model_name="orderline",
            constraint=models.CheckConstraint(
                condition=models.Q(("position__lte", models.F("line_count"))), name="orderline_is_one_of_its_order"
            ),
        ),
        migrations.AddConstraint(
            model_name="orderline",
            constraint=models.CheckConstraint(
                condition=models.Q(("quantity__range", (1, 99))), name="orderline_quantity_is_sensible"
            ),
        ),
        migrations.AddConstraint(
            model_name="orderline",
            constraint=models.CheckConstraint(
                condition=models.Q(("price_fen__gt", 0)), name="orderline_price_is_positive"
            ),
        ),
        migrations.AddConstraint(
            model_name="payment",
            constraint=models.UniqueConstraint(fields=("outlet", "number", "amount_fen"), name="payment_link"),
        ),
        migrations.AddConstraint(
            model_name="payment",
            constraint=models.CheckConstraint(
                condition=models.Q(("method__in", ["cash", "pos", "other"])), name="payment_method_is_known"
            ),
        ),
    ]
