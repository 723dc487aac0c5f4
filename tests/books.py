"""Whether the books add up, asked anew in the plainest SQL."""

from django.db import connection

# Each query finds what is wrong.
WRONG = {
    "ledger and level differ": """
        SELECT outlet_id, phone_id FROM stores_stocklevel
        FULL JOIN (SELECT outlet_id, phone_id, sum(change_on_hand) AS on_hand, sum(change_reserved) AS reserved,
                          max(seq) AS seq, count(*) AS lines
                   FROM stores_stockmovement GROUP BY outlet_id, phone_id) AS ledger USING (outlet_id, phone_id)
        WHERE (stores_stocklevel.on_hand, stores_stocklevel.reserved, stores_stocklevel.seq)
              IS DISTINCT FROM (ledger.on_hand, ledger.reserved, ledger.seq) OR lines <> ledger.seq
    """,
    "something is below zero": "SELECT outlet_id, phone_id FROM stores_stocklevel WHERE least(on_hand, reserved) < 0",
    "shortfalls and levels differ": """
        SELECT outlet_id, phone_id
        FROM (SELECT * FROM stores_stocklevel WHERE reserved > on_hand) AS short
        FULL JOIN (SELECT * FROM stores_shortfall WHERE closed_at IS NULL) AS noted USING (outlet_id, phone_id)
        WHERE short.reserved - short.on_hand IS DISTINCT FROM noted.missing
    """,
    "totals and levels differ": """
        SELECT true_sum.*, total.*
        FROM (SELECT region, phone_id, sum(available) AS available, sum(on_hand) AS on_hand, sum(with_any) AS with_any
              FROM (SELECT l.phone_id, greatest(on_hand - reserved - safety_stock, 0) AS available, on_hand,
                           (on_hand - reserved - safety_stock > 0)::int AS with_any, o.town_id
                    FROM stores_stocklevel l JOIN stores_outlet o ON o.id = l.outlet_id
                    WHERE o.state = 'open') AS shelf,
                   unnest(ARRAY[left(town_id, 6), left(town_id, 4) || '00', left(town_id, 2) || '0000', NULL]) AS region
              GROUP BY region, phone_id) AS true_sum
        FULL JOIN (
            SELECT region, phone_id, sum(available) AS available, sum(on_hand) AS on_hand, sum(outlets_with) AS with_any
            FROM (SELECT region_id AS region, phone_id, available, on_hand, outlets_with FROM stores_regionstock
                  UNION ALL
                  SELECT region, phone_id, available, on_hand, outlets_with FROM stores_regionstockchange, unnest(
                      ARRAY[county_code, left(county_code, 4) || '00', left(county_code, 2) || '0000', NULL]) AS region
                 ) AS noted GROUP BY region, phone_id) AS total
            ON total.region IS NOT DISTINCT FROM true_sum.region AND total.phone_id = true_sum.phone_id
        WHERE (coalesce(true_sum.available, 0), coalesce(true_sum.on_hand, 0), coalesce(true_sum.with_any, 0))
              IS DISTINCT FROM (coalesce(total.available, 0), coalesce(total.on_hand, 0), coalesce(total.with_any, 0))
    """,
}


def assert_books_add_up():
    with connection.cursor() as cursor:
        for what, sql in WRONG.items():
            cursor.execute(sql)
            assert cursor.fetchall() == [], what
