"""Proof that orders, their history, their payments and the stock kept for them agree: our part of `audit_stock`."""

from stores.audit import Check

CHECKS = [
    Check(
        "what is reserved is what open orders are for",
        """
        SELECT outlet_id, phone_id, format('%s reserved, %s ordered', coalesce(l.reserved, 0), coalesce(o.quantity, 0))
        FROM (SELECT outlet_id, phone_id, reserved FROM stores_stocklevel WHERE reserved > 0) AS l
        FULL JOIN (SELECT outlet_id, phone_id, sum(quantity) AS quantity
                   FROM orders_order JOIN orders_orderline USING (outlet_id, number)
                   WHERE state IN ('placed', 'ready') GROUP BY outlet_id, phone_id) AS o USING (outlet_id, phone_id)
        WHERE coalesce(l.reserved, 0) <> coalesce(o.quantity, 0)
        """,
    ),
    Check(
        "every order took its phones once, and once gave them back or handed them over",
        """
        SELECT outlet_id, phone_id,
               format('order %s (%s) of %s: the ledger keeps %s by %s lines',
                      number, state, quantity, coalesce(kept, 0), coalesce(lines, 0))
        FROM (SELECT outlet_id, phone_id, number, 'order:' || number AS reference, state, quantity,
                     state IN ('placed', 'ready') AS is_open
              FROM orders_order JOIN orders_orderline USING (outlet_id, number)) AS o
        LEFT JOIN (SELECT outlet_id, phone_id, reference, sum(change_reserved) AS kept, count(*) AS lines
                   FROM stores_stockmovement WHERE reference LIKE 'order:%' AND change_reserved <> 0
                   GROUP BY outlet_id, phone_id, reference) AS m USING (outlet_id, phone_id, reference)
        WHERE (kept, lines) IS DISTINCT FROM
              (CASE WHEN is_open THEN quantity ELSE 0 END::bigint, CASE WHEN is_open THEN 1 ELSE 2 END::bigint)
        """,
    ),
    Check(
        "every order stands at the end of its history",
        """
        SELECT outlet_id, NULL::smallint, format('order %s: at line %s of %s', number, change_seq, lines)
        FROM orders_order
        JOIN (SELECT outlet_id, number, count(*) AS lines FROM orders_orderchange GROUP BY outlet_id, number) AS h
            USING (outlet_id, number)
        WHERE lines <> change_seq
        """,
    ),
    Check(
        "every payment is for an order that was collected",
        """
        SELECT outlet_id, NULL::smallint, format('order %s: %s', number, state)
        FROM orders_payment JOIN orders_order USING (outlet_id, number) WHERE state <> 'collected'
        """,
    ),
    Check(
        "every walk-in sale is that of a phone that was sold at the counter",
        """
        SELECT outlet_id, phone_id, format('line %s: %s', seq, kind)
        FROM orders_walkinsale JOIN stores_stockmovement USING (outlet_id, phone_id, seq)
        WHERE kind <> 'walk_in_sale' OR change_on_hand <> -1
        """,
    ),
    Check(
        "every refund is for the sale before the return, and with its order",
        """
        SELECT r.back_outlet_id, r.phone_id, format('line %s: of the sale by line %s', r.back_seq, r.seq)
        FROM orders_refund r
        JOIN stores_handsetevent sold
            ON (sold.outlet_id, sold.phone_id, sold.line_seq, sold.handset_id)
             = (r.outlet_id, r.phone_id, r.seq, r.handset_id)
        JOIN stores_handsetevent back
            ON (back.outlet_id, back.phone_id, back.line_seq, back.handset_id)
             = (r.back_outlet_id, r.phone_id, r.back_seq, r.handset_id)
        JOIN stores_stockmovement m ON (m.outlet_id, m.phone_id, m.seq) = (r.outlet_id, r.phone_id, r.seq)
        WHERE back.seq <> sold.seq + 1 OR back.kind <> 'returned'
            OR r.number IS NOT NULL AND m.reference <> 'order:' || r.number
        """,
    ),
    Check(
        "every customer was told, or is about to be",
        """
        SELECT outlet_id, NULL::smallint, format('order %s has no message that it was placed', number)
        FROM orders_order o
        WHERE NOT EXISTS (SELECT FROM orders_message m
                          WHERE m.outlet_id = o.outlet_id AND m.number = o.number AND m.change_seq = 1)
        """,
    ),
    Check(
        "no outlet gave more at the price of a sale window than its quota",
        """
        SELECT outlet_id, phone_id, format('sale window %s: %s of %s', window_id, sum(quantity), quota_per_outlet)
        FROM (SELECT outlet_id, phone_id, window_id, quantity
              FROM orders_saleuse
              JOIN orders_order USING (outlet_id, number)
              JOIN orders_orderline USING (outlet_id, number, phone_id)
              WHERE state IN ('placed', 'ready', 'collected')
              UNION ALL
              SELECT outlet_id, phone_id, window_id, 1 FROM orders_walkinsale) AS given
        JOIN catalog_salewindowprice p USING (window_id, phone_id)
        GROUP BY outlet_id, window_id, phone_id, quota_per_outlet HAVING sum(quantity) > quota_per_outlet
        """,
    ),
    Check(
        "no customer has more at the prices of a sale window than its limit",
        """
        SELECT min(outlet_id), NULL::smallint,
               format('sale window %s: %s of %s', window_id, sum(quantity), limit_per_customer)
        FROM orders_saleuse
        JOIN orders_order USING (outlet_id, number)
        JOIN orders_orderline USING (outlet_id, number, phone_id)
        JOIN catalog_salewindow w ON w.id = window_id
        WHERE state IN ('placed', 'ready', 'collected') AND customer IS NOT NULL
        GROUP BY customer, window_id, limit_per_customer HAVING sum(quantity) > limit_per_customer
        """,
    ),
]
