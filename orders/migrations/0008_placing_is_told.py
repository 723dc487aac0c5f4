"""Write the event of an order that is placed in the statement that writes the order."""

from django.db import migrations

BEFORE = """    VALUES (_outlet, _number, 1, _tells, 'waiting', 0, _placed_at, _placed_at, '', '')
)
INSERT INTO orders_order"""
AFTER = """    VALUES (_outlet, _number, 1, _tells, 'waiting', 0, _placed_at, _placed_at, '', '')
), told AS (
    INSERT INTO events_event (type, outlet_id, data)
    VALUES ('order.placed', _outlet, jsonb_build_object('order', _number, 'state', 'placed'))
)
INSERT INTO orders_order"""


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
    dependencies = [("orders", "0007_sale_use_rules"), ("events", "0003_types_by_list")]
    operations = [migrations.RunSQL(_replaced(BEFORE, AFTER), _replaced(AFTER, BEFORE))]
