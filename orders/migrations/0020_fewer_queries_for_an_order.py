"""
Have PostgreSQL start fewer and smaller queries to place an order.

What it does before and after each query is most of what an order costs, and it does so for each function and operator
in it. So what needs no table is an expression of the function; prices are looked up one by one, which most orders have
one of; whoever asks is asked about the form and about other orders at once; and an order of one phone goes through the
door that posts one line (stores 0033), without the functions around it.
"""

from importlib import import_module

from django.db import migrations

PLACE_ORDER = """
CREATE OR REPLACE FUNCTION orders_place_order(
    _outlet bigint, _number text, _form_key text, _name text, _mobile text, _language text, _channel text,
    _actor text, _tells text, _moved_from text, _pickup_fingerprint bytea, _placed_at timestamptz,
    _held_until timestamptz, _phones smallint[], _quantities int[], _names_zh text[], _names_en text[],
    _terms text[], _most_orders int, _most_units int, _customer bytea, _accepted_fen int,
    _prices int[], _ordinary_prices int[], _windows smallint[]
) RETURNS TABLE (
    outcome text, number text, phone_id smallint, ordered int, on_hand int, reserved int, safety_stock smallint,
    outlet_trades boolean, price_fen int, window_id smallint, total_fen int
) LANGUAGE plpgsql SET plan_cache_mode = force_generic_plan AS $$
#variable_conflict use_column
DECLARE
    _line_count CONSTANT smallint := cardinality(_phones);
    _key CONSTANT text := 'order:' || _number || ':placed';
    _is_alone boolean;
    _before text;
    _open_orders int;
    _promised int;
    _price int;
    _ordinary int;
    _window smallint;
    _total int := 0;
    _running int[];
    _now timestamptz;
    _passed_over text[];
    _passed_windows smallint[];
    _ordered int[];
BEGIN
-- An order that moves from one outlet to another has no limits: null.
IF _most_orders IS NOT NULL THEN
    -- One order of a mobile number at a time, or two could both find room for one. Always taken before any row.
    -- An assignment, as PERFORM would be a query; a function without a result is not null.
    _is_alone := pg_advisory_xact_lock(6812, hashtext(_mobile)) IS NOT NULL;
    SELECT (SELECT o.number FROM orders_order o WHERE o.outlet_id = _outlet AND o.form_key = _form_key),
           (SELECT count(*) FROM orders_order o
            WHERE o.mobile = _mobile AND o.mobile > '' AND o.state IN ('placed', 'ready'))
    INTO _before, _open_orders;
    IF _before IS NOT NULL THEN
        outcome := 'placed before';
        number := _before;
        RETURN NEXT;
        RETURN;
    END IF;
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
    FOR _place IN 1 .. _line_count LOOP
        SELECT o.price_fen, o.ordinary_fen, o.window_id INTO _price, _ordinary, _window
        FROM catalog_price_at(_phones[_place], _now) o;
        _prices[_place] := _price;
        _ordinary_prices[_place] := _ordinary;
        _windows[_place] := _window;
    END LOOP;
END IF;
IF array_remove(_windows, NULL) <> '{}' THEN
    SELECT array_agg(r.price_fen ORDER BY r.place), array_agg(r.window_id ORDER BY r.place),
           array_agg(r.passed_over ORDER BY r.place), array_agg(r.passed_window ORDER BY r.place),
           array_agg(r.ordered ORDER BY r.place)
    INTO _prices, _windows, _passed_over, _passed_windows, _ordered
    FROM orders_prices_with_room(_outlet, _phones, _quantities, _customer, _moved_from, _now,
                                 _prices, _ordinary_prices, _windows) r;
END IF;
FOR _place IN 1 .. _line_count LOOP
    _total := _total + _quantities[_place] * _prices[_place];
    _running[_place] := _total;
END LOOP;
-- Who has accepted the sum was told already what is used up, or sees no need to ask.
IF array_remove(_passed_over, NULL) <> '{}' AND coalesce(_total > _accepted_fen, true) THEN
    RETURN QUERY SELECT w.outcome, NULL, w.phone, w.ordered, NULL::int, NULL::int, NULL::smallint, NULL::boolean,
                        w.price, w.window_id, _total
        FROM unnest(_passed_over, _phones, _ordered, _prices, _passed_windows)
            AS w (outcome, phone, ordered, price, window_id) WHERE w.outcome IS NOT NULL;
    RETURN;
END IF;
IF _total > _accepted_fen THEN
    RETURN QUERY SELECT 'dearer', NULL, w.phone, NULL::int, NULL::int, NULL::int, NULL::smallint, NULL::boolean,
                        w.price, NULL::smallint, _total
        FROM unnest(_phones, _prices) AS w (phone, price);
    RETURN;
END IF;

IF _line_count = 1 THEN
    -- The door of one line (stores 0033), without the functions around it.
    INSERT INTO stores_posting (outlet_id, phone_id, change_on_hand, change_reserved, condition, kind, reference,
                                actor, reason, operation_key)
    VALUES (_outlet, _phones[1], 0, _quantities[1], 'promisable', 'reserved', 'order:' || _number, _actor, '', _key)
    RETURNING num_nonnulls(seq) INTO _promised;
ELSE
    SELECT count(w.seq) INTO _promised
    FROM stores_write_lines(_outlet, _phones, array_fill(0, ARRAY[_line_count]), _quantities, 'promisable', 'reserved',
                            'order:' || _number, _actor, '', _key) w;
END IF;
IF coalesce(_promised, 0) < _line_count THEN
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
    SELECT _outlet, _number, _line_count, place, _phones[place], _quantities[place], _names_zh[place],
           _names_en[place], _prices[place], _terms[place], _running[place], nullif(place - 1, 0), _running[place - 1]
    FROM generate_series(1, _line_count) AS place
), change AS (
    INSERT INTO orders_orderchange (outlet_id, number, seq, kind, state, actor, reason, created_at)
    VALUES (_outlet, _number, 1, 'placed', 'placed', _actor, _moved_from, _placed_at)
), message AS (
    INSERT INTO orders_message
        (outlet_id, number, change_seq, kind, state, attempts, next_attempt_at, created_at, receipt, error)
    VALUES (_outlet, _number, 1, _tells, 'waiting', 0, _placed_at, _placed_at, '', '')
), told AS (
    INSERT INTO events_event (type, outlet_id, data)
    VALUES ('order.placed', _outlet, jsonb_build_object('order', _number, 'state', 'placed'))
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
PLACE_ORDER_BEFORE = (
    import_module("orders.migrations.0016_the_next_price_that_is_to_be_had").PLACE_ORDER.replace(
        "CREATE FUNCTION", "CREATE OR REPLACE FUNCTION"
    )
    + "; ALTER FUNCTION orders_place_order SET plan_cache_mode = force_generic_plan"
)


class Migration(migrations.Migration):
    dependencies = [("orders", "0019_rows_are_held_by_triggers"), ("stores", "0033_deeds_are_posted")]
    operations = [migrations.RunSQL(PLACE_ORDER, PLACE_ORDER_BEFORE)]
