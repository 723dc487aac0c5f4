"""The page of an order at the counter: how it stands, who did what, and what can be done with it now."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime
from functools import wraps
from typing import Any, NamedTuple

from django.http import HttpResponse
from django.http.response import HttpResponseBase
from django.shortcuts import redirect
from django.utils import timezone
from django.utils.translation import gettext as _

from orders import finding, lifecycle, pickup
from orders.finding import Asked
from orders.history import Kind
from orders.models import Order, OrderChange, Payment, State
from orders.refusals import OrderRefused
from orders.today import shortfalls_at
from stores.access import Deed
from stores.desk import DeskRequest, desk_deed, show
from stores.desk_session import tell
from stores.hours import clock
from stores.people import name_of, names_of

# In the session: the order whose pickup code was shown, so that it need not be typed again.
_PROVED = "proved_order"


class Step(NamedTuple):
    """One line of an order's history."""

    what: str
    who: str
    when: datetime
    reason: str


def of_this_outlet(view: Callable[..., HttpResponseBase]) -> Callable[..., HttpResponseBase]:
    """Give the view the order instead of its number; where this outlet has none such, say so."""

    @wraps(view)
    def found(request: DeskRequest, number: str) -> HttpResponseBase:
        order = Order.objects.at(request.outlet).filter(number=number).prefetch_related("lines").first()
        if order is None:
            return show(request, "desk/no_order.html", status=404)
        return view(request, order)

    return found


def note_proof(request: DeskRequest, order: Order, asked: Asked) -> None:
    """Remember that the pickup code of `order` was shown in this session, if what was asked for holds it."""
    if finding.proves(asked, order):
        note_proved(request, order)


def note_proved(request: DeskRequest, order: Order) -> None:
    request.session[_PROVED] = order.number


def is_proved(request: DeskRequest, order: Order) -> bool:
    return request.session.get(_PROVED) == order.number


def forget_proof(request: DeskRequest) -> None:
    request.session.pop(_PROVED, None)


def show_order(request: DeskRequest, order: Order, status: int = 200, **more: Any) -> HttpResponse:
    """Answer with the page of an order. `more` is what a form that was sent adds: what was typed, what is wrong."""
    may = request.standing.may
    context = {
        "order": order,
        "lines": order.lines.all(),
        "steps": steps_of(order),
        # Who hands over must know whom to call; everybody else sees a mask.
        "is_clear": order.is_open and may(Deed.HAND_OVER),
        "may": {deed.value: may(deed) for deed in (Deed.SET_ASIDE, Deed.HAND_OVER, Deed.DECLINE, Deed.CANCEL)},
        "may_without_code": may(Deed.HAND_OVER_WITHOUT_CODE),
        "is_proved": is_proved(request, order),
        "now": timezone.now(),
        "methods": Payment.Method,
        "typed": {},
    }
    if order.state == State.PLACED:
        context["shortfalls"] = shortfalls_at(request.outlet, [line.phone_id for line in order.lines.all()])
    if order.state == State.READY and may(Deed.HAND_OVER) and "scans" not in more:
        context["scans"] = pickup.scans_of(order, {})
    return show(request, "desk/order.html", context | more, status=status)


def steps_of(order: Order) -> list[Step]:
    """Return the order's history, newest first. Two queries."""
    changes = list(order.history.order_by("-seq"))
    names = names_of(change.actor for change in changes)
    return [
        Step(change.get_kind_display(), names[change.actor], timezone.localtime(change.created_at), _reason(change))
        for change in changes
    ]


def _reason(change: OrderChange) -> str:
    # A moved order keeps the number it came from there.
    return "" if change.kind == Kind.PLACED else change.reason


def carry_out(
    request: DeskRequest, order: Order, kind: Kind, deed: Callable[[], Order], *, done: str, before: str
) -> HttpResponse:
    """
    Do a deed with an order and lead to its page, which says `done`; or `before` with who and time, if it was done.

    Where the rules say no, answers with the page and the reason.
    """
    seen = order.state
    try:
        after = deed()
    except OrderRefused as refusal:
        return show_order(request, Order.objects.at(request.outlet).get(number=order.number), 409, refusal=refusal)
    change = after.history.filter(kind=kind).latest("seq")
    if after.state == seen or change.actor != request.user.actor:
        facts = {"who": name_of(change.actor), "time": clock(timezone.localtime(change.created_at))}
        tell(request, before % facts)
    else:
        tell(request, done)
    return redirect("order_desk:order", request.outlet.code, order.number)


@desk_deed(Deed.SET_ASIDE)
@of_this_outlet
def set_aside(request: DeskRequest, order: Order) -> HttpResponseBase:
    return carry_out(
        request,
        order,
        Kind.READY,
        lambda: lifecycle.set_ready(order, request.user.actor),
        done=_("Set aside. The customer gets a text message."),
        before=_("Set aside before, by %(who)s at %(time)s."),
    )
