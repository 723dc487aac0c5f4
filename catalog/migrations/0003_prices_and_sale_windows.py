import django.core.validators
import django.db.models.deletion
import django.db.models.functions.datetime
from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [
        ("catalog", "0002_version_and_provenance"),
    ]

    operations = [
        migrations.CreateModel(
            name="Price",
            fields=[
                ("id", models.AutoField(primary_key=True, serialize=False)),
                (
                    "price_fen",
                    models.PositiveIntegerField(
                        validators=[django.core.validators.MinValueValidator(1)], verbose_name="price in fen"
                    ),
                ),
                (
                    "valid_from",
                    models.DateTimeField(
                        db_default=django.db.models.functions.datetime.Now(), verbose_name="valid from"
                    ),
                ),
                (
                    "provenance",
                    models.CharField(
                        blank=True, choices=[("reported", "reported"), ("illustrative", "illustrative")], max_length=12
                    ),
                ),
                ("set_at", models.DateTimeField(db_default=django.db.models.functions.datetime.Now(), editable=False)),
            ],
            options={
                "ordering": ["phone", "-valid_from"],
            },
        ),
        migrations.CreateModel(
            name="SaleWindow",
            fields=[
                ("id", models.SmallAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                ("name_zh", models.CharField(max_length=40, verbose_name="name in Chinese")),
                ("name_en", models.CharField(max_length=60, verbose_name="name in English")),
                ("starts_at", models.DateTimeField(verbose_name="begins")),
                ("ends_at", models.DateTimeField(verbose_name="ends")),
                (
                    "limit_per_customer",
                    models.PositiveSmallIntegerField(
                        default=1,
                        validators=[django.core.validators.MinValueValidator(1)],
                        verbose_name="most phones per mobile number",
                    ),
                ),
            ],
            options={
                "ordering": ["-starts_at", "-pk"],
            },
        ),
        migrations.CreateModel(
            name="SaleWindowPrice",
            fields=[
                ("id", models.AutoField(primary_key=True, serialize=False)),
                (
                    "price_fen",
                    models.PositiveIntegerField(
                        validators=[django.core.validators.MinValueValidator(1)], verbose_name="price in fen"
                    ),
                ),
                (
                    "quota_per_outlet",
                    models.PositiveIntegerField(
                        blank=True,
                        null=True,
                        validators=[django.core.validators.MinValueValidator(1)],
                        verbose_name="most phones per shop",
                    ),
                ),
            ],
            options={
                "ordering": ["window", "phone"],
            },
        ),
        migrations.AddField(
            model_name="price",
            name="phone",
            field=models.ForeignKey(
                on_delete=django.db.models.deletion.PROTECT, related_name="prices", to="catalog.phone"
            ),
        ),
        migrations.AddConstraint(
            model_name="salewindow",
            constraint=models.CheckConstraint(
                condition=models.Q(("ends_at__gt", models.F("starts_at"))),
                name="salewindow_ends_after_it_starts",
                violation_error_message="A sale window ends after it begins.",
            ),
        ),
        migrations.AddConstraint(
            model_name="salewindow",
            constraint=models.CheckConstraint(
                condition=models.Q(("limit_per_customer__gte", 1)), name="salewindow_limit_is_positive"
            ),
        ),
        migrations.AddField(
            model_name="salewindowprice",
            name="phone",
            field=models.ForeignKey(
                on_delete=django.db.models.deletion.PROTECT, related_name="window_prices", to="catalog.phone"
            ),
        ),
        migrations.AddField(
            model_name="salewindowprice",
            name="window",
            field=models.ForeignKey(
                on_delete=django.db.models.deletion.CASCADE, related_name="prices", to="catalog.salewindow"
            ),
        ),
        migrations.AddConstraint(
            model_name="price",
            constraint=models.CheckConstraint(condition=models.Q(("price_fen__gt", 0)), name="price_is_positive"),
        ),
        migrations.AddConstraint(
            model_name="price",
            constraint=models.CheckConstraint(
                condition=models.Q(("provenance__in", ["", "reported", "illustrative"])),
                name="price_provenance_is_known",
            ),
        ),
        migrations.AddConstraint(
            model_name="price",
            constraint=models.UniqueConstraint(
                fields=("phone", "valid_from"),
                name="price_has_its_own_moment",
                violation_error_message="This phone has a price from that moment already.",
            ),
        ),
        migrations.AddConstraint(
            model_name="salewindowprice",
            constraint=models.UniqueConstraint(
                fields=("window", "phone"),
                name="salewindowprice_once_a_phone",
                violation_error_message="This phone has a price in this window already.",
            ),
        ),
        migrations.AddConstraint(
            model_name="salewindowprice",
            constraint=models.CheckConstraint(
                condition=models.Q(("price_fen__gt", 0)), name="salewindowprice_is_positive"
            ),
        ),
        migrations.AddConstraint(
            model_name="salewindowprice",
            constraint=models.CheckConstraint(
                condition=models.Q(("quota_per_outlet", None), ("quota_per_outlet__gte", 1), _connector="OR"),
                name="salewindowprice_quota_is_positive",
            ),
        ),
    ]
