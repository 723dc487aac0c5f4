"""Taking a sold phone back at the counter: scan, look, give back what was paid or less; then the receipt."""

from __future__ import annotations

from typing import Any

from django.http import HttpResponse
from django.shortcuts import get_object_or_404, redirect
from django.utils.translation import gettext as _

from catalog.catalogue import current_catalogue
from catalog.models import Phone
from catalog.templating import yuan
from orders import refunds
from orders.models import Payment, Refund
from orders.refunds import Paid
from orders.refusals import WrongAmount
from stores import counter
from stores.access import Deed
from stores.desk import DeskRequest, desk_form, desk_page, show
from stores.desk_session import tell
from stores.desk_typed import fen, words
from stores.ledger import Act, Kind
from stores.refusal_words import in_words
from stores.refusals import StockRefusal
from stores.unit_numbers import Unit


@desk_form(Deed.TAKE_BACK, reading=Deed.TAKE_BACK)
def take_back(request: DeskRequest) -> HttpResponse:
    """Look at a sold phone by its number (the scanner's Enter), or take it back, wherever it was sold."""
    shown: dict[str, Any] = {}
    if request.method == "POST":
        try:
            phone, unit = _look(request)
            paid = refunds.paid_for(unit)
            shown = {"number": unit[0], "phone": phone, "paid": paid, "reason": words(request, "reason")}
            shown["amount"] = request.POST.get("amount", yuan(paid.paid_fen) if paid else "")[:12]
            if _is_complete(request, paid):
                if shown["reason"]:
                    return _taken_back(request, phone, unit)
                shown["errors"] = {"reason": _("Say why: the ledger keeps it.")}
        except WrongAmount as refusal:
            shown["errors"] = {"amount": refusal}
        except StockRefusal as refusal:
            shown = {"refused": in_words(refusal)}
    is_wrong = shown.get("errors") or shown.get("refused")
    context = {"methods": Payment.Method, "errors": {}} | shown
    return show(request, "desk/take_back.html", context, status=422 if is_wrong else 200)


def _look(request: DeskRequest) -> tuple[Phone, Unit]:
    number = request.POST.get("number", "").strip()[:40]
    phone_id, unit = counter.look(request.outlet.pk, Kind.RETURNED, number, None)
    return current_catalogue().by_id[phone_id], unit


def _is_complete(request: DeskRequest, paid: Paid | None) -> bool:
    """Whether a button was pressed that takes the phone back: it says how the money went back, if there was any."""
    return request.POST.get("method") in Payment.Method.values if paid else request.POST.get("do") == "done"


def _taken_back(request: DeskRequest, phone: Phone, unit: Unit) -> HttpResponse:
    refund = refunds.take_back(
        request.outlet.pk,
        phone.pk,
        unit,
        Act(request.form_key, request.user.actor, reason=words(request, "reason")),
        method=request.POST.get("method", ""),
        amount_fen=fen(request, "amount"),
    )
    tell(request, _("Taken back: %(phone)s, %(number)s.") % {"phone": phone.name, "number": unit[0]})
    if refund is None:
        return redirect(request.path)
    return redirect("order_desk:refund", request.outlet.code, phone.slug, refund.back_seq)


@desk_page()
def refund(request: DeskRequest, slug: str, back_seq: int) -> HttpResponse:
    """Show the receipt of what was given back here, to be printed on a roll of 80 mm."""
    found = get_object_or_404(Refund, back_outlet=request.outlet, phone__slug=slug, back_seq=back_seq)
    return show(request, "desk/refund_receipt.html", {"receipt": refunds.receipt_of(request.outlet, found)})
