"""What a phone cost, of which at most so much is given back, is that of its order's line or its sale: by keys."""

from django.db import migrations, models

HELD = """
    ALTER TABLE orders_refund DROP CONSTRAINT refund_is_of_a_line,
        ADD CONSTRAINT refund_is_of_a_line FOREIGN KEY (outlet_id, number, phone_id, price_fen)
            REFERENCES orders_orderline (outlet_id, number, phone_id, price_fen);
"""
FREE = """
    ALTER TABLE orders_refund DROP CONSTRAINT refund_is_of_a_line,
        ADD CONSTRAINT refund_is_of_a_line FOREIGN KEY (outlet_id, number, phone_id)
            REFERENCES orders_orderline (outlet_id, number, phone_id);
"""


class Migration(migrations.Migration):
    dependencies = [
        ("catalog", "0009_all_prices_of_a_moment"),
        ("orders", "0016_the_next_price_that_is_to_be_had"),
        ("stores", "0029_outlets_know_their_hours"),
    ]

    operations = [
        migrations.RemoveConstraint(
            model_name="refund",
            name="refund_is_at_most_what_was_paid",
        ),
        migrations.RenameField(
            model_name="refund",
            old_name="paid_fen",
            new_name="price_fen",
        ),
        migrations.AddConstraint(
            model_name="orderline",
            constraint=models.UniqueConstraint(
                fields=("outlet", "number", "phone", "price_fen"), name="orderline_price_link"
            ),
        ),
        migrations.AddConstraint(
            model_name="refund",
            constraint=models.CheckConstraint(
                condition=models.Q(
                    ("amount_fen__lte", models.F("price_fen")), ("amount_fen__lte", models.F("receipt_fen"))
                ),
                name="refund_is_at_most_what_was_paid",
            ),
        ),
        migrations.AddConstraint(
            model_name="refund",
            constraint=models.CheckConstraint(
                condition=models.Q(("number__isnull", False), ("price_fen", models.F("receipt_fen")), _connector="OR"),
                name="refund_of_a_walk_in_has_its_price",
            ),
        ),
        migrations.RunSQL(HELD, FREE),
    ]
