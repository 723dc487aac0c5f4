"""
The rows of an order over the API and nothing else: below that no way of placing one can go.

They go into copies of the tables, with the same columns and indexes, by one statement that is planned once. No copy has
a check, a foreign key or a trigger, and nothing is computed but what must be new in each order.
"""

from __future__ import annotations

from typing import Any

# Each table that a new order has one row in; of the shelf's it changes one.
TABLES = (
    "stores_stockmovement",
    "orders_orderline",
    "orders_orderchange",
    "orders_message",
    "orders_order",
    "partners_partnerorder",
    "api_idempotencykey",
    "events_event",
)
_COPY = "CREATE TABLE rows_{0} (LIKE {0} INCLUDING ALL EXCLUDING CONSTRAINTS EXCLUDING GENERATED EXCLUDING IDENTITY)"
# What must differ from all orders before: by `$1`, the order's number, and `$2`, one more each time.
_NEW = {
    "number": "$1",
    "form_key": "$1",
    "operation_key": "$1",
    "key": "$1",
    "pickup_fingerprint": "sha256($1::bytea)",
    "seq": "$2",
    "id": "$2",
}
_NEW_IN = {"partners_partnerorder": {"reference": "$1"}, "orders_orderchange": {"seq": "1"}}
CALL = "EXECUTE order_rows (%s, %s, %s, %s)"


def prepare(cursor: Any) -> None:
    """Make the copies and the statement CALL (number, counter, outlet, phone), after the order that was placed last."""
    cursor.execute(_COPY.format("stores_stocklevel"))
    cursor.execute("INSERT INTO rows_stores_stocklevel SELECT * FROM stores_stocklevel")
    writes = [_insert(cursor, table) for table in TABLES]
    cursor.execute(
        f"""
        PREPARE order_rows (text, bigint, bigint, smallint) AS
        WITH {", ".join(f"row_of_{place} AS ({write})" for place, write in enumerate(writes))}
        UPDATE rows_stores_stocklevel SET reserved = reserved + 1 WHERE outlet_id = $3 AND phone_id = $4
        """  # noqa: S608 - names of tables
    )


def _insert(cursor: Any, table: str) -> str:
    cursor.execute(_COPY.format(table))
    cursor.execute(f"SELECT * FROM {table} ORDER BY ctid DESC LIMIT 1")  # noqa: S608 - a table of ours
    names = [column.name for column in cursor.description]
    new = {"outlet_id": "$3", "phone_id": "$4"} | _NEW | _NEW_IN.get(table, {})
    values = [
        new[name] if name in new else cursor.mogrify("%s", [_plain(value)]).decode()
        for name, value in zip(names, cursor.fetchone(), strict=True)
    ]
    return f"INSERT INTO rows_{table} ({', '.join(names)}) VALUES ({', '.join(values)})"  # noqa: S608 - see above


def _plain(value: Any) -> Any:
    from psycopg2.extras import Json

    return Json(value) if isinstance(value, dict) else value
