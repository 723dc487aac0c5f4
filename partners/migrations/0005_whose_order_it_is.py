"""
The function that tells the feed whose order it is.

An order that moves gets a new number at another outlet, so it goes back from one to the other. A number tells its
outlet.
"""

from django.db import migrations

FUNCTION = """
    CREATE FUNCTION partners_reference_of(_partner bigint, _outlet bigint, _number text, _phones text[])
    RETURNS text LANGUAGE sql STABLE AS $$
        WITH RECURSIVE life AS (
            SELECT outlet_id, number, moved_from FROM orders_order WHERE outlet_id = _outlet AND number = _number
            UNION
            SELECT o.outlet_id, o.number, o.moved_from FROM life
            JOIN orders_order o ON o.outlet_id = left(life.moved_from, 11)::bigint % 1999993
                AND o.number = life.moved_from
            WHERE life.moved_from <> ''
        )
        SELECT p.reference FROM life JOIN partners_partnerorder p USING (outlet_id, number)
        WHERE p.partner_id = _partner AND (_phones = '{}' OR NOT EXISTS (
            SELECT FROM orders_orderline l JOIN catalog_phone ON catalog_phone.id = l.phone_id
            WHERE l.outlet_id = _outlet AND l.number = _number AND catalog_phone.slug <> ALL (_phones)
        ))
    $$;
"""


class Migration(migrations.Migration):
    dependencies = [("partners", "0004_webhooks"), ("orders", "0005_payments_and_receipts")]
    operations = [
        migrations.RunSQL(FUNCTION, "DROP FUNCTION partners_reference_of(bigint, bigint, text, text[])"),
    ]
