"""
Have PostgreSQL do less for an order, above all for one of a single phone, which most are.

What is to be placed comes as one row: to read twenty-five parameters and make an expression of each took longer than
to ask about all other orders. An order of one phone is written from values; only for several are lists taken apart.

Answered is a row for each line, in their order: what was placed is known without reading it again.

That a line is of a shelf says what two keys said before: that there are such an outlet and such a phone. So orders no
longer lock the one row of a phone that everybody wants.
"""

from importlib import import_module

import django.db.models.deletion
from django.db import migrations, models

_before = import_module("orders.migrations.0020_fewer_queries_for_an_order")

# An order that is to be placed, with its lines as lists. Prices and windows are null where they are not fixed yet.
DRAFT = """
    CREATE TYPE orders_draft AS (
        outlet bigint, number text, form_key text, name text, mobile text, language text, channel text,
        actor text, tells text, moved_from text, pickup_fingerprint bytea, placed_at timestamptz,
        held_until timestamptz, phones smallint[], quantities int[], names_zh text[], names_en text[],
        terms text[], most_orders int, most_units int, customer bytea, accepted_fen int,
        prices int[], ordinary_prices int[], windows smallint[]
    )
"""

# Has to be one statement: the order and its lines, the order and its history refer to each other.
WRITE = """
    WITH line AS (
        INSERT INTO orders_orderline (outlet_id, number, line_count, position, phone_id, quantity, name_zh, name_en,
                                      price_fen, terms, running_fen, prev_position, prev_running_fen)
        {lines}
    ), change AS (
        INSERT INTO orders_orderchange (outlet_id, number, seq, kind, state, actor, reason, created_at)
        VALUES (_draft.outlet, _draft.number, 1, 'placed', 'placed', _draft.actor, _draft.moved_from, _draft.placed_at)
    ), message AS (
        INSERT INTO orders_message (outlet_id, number, change_seq, kind, state, attempts, next_attempt_at,
                                    created_at, receipt, error)
        VALUES (_draft.outlet, _draft.number, 1, _draft.tells, 'waiting', 0, _draft.placed_at,
                _draft.placed_at, '', '')
    ), told AS (
        INSERT INTO events_event (type, outlet_id, data)
        VALUES ('order.placed', _draft.outlet, jsonb_build_object('order', _draft.number, 'state', 'placed'))
    )
    INSERT INTO orders_order (outlet_id, number, state, change_seq, name, mobile, language, channel, form_key,
                              pickup_fingerprint, line_count, total_fen, prepaid_fen, placed_at, held_until,
                              moved_to, moved_from)
    VALUES (_draft.outlet, _draft.number, 'placed', 1, _draft.name, _draft.mobile, _draft.language, _draft.channel,
            _draft.form_key, _draft.pickup_fingerprint, _line_count, _total, 0, _draft.placed_at, _draft.held_until,
            '', _draft.moved_from);
"""
ONE_LINE = """
        VALUES (_draft.outlet, _draft.number, 1, 1, _draft.phones[1], _draft.quantities[1], _draft.names_zh[1],
                _draft.names_en[1], _prices[1], _draft.terms[1], _total, NULL, NULL)
"""
LINES = """
        SELECT _draft.outlet, _draft.number, _line_count, place, _draft.phones[place], _draft.quantities[place],
               _draft.names_zh[place], _draft.names_en[place], _prices[place], _draft.terms[place], _running[place],
               nullif(place - 1, 0), _running[place - 1]
        FROM generate_series(1, _line_count) AS place
"""
PLACE_ORDER = """
CREATE FUNCTION orders_place_order(_draft orders_draft) RETURNS TABLE (
    outcome text, number text, phone_id smallint, ordered int, on_hand int, reserved int, safety_stock smallint,
    outlet_trades boolean, price_fen int, window_id smallint, total_fen int
) LANGUAGE plpgsql SET plan_cache_mode = force_generic_plan AS $$
#variable_conflict use_column
DECLARE
    _line_count CONSTANT smallint := cardinality(_draft.phones);
    _key CONSTANT text := 'order:' || _draft.number || ':placed';
    _is_alone boolean;
    _before text;
    _open_orders int;
    _promised int;
    _prices int[] := _draft.prices;
    _ordinary_prices int[] := _draft.ordinary_prices;
    _windows smallint[] := _draft.windows;
    _has_windows boolean;
    _total int := 0;
    _running int[];
    _now timestamptz;
    _passed_over text[];
    _passed_windows smallint[];
    _ordered int[];
BEGIN
-- An order that moves from one outlet to another has no limits: null.
IF _draft.most_orders IS NOT NULL THEN
    -- One order of a mobile number at a time, or two could both find room for one. Always taken before any row.
    -- An assignment, as PERFORM would be a query; a function without a result is not null.
    _is_alone := pg_advisory_xact_lock(6812, hashtext(_draft.mobile)) IS NOT NULL;
    SELECT (SELECT o.number FROM orders_order o WHERE o.outlet_id = _draft.outlet AND o.form_key = _draft.form_key),
           (SELECT count(*) FROM orders_order o
            WHERE o.mobile = _draft.mobile AND o.mobile > '' AND o.state IN ('placed', 'ready'))
    INTO _before, _open_orders;
    IF _before IS NOT NULL THEN
        outcome := 'placed before';
        number := _before;
        RETURN NEXT;
        RETURN;
    END IF;
    IF _open_orders >= _draft.most_orders THEN
        outcome := 'too many orders';
        RETURN NEXT;
        RETURN;
    END IF;
    IF _open_orders > 0 OR _draft.most_units < ANY (_draft.quantities) THEN
        SELECT 'too many units', w.phone_id, coalesce(sum(l.quantity), 0)::int INTO outcome, phone_id, ordered
            FROM unnest(_draft.phones, _draft.quantities) AS w (phone_id, quantity)
            LEFT JOIN (orders_order o JOIN orders_orderline l ON l.outlet_id = o.outlet_id AND l.number = o.number)
                ON l.phone_id = w.phone_id AND o.mobile = _draft.mobile AND o.mobile > ''
                   AND o.state IN ('placed', 'ready')
            GROUP BY w.phone_id, w.quantity HAVING coalesce(sum(l.quantity), 0) + w.quantity > _draft.most_units
            ORDER BY w.phone_id LIMIT 1;
        IF FOUND THEN
            RETURN NEXT;
            RETURN;
        END IF;
    END IF;
END IF;

IF _prices IS NULL THEN
    _now := clock_timestamp();
    IF _line_count = 1 THEN
        SELECT ARRAY[o.price_fen], ARRAY[o.ordinary_fen], ARRAY[o.window_id] INTO _prices, _ordinary_prices, _windows
        FROM catalog_price_at(_draft.phones[1], _now) o;
    ELSE
        SELECT array_agg(o.price_fen ORDER BY w.place), array_agg(o.ordinary_fen ORDER BY w.place),
               array_agg(o.window_id ORDER BY w.place)
        INTO _prices, _ordinary_prices, _windows
        FROM unnest(_draft.phones) WITH ORDINALITY AS w (phone, place)
        CROSS JOIN LATERAL catalog_price_at(w.phone, _now) o;
    END IF;
END IF;
_has_windows := array_remove(_windows, NULL) <> '{}';
IF _has_windows THEN
    SELECT array_agg(r.price_fen ORDER BY r.place), array_agg(r.window_id ORDER BY r.place),
           array_agg(r.passed_over ORDER BY r.place), array_agg(r.passed_window ORDER BY r.place),
           array_agg(r.ordered ORDER BY r.place)
    INTO _prices, _windows, _passed_over, _passed_windows, _ordered
    FROM orders_prices_with_room(_draft.outlet, _draft.phones, _draft.quantities, _draft.customer, _draft.moved_from,
                                 _now, _prices, _ordinary_prices, _windows) r;
END IF;
FOR _place IN 1 .. _line_count LOOP
    _total := _total + _draft.quantities[_place] * _prices[_place];
    _running[_place] := _total;
END LOOP;
-- Who has accepted the sum was told already what is used up, or sees no need to ask.
IF _has_windows AND array_remove(_passed_over, NULL) <> '{}' AND coalesce(_total > _draft.accepted_fen, true) THEN
    RETURN QUERY SELECT w.outcome, NULL, w.phone, w.ordered, NULL::int, NULL::int, NULL::smallint, NULL::boolean,
                        w.price, w.window_id, _total
        FROM unnest(_passed_over, _draft.phones, _ordered, _prices, _passed_windows)
            AS w (outcome, phone, ordered, price, window_id) WHERE w.outcome IS NOT NULL;
    RETURN;
END IF;
IF _total > _draft.accepted_fen THEN
    RETURN QUERY SELECT 'dearer', NULL, w.phone, NULL::int, NULL::int, NULL::int, NULL::smallint, NULL::boolean,
                        w.price, NULL::smallint, _total
        FROM unnest(_draft.phones, _prices) AS w (phone, price);
    RETURN;
END IF;

IF _line_count = 1 THEN
    -- The door of one line (stores 0033), without the functions around it.
    INSERT INTO stores_posting (outlet_id, phone_id, change_on_hand, change_reserved, condition, kind, reference,
                                actor, reason, operation_key)
    VALUES (_draft.outlet, _draft.phones[1], 0, _draft.quantities[1], 'promisable', 'reserved',
            'order:' || _draft.number, _draft.actor, '', _key)
    RETURNING num_nonnulls(seq) INTO _promised;
ELSE
    SELECT count(w.seq) INTO _promised
    FROM stores_write_lines(_draft.outlet, _draft.phones, array_fill(0, ARRAY[_line_count]), _draft.quantities,
                            'promisable', 'reserved', 'order:' || _draft.number, _draft.actor, '', _key) w;
END IF;
IF coalesce(_promised, 0) < _line_count THEN
    IF _promised > 0 OR EXISTS (
        SELECT FROM stores_stockmovement m WHERE m.outlet_id = _draft.outlet AND m.operation_key = _key
    ) THEN
        RAISE unique_violation USING CONSTRAINT = 'orders_order_pkey', MESSAGE = 'another order has this number';
    END IF;
    -- As they were judged: they are locked.
    RETURN QUERY SELECT 'no stock', NULL, l.phone_id, NULL::int, l.on_hand, l.reserved, l.safety_stock, l.outlet_trades,
                        NULL::int, NULL::smallint, NULL::int
        FROM stores_stocklevel l WHERE l.outlet_id = _draft.outlet AND l.phone_id = ANY (_draft.phones);
    RETURN;
END IF;

IF _line_count = 1 THEN
    {one_line}
ELSE
    {several}
END IF;
IF _has_windows THEN
    INSERT INTO orders_saleuse (outlet_id, number, phone_id, window_id, ordinary_fen, customer)
    SELECT _draft.outlet, _draft.number, w.phone, w.window_id, w.ordinary, _draft.customer
    FROM unnest(_draft.phones, _windows, _ordinary_prices) AS w (phone, window_id, ordinary)
    WHERE w.window_id IS NOT NULL;
END IF;
outcome := 'placed';
total_fen := _total;
FOR _place IN 1 .. _line_count LOOP
    phone_id := _draft.phones[_place];
    price_fen := _prices[_place];
    RETURN NEXT;
END LOOP;
END $$;
""".replace("{one_line}", WRITE.format(lines=ONE_LINE)).replace("{several}", WRITE.format(lines=LINES))
NO_PLACE_ORDER = "DROP FUNCTION orders_place_order(orders_draft)"

OF_A_SHELF = """
    ALTER TABLE orders_orderline ADD CONSTRAINT orderline_is_of_a_shelf
        FOREIGN KEY (outlet_id, phone_id) REFERENCES stores_stocklevel (outlet_id, phone_id)
"""


class Migration(migrations.Migration):
    dependencies = [
        ("orders", "0020_fewer_queries_for_an_order"),
        ("stores", "0034_lines_stand_where_levels_may"),
    ]
    operations = [
        migrations.RunSQL("DROP FUNCTION orders_place_order", _before.PLACE_ORDER),
        migrations.RunSQL(DRAFT, "DROP TYPE orders_draft"),
        migrations.RunSQL(PLACE_ORDER, NO_PLACE_ORDER),
        migrations.RunSQL(OF_A_SHELF, "ALTER TABLE orders_orderline DROP CONSTRAINT orderline_is_of_a_shelf"),
        migrations.AlterField(
            "order",
            "outlet",
            models.ForeignKey(
                db_constraint=False,
                db_index=False,
                on_delete=django.db.models.deletion.PROTECT,
                related_name="orders",
                to="stores.outlet",
            ),
        ),
        migrations.AlterField(
            "orderline",
            "phone",
            models.ForeignKey(
                db_constraint=False,
                db_index=False,
                on_delete=django.db.models.deletion.PROTECT,
                related_name="+",
                to="catalog.phone",
            ),
        ),
    ]
