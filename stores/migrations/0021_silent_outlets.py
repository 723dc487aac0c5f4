"""When clerks were last at the desk, and the mark of outlets that nobody hears of."""

import django.db.models.deletion
from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [
        ("stores", "0020_missing_handsets"),
    ]

    operations = [
        migrations.CreateModel(
            name="DeskSeen",
            fields=[
                (
                    "outlet",
                    models.OneToOneField(
                        on_delete=django.db.models.deletion.CASCADE,
                        primary_key=True,
                        related_name="desk_seen",
                        serialize=False,
                        to="stores.outlet",
                    ),
                ),
                ("seen_at", models.DateTimeField(db_index=True)),
            ],
        ),
        migrations.AddField(
            model_name="outlet",
            name="call_first",
            field=models.BooleanField(db_default=False, default=False),
        ),
    ]
