"""
Tell all prices that a phone has at a moment, not the lowest alone: of a sale window somebody may have had enough.

`catalog_prices_at` is the rule: a row for each window that is open and lower than the ordinary price, the lowest first,
of windows with the same price the one that ends last; or one row without a window where there is none.
`catalog_price_at` is its first row.
"""

from importlib import import_module

from django.db import migrations

RULE = """
    CREATE FUNCTION catalog_prices_at(_phone smallint, _at timestamptz) RETURNS TABLE (
        price_fen int, ordinary_fen int, provenance varchar, window_id smallint, quota_per_outlet int,
        limit_per_customer smallint, ends_at timestamptz
    ) LANGUAGE sql STABLE AS $$
        SELECT coalesce(sale.price_fen, ordinary.price_fen), ordinary.price_fen, ordinary.provenance,
               sale.window_id, sale.quota_per_outlet, sale.limit_per_customer, sale.ends_at
        FROM (
            SELECT p.price_fen, p.provenance FROM catalog_price p
            WHERE p.phone_id = _phone AND p.valid_from <= _at ORDER BY p.valid_from DESC LIMIT 1
        ) AS ordinary
        LEFT JOIN LATERAL (
            SELECT p.price_fen, p.window_id, p.quota_per_outlet, w.limit_per_customer, w.ends_at
            FROM catalog_salewindowprice p JOIN catalog_salewindow w ON w.id = p.window_id
            WHERE p.phone_id = _phone AND w.starts_at <= _at AND w.ends_at > _at
                AND p.price_fen < ordinary.price_fen
        ) AS sale ON true
        ORDER BY sale.price_fen, sale.ends_at DESC, sale.window_id
    $$;

    CREATE OR REPLACE FUNCTION catalog_price_at(_phone smallint, _at timestamptz) RETURNS TABLE (
        price_fen int, ordinary_fen int, provenance varchar, window_id smallint, quota_per_outlet int
    ) LANGUAGE sql STABLE AS $$
        SELECT o.price_fen, o.ordinary_fen, o.provenance, o.window_id, o.quota_per_outlet
        FROM catalog_prices_at(_phone, _at) o LIMIT 1
    $$;
"""
_BEFORE = import_module("catalog.migrations.0005_price_rule").RULE.partition("CREATE VIEW")[0]
NO_RULE = (
    _BEFORE.replace("CREATE FUNCTION", "CREATE OR REPLACE FUNCTION")
    + "DROP FUNCTION catalog_prices_at(smallint, timestamptz);"
)


class Migration(migrations.Migration):
    dependencies = [("catalog", "0008_phones_tell")]
    operations = [migrations.RunSQL(RULE, NO_RULE)]
