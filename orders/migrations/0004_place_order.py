"""
Placing an order as a function: one call promises the phones and writes the order with all that belongs to it.

PostgreSQL plans its statements once a connection instead of every time, and no row is locked while Python works. It is
called by `orders.checkout` alone, which says in words why an order was refused. Stock is promised by the function that
writes every line of the ledger, `stores_write_lines`.

It returns one row with the outcome:
  placed;
  placed before (`number`): this form has an order already;
  too many orders: the mobile number has as many open ones as it may;
  too many units (`phone_id`, `ordered`): it would have too many of a phone;
or, where the outlet cannot promise all of it, one row for each shelf: no stock.
"""

from django.db import migrations

FUNCTION = """
CREATE FUNCTION orders_place_order(
    _outlet bigint, _number text, _form_key text, _name text, _mobile text, _language text, _channel text,
    _actor text, _tells text, _moved_from text, _pickup_fingerprint bytea, _placed_at timestamptz,
    _held_until timestamptz, _phones smallint[], _quantities int[], _names_zh text[], _names_en text[], _prices int[],
    _terms text[], _most_orders int, _most_units int
) RETURNS TABLE (
    outcome text, number text, phone_id smallint, ordered int,
    on_hand int, reserved int, safety_stock smallint, outlet_trades boolean
) LANGUAGE plpgsql AS $$
#variable_conflict use_column
DECLARE
    _line_count CONSTANT smallint := cardinality(_phones);
    _key CONSTANT text := 'order:' || _number || ':placed';
    _open_orders int;
    _promised int;
    _total int;
BEGIN
-- An order that moves from one outlet to another has no limits: null.
IF _most_orders IS NOT NULL THEN
    -- One order of a mobile number at a time, or two could both find room for one. Always taken before any row.
    PERFORM pg_advisory_xact_lock(6812, hashtext(_mobile));
    RETURN QUERY SELECT 'placed before', o.number::text, NULL::smallint, NULL::int, NULL::int, NULL::int,
                        NULL::smallint, NULL::boolean
        FROM orders_order o WHERE o.outlet_id = _outlet AND o.form_key = _form_key;
    IF FOUND THEN
        RETURN;
    END IF;
    SELECT count(*) INTO _open_orders FROM orders_order o
    WHERE o.mobile = _mobile AND o.mobile > '' AND o.state IN ('placed', 'ready');
    IF _open_orders >= _most_orders THEN
        outcome := 'too many orders';
        RETURN NEXT;
        RETURN;
    END IF;
    IF _open_orders > 0 OR _most_units < ANY (_quantities) THEN
        RETURN QUERY SELECT 'too many units', NULL, w.phone_id, coalesce(sum(l.quantity), 0)::int, NULL::int, NULL::int,
                            NULL::smallint, NULL::boolean
            FROM unnest(_phones, _quantities) AS w (phone_id, quantity)
            LEFT JOIN (orders_order o JOIN orders_orderline l ON l.outlet_id = o.outlet_id AND l.number = o.number)
                ON l.phone_id = w.phone_id AND o.mobile = _mobile AND o.mobile > '' AND o.state IN ('placed', 'ready')
            GROUP BY w.phone_id, w.quantity HAVING coalesce(sum(l.quantity), 0) + w.quantity > _most_units
            ORDER BY w.phone_id LIMIT 1;
        IF FOUND THEN
            RETURN;
        END IF;
    END IF;
END IF;

SELECT count(w.seq) INTO _promised
FROM stores_write_lines(_outlet, _phones, array_fill(0, ARRAY[_line_count]), _quantities, 'promisable', 'reserved',
                        'order:' || _number, _actor, '', _key) w;
IF _promised < _line_count THEN
    IF _promised > 0 OR EXISTS (
        SELECT FROM stores_stockmovement m WHERE m.outlet_id = _outlet AND m.operation_key = _key
    ) THEN
        RAISE unique_violation USING CONSTRAINT = 'orders_order_pkey', MESSAGE = 'another order has this number';
    END IF;
    -- As they were judged: they are locked.
    RETURN QUERY SELECT 'no stock', NULL, l.phone_id, NULL::int, l.on_hand, l.reserved, l.safety_stock, l.outlet_trades
        FROM stores_stocklevel l WHERE l.outlet_id = _outlet AND l.phone_id = ANY (_phones);
    RETURN;
END IF;

SELECT sum(w.quantity * w.price) INTO _total FROM unnest(_quantities, _prices) AS w (quantity, price);
WITH line AS (
    INSERT INTO orders_orderline (outlet_id, number, line_count, position, phone_id, quantity, name_zh, name_en,
                                  price_fen, terms, running_fen, prev_position, prev_running_fen)
    SELECT _outlet, _number, _line_count, place, phone, quantity, name_zh, name_en, price, terms,
           running, nullif(place - 1, 0), nullif(running - quantity * price, 0)
    FROM (SELECT w.*, sum(quantity * price) OVER (ORDER BY place) AS running
          FROM unnest(_phones, _quantities, _names_zh, _names_en, _prices, _terms) WITH ORDINALITY
               AS w (phone, quantity, name_zh, name_en, price, terms, place)) AS line
), change AS (
    INSERT INTO orders_orderchange (outlet_id, number, seq, kind, state, actor, reason, created_at)
    VALUES (_outlet, _number, 1, 'placed', 'placed', _actor, _moved_from, _placed_at)
), message AS (
    INSERT INTO orders_message
        (outlet_id, number, change_seq, kind, state, attempts, next_attempt_at, created_at, receipt, error)
    VALUES (_outlet, _number, 1, _tells, 'waiting', 0, _placed_at, _placed_at, '', '')
)
INSERT INTO orders_order (outlet_id, number, state, change_seq, name, mobile, language, channel, form_key,
                          pickup_fingerprint, line_count, total_fen, prepaid_fen, placed_at, held_until,
                          moved_to, moved_from)
VALUES (_outlet, _number, 'placed', 1, _name, _mobile, _language, _channel, _form_key,
        _pickup_fingerprint, _line_count, _total, 0, _placed_at, _held_until, '', _moved_from);
outcome := 'placed';
RETURN NEXT;
END $$;
"""


class Migration(migrations.Migration):
    dependencies = [("orders", "0003_paid_means_paid"), ("stores", "0010_write_lines")]
    operations = [migrations.RunSQL(FUNCTION, "DROP FUNCTION orders_place_order")]
