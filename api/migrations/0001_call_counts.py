from django.db import migrations, models


class Migration(migrations.Migration):
    initial = True

    dependencies = []

    operations = [
        migrations.CreateModel(
            name="CallCount",
            fields=[
                ("key", models.UUIDField(primary_key=True, serialize=False)),
                ("calls", models.PositiveIntegerField()),
                ("ends_at", models.DateTimeField()),
            ],
            options={
                "constraints": [
                    models.CheckConstraint(
                        condition=models.Q(("calls__gt", 0)),
                        name="callcount_begins_with_one",
                    )
                ],
            },
        ),
        migrations.RunSQL(
            "ALTER TABLE api_callcount SET UNLOGGED",
            "ALTER TABLE api_callcount SET LOGGED",
        ),
    ]
