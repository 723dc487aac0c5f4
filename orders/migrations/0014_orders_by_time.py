"""The newest orders of the country, and the messages that were given up, are found without reading all of them."""

from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [("orders", "0013_refunds")]
    operations = [
        migrations.AddIndex(
            model_name="order",
            index=models.Index(models.F("placed_at"), models.F("number"), name="order_by_placed"),
        ),
        migrations.AddIndex(
            model_name="message",
            index=models.Index(
                models.F("next_attempt_at"), condition=models.Q(("state", "given_up")), name="message_given_up"
            ),
        ),
    ]
