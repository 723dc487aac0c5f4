"""Let a unit be part of a line of the ledger once, by the index that finds the units of a line."""

from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [("stores", "0027_kinds_and_actors_by_domain")]
    operations = [
        migrations.AddConstraint(
            model_name="handsetevent",
            constraint=models.UniqueConstraint(
                fields=["outlet", "phone", "line_seq", "handset"], name="handsetevent_once_a_line"
            ),
        ),
        migrations.RemoveIndex(model_name="handsetevent", name="handsetevent_of_line"),
    ]
