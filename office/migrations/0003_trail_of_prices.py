"""Leave a trail of prices and sale windows, too."""

from importlib import import_module

from django.db import migrations

watch = import_module("office.migrations.0002_audit_trail").watch
TABLES = [
    ("catalog_price", "phone_id", "", "set_at"),
    ("catalog_salewindow", "name_zh", "", ""),
    ("catalog_salewindowprice", "phone_id", "", ""),
]


class Migration(migrations.Migration):
    dependencies = [("office", "0002_audit_trail"), ("catalog", "0005_price_rule")]
    operations = [
        migrations.RunSQL(
            "".join(watch(*table) for table in TABLES),
            "".join(f"DROP TRIGGER {table}_leaves_a_trail ON {table};" for table, *_ in TABLES),
        )
    ]
