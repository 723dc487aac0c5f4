"""Selling to somebody who walks in: the phone leaves the shelf, what was paid is noted, and a receipt tells it."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import NamedTuple

from django.db import connection, transaction
from django.utils import timezone
from django.utils.translation import gettext as _

from catalog.catalogue import current_catalogue
from catalog.models import Phone
from orders import terms
from orders.models import Payment, Refund, WalkInMessage, WalkInSale
from orders.refunds import LineKey, refunds_of
from orders.refusals import WrongAmount
from stores import handsets, stock
from stores.ledger import Act, Line
from stores.models import Outlet, StockMovement
from stores.people import name_of
from stores.unit_numbers import Unit


class CounterPrice(NamedTuple):
    """
    What a phone costs at an outlet's counter, in fen, and the sale window that the price is of.

    `is_used_up`: the outlet has given all that it may at the price of the open window, so this is the ordinary one.
    """

    price_fen: int
    window_id: int | None
    is_used_up: bool


def price_at(outlet_id: int, phone_id: int) -> CounterPrice:
    """Return what a phone costs at the counter this second, by the clock of the database. One query."""
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT price_fen, window_id, is_used_up FROM orders_counter_price(%s, %s::smallint)",
            [outlet_id, phone_id],
        )
        return CounterPrice(*cursor.fetchone())


@dataclass(frozen=True)
class SaleReceipt:
    """What stands on the receipt of a walk-in sale. `unit` are the numbers of the handset, `sms` how its message is."""

    sale: WalkInSale
    number: str
    phone: Phone
    unit: Unit
    taken_by: str
    rights: str
    sms: str
    refunds: list[Refund]

    @property
    def at(self) -> datetime:
        return timezone.localtime(self.sale.sold_at)


@transaction.atomic
def sell(outlet_id: int, phone: Phone, unit: Unit, act: Act, *, method: Payment.Method, amount_fen: int) -> WalkInSale:
    """
    Sell a phone at the price it has at this counter now to somebody at the counter; the same `act.key` sells once.

    Raises WrongAmount where the price is not, or no longer, `amount_fen`, and the refusals of `stores.stock.sell`.
    """
    (line,) = stock.sell(outlet_id, {phone.pk: [unit]}, act)
    key = {"outlet_id": outlet_id, "phone": phone, "seq": line.seq}
    before = WalkInSale.objects.filter(**key).first()
    if before:
        return before
    # The shelf is locked by now: nobody else uses what is left of a quota.
    price = price_at(outlet_id, phone.pk)
    if amount_fen != price.price_fen:
        raise WrongAmount(_("The amount is not what is due."), due_fen=price.price_fen, amount_fen=amount_fen)
    return WalkInSale.objects.create(
        **key,
        price_fen=amount_fen,
        window_id=price.window_id,
        terms=terms.CURRENT,
        method=method,
        actor=act.actor,
        sold_at=timezone.now(),
    )


def receipt_of(outlet: Outlet, sale: WalkInSale) -> SaleReceipt:
    """Return the receipt of a sale of this outlet. Six queries."""
    movement = StockMovement.objects.get(outlet=outlet, phone=sale.phone_id, seq=sale.seq)
    ((unit,),) = handsets.units_of(outlet.pk, [Line.of(movement)]).values()
    message = WalkInMessage.objects.filter(outlet=outlet, phone=sale.phone_id, seq=sale.seq).first()
    return SaleReceipt(
        sale, sale.number_at(outlet.code), current_catalogue().by_id[sale.phone_id], unit, name_of(sale.actor),
        str(terms.RIGHTS[sale.terms]), message.get_state_display() if message else "",
        refunds_of([LineKey.of_line(movement)]),
    )  # fmt: skip


def send_receipt(sale: WalkInSale, mobile: str, language: str) -> bool:
    """Have the receipt sent to `mobile` (E.164), once; return whether it was not under way already."""
    _message, is_new = WalkInMessage.objects.get_or_create(
        outlet_id=sale.outlet_id,
        phone_id=sale.phone_id,
        seq=sale.seq,
        defaults={"mobile": mobile, "language": language},
    )
    return is_new
