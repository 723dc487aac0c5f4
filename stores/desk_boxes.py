"""
Scanning phones at the desk: deliveries, and both ends of a transfer, with the same page.

The field sends one number after another. With script (`static/desk-scan.js`) a request with `X-Scan` gets the changing
part of the page alone; without, the whole page.
"""

from __future__ import annotations

from typing import Any, NamedTuple

from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.utils.translation import gettext as _
from django.utils.translation import ngettext

from catalog.catalogue import current_catalogue
from catalog.models import Phone
from stores import boxes
from stores.access import Deed
from stores.box_contents import Scanned, contents_of
from stores.boxes import BoxRefused, Purpose
from stores.desk import DeskRequest, desk_deed, desk_form, show
from stores.desk_session import note_done, tell
from stores.desk_typed import words
from stores.durations import moment_in_words
from stores.models import Box, BoxScan, Transfer
from stores.people import name_of
from stores.refusal_words import in_words
from stores.refusals import StockRefusal

DEED = {
    Purpose.DELIVERY: Deed.RECEIVE,
    Purpose.SENDING: Deed.SEND_TRANSFER,
    Purpose.ARRIVING: Deed.RECEIVE_TRANSFER,
}
NOTE_LENGTH = 40


class Said(NamedTuple):
    """The one line about what was done last."""

    text: str
    is_good: bool = True


@desk_form(Deed.RECEIVE, reading=Deed.RECEIVE)
def receive(request: DeskRequest) -> HttpResponse:
    """Show what can be received: a supplier's delivery (its form opens a box), and transfers that are on their way."""
    if request.method == "POST":
        note = words(request, "note", NOTE_LENGTH)
        opened = boxes.open_delivery(request.outlet.pk, note, request.user.actor)
        note_done(request, _("the box is open."))
        return _to(request, opened)
    coming = Transfer.objects.filter(receiver=request.outlet, state=Transfer.State.SENT).select_related("sender")
    context = {
        "box": Box.objects.filter(outlet=request.outlet, purpose=Purpose.DELIVERY, closed_at=None).first(),
        "coming": coming.order_by("sent_at"),
    }
    return show(request, "desk/receive.html", context)


@desk_form(Deed.RECEIVE)
def box(request: DeskRequest, box_id: int) -> HttpResponse:
    """Show a box; its form puts one number into it."""
    found = _box(request, box_id)
    if request.method != "POST":
        return _page(request, found)
    typed = request.POST.get("number", "").strip()[:80]
    if not typed:
        return _page(request, found)
    try:
        row = boxes.scan(found.pk, typed)
    except StockRefusal as refusal:
        return _page(request, found, Said(in_words(refusal), False))
    return _page(request, found, Said(_scanned(found, row)))


@desk_deed(Deed.RECEIVE)
def change(request: DeskRequest, box_id: int) -> HttpResponse:
    """Change a box in another way than by a scan, as the button says that was pressed."""
    found = _box(request, box_id)
    try:
        said = _change(request, found, request.POST.get("do", ""))
    except StockRefusal as refusal:
        return _page(request, found, Said(in_words(refusal), False), status=409)
    if _is_scan(request):
        return _page(request, found, Said(said))
    tell(request, said)
    return _to(request, found)


@desk_deed(Deed.RECEIVE)
def book(request: DeskRequest, box_id: int) -> HttpResponse:
    """Book what is in a box, or tell who has done so already."""
    found = _box(request, box_id)
    version = _number(request, "version")
    try:
        booked = boxes.book(
            found.pk, version, request.user.actor, nothing_arrived=bool(request.POST.get("nothing_arrived"))
        )
    except StockRefusal as refusal:
        return _page(request, found, Said(in_words(refusal), False), status=409)
    tell(request, _booked(booked) if booked.is_new else _closed_in_words(booked.box, booked.quantity))
    if found.transfer_id:
        return redirect("desk:transfer", request.outlet.code, found.transfer_id)
    return redirect("desk:board", request.outlet.code)


def _box(request: DeskRequest, box_id: int) -> Box:
    """Return a box of this outlet, to somebody who may do what it is for."""
    here = Box.objects.select_related("transfer__sender", "transfer__receiver").filter(outlet=request.outlet)
    found = get_object_or_404(here, pk=box_id)
    if request.method == "POST":
        request.standing.require(DEED[Purpose(found.purpose)])
    return found


def _to(request: DeskRequest, box: Box) -> HttpResponse:
    return redirect("desk:box", request.outlet.code, box.pk)


def _is_scan(request: HttpRequest) -> bool:
    """Whether the page's script asks for the changing part alone."""
    return request.headers.get("X-Scan") == "yes"


def _page(request: DeskRequest, box: Box, said: Said | None = None, status: int = 200) -> HttpResponse:
    box.refresh_from_db(fields=["version", "phone", "has_pairs", "end", "closed_by", "closed_at"])
    if said and said.is_good:
        note_done(request, said.text)
    phones = current_catalogue()
    contents = contents_of(box)
    context: dict[str, Any] = {
        "box": box,
        "heading": _heading(box),
        "contents": contents,
        "said": said,
        "phone": phones.by_id.get(box.phone_id or 0),
        "phones": phones.listed,
        "awaiting": next((each for each in contents.latest[:1] if each.awaits_second), None),
        "book_words": _book_words(box, contents.quantity),
        "is_arriving": box.purpose == Purpose.ARRIVING,
        "is_sending": box.purpose == Purpose.SENDING,
        "closed_words": "" if box.is_open else _closed_in_words(box),
    }
    if _is_scan(request) and box.is_open:
        return render(request, "desk/_box.html", context)
    return show(request, "desk/box.html", context, status=status)


def _change(request: DeskRequest, box: Box, do: str) -> str:
    """Carry out what the button `do` stands for; return what to say. Raises StockRefusal."""
    match do:
        case "phone":
            phone = _phone(request)
            has_pairs = bool(request.POST.get("has_pairs")) and phone.dual_sim
            boxes.choose_phone(box.pk, phone.pk, has_pairs=has_pairs)
            return _("Scan %(phone)s now.") % {"phone": phone.name}
        case "count":
            phone, counted = _phone(request), _number(request, "counted")
            boxes.count(box.pk, phone.pk, counted, _number(request, "damaged") if request.POST.get("damaged") else 0)
            return _("%(phone)s: %(count)d without numbers.") % {"phone": phone.name, "count": counted}
        case "all":
            boxes.count_all(box.pk)
            return _("All of them, without scanning.")
        case "undo":
            row = boxes.undo(box.pk, _number(request, "seq"))
            return _("Taken back: %(number)s.") % {"number": row.number} if row else _("Taken back already.")
        case "damaged" | "whole":
            boxes.mark(box.pk, _number(request, "seq"), damaged=do == "damaged")
            return _("Marked as damaged.") if do == "damaged" else _("Marked as whole.")
        case "drop":
            boxes.drop(box.pk, request.user.actor)
            return _("Thrown away: nothing was booked.")
    raise BoxRefused("unknown", _("Press one of the buttons of this page."))


def _phone(request: DeskRequest) -> Phone:
    phone = current_catalogue().by_slug.get(request.POST.get("phone", ""))
    if phone is None:
        raise BoxRefused("no_phone", _("Choose one of the phones."))
    return phone


def _number(request: DeskRequest, name: str) -> int:
    """Return a number that a form has sent, -1 for anything else."""
    text = request.POST.get(name, "").strip()
    return int(text) if text.isascii() and text.isdecimal() and len(text) <= 9 else -1


def _heading(box: Box) -> str:
    if box.transfer is None:
        if box.note:
            return _("Delivery %(note)s") % {"note": box.note}
        return _("Delivery")
    if box.purpose == Purpose.SENDING:
        return _("Send to %(outlet)s") % {"outlet": box.transfer.receiver.name}
    return _("Receive from %(outlet)s") % {"outlet": box.transfer.sender.name}


def _scanned(box: Box, row: BoxScan) -> str:
    contents = contents_of(box)
    unit = next(each for each in contents.scanned if row.number in each.numbers)
    said = _("Phone %(place)d: %(phone)s.") % {"place": unit.place, "phone": unit.phone.name}
    return f"{said} {_second(unit)}" if row.slot == 2 or row.awaits_second else said


def _second(unit: Scanned) -> str:
    return _("Now its second number.") if unit.awaits_second else _("Both numbers are there.")


def _book_words(box: Box, quantity: int) -> str:
    if box.purpose == Purpose.SENDING:
        words = ngettext("Send one phone on its way", "Send %(count)d phones on their way", quantity)
    else:
        words = ngettext("Put one phone on the shelf", "Put %(count)d phones on the shelf", quantity)
    return words % {"count": quantity}


def _booked(booked: boxes.Booked) -> str:
    if booked.box.purpose == Purpose.SENDING:
        words = ngettext("One phone is on its way.", "%(count)d phones are on their way.", booked.quantity)
    elif booked.quantity:
        words = ngettext("Received: one phone.", "Received: %(count)d phones.", booked.quantity)
    else:
        words = _("Noted that nothing arrived.")
    return words % {"count": booked.quantity}


def _closed_in_words(box: Box, quantity: int | None = None) -> str:
    """Say who closed a box and when; `quantity` where somebody tries to book it again."""
    if box.closed_at is None:
        return ""
    said = {"name": name_of(box.closed_by), "time": moment_in_words(box.closed_at), "count": quantity or 0}
    if box.end == Box.End.DROPPED:
        return _("Thrown away by %(name)s, %(time)s.") % said
    if quantity is None:
        return _("Booked already by %(name)s, %(time)s.") % said
    words = ngettext(
        "Booked already by %(name)s, %(time)s: one phone.",
        "Booked already by %(name)s, %(time)s: %(count)d phones.",
        quantity,
    )
    return words % said
