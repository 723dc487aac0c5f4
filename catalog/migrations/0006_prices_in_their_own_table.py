"""A phone's price is found in the history of its prices alone."""

from django.db import migrations

NO_COLUMN = "ALTER TABLE catalog_phone DROP CONSTRAINT phone_price_is_positive, DROP COLUMN price_fen"
# What it costs is filled in by the step before.
COLUMN = """
    ALTER TABLE catalog_phone ADD COLUMN price_fen integer NOT NULL DEFAULT 1 CHECK (price_fen >= 0),
        ADD CONSTRAINT phone_price_is_positive CHECK (price_fen > 0);
    ALTER TABLE catalog_phone ALTER COLUMN price_fen DROP DEFAULT;
"""


class Migration(migrations.Migration):
    dependencies = [("catalog", "0005_price_rule")]
    operations = [
        migrations.RunSQL(
            NO_COLUMN,
            COLUMN,
            state_operations=[
                migrations.RemoveConstraint("phone", "phone_price_is_positive"),
                migrations.RemoveField("phone", "price_fen"),
            ],
        )
    ]
