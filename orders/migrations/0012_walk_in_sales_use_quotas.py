"""
What is sold at the counter at the price of a sale window uses the window's quota of the outlet, as orders do.

`orders_used_of_quota` is the one count of how many of a phone an outlet gave at a window's price; placing an order and
selling at the counter ask it under the lock on the shelf, so that two never both find room for one.
`orders_counter_price` is what a phone costs at an outlet's counter this second: the price of the window that is open,
and the ordinary one where the quota is used up.
"""

import django.db.models.deletion
from django.db import migrations, models

COUNT = """
    CREATE FUNCTION orders_used_of_quota(_outlet bigint, _window smallint, _phone smallint) RETURNS int
    LANGUAGE sql STABLE AS $$
        SELECT (
            SELECT coalesce(sum(l.quantity), 0)
            FROM orders_saleuse u
            JOIN orders_order o ON o.outlet_id = u.outlet_id AND o.number = u.number
            JOIN orders_orderline l ON l.outlet_id = u.outlet_id AND l.number = u.number AND l.phone_id = u.phone_id
            WHERE u.outlet_id = _outlet AND u.window_id = _window AND u.phone_id = _phone
                AND o.state IN ('placed', 'ready', 'collected')
        )::int + (
            SELECT count(*) FROM orders_walkinsale s
            WHERE s.outlet_id = _outlet AND s.window_id = _window AND s.phone_id = _phone
        )::int
    $$;

    -- Volatile: a statement of its own sees what others committed before the lock was had.
    CREATE FUNCTION orders_counter_price(_outlet bigint, _phone smallint)
    RETURNS TABLE (price_fen int, window_id smallint, is_used_up boolean)
    LANGUAGE sql VOLATILE AS $$
        SELECT CASE WHEN quota.is_used_up THEN o.ordinary_fen ELSE o.price_fen END,
               CASE WHEN NOT quota.is_used_up THEN o.window_id END, quota.is_used_up
        FROM catalog_price_at(_phone, clock_timestamp()) o
        CROSS JOIN LATERAL (
            SELECT coalesce(orders_used_of_quota(_outlet, o.window_id, _phone) >= o.quota_per_outlet, false)
        ) AS quota (is_used_up)
    $$;
"""
NO_COUNT = """
    DROP FUNCTION orders_counter_price(bigint, smallint);
    DROP FUNCTION orders_used_of_quota(bigint, smallint, smallint);
"""

BY_ITSELF = """            CROSS JOIN LATERAL (
                SELECT coalesce(sum(l.quantity), 0)::int AS units
                FROM orders_saleuse u
                JOIN orders_order o ON o.outlet_id = u.outlet_id AND o.number = u.number
                JOIN orders_orderline l
                    ON l.outlet_id = u.outlet_id AND l.number = u.number AND l.phone_id = u.phone_id
                WHERE u.outlet_id = _outlet AND u.window_id = w.window_id AND u.phone_id = w.phone
                    AND o.state IN ('placed', 'ready', 'collected')
            ) AS used
            WHERE used.units + w.quantity > w.quota;"""
BY_THE_COUNT = """            CROSS JOIN LATERAL (
                SELECT CASE WHEN w.quota IS NOT NULL THEN orders_used_of_quota(_outlet, w.window_id, w.phone) END
            ) AS used (units)
            WHERE used.units + w.quantity > w.quota;"""


def _replaced(old: str, new: str) -> str:
    """Return the statement that writes `new` for `old` in the body of `orders_place_order`."""
    return f"""
        DO $do$
        DECLARE definition text := pg_get_functiondef('orders_place_order'::regproc);
        BEGIN
            ASSERT strpos(definition, $old${old}$old$) > 0;
            EXECUTE replace(definition, $old${old}$old$, $new${new}$new$);
        END $do$;
    """


class Migration(migrations.Migration):
    dependencies = [("catalog", "0008_phones_tell"), ("orders", "0011_orders_by_last_four")]

    operations = [
        migrations.AddField(
            model_name="walkinsale",
            name="window",
            field=models.ForeignKey(
                db_index=False,
                null=True,
                on_delete=django.db.models.deletion.PROTECT,
                related_name="+",
                to="catalog.salewindow",
            ),
        ),
        migrations.AddIndex(
            model_name="walkinsale",
            index=models.Index(
                models.F("outlet"),
                models.F("window"),
                models.F("phone"),
                condition=models.Q(("window__isnull", False)),
                name="walkinsale_by_window",
            ),
        ),
        migrations.RunSQL(COUNT, NO_COUNT),
        migrations.RunSQL(_replaced(BY_ITSELF, BY_THE_COUNT), _replaced(BY_THE_COUNT, BY_ITSELF)),
    ]
