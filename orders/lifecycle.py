"""
What can become of an order once it is placed.

Each deed takes the order and who does it, is one transaction together with its stock, and returns the order as it is
then. Done before already, it changes nothing and returns the order: pages and scanners may send it twice. The order is
locked first and its shelves after it, so that of a clerk, the customer and the clock one wins and the others are told.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime, timedelta

from django.conf import settings
from django.db import transaction
from django.utils import timezone
from django.utils.translation import gettext as _

from orders import checkout, history
from orders.checkout import Draft
from orders.history import Kind, advance, quantities, refuse_unless
from orders.models import OPEN_STATES, Message, Order, Payment, State
from orders.refusals import AlreadyCollected, AlreadyExtended, AlreadyMoved, BadQuantity, SameOutlet, WrongAmount
from stores import counts, stock
from stores.hours import clock
from stores.models import Outlet, StockLevel
from stores.people import name_of
from stores.unit_numbers import Unit


@transaction.atomic
def set_ready(order: Order, actor: str, *, now: datetime | None = None) -> Order:
    """Record that the clerk has set the phones aside; from now on the ready hold runs. Raises WrongState."""
    order, now = history.lock(order), now or timezone.now()
    if order.state != State.READY:
        refuse_unless(order, State.PLACED)
        held_until = now + timedelta(hours=settings.HOLD_HOURS_READY)
        advance(
            [order], Kind.READY, state=State.READY, actor=actor, now=now, message=Message.Kind.READY,
            ready_at=now, held_until=held_until, reminded_at=None,
        )  # fmt: skip
    return order


@transaction.atomic
def collect(
    order: Order,
    actor: str,
    *,
    method: Payment.Method,
    amount_fen: int,
    units: Mapping[int, Sequence[Unit]],
    form_key: str = "",
    reason: str = "",
) -> Order:
    """
    Hand the phones over against payment of what is due.

    `units` are the handsets scanned, by phone id; `reason` says why without a pickup code, where it was so. Raises
    WrongState, AlreadyCollected where another form than that of `form_key` did it, WrongAmount, BadQuantity when the
    handsets are not those that were ordered, and the refusals of `stores.stock.hand_over`.
    """
    order, now = history.lock(order), timezone.now()
    if order.state == State.COLLECTED:
        if form_key:
            refuse_other_form(order, form_key)
        return order
    refuse_unless(order, State.READY)
    if amount_fen != order.due_fen:
        raise WrongAmount(_("The amount is not what is due."), due_fen=order.due_fen, amount_fen=amount_fen)
    if {phone_id: len(given) for phone_id, given in units.items()} != quantities(order):
        raise BadQuantity(_("The handsets scanned are not those that were ordered."))
    stock.hand_over(order.outlet_id, units, _act(order, Kind.COLLECTED, actor))
    Payment.objects.create(
        outlet_id=order.outlet_id, number=order.number, method=method, amount_fen=amount_fen, actor=actor,
        taken_at=now, form_key=form_key,
    )  # fmt: skip
    advance(
        [order], Kind.COLLECTED, state=State.COLLECTED, actor=actor, reason=reason, now=now, ended_at=now,
        paid_fen=amount_fen,
    )  # fmt: skip
    return order


def refuse_other_form(order: Order, form_key: str) -> None:
    """Raise AlreadyCollected, which says who and when, unless the collected order was paid by this very form."""
    payment = Payment.objects.get(outlet_id=order.outlet_id, number=order.number)
    if payment.form_key != form_key:
        raise AlreadyCollected(
            _("Already handed over by %(who)s at %(time)s.")
            % {"who": name_of(payment.actor), "time": clock(timezone.localtime(payment.taken_at))},
            actor=payment.actor,
            at=payment.taken_at,
        )


@transaction.atomic
def cancel(order: Order, actor: str, reason: str = "") -> Order:
    """Give the phones back to the shelf because the customer does not want them. Raises WrongState."""
    order, now = history.lock(order), timezone.now()
    if order.state != State.CANCELLED:
        refuse_unless(order, *OPEN_STATES)
        stock.release(order.outlet_id, quantities(order), _act(order, Kind.CANCELLED, actor, reason))
        _end(order, Kind.CANCELLED, State.CANCELLED, actor, reason, now, Message.Kind.CANCELLED)
    return order


@transaction.atomic
def decline(order: Order, actor: str, reason: str, *, counted: Mapping[int, int] | None = None) -> Order:
    """
    Say that the outlet cannot find the phones: the promise is taken back and the shelf is put right by a count.

    `counted` is what the clerk found on the shelf, by phone id of the order; without it the phones ordered are taken
    to be missing. A count below what others were promised opens a shortfall. Raises WrongState.
    """
    order, now = history.lock(order), timezone.now()
    if order.state != State.DECLINED:
        refuse_unless(order, *OPEN_STATES)
        ordered = quantities(order)
        stock.release(order.outlet_id, ordered, _act(order, Kind.DECLINED, actor, reason))
        _put_right(order, ordered, counted, actor, reason)
        _end(order, Kind.DECLINED, State.DECLINED, actor, reason, now, Message.Kind.DECLINED)
    return order


def _put_right(
    order: Order, ordered: Mapping[int, int], counted: Mapping[int, int] | None, actor: str, reason: str
) -> None:
    """Correct the shelf that a promise could not be kept from. Its rows are locked by now."""
    act = stock.Act(f"order:{order.number}:missing", actor, history.reference(order), reason[:200] or "not found")
    if counted:
        if not set(counted) <= set(ordered):
            raise BadQuantity(_("Only phones of this order can be counted here."))
        counts.apply_count(order.outlet_id, counted, timezone.now(), act)
    elif missing := _missing(order.outlet_id, ordered):
        stock.adjust(order.outlet_id, missing, act)


def _missing(outlet_id: int, ordered: Mapping[int, int]) -> dict[int, int]:
    shelves = StockLevel.objects.filter(outlet_id=outlet_id, phone_id__in=ordered).values_list("phone_id", "on_hand")
    return {phone_id: -min(on_hand, ordered[phone_id]) for phone_id, on_hand in shelves if on_hand}


@transaction.atomic
def extend_hold(order: Order, actor: str) -> Order:
    """Keep the order longer, once. Raises WrongState, AlreadyExtended."""
    order, now = history.lock(order), timezone.now()
    refuse_unless(order, *OPEN_STATES)
    if order.extended_at is not None:
        raise AlreadyExtended(_("This order was kept longer once already."), held_until=order.held_until)
    held_until = max(order.held_until, now) + timedelta(hours=settings.HOLD_HOURS_EXTENSION)
    advance([order], Kind.EXTENDED, actor=actor, now=now, extended_at=now, held_until=held_until, reminded_at=None)
    return order


def move_order(order: Order, outlet: Outlet, actor: str) -> Order:
    """
    Let the order live on at `outlet`, under a number of that outlet and at its old prices; return it as it is there.

    All or nothing, while it is not yet set aside, or when it was declined. What was bought in a sale window counts at
    `outlet` from then on. Raises WrongState, AlreadyMoved, SameOutlet, OutletNotOpen, OutOfStock, SaleLimitReached (a
    declined order had given back what the customer has used since), SaleQuotaUsedUp.
    """
    return checkout.drawing_again(lambda: _move(order, outlet, actor))


def _move(order: Order, outlet: Outlet, actor: str) -> Order:
    # As placing does: the mobile number before any row.
    checkout.lock_customer(order.mobile)
    old, now = history.lock(order), timezone.now()
    if old.moved_to:
        return _moved_before(old, outlet)
    refuse_unless(old, State.PLACED, State.DECLINED)
    if outlet.pk == old.outlet_id:
        raise SameOutlet(_("The order is at this outlet already."))
    lines, fixed = checkout.lines_of(old)
    wanted = {line.phone_id: line.quantity for line in lines}
    draft = Draft(
        outlet=outlet, lines=lines, name=old.name, mobile=old.mobile, language=old.language, channel=old.channel,
        form_key=f"moved:{old.number}", actor=actor, tells=Message.Kind.MOVED, fixed=fixed,
        moved_from=old.number,
    )  # fmt: skip
    # Shelves are locked in one order in the whole country: by outlet, then by phone.
    if old.state == State.PLACED and old.outlet_id < outlet.pk:
        stock.release(old.outlet_id, wanted, _act(old, Kind.MOVED, actor))
    new = checkout.write_order(draft, is_limited=False)
    if old.state == State.PLACED and old.outlet_id > outlet.pk:
        stock.release(old.outlet_id, wanted, _act(old, Kind.MOVED, actor))
    if old.state == State.PLACED:
        advance([old], Kind.MOVED, state=State.CANCELLED, actor=actor, now=now, moved_to=new.number, ended_at=now)
    else:
        advance([old], Kind.MOVED, actor=actor, now=now, moved_to=new.number)
    return new


def _moved_before(old: Order, outlet: Outlet) -> Order:
    new = Order.objects.numbered(old.moved_to).get()
    if new.outlet_id != outlet.pk:
        raise AlreadyMoved(_("This order was moved to another outlet already."), number=old.moved_to)
    return new


def _act(order: Order, kind: Kind, actor: str, reason: str = "") -> stock.Act:
    return stock.Act(history.stock_key(order, kind), actor, history.reference(order), reason[:200])


def _end(order: Order, kind: Kind, state: State, actor: str, reason: str, now: datetime, message: Message.Kind) -> None:
    advance([order], kind, state=state, actor=actor, reason=reason, now=now, message=message, ended_at=now)
