"""Proof that orders, their history, their payments and the stock set aside for them agree."""

from __future__ import annotations

from collections.abc import Iterator

from django.db import connection, transaction

# Each names what disagrees, as a sentence with the outlet's code in front.
CHECKS = {
    # What shelves keep for customers is what open orders are for.
    "reserved is not what open orders are for": """
        SELECT outlet_id, format('phone %s: reserved %s, ordered %s', phone_id, coalesce(l.reserved, 0),
                                 coalesce(o.quantity, 0))
        FROM (SELECT outlet_id, phone_id, reserved FROM stores_stocklevel WHERE reserved > 0) l
        FULL JOIN (
            SELECT outlet_id, phone_id, sum(quantity) AS quantity
            FROM orders_order JOIN orders_orderline USING (outlet_id, number)
            WHERE state IN ('placed', 'ready') GROUP BY outlet_id, phone_id
        ) o USING (outlet_id, phone_id)
        WHERE coalesce(l.reserved, 0) <> coalesce(o.quantity, 0)""",
    # Each order took its phones once, and gave them back or handed them over once if it ended.
    "the ledger does not follow the order": """
        SELECT outlet_id, format('order %s, phone %s: %s %s, the ledger keeps %s', number, phone_id, state,
                                 quantity, coalesce(kept, 0))
        FROM (
            SELECT outlet_id, number, phone_id, state, quantity, 'order:' || number AS reference
            FROM orders_order JOIN orders_orderline USING (outlet_id, number)
        ) o LEFT JOIN (
            SELECT outlet_id, reference, phone_id, sum(change_reserved) AS kept, count(*) AS lines
            FROM stores_stockmovement WHERE reference LIKE 'order:%' AND change_reserved <> 0
            GROUP BY outlet_id, reference, phone_id
        ) l USING (outlet_id, reference, phone_id)
        WHERE coalesce(kept, -1) <> CASE WHEN state IN ('placed', 'ready') THEN quantity ELSE 0 END
           OR lines <> CASE WHEN state IN ('placed', 'ready') THEN 1 ELSE 2 END""",
    "history goes on after the order": """
        SELECT outlet_id, format('order %s: at %s, history has %s lines', number, change_seq, lines)
        FROM orders_order JOIN (
            SELECT outlet_id, number, count(*) AS lines FROM orders_orderchange GROUP BY outlet_id, number
        ) h USING (outlet_id, number)
        WHERE lines <> change_seq""",
    "paid but not collected": """
        SELECT outlet_id, format('order %s: %s', number, state)
        FROM orders_payment JOIN orders_order USING (outlet_id, number) WHERE state <> 'collected'""",
    "the customer was never told": """
        SELECT outlet_id, format('order %s has no message that it was placed', number)
        FROM orders_order o WHERE NOT EXISTS (
            SELECT FROM orders_message m
            WHERE m.outlet_id = o.outlet_id AND m.number = o.number AND m.change_seq = 1)""",
}


def disagreements() -> Iterator[str]:
    """Yield a sentence for everything that does not agree; nothing when all is well."""
    with transaction.atomic(), connection.cursor() as cursor:
        # One snapshot for all the questions: orders go on being placed meanwhile.
        cursor.execute("SET TRANSACTION ISOLATION LEVEL REPEATABLE READ READ ONLY")
        for what, query in CHECKS.items():
            cursor.execute(
                f"SELECT code, detail FROM ({query}) AS found (outlet_id, detail) "  # noqa: S608 - constants all
                "JOIN stores_outlet ON id = outlet_id ORDER BY code, detail"
            )
            for code, detail in cursor:
                yield f"{code}: {what}: {detail}"
