"""Forms of the desk that were carried out, so that none is twice."""

import django.db.models.deletion
from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [
        ("stores", "0022_outlets_tell_what_changes"),
    ]

    operations = [
        migrations.CreateModel(
            name="DoneForm",
            fields=[
                (
                    "pk",
                    models.CompositePrimaryKey(
                        "outlet", "form_key", blank=True, editable=False, primary_key=True, serialize=False
                    ),
                ),
                ("form_key", models.CharField(max_length=32)),
                ("actor", models.CharField(max_length=60)),
                ("said", models.CharField(blank=True, max_length=300)),
                ("address", models.CharField(blank=True, max_length=200)),
                ("done_at", models.DateTimeField(db_index=True)),
                (
                    "outlet",
                    models.ForeignKey(
                        db_index=False,
                        on_delete=django.db.models.deletion.CASCADE,
                        related_name="+",
                        to="stores.outlet",
                    ),
                ),
            ],
            options={
                "constraints": [
                    models.CheckConstraint(
                        condition=models.Q(("form_key__regex", "^[0-9a-f]{32}$")), name="doneform_key_is_well_formed"
                    ),
                    models.CheckConstraint(
                        condition=models.Q(("actor__regex", "^(person|partner|customer|system):.+$")),
                        name="doneform_says_who",
                    ),
                ],
            },
        ),
    ]
