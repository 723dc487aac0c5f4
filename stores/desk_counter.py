"""
Single phones at the counter: taken back, written off; and shelves corrected.

A form is looked at first and then carried out.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from django.conf import settings
from django.http import HttpResponse
from django.shortcuts import redirect
from django.utils.functional import Promise
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from catalog.catalogue import current_catalogue
from catalog.models import Phone
from stores import counter, stock, unit_numbers
from stores.access import Deed
from stores.desk import DeskRequest, desk_form, show
from stores.desk_session import tell
from stores.desk_typed import words
from stores.ledger import MOST_AT_ONCE, Act, Kind
from stores.refusal_words import in_words
from stores.refusals import PhoneNeeded, StockRefusal
from stores.unit_numbers import Unit

Text = str | Promise


@dataclass(frozen=True)
class Texts:
    """What a page says about one deed with a single phone."""

    title: Text
    button: Text
    done: Text
    hint: Text = ""


TAKE_BACK = Texts(
    gettext_lazy("Take a phone back"),
    gettext_lazy("Put it on the shelf"),
    gettext_lazy("Taken back: %(phone)s, %(number)s."),
)
WRITE_OFF = Texts(
    gettext_lazy("Damaged or gone"),
    gettext_lazy("Write it off"),
    gettext_lazy("Written off: %(phone)s, %(number)s."),
    gettext_lazy("No number on it, or none on record? Leave the field empty and choose the phone."),
)
# What carries the deed out: outlet, phone, unit (None: it has no number), act.
Carry = Callable[[int, int, Unit | None, Act], Any]


@desk_form(Deed.TAKE_BACK, reading=Deed.TAKE_BACK)
def take_back(request: DeskRequest) -> HttpResponse:
    """Take a sold phone back, to be sold again."""

    def carry(outlet_id: int, phone_id: int, unit: Unit | None, act: Act) -> Any:
        return stock.return_unit(outlet_id, phone_id, unit or (), act)

    return _unit_page(request, TAKE_BACK, Kind.RETURNED, carry)


@desk_form(Deed.WRITE_OFF, reading=Deed.WRITE_OFF)
def write_off(request: DeskRequest) -> HttpResponse:
    """Write off a phone that is damaged or gone, by its number if it has one."""

    def carry(outlet_id: int, phone_id: int, unit: Unit | None, act: Act) -> Any:
        return stock.write_off(outlet_id, {phone_id: 1}, act, {phone_id: [unit]} if unit else None)

    return _unit_page(request, WRITE_OFF, Kind.DAMAGED, carry)


@desk_form(Deed.ADJUST)
def adjust(request: DeskRequest) -> HttpResponse:
    """Correct a shelf by some more or fewer, with the reason."""
    data, refused = request.POST, ""
    if request.method == "POST":
        refused = _adjust(request)
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
    return show(request, "desk/adjust.html", context, status=422 if refused else 200)


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


def _unit_page(request: DeskRequest, texts: Texts, kind: Kind, carry: Carry) -> HttpResponse:
    """Look at one phone, then carry out the deed with it."""
    refused, seen = "", ""
    # Whoever had to choose keeps the choice until the deed is carried out.
    asks_phone = kind == Kind.DAMAGED or bool(request.POST.get("phone"))
    phone, number, reason = _phone(request), request.POST.get("number", "").strip()[:40], words(request, "reason")
    if request.method == "POST":
        try:
            phone_id, unit = _look(request, kind, number, phone)
            phone = current_catalogue().by_id[phone_id]
            if request.POST.get("do") == "done" and reason:
                carry(request.outlet.pk, phone_id, unit, Act(request.form_key, request.user.actor, reason=reason))
                tell(request, str(texts.done) % _facts(phone, unit))
                return redirect(request.path)
            seen = _("%(phone)s, %(number)s.") % _facts(phone, unit)
            if request.POST.get("do") == "done":
                refused = _("Say why: the ledger keeps it.")
        except StockRefusal as refusal:
            refused, asks_phone = in_words(refusal), asks_phone or isinstance(refusal, PhoneNeeded)
            # The next scan would be added to what is wrong.
            number = number if isinstance(refusal, PhoneNeeded) else ""
    context = {
        "texts": texts,
        "phones": current_catalogue().listed,
        "phone": phone,
        "number": number,
        "reason": reason,
        "refused": refused,
        "seen": seen,
        "asks_phone": asks_phone,
    }
    return show(request, "desk/unit.html", context, status=422 if refused else 200)


def _look(request: DeskRequest, kind: Kind, number: str, phone: Phone | None) -> tuple[int, Unit | None]:
    """Return phone and unit of the form, without a unit where one without number is written off."""
    if not number and kind == Kind.DAMAGED and phone:
        counter.require_unnumbered(request.outlet.pk, phone.pk, 1)
        return phone.pk, None
    return counter.look(request.outlet.pk, kind, number, phone.pk if phone else None)


def _facts(phone: Phone, unit: Unit | None) -> dict[str, str]:
    return {
        "phone": phone.name,
        "number": unit[0] if unit else _("without a number"),
    }


def _phone(request: DeskRequest) -> Phone | None:
    data = request.POST if request.method == "POST" else request.GET
    return current_catalogue().by_slug.get(data.get("phone", ""))
