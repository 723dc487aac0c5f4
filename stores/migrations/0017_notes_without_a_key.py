"""Spare each reservation a look at the phone: its note for the totals is of a level that has one."""

import django.db.models.deletion
from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [
        ("catalog", "0002_version_and_provenance"),
        ("stores", "0016_boxes"),
    ]

    operations = [
        migrations.AlterField(
            model_name="regionstockchange",
            name="phone",
            field=models.ForeignKey(
                db_constraint=False,
                db_index=False,
                on_delete=django.db.models.deletion.CASCADE,
                related_name="+",
                to="catalog.phone",
            ),
        ),
    ]
