import django.db.models.deletion
from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [
        ("catalog", "0006_prices_in_their_own_table"),
    ]

    operations = [
        migrations.CreateModel(
            name="PriceTold",
            fields=[
                (
                    "phone",
                    models.OneToOneField(
                        on_delete=django.db.models.deletion.CASCADE,
                        primary_key=True,
                        related_name="+",
                        serialize=False,
                        to="catalog.phone",
                    ),
                ),
                ("price_fen", models.PositiveIntegerField()),
                ("ordinary_fen", models.PositiveIntegerField()),
                ("told_at", models.DateTimeField()),
            ],
        ),
    ]
