"""
The one place that moves orders on: an order, the newest line of its history and the event change in one statement.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from typing import Any

from django.db import connection

from orders.models import Message, Order, OrderChange, OrderLine, State
from orders.refusals import WrongState

Kind = OrderChange.Kind
COLUMNS = ("ready_at", "held_until", "extended_at", "reminded_at", "escalated_at", "ended_at", "moved_to", "paid_fen")

_ADVANCE = """
WITH step AS (
    SELECT * FROM unnest(%(outlets)s::bigint[], %(numbers)s::text[], %(seqs)s::smallint[], %(states)s::text[])
        AS step (outlet_id, number, seq, state)
), change AS (
    INSERT INTO orders_orderchange
        (outlet_id, number, seq, kind, state, prev_seq, prev_state, actor, reason, created_at)
    SELECT outlet_id, number, seq + 1, %(kind)s, coalesce(%(state)s, state), seq, state, %(actor)s, %(reason)s, %(now)s
    FROM step
), message AS (
    INSERT INTO orders_message
        (outlet_id, number, change_seq, kind, state, attempts, next_attempt_at, created_at, receipt, error)
    SELECT outlet_id, number, seq + 1, %(message)s, 'waiting', 0, %(now)s, %(now)s, '', ''
    FROM step WHERE %(message)s <> ''
), told AS (
    -- That an outlet is slow is no news for partners.
    INSERT INTO events_event (type, outlet_id, data)
    SELECT 'order.' || %(kind)s, outlet_id,
           jsonb_strip_nulls(jsonb_build_object(
               'order', number, 'state', coalesce(%(state)s, state), 'moved_to', nullif(%(moved_to)s, '')))
    FROM step WHERE %(kind)s <> 'escalated'
)
UPDATE orders_order o SET change_seq = step.seq + 1, state = coalesce(%(state)s, step.state) {assignments}
FROM step WHERE o.outlet_id = step.outlet_id AND o.number = step.number AND o.change_seq = step.seq
"""


def lock(order: Order) -> Order:
    """Return the order as it is now, with its lines at hand, for this transaction alone to change."""
    return Order.objects.select_for_update().get(outlet_id=order.outlet_id, number=order.number)


def quantities(order: Order) -> dict[int, int]:
    """Return how many of which phones (by id) the order is for."""
    return dict(order.lines.values_list("phone_id", "quantity"))


def quantities_of(orders: Sequence[Order]) -> dict[str, dict[int, int]]:
    """Return the same of several orders, at least one, of one outlet, by number. One query."""
    lines: dict[str, dict[int, int]] = {order.number: {} for order in orders}
    found = OrderLine.objects.filter(outlet_id=orders[0].outlet_id, number__in=lines)
    for number, phone_id, quantity in found.values_list("number", "phone_id", "quantity"):
        lines[number][phone_id] = quantity
    return lines


def advance(
    orders: Sequence[Order],
    kind: Kind,
    *,
    actor: str,
    now: datetime,
    state: State | None = None,
    reason: str = "",
    message: Message.Kind | None = None,
    **columns: Any,
) -> None:
    """
    Write what happened to locked `orders` into their history and move them to `state` (None: where they are).

    `columns` are those of COLUMNS that take a new value; `message` is what the customers are told. The orders in memory
    follow. To be called in the transaction that locked them.
    """
    parameters: dict[str, Any] = {
        "outlets": [order.outlet_id for order in orders],
        "numbers": [order.number for order in orders],
        "seqs": [order.change_seq for order in orders],
        "states": [order.state for order in orders],
        "kind": kind.value,
        "state": state.value if state else None,
        "actor": actor,
        "reason": reason[:200],
        "message": message.value if message else "",
        "moved_to": "",
        "now": now,
    }
    assignments = "".join(f", {column} = %({column})s" for column in COLUMNS if column in columns)
    with connection.cursor() as cursor:
        cursor.execute(_ADVANCE.format(assignments=assignments), parameters | columns)
        if cursor.rowcount != len(orders):
            raise RuntimeError("an order moved on that this transaction had locked")
    for order in orders:
        order.change_seq += 1
        order.state = state or order.state
        for column, value in columns.items():
            setattr(order, column, value)


def refuse_unless(order: Order, *states: State) -> None:
    """Raise WrongState unless the order is in one of `states`."""
    if order.state not in states:
        raise WrongState.of(order)


def stock_key(order: Order, kind: Kind) -> str:
    """Return the key under which stock moves for this step of the order: once, whoever asks how often."""
    return f"order:{order.number}:{kind}"


def reference(order_or_number: Order | str) -> str:
    """Return how the ledger of stock names the order."""
    return f"order:{order_or_number}"
