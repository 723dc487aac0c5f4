"""
Single phones at the counter: written off; and shelves corrected.

A form is looked at first and then carried out.
"""

from __future__ import annotations

from django.conf import settings
from django.http import HttpResponse
from django.shortcuts import redirect
from django.utils.translation import gettext as _

from catalog.catalogue import current_catalogue
from catalog.models import Phone
from stores import counter, stock, unit_numbers
from stores.access import Deed, NotAllowed
from stores.desk import DeskRequest, desk_form, show
from stores.desk_session import tell
from stores.desk_typed import words
from stores.ledger import MOST_AT_ONCE, Act, Kind
from stores.refusal_words import in_words
from stores.refusals import PhoneNeeded, StockRefusal
from stores.unit_numbers import Unit


@desk_form(Deed.WRITE_OFF, reading=Deed.WRITE_OFF)
def write_off(request: DeskRequest) -> HttpResponse:
    """Look at a phone that is damaged or gone, by its number if it has one, or write it off."""
    refused, seen, reason_error = "", "", ""
    phone, number, reason = _phone(request), request.POST.get("number", "").strip()[:40], words(request, "reason")
    if request.method == "POST":
        try:
            phone_id, unit = _look(request, number, phone)
            phone = current_catalogue().by_id[phone_id]
            facts = {"phone": phone.name, "number": unit[0] if unit else _("without a number")}
            if request.POST.get("do") == "done" and reason:
                act = Act(request.form_key, request.user.actor, reason=reason)
                stock.write_off(request.outlet.pk, {phone_id: 1}, act, {phone_id: [unit]} if unit else None)
                tell(request, _("Written off: %(phone)s, %(number)s.") % facts)
                return redirect(request.path)
            seen = _("%(phone)s, %(number)s.") % facts
            if request.POST.get("do") == "done":
                reason_error = _("Say why: the ledger keeps it.")
        except StockRefusal as refusal:
            refused = in_words(refusal)
            # The next scan would be added to what is wrong.
            number = number if isinstance(refusal, PhoneNeeded) else ""
    context = {
        "phones": current_catalogue().listed,
        "phone": phone,
        "number": number,
        "reason": reason,
        "reason_error": reason_error,
        "refused": refused,
        "seen": seen,
    }
    return show(request, "desk/write_off.html", context, status=422 if refused or reason_error else 200)


def _look(request: DeskRequest, number: str, phone: Phone | None) -> tuple[int, Unit | None]:
    """Return phone and unit of the form, without a unit where one without number is written off."""
    if not number and phone:
        counter.require_unnumbered(request.outlet.pk, phone.pk, 1)
        return phone.pk, None
    return counter.look(request.outlet.pk, Kind.DAMAGED, number, phone.pk if phone else None)


@desk_form(Deed.ADJUST)
def adjust(request: DeskRequest) -> HttpResponse:
    """Correct a shelf by some more or fewer, with the reason."""
    data, refused, status = request.POST, "", 200
    if request.method == "POST":
        try:
            refused, status = _adjust(request), 422
        except NotAllowed as refusal:
            # The form stays as it was typed: part of it may be done, or somebody who may is called.
            refused, status = str(refusal), 403
        if not refused:
            return redirect("desk:phone", request.outlet.code, data.get("phone", ""))
    context = {
        "phones": current_catalogue().listed,
        "phone": _phone(request),
        "way": data.get("way", ""),
        "quantity": data.get("quantity", "")[:9],
        "reason": words(request, "reason"),
        "number": data.get("number", "")[:40],
        "limit": settings.DESK_ADJUST_LIMIT,
        "refused": refused,
    }
    return show(request, "desk/adjust.html", context, status=status)


def _adjust(request: DeskRequest) -> str:
    """Correct the shelf as the form says; return why not, or nothing. Raises NotAllowed."""
    data, phone, reason = request.POST, _phone(request), words(request, "reason")
    text, typed = data.get("quantity", "").strip(), data.get("number", "").strip()
    quantity = int(text) if text.isascii() and text.isdecimal() and len(text) <= 5 else 0
    if phone is None:
        return _("Choose one of the phones.")
    if data.get("way") not in ("more", "fewer"):
        return _("Say whether there are more or fewer.")
    if not 1 <= quantity <= MOST_AT_ONCE:
        return _("Type how many, 1 or more.")
    if not reason:
        return _("Say why: the ledger keeps it.")
    if typed and (data["way"] == "fewer" or quantity > 1):
        return _("A number is for one phone that turned up.")
    difference = quantity if data["way"] == "more" else -quantity
    try:
        unit = (unit_numbers.number(typed),) if typed else None
        act = Act(request.form_key, request.user.actor, reason=reason)
        counter.adjust(request.standing, phone.pk, difference, act, unit)
    except StockRefusal as refusal:
        return in_words(refusal)
    tell(request, _("Corrected: %(phone)s by %(difference)+d.") % {"phone": phone.name, "difference": difference})
    return ""


def _phone(request: DeskRequest) -> Phone | None:
    data = request.POST if request.method == "POST" else request.GET
    return current_catalogue().by_slug.get(data.get("phone", ""))
