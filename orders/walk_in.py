"""Selling to somebody who walks in: the phone leaves the shelf, what was paid is noted, and a receipt tells it."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from django.db import transaction
from django.utils import timezone
from django.utils.translation import gettext as _

from catalog.catalogue import current_catalogue
from catalog.models import Phone
from catalog.prices import offers_at
from orders import terms
from orders.models import Payment, WalkInMessage, WalkInSale
from orders.refusals import WrongAmount
from stores import handsets, stock
from stores.ledger import Act, Line
from stores.models import Outlet, StockMovement
from stores.people import name_of
from stores.unit_numbers import Unit


@dataclass(frozen=True)
class SaleReceipt:
    """What stands on the receipt of a walk-in sale. `unit` are the numbers of the handset, `sms` how its message is."""

    sale: WalkInSale
    number: str
    phone: Phone
    unit: Unit
    taken_by: str
    terms: str
    sms: str

    @property
    def at(self) -> datetime:
        return timezone.localtime(self.sale.sold_at)


@transaction.atomic
def sell(outlet_id: int, phone: Phone, unit: Unit, act: Act, *, method: Payment.Method, amount_fen: int) -> WalkInSale:
    """
    Sell a phone at its present price to somebody at the counter; the same `act.key` sells once.

    Raises WrongAmount where the price is not, or no longer, `amount_fen`, and the refusals of `stores.stock.sell`.
    """
    (line,) = stock.sell(outlet_id, {phone.pk: [unit]}, act)
    key = {"outlet_id": outlet_id, "phone": phone, "seq": line.seq}
    before = WalkInSale.objects.filter(**key).first()
    if before:
        return before
    price_fen = offers_at()[phone.pk].price_fen
    if amount_fen != price_fen:
        raise WrongAmount(_("The amount is not what is due."), due_fen=price_fen, amount_fen=amount_fen)
    return WalkInSale.objects.create(
        **key, price_fen=amount_fen, terms=terms.CURRENT, method=method, actor=act.actor, sold_at=timezone.now()
    )


def receipt_of(outlet: Outlet, sale: WalkInSale) -> SaleReceipt:
    """Return the receipt of a sale of this outlet. Five queries."""
    movement = StockMovement.objects.get(outlet=outlet, phone=sale.phone_id, seq=sale.seq)
    ((unit,),) = handsets.units_of(outlet.pk, [Line.of(movement)]).values()
    message = WalkInMessage.objects.filter(outlet=outlet, phone=sale.phone_id, seq=sale.seq).first()
    return SaleReceipt(
        sale, sale.number_at(outlet.code), current_catalogue().by_id[sale.phone_id], unit, name_of(sale.actor),
        str(terms.TERMS[sale.terms]), message.get_state_display() if message else "",
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
