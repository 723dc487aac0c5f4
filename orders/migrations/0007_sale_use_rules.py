"""
What the database holds of orders at the prices of sale windows, and the placing of orders at the prices of that second.

A use belongs to one line of an order and is never changed, but that its customer is forgotten. It counts while its
order is placed, ready or collected.

`orders_place_order` is that of 0004, and now decides what the phones cost, by the clock of the database and the rule of
the catalogue (`catalog_price_at`), unless prices are given: an order that moves keeps its own. Further outcomes, one
row for each phone that is concerned:
  dearer (`price_fen` each): it would cost more than `_accepted_fen`, the sum that the customer has seen;
  sale limit (`window_id`, `ordered`: used before): the customer would have more at this window's prices than one may;
  sale quota (`window_id`, `ordered`: used before): the outlet would give more of it at this price than it may.
Nothing is written then. A phone in `_at_ordinary` is wanted at its ordinary price, whatever windows are open.

What a customer used is counted under the lock on the mobile number, what an outlet used under the lock on its shelves:
two orders never both find room for one.
"""

from importlib import import_module

from django.db import migrations

RULES = """
    ALTER TABLE orders_saleuse
        ADD CONSTRAINT saleuse_is_of_a_line FOREIGN KEY (outlet_id, number, phone_id)
            REFERENCES orders_orderline (outlet_id, number, phone_id),
        ADD CONSTRAINT saleuse_knows_its_customer_by_digest CHECK (length(customer) = 16),
        ADD CONSTRAINT saleuse_ordinary_price_is_positive CHECK (ordinary_fen > 0);
    CREATE TRIGGER saleuse_is_kept BEFORE DELETE ON orders_saleuse
        FOR EACH ROW EXECUTE FUNCTION orders_refuse();
    CREATE TRIGGER saleuse_is_not_truncated BEFORE TRUNCATE ON orders_saleuse
        FOR EACH STATEMENT EXECUTE FUNCTION orders_refuse();
    CREATE TRIGGER saleuse_is_fixed BEFORE UPDATE ON orders_saleuse FOR EACH ROW
        WHEN ((OLD.outlet_id, OLD.number, OLD.phone_id, OLD.window_id, OLD.ordinary_fen)
              IS DISTINCT FROM (NEW.outlet_id, NEW.number, NEW.phone_id, NEW.window_id, NEW.ordinary_fen)
              OR NEW.customer IS NOT NULL AND NEW.customer IS DISTINCT FROM OLD.customer)
        EXECUTE FUNCTION orders_refuse();
"""
NO_RULES = """
    DROP TRIGGER saleuse_is_fixed ON orders_saleuse;
    DROP TRIGGER saleuse_is_not_truncated ON orders_saleuse;
    DROP TRIGGER saleuse_is_kept ON orders_saleuse;
    ALTER TABLE orders_saleuse DROP CONSTRAINT saleuse_ordinary_price_is_positive,
        DROP CONSTRAINT saleuse_knows_its_customer_by_digest, DROP CONSTRAINT saleuse_is_of_a_line;
"""

PLACE_ORDER = """
CREATE FUNCTION orders_place_order(
    _outlet bigint, _number text, _form_key text, _name text, _mobile text, _language text, _channel text,
    _actor text, _tells text, _moved_from text, _pickup_fingerprint bytea, _placed_at timestamptz,
    _held_until timestamptz, _phones smallint[], _quantities int[], _names_zh text[], _names_en text[],
    _terms text[], _most_orders int, _most_units int, _customer bytea, _accepted_fen int, _at_ordinary smallint[],
    _prices int[], _ordinary_prices int[], _windows smallint[]
) RETURNS TABLE (
    outcome text, number text, phone_id smallint, ordered int, on_hand int, reserved int, safety_stock smallint,
    outlet_trades boolean, price_fen int, window_id smallint, total_fen int
) LANGUAGE plpgsql AS $$
#variable_conflict use_column
DECLARE
    _line_count CONSTANT smallint := cardinality(_phones);
    _key CONSTANT text := 'order:' || _number || ':placed';
    _open_orders int;
    _promised int;
    _total int;
    _quotas int[];
    _now timestamptz;
BEGIN
-- An order that moves from one outlet to another has no limits: null.
IF _most_orders IS NOT NULL THEN
    -- One order of a mobile number at a time, or two could both find room for one. Always taken before any row.
    PERFORM pg_advisory_xact_lock(6812, hashtext(_mobile));
    SELECT 'placed before', o.number::text INTO outcome, number
    FROM orders_order o WHERE o.outlet_id = _outlet AND o.form_key = _form_key;
    IF FOUND THEN
        RETURN NEXT;
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
        SELECT 'too many units', w.phone_id, coalesce(sum(l.quantity), 0)::int INTO outcome, phone_id, ordered
            FROM unnest(_phones, _quantities) AS w (phone_id, quantity)
            LEFT JOIN (orders_order o JOIN orders_orderline l ON l.outlet_id = o.outlet_id AND l.number = o.number)
                ON l.phone_id = w.phone_id AND o.mobile = _mobile AND o.mobile > '' AND o.state IN ('placed', 'ready')
            GROUP BY w.phone_id, w.quantity HAVING coalesce(sum(l.quantity), 0) + w.quantity > _most_units
            ORDER BY w.phone_id LIMIT 1;
        IF FOUND THEN
            RETURN NEXT;
            RETURN;
        END IF;
    END IF;
END IF;

IF _prices IS NULL THEN
    _now := clock_timestamp();
    SELECT array_agg(CASE WHEN w.phone = ANY (_at_ordinary) THEN o.ordinary_fen ELSE o.price_fen END ORDER BY w.place),
           array_agg(o.ordinary_fen ORDER BY w.place),
           array_agg(CASE WHEN w.phone = ANY (_at_ordinary) THEN NULL ELSE o.window_id END ORDER BY w.place)
    INTO _prices, _ordinary_prices, _windows
    FROM unnest(_phones) WITH ORDINALITY AS w (phone, place) CROSS JOIN LATERAL catalog_price_at(w.phone, _now) o;
END IF;
SELECT sum(w.quantity * w.price) INTO _total FROM unnest(_quantities, _prices) AS w (quantity, price);
IF _total > _accepted_fen THEN
    RETURN QUERY SELECT 'dearer', NULL, w.phone, NULL::int, NULL::int, NULL::int, NULL::smallint, NULL::boolean,
                        w.price, NULL::smallint, _total
        FROM unnest(_phones, _prices) AS w (phone, price);
    RETURN;
END IF;

IF array_remove(_windows, NULL) <> '{}' THEN
    RETURN QUERY
        WITH wanted AS (
            SELECT w.window_id, w.phone, w.quantity FROM unnest(_windows, _phones, _quantities)
                AS w (window_id, phone, quantity) WHERE w.window_id IS NOT NULL
        )
        SELECT 'sale limit', NULL, w.phone, used.units, NULL::int, NULL::int, NULL::smallint, NULL::boolean,
               NULL::int, w.window_id, NULL::int
        FROM wanted w
        JOIN catalog_salewindow sale ON sale.id = w.window_id
        CROSS JOIN LATERAL (
            SELECT coalesce(sum(l.quantity), 0)::int AS units
            FROM orders_saleuse u
            JOIN orders_order o ON o.outlet_id = u.outlet_id AND o.number = u.number
            JOIN orders_orderline l
                ON l.outlet_id = u.outlet_id AND l.number = u.number AND l.phone_id = u.phone_id
            -- An order that moves has used already what it takes along.
            WHERE u.customer = _customer AND u.window_id = w.window_id AND o.number <> _moved_from
                AND o.state IN ('placed', 'ready', 'collected')
        ) AS used
        WHERE used.units + (SELECT sum(q.quantity) FROM wanted q WHERE q.window_id = w.window_id)
            > sale.limit_per_customer;
    IF FOUND THEN
        RETURN;
    END IF;
    SELECT array_agg(p.quota_per_outlet ORDER BY w.place) INTO _quotas
    FROM unnest(_windows, _phones) WITH ORDINALITY AS w (window_id, phone, place)
    LEFT JOIN catalog_salewindowprice p ON p.window_id = w.window_id AND p.phone_id = w.phone;
    IF array_remove(_quotas, NULL) <> '{}' THEN
        -- As for every deed: the shelves by their phones. What is there is looked at when it is promised.
        PERFORM FROM stores_stocklevel l WHERE l.outlet_id = _outlet AND l.phone_id = ANY (_phones)
        ORDER BY l.phone_id FOR UPDATE;
        RETURN QUERY
            SELECT 'sale quota', NULL, w.phone, used.units, NULL::int, NULL::int, NULL::smallint, NULL::boolean,
                   NULL::int, w.window_id, NULL::int
            FROM unnest(_windows, _phones, _quantities, _quotas) AS w (window_id, phone, quantity, quota)
            CROSS JOIN LATERAL (
                SELECT coalesce(sum(l.quantity), 0)::int AS units
                FROM orders_saleuse u
                JOIN orders_order o ON o.outlet_id = u.outlet_id AND o.number = u.number
                JOIN orders_orderline l
                    ON l.outlet_id = u.outlet_id AND l.number = u.number AND l.phone_id = u.phone_id
                WHERE u.outlet_id = _outlet AND u.window_id = w.window_id AND u.phone_id = w.phone
                    AND o.state IN ('placed', 'ready', 'collected')
            ) AS used
            WHERE used.units + w.quantity > w.quota;
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
    RETURN QUERY SELECT 'no stock', NULL, l.phone_id, NULL::int, l.on_hand, l.reserved, l.safety_stock, l.outlet_trades,
                        NULL::int, NULL::smallint, NULL::int
        FROM stores_stocklevel l WHERE l.outlet_id = _outlet AND l.phone_id = ANY (_phones);
    RETURN;
END IF;

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
IF array_remove(_windows, NULL) <> '{}' THEN
    INSERT INTO orders_saleuse (outlet_id, number, phone_id, window_id, ordinary_fen, customer)
    SELECT _outlet, _number, w.phone, w.window_id, w.ordinary, _customer
    FROM unnest(_phones, _windows, _ordinary_prices) AS w (phone, window_id, ordinary) WHERE w.window_id IS NOT NULL;
END IF;
outcome := 'placed';
total_fen := _total;
RETURN NEXT;
END $$;
"""


class Migration(migrations.Migration):
    dependencies = [("orders", "0006_sale_uses"), ("catalog", "0005_price_rule")]
    operations = [
        migrations.RunSQL(RULES, NO_RULES),
        migrations.RunSQL(
            "DROP FUNCTION orders_place_order", import_module("orders.migrations.0004_place_order").FUNCTION
        ),
        migrations.RunSQL(PLACE_ORDER, "DROP FUNCTION orders_place_order"),
    ]
