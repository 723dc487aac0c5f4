"""
A sale window that is used up is passed over, and the next lowest price counts that is to be had.

`orders_prices_with_room` decides what each line of an order costs, with the uses of everybody counted: of the prices of
that second (`catalog_prices_at`) the lowest whose window has room, in the limit of the customer and in the quota of the
outlet; of several lines that want what is left of a limit, the one that saves more. An order that moves has fixed
windows, and no other price.

`orders_place_order` is that of 0012 with these prices. Where a window was passed over, the order is placed if it costs
no more than `_accepted_fen`; otherwise (nothing accepted: always) there is one row for each phone that is concerned,
with the window that was passed over and the price that is to be had:
  sale limit (`ordered`: used before): the customer would have more at this window's prices than one may;
  sale quota (`ordered`: given before): the outlet would give more of it at this price than it may.
So whoever is asked is asked once, however many windows are used up.

At the counter (`orders_counter_price`) the same holds of quotas; nobody asks for a mobile number there.
"""

from importlib import import_module

from django.db import migrations

PRICES = """
    CREATE FUNCTION orders_used_of_limit(_window smallint, _customer bytea, _but_for text) RETURNS int
    LANGUAGE sql STABLE AS $$
        SELECT coalesce(sum(l.quantity), 0)::int
        FROM orders_saleuse u
        JOIN orders_order o ON o.outlet_id = u.outlet_id AND o.number = u.number
        JOIN orders_orderline l ON l.outlet_id = u.outlet_id AND l.number = u.number AND l.phone_id = u.phone_id
        WHERE u.customer = _customer AND u.window_id = _window AND o.number <> _but_for
            AND o.state IN ('placed', 'ready', 'collected')
    $$;

    -- `_at` null: prices and windows are fixed. Locks the shelves where a quota is looked at, for the transaction.
    CREATE FUNCTION orders_prices_with_room(
        _outlet bigint, _phones smallint[], _quantities int[], _customer bytea, _moved_from text, _at timestamptz,
        _prices int[], _ordinary_prices int[], _windows smallint[]
    ) RETURNS TABLE (
        place int, price_fen int, window_id smallint, passed_over text, passed_window smallint, ordered int
    ) LANGUAGE plpgsql AS $$
    #variable_conflict use_column
    DECLARE
        _offer record;
        _chosen smallint[] := array_fill(NULL::smallint, ARRAY[cardinality(_phones)]);
        _passed_over text[];
        _passed_windows smallint[];
        _ordered int[];
        _used int;
        _taken int;
        _why text;
        _is_locked boolean := false;
    BEGIN
        FOR _offer IN
            SELECT w.place::int, w.phone, w.quantity, o.*
            FROM unnest(_phones, _quantities, _prices, _ordinary_prices, _windows) WITH ORDINALITY
                AS w (phone, quantity, price, ordinary, window_id, place)
            CROSS JOIN LATERAL (
                SELECT o.window_id, o.price_fen, o.ordinary_fen, o.quota_per_outlet, o.limit_per_customer, o.ends_at
                FROM catalog_prices_at(w.phone, _at) o
                UNION ALL
                SELECT p.window_id, w.price, w.ordinary, p.quota_per_outlet, sale.limit_per_customer, sale.ends_at
                FROM catalog_salewindowprice p JOIN catalog_salewindow sale ON sale.id = p.window_id
                WHERE _at IS NULL AND p.window_id = w.window_id AND p.phone_id = w.phone
            ) o
            WHERE o.window_id IS NOT NULL
            ORDER BY (o.ordinary_fen - o.price_fen) * w.quantity DESC, o.ends_at DESC, o.window_id, w.place
        LOOP
            CONTINUE WHEN _chosen[_offer.place] IS NOT NULL;
            _why := NULL;
            _used := orders_used_of_limit(_offer.window_id, _customer, _moved_from);
            SELECT coalesce(sum(w.quantity), 0) INTO _taken
            FROM unnest(_chosen, _quantities) AS w (window_id, quantity) WHERE w.window_id = _offer.window_id;
            IF _used + _taken + _offer.quantity > _offer.limit_per_customer THEN
                _why := 'sale limit';
            ELSIF _offer.quota_per_outlet IS NOT NULL THEN
                IF NOT _is_locked THEN
                    -- As for every deed: the shelves by their phones. What is there is looked at when it is promised.
                    PERFORM FROM stores_stocklevel l WHERE l.outlet_id = _outlet AND l.phone_id = ANY (_phones)
                    ORDER BY l.phone_id FOR UPDATE;
                    _is_locked := true;
                END IF;
                _used := orders_used_of_quota(_outlet, _offer.window_id, _offer.phone);
                IF _used + _offer.quantity > _offer.quota_per_outlet THEN
                    _why := 'sale quota';
                END IF;
            END IF;
            IF _why IS NULL THEN
                _chosen[_offer.place] := _offer.window_id;
                _prices[_offer.place] := _offer.price_fen;
            ELSIF _passed_over[_offer.place] IS NULL THEN
                _passed_over[_offer.place] := _why;
                _passed_windows[_offer.place] := _offer.window_id;
                _ordered[_offer.place] := _used;
            END IF;
        END LOOP;
        RETURN QUERY
            SELECT line, CASE WHEN _chosen[line] IS NULL AND _at IS NOT NULL THEN _ordinary_prices[line]
                              ELSE _prices[line] END,
                   _chosen[line], _passed_over[line], _passed_windows[line], _ordered[line]
            FROM generate_subscripts(_phones, 1) AS line;
    END $$;

    CREATE FUNCTION orders_counter_price(_outlet bigint, _phone smallint)
    RETURNS TABLE (price_fen int, window_id smallint, is_used_up boolean)
    LANGUAGE sql VOLATILE AS $$
        WITH offer AS (
            SELECT o.*, coalesce(orders_used_of_quota(_outlet, o.window_id, _phone) >= o.quota_per_outlet, false)
                AS is_used_up
            FROM catalog_prices_at(_phone, clock_timestamp()) o
        )
        SELECT coalesce(best.price_fen, lowest.ordinary_fen), best.window_id, lowest.is_used_up
        FROM (SELECT * FROM offer ORDER BY price_fen, ends_at DESC, window_id LIMIT 1) AS lowest
        LEFT JOIN (
            SELECT * FROM offer WHERE NOT is_used_up ORDER BY price_fen, ends_at DESC, window_id LIMIT 1
        ) AS best ON true
    $$;
"""
NO_PRICES = """
    DROP FUNCTION orders_counter_price(bigint, smallint);
    DROP FUNCTION orders_prices_with_room;
    DROP FUNCTION orders_used_of_limit;
"""

PLACE_ORDER = """
CREATE FUNCTION orders_place_order(
    _outlet bigint, _number text, _form_key text, _name text, _mobile text, _language text, _channel text,
    _actor text, _tells text, _moved_from text, _pickup_fingerprint bytea, _placed_at timestamptz,
    _held_until timestamptz, _phones smallint[], _quantities int[], _names_zh text[], _names_en text[],
    _terms text[], _most_orders int, _most_units int, _customer bytea, _accepted_fen int,
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
    _now timestamptz;
    _passed_over text[];
    _passed_windows smallint[];
    _ordered int[];
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
    SELECT array_agg(o.price_fen ORDER BY w.place), array_agg(o.ordinary_fen ORDER BY w.place),
           array_agg(o.window_id ORDER BY w.place)
    INTO _prices, _ordinary_prices, _windows
    FROM unnest(_phones) WITH ORDINALITY AS w (phone, place) CROSS JOIN LATERAL catalog_price_at(w.phone, _now) o;
END IF;
IF array_remove(_windows, NULL) <> '{}' THEN
    SELECT array_agg(r.price_fen ORDER BY r.place), array_agg(r.window_id ORDER BY r.place),
           array_agg(r.passed_over ORDER BY r.place), array_agg(r.passed_window ORDER BY r.place),
           array_agg(r.ordered ORDER BY r.place)
    INTO _prices, _windows, _passed_over, _passed_windows, _ordered
    FROM orders_prices_with_room(_outlet, _phones, _quantities, _customer, _moved_from, _now,
                                 _prices, _ordinary_prices, _windows) r;
END IF;
SELECT sum(w.quantity * w.price) INTO _total FROM unnest(_quantities, _prices) AS w (quantity, price);
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

_rules = import_module("orders.migrations.0007_sale_use_rules")
_told = import_module("orders.migrations.0008_placing_is_told")
_quotas = import_module("orders.migrations.0012_walk_in_sales_use_quotas")
PLACE_ORDER_BEFORE = _rules.PLACE_ORDER.replace(_told.BEFORE, _told.AFTER).replace(
    _quotas.BY_ITSELF, _quotas.BY_THE_COUNT
)
COUNTER_PRICE_BEFORE = _quotas.COUNT[_quotas.COUNT.index("CREATE FUNCTION orders_counter_price") :]


class Migration(migrations.Migration):
    dependencies = [("catalog", "0009_all_prices_of_a_moment"), ("orders", "0015_newest_orders_by_last_four")]
    operations = [
        migrations.RunSQL("DROP FUNCTION orders_counter_price(bigint, smallint)", COUNTER_PRICE_BEFORE),
        migrations.RunSQL("DROP FUNCTION orders_place_order", PLACE_ORDER_BEFORE),
        migrations.RunSQL(PRICES, NO_PRICES),
        migrations.RunSQL(PLACE_ORDER, "DROP FUNCTION orders_place_order"),
    ]
