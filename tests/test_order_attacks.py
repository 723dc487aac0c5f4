"""Whatever SQL the application's role tries, orders keep their word."""

import json

import pytest
from django.db import connection, transaction
from django.db.models import Model
from django.db.utils import DatabaseError

from orders import numbers
from orders.models import Message, Order, OrderChange, OrderLine, Payment
from tests.order_factories import create_order, create_shelf

pytestmark = pytest.mark.django_db


def attack(sql: str, order: Order, constraint: str) -> None:
    """Run `sql` (with %(outlet)s and %(number)s of the order) and see it refused by `constraint`."""
    with pytest.raises(DatabaseError) as refusal, transaction.atomic():
        run(sql, order)
    assert refusal.value.__cause__.diag.constraint_name == constraint


def run(sql: str, order: Order) -> None:
    with connection.cursor() as cursor:
        cursor.execute("SET CONSTRAINTS ALL IMMEDIATE")
        cursor.execute(sql, {"outlet": order.outlet_id, "number": order.number})


THE_ORDER = "WHERE outlet_id = %(outlet)s AND number = %(number)s"


@pytest.mark.parametrize(
    ("change", "constraint"),
    [
        ("state = 'collected'", "order_changes_with_its_history"),
        ("state = 'sold'", "order_changes_with_its_history"),
        ("state = 'ready', change_seq = 2", "order_is_explained_by_its_history"),
        ("change_seq = 3", "order_changes_with_its_history"),
        ("held_until = 'infinity'", "order_changes_with_its_history"),
        ("escalated_at = now()", "order_changes_with_its_history"),
        ("moved_to = '1'", "order_changes_with_its_history"),
        ("prepaid_fen = 29900", "order_changes_with_its_history"),
        ("paid_fen = 29900", "order_changes_with_its_history"),
        ("total_fen = 1", "order_was_placed_as_it_was"),
        ("line_count = 2", "order_was_placed_as_it_was"),
        ("number = '000000000000'", "order_was_placed_as_it_was"),
        ("outlet_id = outlet_id + 1", "order_was_placed_as_it_was"),
        ("placed_at = now()", "order_was_placed_as_it_was"),
        ("form_key = 'another'", "order_was_placed_as_it_was"),
        ("pickup_fingerprint = '\\x00'", "order_was_placed_as_it_was"),
        ("name = 'somebody else'", "order_happens_once"),
        ("mobile = '+8613900000000'", "order_happens_once"),
        ("name = '', mobile = '', erased_at = now()", "order_knows_its_customer_until_erased"),
    ],
)
def test_an_open_order_cannot_be_changed_past_its_history(change: str, constraint: str):
    attack(f"UPDATE orders_order SET {change} {THE_ORDER}", create_order(), constraint)


@pytest.mark.parametrize(
    ("change", "constraint"),
    [
        ("change_seq = 1, state = 'placed'", "order_changes_with_its_history"),
        ("ended_at = now() - interval '1 year'", "order_changes_with_its_history"),
        ("state = 'placed'", "order_changes_with_its_history"),
    ],
)
def test_an_ended_order_stays_ended(change: str, constraint: str):
    attack(f"UPDATE orders_order SET {change} {THE_ORDER}", create_order(state="cancelled"), constraint)


def add_change(kind: str, state: str, seq: int = 2, prev: str = "1, 'placed'") -> str:
    return f"""
        INSERT INTO orders_orderchange (outlet_id, number, seq, kind, state, prev_seq, prev_state, actor, reason)
        VALUES (%(outlet)s, %(number)s, {seq}, '{kind}', '{state}', {prev}, 'thief', '')"""


@pytest.mark.parametrize(
    ("line", "constraint"),
    [
        (add_change("collected", "collected"), "orderchange_is_possible"),
        (add_change("placed", "placed"), "orderchange_is_possible"),
        (add_change("ready", "collected"), "orderchange_is_possible"),
        (add_change("stolen", "stolen"), "orderchange_is_possible"),
        (add_change("collected", "collected", prev="1, 'ready'"), "orderchange_chain"),
        (add_change("ready", "ready", seq=3), "orderchange_follows_the_one_before"),
        (add_change("ready", "ready", seq=3, prev="2, 'placed'"), "orderchange_chain"),
        (add_change("ready", "ready", prev="NULL, NULL"), "orderchange_follows_the_one_before"),
        (add_change("placed", "placed", seq=1, prev="NULL, NULL"), "orders_orderchange_pkey"),
    ],
)
def test_history_takes_possible_steps_only(line: str, constraint: str):
    attack(line, create_order(), constraint)


@pytest.mark.parametrize(
    ("state", "kind"), [(s, k) for s in ("collected", "cancelled", "expired") for k in ("ready", "expired")]
)
def test_nothing_follows_the_end(state: str, kind: str):
    order = create_order(state=state)

    attack(
        add_change(kind, kind, order.change_seq + 1, f"{order.change_seq}, '{state}'"), order, "orderchange_is_possible"
    )


@pytest.mark.parametrize(
    ("paid", "constraint"),
    [("", "order_is_paid_when_collected"), (", paid_fen = 29900", "order_is_paid_by_its_payment")],
)
def test_an_order_is_not_collected_without_payment(paid: str, constraint: str):
    line = add_change("collected", "collected", 3, "2, 'ready'")
    head = f"UPDATE orders_order SET change_seq = 3, state = 'collected', ended_at = now(){paid} {THE_ORDER}"

    attack(f"{line}; {head}", create_order(state="ready"), constraint)


@pytest.mark.parametrize(
    ("model", "trigger"),
    [
        (Order, "order_is_kept"),
        (OrderLine, "orderline_is_fixed"),
        (OrderChange, "orderchange_is_append_only"),
        (Payment, "payment_is_fixed"),
        (Message, "message_is_kept"),
    ],
)
def test_nothing_is_deleted(model: type[Model], trigger: str):
    attack(f"DELETE FROM {model._meta.db_table} {THE_ORDER}", create_order(state="collected"), trigger)


@pytest.mark.parametrize("table", ["order", "orderline", "orderchange", "payment"])
def test_nothing_is_truncated(table: str):
    attack(f"TRUNCATE orders_{table} CASCADE", create_order(state="collected"), f"{table}_is_not_truncated")


@pytest.mark.parametrize(
    "change", ["price_fen = 1", "quantity = 2", "name_zh = ''", "terms = ''", "phone_id = phone_id"]
)
def test_a_line_is_fixed(change: str):
    attack(f"UPDATE orders_orderline SET {change} {THE_ORDER}", create_order(), "orderline_is_fixed")


@pytest.mark.parametrize("change", ["actor = 'x'", "created_at = now()", "reason = 'x'"])
def test_history_is_fixed(change: str):
    attack(f"UPDATE orders_orderchange SET {change} {THE_ORDER}", create_order(), "orderchange_is_append_only")


def test_a_payment_is_fixed():
    order = create_order(state="collected")

    attack(f"UPDATE orders_payment SET amount_fen = 1 {THE_ORDER}", order, "payment_is_fixed")


def test_no_line_is_added():
    phone = create_order().lines.get().phone_id
    order = create_order()
    insert = f"""
        INSERT INTO orders_orderline (outlet_id, number, line_count, position, phone_id, quantity, name_zh, name_en,
            price_fen, terms, running_fen, prev_position, prev_running_fen)
        VALUES (%(outlet)s, %(number)s, {{}}, 2, {phone}, 1, 'x', 'x', 1, 'x', 29901, 1, 29900)"""

    attack(insert.format(1), order, "orderline_is_one_of_its_order")
    attack(insert.format(2), order, "orderline_of_an_order")


def test_a_message_sent_stays_sent():
    order = create_order()
    order.messages.update(state="sent", sent_at="2026-11-11T00:00:00Z")

    attack(f"UPDATE orders_message SET state = 'waiting', sent_at = NULL {THE_ORDER}", order, "message_is_sent_once")


COPY = """
    INSERT INTO orders_{table} SELECT (jsonb_populate_record(o, '{changes}')).* FROM orders_{table} o
    WHERE outlet_id = %(outlet)s AND number = %(number)s"""


@pytest.mark.parametrize(
    ("changes", "constraint"),
    [
        ('{"number": "123456789012"}', "order_number_is_of_its_outlet"),
        ('{"change_seq": 2, "state": "ready"}', "order_begins_placed"),
        ("{}", "orders_order_pkey"),
    ],
)
def test_no_order_is_made_up(changes: str, constraint: str):
    attack(COPY.format(table="order", changes=changes), create_order(), constraint)


def copy_of_all(order: Order, **line: int) -> str:
    """Return SQL that copies an order with its history and its line, which is changed to `line`."""
    outlet_id = line.get("outlet_id", order.outlet_id)
    own = {"outlet_id": outlet_id, "number": numbers.draw_number(outlet_id)}
    fresh = own | {"form_key": own["number"], "pickup_fingerprint": own["number"]}
    rows = {"orderline": own | line, "orderchange": own, "order": fresh}
    lines, change, head = (COPY.format(table=table, changes=json.dumps(row)) for table, row in rows.items())
    return f"WITH line AS ({lines}), change AS ({change}) {head}"


def test_a_line_is_of_a_shelf():
    order = create_order()
    elsewhere = create_shelf()

    run(copy_of_all(order), order)
    attack(copy_of_all(order, phone_id=elsewhere.phone_id), order, "orderline_is_of_a_shelf")
    attack(copy_of_all(order, outlet_id=elsewhere.outlet_id), order, "orderline_is_of_a_shelf")
    attack(copy_of_all(order, outlet_id=elsewhere.outlet_id + 1), order, "orderline_is_of_a_shelf")


SENSELESS = {
    "order": {
        "order_state_is_known": ['{"state": "sold"}'],
        "order_channel_is_known": ['{"channel": "fax"}'],
        "order_language_is_known": ['{"language": "fr"}'],
        "order_number_is_of_its_outlet": ['{"outlet_id": 0}', '{"number": "12345678901x"}', '{"number": "１２３"}'],
        "order_is_for_something": ['{"line_count": 0}', '{"total_fen": 0}', '{"prepaid_fen": -1}'],
        "order_is_paid_when_collected": ['{"paid_fen": 29900}', '{"state": "collected", "paid_fen": 1}'],
        "order_end_has_its_moment": ['{"ended_at": "2026-11-11T00:00:00Z"}', '{"state": "cancelled"}'],
        "order_knows_its_customer_until_erased": [
            '{"name": ""}',
            '{"mobile": ""}',
            '{"mobile": "+861380013800"}',
            '{"name": "", "mobile": "", "erased_at": "2026-11-11T00:00:00Z"}',
        ],
    },
    "orderline": {
        "orderline_adds_to_the_one_before": [
            '{"running_fen": 1}',
            '{"position": 0}',
            '{"position": 2}',
            '{"prev_position": 0, "prev_running_fen": 0}',
            '{"position": 2, "prev_position": 1, "prev_running_fen": 1}',
        ],
        "orderline_is_one_of_its_order": ['{"line_count": 0}'],
        "orderline_quantity_is_sensible": [
            '{"quantity": 0, "running_fen": 0}',
            '{"quantity": 100, "running_fen": 2990000}',
        ],
        "orderline_price_is_positive": ['{"price_fen": 0, "running_fen": 0}'],
    },
    "orderchange": {"orderchange_says_who": ['{"actor": ""}']},
    "message": {
        "message_kind_is_known": ['{"kind": "gossip"}'],
        "message_state_is_known": ['{"state": "lost"}'],
        "message_sent_has_its_moment": ['{"state": "sent"}', '{"sent_at": "2026-11-11T00:00:00Z"}'],
        "message_counts_from_zero": ['{"attempts": -1}', '{"segments": -1}', '{"change_seq": -1}'],
    },
}


def test_no_row_without_sense_is_written():
    order = create_order()

    for table, constraints in SENSELESS.items():
        for constraint, copies in constraints.items():
            for changes in copies:
                attack(COPY.format(table=table, changes=changes), order, constraint)


def test_two_open_orders_of_an_outlet_never_share_a_pickup_code():
    order = create_order()
    changes = f'{{"number": "{numbers.draw_number(order.outlet_id)}", "form_key": "x"}}'

    attack(COPY.format(table="order", changes=changes), order, "order_pickup_code_is_its_own")


def test_the_database_alone_does_not_tell_a_pickup_code():
    order = create_order()
    with connection.cursor() as cursor:
        for table in ("order", "orderline", "orderchange", "message"):
            cursor.execute(
                f"SELECT t::text FROM orders_{table} t {THE_ORDER}", {"outlet": order.outlet_id, "number": order.number}
            )
            for (row,) in cursor.fetchall():
                assert order.pickup_code not in row.replace(order.number, "")
