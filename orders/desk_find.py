"""One field at the counter that finds an order."""

from __future__ import annotations

from django.http import HttpResponse
from django.shortcuts import redirect
from django.utils.translation import gettext as _

from orders import finding, pickup
from orders.desk_orders import note_proof
from orders.finding import Asked, NotReadable
from orders.models import Order
from orders.refusals import OrderRefused, TooManyWrongCodes
from stores.access import Deed
from stores.desk import DeskRequest, desk_form, show


@desk_form(Deed.READ, once=False)
def find(request: DeskRequest) -> HttpResponse:
    """
    Find orders of the outlet by what was scanned or typed. One hit leads to its page, several are listed.

    It is sent as a form, because codes and mobile numbers must not stand in addresses.
    """
    if request.method != "POST":
        return show(request, "desk/find.html")
    text = request.POST.get("q", "").strip()
    try:
        asked, orders = _find(request, text)
    except OrderRefused as refusal:
        status = 429 if isinstance(refusal, TooManyWrongCodes) else 200
        return show(request, "desk/find.html", {"text": text[:60], "refusal": refusal}, status=status)
    if len(orders) == 1:
        note_proof(request, orders[0], asked)
        return redirect("order_desk:order", request.outlet.code, orders[0].number)
    return show(request, "desk/find.html", {"orders": orders})


def _find(request: DeskRequest, text: str) -> tuple[Asked, list[Order]]:
    """Return what was asked for and what fits it. Raises OrderRefused, also where nothing fits."""
    asked = finding.read(text)
    if asked is None:
        raise NotReadable(_("Please scan the picture, or type the pickup code, the number or the last four digits."))
    if asked.by.tries_a_code:
        pickup.count_guess(request.user.actor)
    orders = finding.find(request.outlet, asked)
    if asked.by.tries_a_code and any(finding.proves(asked, order) for order in orders):
        pickup.take_guess_back(request.user.actor)
    if not orders:
        raise NotReadable(_("No order of this outlet fits. Please compare the digits with the text message."))
    return asked, orders
