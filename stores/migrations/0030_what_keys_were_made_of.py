"""
Note for each place which names its keys were made of, so that only those of new or changed names are made anew.

The table begins empty: the first run after this makes all keys once more, and finds most of them there.
"""

from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [("stores", "0029_outlets_know_their_hours")]
    operations = [
        migrations.CreateModel(
            name="IndexedPlace",
            fields=[
                ("code", models.CharField(max_length=20, primary_key=True, serialize=False)),
                ("made_of", models.UUIDField()),
            ],
        ),
    ]
