"""A unit's life, and an order's: everything that is on record of it, from several books, in one line of time."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime

from django.db.models import Q
from django.utils.translation import gettext as _

from catalog.catalogue import current_catalogue
from catalog.models import Phone
from catalog.templating import yuan
from orders import numbers
from orders.models import Message, Order, OrderChange, Payment
from orders.refunds import LineKey, of_lines, paid_by_line, refunds_of
from stores.models import Handset, HandsetEvent, HandsetNumber, Outlet, StockMovement, Transfer
from stores.people import names_of
from stores.refusals import UnitNumberInvalid
from stores.unit_numbers import number as unit_number

LAST_FOUR, MOBILE = 4, 11
MOST_ORDERS = 100


@dataclass(frozen=True)
class Moment:
    """One thing that happened: when, what (in words), where, who did it; `order` is a number to go on to."""

    at: datetime
    what: str
    outlet: str = ""
    who: str = ""
    why: str = ""
    order: str = ""


@dataclass(frozen=True)
class UnitLife:
    """A handset with its numbers, and all that happened to it, the oldest first."""

    handset: Handset
    numbers: Sequence[str]
    phone: Phone | None
    outlet: str
    moments: Sequence[Moment]


@dataclass(frozen=True)
class OrderLife:
    """An order with its lines, and all that happened to it, the oldest first; `units` are those handed over."""

    order: Order
    moments: Sequence[Moment]
    units: Sequence[str]


@dataclass(frozen=True)
class Found:
    """What a search led to: a unit or an order to go to at once, an outlet's code, or orders to choose from."""

    unit: str = ""
    order: str = ""
    outlet: str = ""
    orders: Sequence[Order] = ()


def search(text: str) -> Found:
    """Return what `text` is: an IMEI or MEID, an order's number, an outlet's code, (the end of) a mobile number."""
    plain = "".join(text[:60].split())
    try:
        found = HandsetNumber.objects.filter(number=unit_number(plain)).first()
        if found:
            return Found(unit=found.number)
    except UnitNumberInvalid:
        pass
    order_number = numbers.read_number(plain)
    if order_number and Order.objects.numbered(order_number).exists():
        return Found(order=order_number)
    if "-" in plain and Outlet.objects.filter(code=plain).exists():
        return Found(outlet=plain)
    digits = plain.removeprefix("+86")
    if digits.isascii() and digits.isdecimal() and len(digits) in (LAST_FOUR, MOBILE):
        return Found(orders=_orders_of(digits))
    return Found()


def _orders_of(digits: str) -> list[Order]:
    """Return the newest orders of a mobile number, or of all that end so. One query, by an index either way."""
    if len(digits) == MOBILE:
        found = Order.objects.filter(mobile=f"+86{digits}")
    else:
        found = Order.objects.with_last_four(digits)
    return list(found.select_related("outlet").order_by("-placed_at")[:MOST_ORDERS])


def life_of_unit(number: str) -> UnitLife | None:
    """Return what is on record of the handset with this IMEI or MEID, None where nothing is. Twelve queries at most."""
    known = HandsetNumber.objects.select_related("handset").filter(number=number).first()
    if known is None:
        return None
    handset = known.handset
    events = list(HandsetEvent.objects.filter(handset=handset).order_by("seq"))
    lines, money = _lines_of(events), _money_of(events)
    outlets = _outlets({event.outlet_id for event in events} | {handset.outlet_id})
    names = names_of(line.actor for line in lines.values())
    moments = [
        _of_unit(event, lines.get(LineKey.of(event)), outlets, names, money.get(LineKey.of(event), ""))
        for event in events
    ]
    return UnitLife(
        handset,
        list(handset.numbers.values_list("number", flat=True)),
        current_catalogue().by_id.get(handset.phone_id),
        outlets.get(handset.outlet_id, ""),
        moments,
    )


def _lines_of(events: Iterable[HandsetEvent]) -> dict[LineKey, StockMovement]:
    lines = StockMovement.objects.filter(of_lines(map(LineKey.of, events)))
    return {LineKey.of_line(line): line for line in lines}


def _money_of(events: Sequence[HandsetEvent]) -> dict[LineKey, str]:
    """Say by line what was paid for the phone, and what was given back for it. Five queries at most."""
    said = {
        key: _("%(amount)s yuan, %(method)s") % {"amount": yuan(paid.paid_fen), "method": paid.method_in_words}
        for key, paid in paid_by_line(events).items()
    }
    for refund in refunds_of(map(LineKey.of, events)):
        # With an order, others may have been sold by the same line.
        if refund.handset_id == events[0].handset_id:
            key = LineKey(refund.back_outlet_id, refund.phone_id, refund.back_seq)
            facts = {"amount": yuan(refund.amount_fen), "method": refund.get_method_display()}
            said[key] = _("%(amount)s yuan given back, %(method)s") % facts
    return said


def _of_unit(
    event: HandsetEvent, line: StockMovement | None, outlets: dict[int, str], names: dict[str, str], money: str
) -> Moment:
    what = StockMovement.Kind(event.kind).label
    if line is None:
        return Moment(event.created_at, str(what), outlets.get(event.outlet_id, ""))
    order, why = _reference(line)
    said = " · ".join(filter(None, [money, why]))
    return Moment(event.created_at, str(what), outlets.get(event.outlet_id, ""), names[line.actor], said, order)


def _reference(line: StockMovement) -> tuple[str, str]:
    """Return the number of the order that a line belongs to, if any, and what else it says of why."""
    kind, _colon, name = line.reference.partition(":")
    words = {
        "transfer": _("transfer %(name)s"),
        "delivery": _("delivery %(name)s"),
        "stocktake": _("stocktake %(name)s"),
    }
    part_of = words[kind] % {"name": name} if kind in words and name else ""
    return name if kind == "order" else "", " · ".join(filter(None, [part_of, line.reason]))


def life_of_order(number: str) -> OrderLife | None:
    """Return what is on record of the order with this well-formed number, None where there is none."""
    order = Order.objects.numbered(number).select_related("outlet").prefetch_related("lines").first()
    if order is None:
        return None
    changes = list(OrderChange.objects.filter(outlet=order.outlet_id, number=number).order_by("seq"))
    payments = list(Payment.objects.filter(outlet=order.outlet_id, number=number))
    names = names_of([*(change.actor for change in changes), *(payment.actor for payment in payments)])
    moments = [_of_change(change, order, names) for change in changes]
    moments += [
        Moment(
            message.created_at,
            _("message: %(kind)s") % {"kind": message.get_kind_display()},
            why=message.get_state_display(),
        )
        for message in Message.objects.filter(outlet=order.outlet_id, number=number).order_by("created_at")
    ]
    moments += [
        Moment(
            payment.taken_at, _("paid: %(method)s") % {"method": payment.get_method_display()}, who=names[payment.actor]
        )
        for payment in payments
    ]
    return OrderLife(order, sorted(moments, key=lambda moment: moment.at), _units_of(order))


def _of_change(change: OrderChange, order: Order, names: dict[str, str]) -> Moment:
    moved = order.moved_to if change.kind == OrderChange.Kind.MOVED else ""
    if change.kind == OrderChange.Kind.PLACED:
        moved = order.moved_from
    return Moment(change.created_at, change.get_kind_display(), "", names[change.actor], change.reason, moved)


def _units_of(order: Order) -> list[str]:
    """Return the numbers of the handsets that left with the order, by way of the ledger of its hand-over."""
    phones = [line.phone_id for line in order.lines.all()]
    lines = StockMovement.objects.filter(
        outlet=order.outlet_id, phone__in=phones, kind=StockMovement.Kind.HANDED_OVER, reference=f"order:{order.number}"
    )
    asked = Q(pk__in=[])
    for phone_id, seq in lines.values_list("phone_id", "seq"):
        asked |= Q(outlet=order.outlet_id, phone=phone_id, line_seq=seq)
    handsets = HandsetEvent.objects.filter(asked).values("handset")
    return list(
        HandsetNumber.objects.filter(handset__in=handsets).order_by("handset", "slot").values_list("number", flat=True)
    )


def _outlets(ids: Iterable[int]) -> dict[int, str]:
    return {outlet.pk: f"{outlet.name} {outlet.code}" for outlet in Outlet.objects.filter(pk__in=set(ids))}


def transfers_of(outlet: Outlet) -> int:
    """Return how many transfers from or to the outlet have not ended."""
    return Transfer.objects.filter(Q(sender=outlet) | Q(receiver=outlet), ended_at=None).count()
