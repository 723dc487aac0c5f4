import django.db.models.deletion
from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [
        ("catalog", "0006_prices_in_their_own_table"),
        ("orders", "0005_payments_and_receipts"),
        ("stores", "0021_silent_outlets"),
    ]

    operations = [
        migrations.CreateModel(
            name="SaleUse",
            fields=[
                (
                    "pk",
                    models.CompositePrimaryKey(
                        "outlet", "number", "phone", blank=True, editable=False, primary_key=True, serialize=False
                    ),
                ),
                ("number", models.CharField(max_length=12)),
                ("ordinary_fen", models.PositiveIntegerField()),
                ("customer", models.BinaryField(max_length=16, null=True)),
                (
                    "order",
                    models.ForeignObject(
                        from_fields=["outlet", "number"],
                        on_delete=django.db.models.deletion.DO_NOTHING,
                        related_name="sale_uses",
                        to="orders.order",
                        to_fields=["outlet", "number"],
                    ),
                ),
                (
                    "outlet",
                    models.ForeignKey(
                        db_constraint=False,
                        db_index=False,
                        on_delete=django.db.models.deletion.DO_NOTHING,
                        related_name="+",
                        to="stores.outlet",
                    ),
                ),
                (
                    "phone",
                    models.ForeignKey(
                        db_constraint=False,
                        db_index=False,
                        on_delete=django.db.models.deletion.DO_NOTHING,
                        related_name="+",
                        to="catalog.phone",
                    ),
                ),
                (
                    "window",
                    models.ForeignKey(
                        db_index=False,
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="+",
                        to="catalog.salewindow",
                    ),
                ),
            ],
            options={
                "indexes": [
                    models.Index(
                        models.F("customer"),
                        models.F("window"),
                        condition=models.Q(("customer__isnull", False)),
                        name="saleuse_by_customer",
                    ),
                    models.Index(models.F("outlet"), models.F("window"), models.F("phone"), name="saleuse_by_outlet"),
                ],
            },
        ),
    ]
