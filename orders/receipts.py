"""The receipt of an order that was handed over: what was bought, which handsets, how it was paid, who took it."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from django.utils import timezone

from orders import history
from orders.history import Kind
from orders.models import Message, Order, OrderLine, Payment, Refund, State
from orders.refunds import LineKey, refunds_of
from orders.refusals import WrongState
from orders.terms import RIGHTS
from stores import handsets
from stores.ledger import Line
from stores.models import StockMovement
from stores.people import name_of
from stores.unit_numbers import Unit


@dataclass(frozen=True)
class Receipt:
    """What stands on it. `units` are the handsets by phone id."""

    order: Order
    lines: list[OrderLine]
    units: dict[int, list[Unit]]
    payment: Payment
    taken_by: str
    rights: str
    sms: str
    refunds: list[Refund]

    @property
    def at(self) -> datetime:
        return timezone.localtime(self.payment.taken_at)


def receipt_of(order: Order) -> Receipt:
    """Return the receipt of a collected order. Raises WrongState. Eight queries."""
    _refuse_unless_collected(order)
    lines = list(order.lines.all())
    payment = Payment.objects.get(outlet_id=order.outlet_id, number=order.number)
    key = history.stock_key(order, Kind.COLLECTED)
    movements = list(StockMovement.objects.filter(outlet_id=order.outlet_id, operation_key=key))
    units = handsets.units_of(order.outlet_id, [Line.of(movement) for movement in movements])
    message = Message.objects.filter(outlet_id=order.outlet_id, number=order.number, kind=Message.Kind.RECEIPT).first()
    return Receipt(
        order, lines, units, payment, name_of(payment.actor), str(RIGHTS[lines[0].terms]),
        message.get_state_display() if message else "", refunds_of(map(LineKey.of_line, movements)),
    )  # fmt: skip


def send_receipt(order: Order) -> bool:
    """Have the receipt sent by text message; return whether it was not under way already. Raises WrongState."""
    _refuse_unless_collected(order)
    if order.erased_at:
        raise WrongState.of(order)
    _message, is_new = Message.objects.get_or_create(
        outlet_id=order.outlet_id, number=order.number, change_seq=order.change_seq, kind=Message.Kind.RECEIPT
    )
    return is_new


def _refuse_unless_collected(order: Order) -> None:
    if order.state != State.COLLECTED:
        raise WrongState.of(order)
