"""Ways to pay, which form took a payment, and the receipt by text message."""

from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [
        ("orders", "0004_place_order"),
        ("stores", "0011_people_and_assignments"),
    ]

    operations = [
        migrations.RemoveConstraint(
            model_name="message",
            name="message_kind_is_known",
        ),
        migrations.RemoveConstraint(
            model_name="payment",
            name="payment_method_is_known",
        ),
        migrations.AddField(
            model_name="payment",
            name="form_key",
            field=models.CharField(blank=True, max_length=32),
        ),
        migrations.AlterField(
            model_name="message",
            name="kind",
            field=models.CharField(
                choices=[
                    ("placed", "placed"),
                    ("ready", "ready"),
                    ("reminder", "reminder"),
                    ("expired", "expired"),
                    ("declined", "declined"),
                    ("cancelled", "cancelled"),
                    ("moved", "moved"),
                    ("escalated", "delayed"),
                    ("receipt", "receipt"),
                ],
                max_length=9,
            ),
        ),
        migrations.AlterField(
            model_name="payment",
            name="method",
            field=models.CharField(
                choices=[("cash", "cash"), ("wechat", "WeChat Pay"), ("alipay", "Alipay"), ("card", "bank card")],
                max_length=6,
            ),
        ),
        migrations.AddConstraint(
            model_name="message",
            constraint=models.CheckConstraint(
                condition=models.Q(
                    (
                        "kind__in",
                        [
                            "placed",
                            "ready",
                            "reminder",
                            "expired",
                            "declined",
                            "cancelled",
                            "moved",
                            "escalated",
                            "receipt",
                        ],
                    )
                ),
                name="message_kind_is_known",
            ),
        ),
        migrations.AddConstraint(
            model_name="payment",
            constraint=models.UniqueConstraint(
                condition=models.Q(("form_key", ""), _negated=True),
                fields=("outlet", "form_key"),
                name="payment_once_a_form",
            ),
        ),
        migrations.AddConstraint(
            model_name="payment",
            constraint=models.CheckConstraint(
                condition=models.Q(("method__in", ["cash", "wechat", "alipay", "card"])), name="payment_method_is_known"
            ),
        ),
        migrations.AddConstraint(
            model_name="payment",
            constraint=models.CheckConstraint(
                condition=models.Q(("actor__regex", "^(person|partner|customer|system):.+$")),
                name="payment_was_taken_by_somebody",
            ),
        ),
    ]
