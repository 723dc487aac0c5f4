"""Give every phone the price that it has as the first of its history."""

from django.db import migrations

FIRST_PRICES = """
    INSERT INTO catalog_price (phone_id, price_fen, provenance)
    SELECT id, price_fen, coalesce(provenance ->> 'price_fen', '') FROM catalog_phone;
    UPDATE catalog_phone SET provenance = provenance - 'price_fen';
"""
LAST_PRICES = """
    UPDATE catalog_phone p SET price_fen = o.price_fen, provenance = CASE o.provenance
        WHEN '' THEN p.provenance ELSE p.provenance || jsonb_build_object('price_fen', o.provenance) END
    FROM catalog_price o WHERE o.phone_id = p.id AND o.valid_from <= now() AND NOT EXISTS (
        SELECT FROM catalog_price later
        WHERE later.phone_id = p.id AND later.valid_from <= now() AND later.valid_from > o.valid_from);
"""


class Migration(migrations.Migration):
    dependencies = [("catalog", "0003_prices_and_sale_windows")]
    operations = [migrations.RunSQL(FIRST_PRICES, LAST_PRICES)]
