"""Let no null stand for a payment."""

import django.db.models.expressions
from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [
        ("orders", "0002_chains_and_guards"),
        ("stores", "0007_handset_chain"),
    ]

    operations = [
        migrations.RemoveConstraint(
            model_name="order",
            name="order_is_paid_when_collected",
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
                        ("paid_fen__isnull", False),
                        ("state", "collected"),
                    ),
                    models.Q(models.Q(("state", "collected"), _negated=True), ("paid_fen", None)),
                    _connector="OR",
                ),
                name="order_is_paid_when_collected",
            ),
        ),
    ]
