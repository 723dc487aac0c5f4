"""Ending an order without handing it over: the outlet declines it, or the customer does not want it."""

from __future__ import annotations

import re

from django.http.response import HttpResponseBase
from django.utils.translation import gettext as _

from orders import lifecycle
from orders.desk_orders import carry_out, of_this_outlet
from orders.history import Kind
from orders.models import Order
from stores.access import Deed
from stores.desk import DeskRequest, desk_form, show
from stores.desk_typed import words

# More than any shelf holds.
MOST = 9999


@desk_form(Deed.DECLINE, reading=Deed.DECLINE)
@of_this_outlet
def decline(request: DeskRequest, order: Order) -> HttpResponseBase:
    """Ask why, and what is on the shelf after all; then tell the customer where else it is to be had."""
    if request.method != "POST":
        return _decline_page(request, order)
    reason, counts, errors = words(request, "reason"), {}, {}
    if order.is_open and not reason:
        errors["reason"] = _("Please say why.")
    for line in order.lines.all():
        typed = request.POST.get(f"count-{line.position}", "").strip()
        if not typed:
            continue
        if not re.fullmatch("[0-9]{1,4}", typed, re.ASCII):
            errors[f"count-{line.position}"] = _("Please write a number from 0 to %(most)d.") % {"most": MOST}
        else:
            counts[line.phone_id] = int(typed)
    if errors:
        return _decline_page(request, order, errors)
    return carry_out(
        request,
        order,
        Kind.DECLINED,
        lambda: lifecycle.decline(order, request.user.actor, reason, counted=counts or None),
        done=_("Declined. The customer is told where else it is to be had."),
        before=_("Declined before, by %(who)s at %(time)s."),
    )


def _decline_page(request: DeskRequest, order: Order, errors: dict[str, str] | None = None) -> HttpResponseBase:
    context = {"order": order, "lines": order.lines.all(), "errors": errors or {}, "typed": request.POST}
    return show(request, "desk/decline.html", context)


@desk_form(Deed.CANCEL, reading=Deed.CANCEL)
@of_this_outlet
def cancel(request: DeskRequest, order: Order) -> HttpResponseBase:
    """Cancel for a customer who says so at the counter or calls."""
    if request.method != "POST":
        return show(request, "desk/cancel.html", {"order": order, "lines": order.lines.all()})
    return carry_out(
        request,
        order,
        Kind.CANCELLED,
        lambda: lifecycle.cancel(order, request.user.actor, words(request, "reason")),
        done=_("Cancelled. The phones are free again, and the customer gets a text message."),
        before=_("Cancelled before, by %(who)s at %(time)s."),
    )
