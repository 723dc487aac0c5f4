"""Keep deeds with stock from locking the outlet's row: the keys to ledger and stock level hold it as well."""

import django.db.models.deletion
from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [
        ("catalog", "0002_version_and_provenance"),
        ("stores", "0008_history_is_not_truncated"),
    ]

    operations = [
        migrations.AlterField(
            model_name="handset",
            name="outlet",
            field=models.ForeignKey(
                db_constraint=False,
                db_index=False,
                on_delete=django.db.models.deletion.PROTECT,
                related_name="handsets",
                to="stores.outlet",
            ),
        ),
        migrations.AlterField(
            model_name="handset",
            name="phone",
            field=models.ForeignKey(
                db_constraint=False,
                db_index=False,
                on_delete=django.db.models.deletion.PROTECT,
                related_name="handsets",
                to="catalog.phone",
            ),
        ),
        migrations.AlterField(
            model_name="shortfall",
            name="outlet",
            field=models.ForeignKey(
                db_constraint=False,
                db_index=False,
                on_delete=django.db.models.deletion.PROTECT,
                related_name="shortfalls",
                to="stores.outlet",
            ),
        ),
        migrations.AlterField(
            model_name="shortfall",
            name="phone",
            field=models.ForeignKey(
                db_constraint=False,
                db_index=False,
                on_delete=django.db.models.deletion.PROTECT,
                related_name="shortfalls",
                to="catalog.phone",
            ),
        ),
        migrations.RunSQL(
            """ALTER TABLE stores_shortfall ADD CONSTRAINT shortfall_is_of_a_shelf
               FOREIGN KEY (outlet_id, phone_id) REFERENCES stores_stocklevel (outlet_id, phone_id)""",
            "ALTER TABLE stores_shortfall DROP CONSTRAINT shortfall_is_of_a_shelf",
        ),
    ]
