"""Taking stock at the desk: count, look at the differences, say why, book."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Any

from django.http import HttpResponse
from django.shortcuts import redirect
from django.utils.translation import gettext as _
from django.utils.translation import ngettext

from catalog.catalogue import current_catalogue
from catalog.models import Phone
from stores import stocktakes
from stores.access import Deed
from stores.desk import DeskRequest, desk_deed, desk_form, show
from stores.desk_session import note_done, tell
from stores.desk_typed import words
from stores.durations import moment_in_words
from stores.ledger import MOST_AT_ONCE
from stores.models import StockLevel, Stocktake, StocktakeLine
from stores.people import names_of
from stores.refusal_words import in_words
from stores.refusals import CountIsNotNews, StockRefusal

_LAST = 5


@dataclass(frozen=True)
class Shelf:
    """One phone on the page: what was counted of it so far, if anything, and what is wrong with what was typed."""

    phone: Phone
    line: StocktakeLine | None
    moment: str
    error: str = ""


@desk_form(Deed.COUNT, reading=Deed.COUNT)
def stocktake(request: DeskRequest) -> HttpResponse:
    """
    Count: type how many of some phones there are, or scan one after another. Each form is noted at once.

    What the books say is not shown here: who counts shall look at the shelf.
    """
    if request.method != "POST":
        asked = current_catalogue().by_slug.get(request.GET.get("phone", ""))
        return _page(request, stocktakes.under_way(request.outlet), chosen=asked.pk if asked else None, asked=asked)
    if "number" in request.POST:
        return _scan(request)
    counted, errors = _typed(request)
    take = stocktakes.begin(request.outlet, request.user.actor) if counted else stocktakes.under_way(request.outlet)
    if take and counted:
        try:
            stocktakes.count(take, counted, request.user.actor, request.form_key)
        except StockRefusal as refusal:
            return _page(request, stocktakes.under_way(request.outlet), refusal=str(refusal), status=409)
    if errors:
        return _page(request, take, errors=errors)
    if counted:
        tell(request, ngettext("Noted: one phone.", "Noted: %(count)d phones.", len(counted)) % {"count": len(counted)})
    return redirect("desk:stocktake", request.outlet.code)


def _scan(request: DeskRequest) -> HttpResponse:
    """Note one scanned phone. It takes no redirect: the field is empty and has the focus for the next scan."""
    typed = request.POST["number"].strip()[:60]
    chosen = request.POST.get("phone", "")
    phone_id = int(chosen) if re.fullmatch("[0-9]{1,5}", chosen, re.ASCII) else None
    if phone_id not in current_catalogue().by_id:
        phone_id = None
    take = stocktakes.begin(request.outlet, request.user.actor)
    try:
        row = stocktakes.scan(take, typed, phone_id, request.user.actor)
    except StockRefusal as refusal:
        return _page(request, take, refusal=in_words(refusal), chosen=phone_id)
    note_done(request, row.number)
    return _page(request, take, scanned=row, chosen=phone_id)


def _typed(request: DeskRequest) -> tuple[dict[int, int], dict[int, str]]:
    """Return the counts that were typed, and what is wrong with the others, by phone id. Empty fields are no count."""
    counted, errors = {}, {}
    for phone in current_catalogue().by_id.values():
        text = request.POST.get(f"count-{phone.pk}", "").strip()
        if re.fullmatch("[0-9]{1,5}", text, re.ASCII) and int(text) <= MOST_AT_ONCE:
            counted[phone.pk] = int(text)
        elif text:
            errors[phone.pk] = _("Please write a number from 0 to %(most)d.") % {"most": MOST_AT_ONCE}
    return counted, errors


def _page(
    request: DeskRequest,
    take: Stocktake | None,
    errors: dict[int, str] | None = None,
    refusal: str = "",
    status: int = 200,
    **more: Any,
) -> HttpResponse:
    lines = {line.phone_id: line for line in take.lines.all()} if take else {}
    kept = set(StockLevel.objects.filter(outlet=request.outlet).values_list("phone_id", flat=True)) | set(lines)
    phones = [phone for phone in current_catalogue().by_id.values() if not phone.is_discontinued or phone.pk in kept]
    shelves = [
        Shelf(phone, line, moment_in_words(line.counted_at) if line else "", (errors or {}).get(phone.pk, ""))
        for phone in phones
        for line in [lines.get(phone.pk)]
    ]
    past = Stocktake.objects.filter(outlet=request.outlet, closed_at__isnull=False)[:_LAST]
    names = names_of(each.closed_by for each in past)
    context = {
        "take": take,
        "shelves": shelves,
        "counted": len(lines),
        "refusal": refusal,
        "past": [
            (moment_in_words(each.closed_at or each.opened_at), each.get_end_display(), names[each.closed_by])
            for each in past
        ],
    }
    return show(request, "desk/stocktake.html", context | more, status=status)


@desk_form(Deed.COUNT, reading=Deed.COUNT)
def differences(request: DeskRequest) -> HttpResponse:
    """Show what differs from the books, and book it with a reason for each difference."""
    if request.method != "POST":
        take = stocktakes.under_way(request.outlet)
        return _differences_page(request, take) if take else redirect("desk:stocktake", request.outlet.code)
    sent = request.POST.get("stocktake", "")
    take = Stocktake.objects.filter(outlet=request.outlet, pk=int(sent)).first() if _is_key(sent) else None
    if take is None:
        return redirect("desk:stocktake", request.outlet.code)
    seen, reasons = {}, {}
    for phone_id in current_catalogue().by_id:
        if re.fullmatch(r"-?[0-9]{1,9}", change := request.POST.get(f"change-{phone_id}", ""), re.ASCII):
            seen[phone_id] = int(change)
        reasons[phone_id] = words(request, f"reason-{phone_id}")
    try:
        booked = stocktakes.book(take, reasons, seen, request.user.actor)
    except CountIsNotNews as refusal:
        names = _(", ").join(current_catalogue().by_id[each.phone_id].name for each in refusal.older)
        refusal_text = _("Another count came in later. Please count again: %(phones)s.") % {"phones": names}
        return _differences_page(request, take, refusal=refusal_text, reasons=reasons, status=409)
    except stocktakes.StocktakeRefused as refusal:
        if refusal.code == "over":
            tell(request, str(refusal))
            return redirect("desk:stocktake", request.outlet.code)
        return _differences_page(request, take, refusal=str(refusal), reasons=reasons, status=409)
    done = ngettext("Booked: one difference.", "Booked: %(count)d differences.", len(booked)) % {"count": len(booked)}
    tell(request, done if booked else _("Booked: shelf and books agree."))
    return redirect("desk:stocktake", request.outlet.code)


def _is_key(text: str) -> bool:
    return bool(re.fullmatch("[0-9]{1,18}", text, re.ASCII))


def _differences_page(request: DeskRequest, take: Stocktake, status: int = 200, **more: Any) -> HttpResponse:
    found = stocktakes.differences(take)
    context = {
        "take": take,
        "different": [each for each in found if each.is_different],
        "same": [each for each in found if not each.is_different],
        "reasons": {},
    }
    return show(request, "desk/stocktake_differences.html", context | more, status=status)


@desk_deed(Deed.COUNT)
def drop_stocktake(request: DeskRequest) -> HttpResponse:
    """Throw a count away that is under way."""
    take = stocktakes.under_way(request.outlet)
    if take:
        try:
            stocktakes.drop(take, request.user.actor)
        except stocktakes.StocktakeRefused as refusal:
            tell(request, str(refusal))
        else:
            tell(request, _("The count was thrown away. Nothing was booked."))
    return redirect("desk:stocktake", request.outlet.code)
