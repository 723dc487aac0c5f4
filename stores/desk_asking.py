"""Asking another outlet for phones: for one phone, of whoever has it nearby; or for several, of one outlet."""

from __future__ import annotations

import re
from typing import Any

from django.http import Http404, HttpResponse
from django.shortcuts import redirect
from django.utils import timezone
from django.utils.translation import gettext as _
from django.utils.translation import ngettext

from catalog.catalogue import current_catalogue
from catalog.models import Phone
from stores import transfers
from stores.access import Deed
from stores.desk import DeskRequest, desk_form, desk_page, show
from stores.desk_session import tell
from stores.ledger import Act
from stores.models import AVAILABLE, Outlet, StockLevel
from stores.neighbours import neighbours
from stores.refusal_words import in_words
from stores.refusals import StockRefusal

# What one shop asks another for at once, of each phone; more is a delivery.
MOST_ASKED = 20


@desk_form(Deed.REQUEST_TRANSFER)
def nearby(request: DeskRequest, slug: str) -> HttpResponse:
    """Show the nearest outlets that can give away a phone; its form asks one of them for some."""
    phone = current_catalogue().by_slug.get(slug)
    if phone is None:
        raise Http404
    refused = ""
    if request.method == "POST":
        sender = _outlet(request, request.POST.get("sender", ""))
        quantity = _quantity(request.POST.get("quantity", ""))
        if sender is None:
            refused = _("Choose one of these outlets.")
        elif not quantity:
            refused = _("Ask for 1 to %(most)d at once.") % {"most": MOST_ASKED}
        else:
            try:
                return _ask(request, sender, {phone: quantity})
            except StockRefusal as refusal:
                refused = in_words(refusal)
    context = {"phone": phone, "near": neighbours(request.outlet, timezone.now(), phone), "refused": refused}
    return show(request, "desk/nearby.html", context, status=422 if refused else 200)


@desk_page(Deed.REQUEST_TRANSFER)
def ask_whom(request: DeskRequest) -> HttpResponse:
    """Show the nearest outlets, each of which can be asked for several phones."""
    return show(request, "desk/ask_whom.html", {"near": neighbours(request.outlet, timezone.now())})


@desk_form(Deed.REQUEST_TRANSFER, reading=Deed.REQUEST_TRANSFER)
def ask(request: DeskRequest, sender_code: str) -> HttpResponse:
    """Show what another outlet can give away; its form asks for as many of each phone as are typed."""
    sender = _outlet(request, sender_code)
    if sender is None:
        raise Http404
    refused = ""
    wanted, errors = _typed(request)
    if request.method == "POST":
        if wanted and not errors:
            try:
                return _ask(request, sender, wanted)
            except StockRefusal as refusal:
                refused = in_words(refusal)
        elif not errors:
            refused = _("Type how many you need of at least one phone.")
    context = {"sender": sender, "rows": _rows(request, sender, errors), "refused": refused}
    return show(request, "desk/ask.html", context, status=422 if refused or errors else 200)


def _typed(request: DeskRequest) -> tuple[dict[Phone, int], dict[Phone, str]]:
    """Return how many of which phones were typed, and what is wrong with the others."""
    wanted, errors = {}, {}
    for phone in current_catalogue().listed:
        text = request.POST.get(f"quantity-{phone.pk}", "").strip()
        if quantity := _quantity(text):
            wanted[phone] = quantity
        elif text and text != "0":
            errors[phone] = _("Ask for 1 to %(most)d at once.") % {"most": MOST_ASKED}
    return wanted, errors


def _rows(request: DeskRequest, sender: Outlet, errors: dict[Phone, str]) -> list[dict[str, Any]]:
    """Return the phones that the sender can give away or that were typed: what it has, what is here. Two queries."""
    there = dict(StockLevel.objects.filter(outlet=sender).values_list("phone", AVAILABLE))
    here = dict(StockLevel.objects.filter(outlet=request.outlet).values_list("phone", "on_hand"))
    typed = {phone: request.POST.get(f"quantity-{phone.pk}", "")[:9] for phone in current_catalogue().listed}
    return [
        {
            "phone": phone,
            "there": there.get(phone.pk, 0),
            "here": here.get(phone.pk, 0),
            "typed": text,
            "error": errors.get(phone, ""),
        }
        for phone, text in typed.items()
        if there.get(phone.pk, 0) or text
    ]


def _ask(request: DeskRequest, sender: Outlet, wanted: dict[Phone, int]) -> HttpResponse:
    quantities = {phone.pk: quantity for phone, quantity in wanted.items()}
    transfer = transfers.request(sender.pk, request.outlet.pk, quantities, Act(request.form_key, request.user.actor))
    count, names = sum(quantities.values()), ", ".join(phone.name for phone in wanted)
    words = ngettext("Asked %(outlet)s for one %(phone)s.", "Asked %(outlet)s for %(count)d %(phone)s.", count)
    tell(request, words % {"outlet": sender.name, "phone": names, "count": count})
    return redirect("desk:transfer", request.outlet.code, transfer.pk)


def _outlet(request: DeskRequest, code: str) -> Outlet | None:
    """Return another outlet by its code."""
    is_code = re.fullmatch("[0-9]{9}-[0-9]{2}", code, re.ASCII)
    return Outlet.objects.filter(code=code).exclude(pk=request.outlet.pk).first() if is_code else None


def _quantity(text: str) -> int:
    """Return how many were typed; 0 for what is no such number."""
    return int(text) if re.fullmatch("[0-9]{1,2}", text, re.ASCII) and int(text) <= MOST_ASKED else 0
