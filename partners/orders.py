"""Orders of partners: placed by the rule of the shop, known by a reference of the partner's, seen by no other one."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any
from uuid import uuid4

from django.db.models import Exists, OuterRef
from django.utils.translation import gettext as _

from api.prepared import Planned, as_row
from orders import lifecycle, numbers
from orders.checkout import PLACING, PRICE, Asked, place_order
from orders.models import Channel, Order, OrderLine
from orders.refusals import AlreadyMoved, OrderRefused
from partners.callers import Caller
from partners.models import PartnerOrder
from stores.actors import actor
from stores.models import Outlet

# An order is moved from outlet to outlet by people, who give up before long.
MOST_MOVES = 10


class ReferenceTaken(OrderRefused):
    """The partner has another order of this reference. `reference`."""

    code = "reference_taken"


@Planned
def _place() -> str:
    """
    Place an order and write down whose it is, at once; say whether the reference is taken.

    No constraint may break the transaction: whoever tells why it was refused asks the database in it.
    """
    return f"""
        WITH asked AS MATERIALIZED ({PLACING}), link AS (
            INSERT INTO partners_partnerorder (outlet_id, number, partner_id, reference, placed_at)
            SELECT %(outlet)s, %(number)s, %(partner)s, %(reference)s, %(placed_at)s
            FROM asked WHERE outcome = 'placed' LIMIT 1
            ON CONFLICT (partner_id, reference) DO NOTHING RETURNING 1
        )
        SELECT asked.*, outcome = 'placed' AND NOT EXISTS (SELECT FROM link) AS is_taken FROM asked
    """  # noqa: S608 - a statement of ours


def place(
    caller: Caller,
    reference: str,
    *,
    outlet: Outlet,
    lines: Mapping[int, int],
    name: str,
    mobile: str,
    language: str,
    accepted_fen: int | None = None,
) -> Any:
    """
    Place an order for a partner and return it, with its `reference` and its `told_lines`.

    To be called in a transaction, by `orders.checkout.drawing_again`. Raises ReferenceTaken, after which all of it must
    be undone, and what `orders.checkout.place_order` raises.
    """
    told_lines: list[OrderLine] = []

    def ask(asked: Asked) -> list[tuple[Any, ...]]:
        rows = _place.rows(
            draft=as_row(asked),
            outlet=asked.outlet,
            number=asked.number,
            partner=caller.partner.pk,
            reference=reference,
            placed_at=asked.placed_at,
        )
        if rows[0][-1]:
            raise ReferenceTaken(_("You have an order of this reference already."), reference=reference)
        told_lines[:] = _lines_placed(asked, rows)
        return [row[:-1] for row in rows]

    order: Any = place_order(
        outlet=outlet,
        lines=lines,
        name=name,
        mobile=mobile,
        language=language,
        form_key=f"partner:{uuid4().hex}",
        channel=Channel.API,
        actor=actor("partner", caller.partner.pk),
        accepted_fen=accepted_fen,
        ask=ask,
    )
    order.reference, order.told_lines = reference, told_lines
    return order


def _lines_placed(asked: Asked, rows: Sequence[Sequence[Any]]) -> list[OrderLine]:
    """Return the lines of an order as they were written, if it was: then there is a row of each."""
    lines = zip(asked.phones, asked.quantities, asked.names_zh, asked.names_en, rows, strict=False)
    return [
        OrderLine(phone_id=phone_id, quantity=quantity, name_zh=name_zh, name_en=name_en, price_fen=row[PRICE])
        for phone_id, quantity, name_zh, name_en, row in lines
    ]


def cancel(caller: Caller, order: Any, reason: str) -> Any:
    """Cancel an own order and return it. Raises WrongState, and AlreadyMoved where it lives on elsewhere."""
    ended: Any = lifecycle.cancel(order, actor("partner", caller.partner.pk), reason)
    if ended.moved_to:
        raise AlreadyMoved(_("This order was moved to another outlet already."), number=ended.moved_to)
    ended.outlet, ended.reference = order.outlet, order.reference
    return ended


def own_orders(caller: Caller) -> Any:
    """Return the PartnerOrders of a partner, but those at an outlet or of a phone that its credentials do not reach."""
    partner, credentials = caller
    own = PartnerOrder.objects.filter(partner=partner)
    if credentials.outlets or credentials.regions:
        own = own.filter(outlet__in=Outlet.objects.reached_by(credentials))
    if credentials.phones:
        lines = OrderLine.objects.filter(outlet_id=OuterRef("outlet_id"), number=OuterRef("number"))
        own = own.exclude(Exists(lines.exclude(phone__slug__in=credentials.phones)))
    return own.select_related("order__outlet")


def own_order(caller: Caller, number: str) -> Any | None:
    """
    Return an order of the partner with its `reference`, also under the number that it was moved to; None without.

    One query, and two for each time that it was moved.
    """
    if numbers.read_number(number) != number:
        return None
    first = number
    for _move in range(MOST_MOVES):
        link = own_orders(caller).filter(outlet=numbers.outlet_of(first), number=first).first()
        if link:
            return _named(link, number, caller)
        first = Order.objects.numbered(first).values_list("moved_from", flat=True).first() or ""
        if not first:
            return None
    return None


def _named(link: PartnerOrder, number: str, caller: Caller) -> Any | None:
    """Return the order of this number, which began as that of `link`."""
    order: Any = link.order
    if order.number != number:
        reached = Outlet.objects.reached_by(caller.credentials)
        order = Order.objects.numbered(number).filter(outlet__in=reached).select_related("outlet").first()
    if order:
        order.reference = link.reference
    return order
