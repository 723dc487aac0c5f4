"""What customers got back, held to the unit's sale, to its return, and to what was paid."""

import django.db.models.deletion
import django.db.models.functions.datetime
from django.db import migrations, models

# A refund is of an order's line and payment, or of a walk-in sale: then `walk_in_seq` is there for the key.
HELD = """
    ALTER TABLE orders_walkinsale ADD CONSTRAINT walkinsale_link UNIQUE (outlet_id, phone_id, seq, price_fen);
    ALTER TABLE orders_refund
        ADD COLUMN walk_in_seq bigint GENERATED ALWAYS AS (CASE WHEN number IS NULL THEN seq END) STORED,
        ADD CONSTRAINT refund_is_of_a_unit_that_was_sold FOREIGN KEY (outlet_id, phone_id, seq, handset_id)
            REFERENCES stores_handsetevent (outlet_id, phone_id, line_seq, handset_id),
        ADD CONSTRAINT refund_is_of_a_unit_that_came_back FOREIGN KEY (back_outlet_id, phone_id, back_seq, handset_id)
            REFERENCES stores_handsetevent (outlet_id, phone_id, line_seq, handset_id),
        ADD CONSTRAINT refund_is_of_a_walk_in_sale FOREIGN KEY (outlet_id, phone_id, walk_in_seq, receipt_fen)
            REFERENCES orders_walkinsale (outlet_id, phone_id, seq, price_fen),
        ADD CONSTRAINT refund_is_of_a_line FOREIGN KEY (outlet_id, number, phone_id)
            REFERENCES orders_orderline (outlet_id, number, phone_id),
        ADD CONSTRAINT refund_is_of_a_payment FOREIGN KEY (outlet_id, number, receipt_fen)
            REFERENCES orders_payment (outlet_id, number, amount_fen);
    CREATE TRIGGER refund_is_fixed BEFORE UPDATE OR DELETE ON orders_refund
        FOR EACH ROW EXECUTE FUNCTION orders_refuse();
    CREATE TRIGGER refund_is_not_truncated BEFORE TRUNCATE ON orders_refund
        FOR EACH STATEMENT EXECUTE FUNCTION orders_refuse();
"""
FREE = """
    DROP TRIGGER refund_is_not_truncated ON orders_refund;
    DROP TRIGGER refund_is_fixed ON orders_refund;
    ALTER TABLE orders_refund DROP CONSTRAINT refund_is_of_a_payment, DROP CONSTRAINT refund_is_of_a_line,
        DROP CONSTRAINT refund_is_of_a_walk_in_sale, DROP CONSTRAINT refund_is_of_a_unit_that_came_back,
        DROP CONSTRAINT refund_is_of_a_unit_that_was_sold, DROP COLUMN walk_in_seq;
    ALTER TABLE orders_walkinsale DROP CONSTRAINT walkinsale_link;
"""


class Migration(migrations.Migration):
    dependencies = [
        ("catalog", "0008_phones_tell"),
        ("orders", "0012_walk_in_sales_use_quotas"),
        ("stores", "0028_unit_once_a_line"),
    ]

    operations = [
        migrations.CreateModel(
            name="Refund",
            fields=[
                (
                    "pk",
                    models.CompositePrimaryKey(
                        "outlet",
                        "phone",
                        "seq",
                        "handset",
                        blank=True,
                        editable=False,
                        primary_key=True,
                        serialize=False,
                    ),
                ),
                ("seq", models.BigIntegerField()),
                ("number", models.CharField(max_length=12, null=True)),
                ("receipt_fen", models.PositiveIntegerField()),
                ("paid_fen", models.PositiveIntegerField()),
                ("amount_fen", models.PositiveIntegerField()),
                (
                    "method",
                    models.CharField(
                        choices=[
                            ("cash", "cash"),
                            ("wechat", "WeChat Pay"),
                            ("alipay", "Alipay"),
                            ("card", "bank card"),
                        ],
                        max_length=6,
                    ),
                ),
                ("actor", models.CharField(max_length=60)),
                ("back_seq", models.BigIntegerField()),
                ("given_at", models.DateTimeField(db_default=django.db.models.functions.datetime.Now())),
                (
                    "back_outlet",
                    models.ForeignKey(
                        db_constraint=False,
                        db_index=False,
                        on_delete=django.db.models.deletion.DO_NOTHING,
                        related_name="+",
                        to="stores.outlet",
                    ),
                ),
                (
                    "handset",
                    models.ForeignKey(
                        db_constraint=False,
                        db_index=False,
                        on_delete=django.db.models.deletion.DO_NOTHING,
                        related_name="+",
                        to="stores.handset",
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
                        db_constraint=False,
                        db_index=False,
                        on_delete=django.db.models.deletion.DO_NOTHING,
                        related_name="+",
                        to="catalog.phone",
                    ),
                ),
            ],
            options={
                "ordering": ["given_at"],
                "constraints": [
                    models.UniqueConstraint(fields=("back_outlet", "phone", "back_seq"), name="refund_once_a_return"),
                    models.CheckConstraint(
                        condition=models.Q(
                            ("amount_fen__lte", models.F("paid_fen")), ("paid_fen__lte", models.F("receipt_fen"))
                        ),
                        name="refund_is_at_most_what_was_paid",
                    ),
                    models.CheckConstraint(
                        condition=models.Q(("method__in", ["cash", "wechat", "alipay", "card"])),
                        name="refund_method_is_known",
                    ),
                    models.CheckConstraint(
                        condition=models.Q(("actor__regex", "^(person|partner|customer|system):.+$")),
                        name="refund_was_given_by_somebody",
                    ),
                ],
            },
        ),
        migrations.RunSQL(HELD, FREE),
    ]
