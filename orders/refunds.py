"""Taking a sold phone back: it stands on the shelf again, and what was given back is noted beside the sale."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime
from typing import NamedTuple

from django.db import transaction
from django.db.models import Q
from django.utils import timezone
from django.utils.translation import gettext as _

from catalog.catalogue import current_catalogue
from catalog.models import Phone
from catalog.templating import yuan
from orders.models import OrderLine, Payment, Refund, WalkInSale
from orders.refusals import WrongAmount
from stores import handsets, stock
from stores.ledger import Act, Kind, Line
from stores.models import Handset, HandsetEvent, Outlet, StockMovement
from stores.people import name_of
from stores.unit_numbers import Unit

ORDER = "order:"


class LineKey(NamedTuple):
    """Names a line of the ledger."""

    outlet_id: int
    phone_id: int
    seq: int

    @classmethod
    def of(cls, event: HandsetEvent) -> LineKey:
        return cls(event.outlet_id, event.phone_id, event.line_seq)

    @classmethod
    def of_line(cls, line: StockMovement | WalkInSale) -> LineKey:
        return cls(line.outlet_id, line.phone_id, line.seq)


@dataclass(frozen=True)
class Paid:
    """What one phone cost in fen, of `receipt_fen` that were paid at the counter; `number` is that of its order."""

    price_fen: int
    receipt_fen: int
    method: str
    at: datetime
    number: str | None = None

    @property
    def paid_fen(self) -> int:
        """What the counter took for it: of what was paid beforehand it gives nothing back."""
        return min(self.price_fen, self.receipt_fen)

    @property
    def method_in_words(self) -> str:
        return str(Payment.Method(self.method).label)


@dataclass(frozen=True)
class RefundReceipt:
    """What stands on the receipt of a refund. `unit` are the numbers of the handset, `sold_at` the outlet's name."""

    refund: Refund
    number: str
    phone: Phone
    unit: Unit
    paid: Paid
    sold_at: str
    given_by: str

    @property
    def sold_on(self) -> datetime:
        return timezone.localtime(self.paid.at)


def paid_by_line(events: Iterable[HandsetEvent]) -> dict[LineKey, Paid]:
    """
    Return what was paid for a phone, by the lines by which these events sold one, where that is known.

    Four queries at most.
    """
    keys: dict[str, list[LineKey]] = {Kind.WALK_IN_SALE: [], Kind.HANDED_OVER: []}
    for event in events:
        if event.kind in keys:
            keys[event.kind].append(LineKey.of(event))
    paid = {}
    if walked_in := keys[Kind.WALK_IN_SALE]:
        for sale in WalkInSale.objects.filter(of_lines(walked_in)):
            paid[LineKey.of_line(sale)] = Paid(sale.price_fen, sale.price_fen, sale.method, sale.sold_at)
    if handed_over := keys[Kind.HANDED_OVER]:
        paid |= _paid_by_orders(handed_over)
    return paid


def of_lines(keys: Iterable[LineKey]) -> Q:
    """Return the condition that keeps these lines, or what stands beside them, and nothing where there are none."""
    asked = Q(pk__in=[])
    for key in keys:
        asked |= Q(outlet=key.outlet_id, phone=key.phone_id, seq=key.seq)
    return asked


def _paid_by_orders(keys: Iterable[LineKey]) -> dict[LineKey, Paid]:
    orders = {
        LineKey.of_line(line): (line.outlet_id, line.reference.removeprefix(ORDER))
        for line in StockMovement.objects.filter(of_lines(keys), reference__startswith=ORDER)
    }
    asked = Q(pk__in=[])
    for outlet_id, number in set(orders.values()):
        asked |= Q(outlet=outlet_id, number=number)
    payments = {(payment.outlet_id, payment.number): payment for payment in Payment.objects.filter(asked)}
    prices = {(line.outlet_id, line.number, line.phone_id): line.price_fen for line in OrderLine.objects.filter(asked)}
    paid = {}
    for key, order in orders.items():
        if payment := payments.get(order):
            price_fen = prices[*order, key.phone_id]
            paid[key] = Paid(price_fen, payment.amount_fen, payment.method, payment.taken_at, order[1])
    return paid


def refunds_of(keys: Iterable[LineKey]) -> list[Refund]:
    """Return what was given back for phones sold by these lines of the ledger, the oldest first. One query."""
    return list(Refund.objects.filter(of_lines(keys)))


def paid_for(unit: Unit) -> Paid | None:
    """Return what was paid for a phone that is sold, None where that is not known. Five queries at most."""
    sold = Handset.objects.filter(numbers__number=unit[0], state=Handset.State.SOLD).values("pk", "seq").first()
    event = HandsetEvent.objects.filter(handset=sold["pk"], seq=sold["seq"]).first() if sold else None
    return paid_by_line([event]).get(LineKey.of(event)) if event else None


@transaction.atomic
def take_back(
    outlet_id: int, phone_id: int, unit: Unit, act: Act, *, method: str = "", amount_fen: int | None = None
) -> Refund | None:
    """
    Put a sold phone back on a shelf and note what was given back, None where nobody knows what was paid for it.

    The same `act.key` does it once. Raises WrongAmount where `amount_fen` is more than was paid or is missing, and
    UnitRefused.
    """
    (line,) = stock.return_unit(outlet_id, phone_id, unit, act)
    back = HandsetEvent.objects.get(outlet=outlet_id, phone=phone_id, line_seq=line.seq)
    before = Refund.objects.filter(back_outlet=outlet_id, phone=phone_id, back_seq=line.seq).first()
    if before:
        return before
    sold = HandsetEvent.objects.get(handset=back.handset_id, seq=back.seq - 1)
    paid = paid_by_line([sold]).get(LineKey.of(sold))
    if paid is None:
        return None
    if amount_fen is None or not 0 <= amount_fen <= paid.paid_fen:
        message = _("Type how much is given back: at most %(paid)s yuan, what was paid.")
        raise WrongAmount(message % {"paid": yuan(paid.paid_fen)}, due_fen=paid.paid_fen, amount_fen=amount_fen)
    return Refund.objects.create(
        outlet_id=sold.outlet_id, phone_id=phone_id, seq=sold.line_seq, handset_id=sold.handset_id,
        number=paid.number, receipt_fen=paid.receipt_fen, price_fen=paid.price_fen, amount_fen=amount_fen,
        method=method, actor=act.actor, back_outlet_id=outlet_id, back_seq=line.seq, given_at=timezone.now(),
    )  # fmt: skip


def receipt_of(outlet: Outlet, refund: Refund) -> RefundReceipt:
    """Return the receipt of a refund that this outlet gave. Nine queries at most."""
    movement = StockMovement.objects.get(outlet=outlet, phone=refund.phone_id, seq=refund.back_seq)
    ((unit,),) = handsets.units_of(outlet.pk, [Line.of(movement)]).values()
    sold = HandsetEvent.objects.select_related("outlet").get(
        outlet=refund.outlet_id, phone=refund.phone_id, line_seq=refund.seq, handset=refund.handset_id
    )
    return RefundReceipt(
        refund, refund.number_at(outlet.code), current_catalogue().by_id[refund.phone_id], unit,
        paid_by_line([sold])[LineKey.of(sold)], sold.outlet.name, name_of(refund.actor),
    )  # fmt: skip
