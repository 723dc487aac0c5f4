"""Orders that move are counted once; the day that is not over has no numbers yet. All days are added up anew."""

from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [("office", "0007_trail_without_clocks")]
    operations = [
        migrations.AddField("outletday", "moved", models.IntegerField(default=0)),
        migrations.AddField("regionday", "moved", models.IntegerField(default=0)),
        migrations.AlterField("rollupday", "lines", models.BigIntegerField(null=True)),
        migrations.AlterField("rollupday", "changes", models.BigIntegerField(null=True)),
        migrations.RunSQL("UPDATE office_rollupday SET lines = NULL, changes = NULL", migrations.RunSQL.noop),
    ]
