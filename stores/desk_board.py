"""What stands on the shelves of an outlet, what moved there, and where else there is some."""

from __future__ import annotations

from django.http import Http404, HttpResponse
from django.shortcuts import redirect
from django.utils import timezone
from django.utils.translation import gettext as _
from django.utils.translation import ngettext

from catalog.catalogue import current_catalogue
from catalog.models import Phone
from stores import transfers
from stores.access import Deed
from stores.board import board as board_of
from stores.desk import DeskRequest, desk_form, desk_page, show
from stores.desk_session import tell
from stores.finder import find_near
from stores.geography import Point
from stores.ledger import Act
from stores.ledger_words import ledger_page
from stores.models import Outlet, StockLevel
from stores.questions import Question
from stores.refusal_words import in_words
from stores.refusals import StockRefusal

# What one shop asks another for at once; more is a delivery.
MOST_ASKED = 20


@desk_page()
def board(request: DeskRequest) -> HttpResponse:
    """Show all phones with what is there of each."""
    return show(request, "desk/board.html", {"shelves": board_of(request.outlet, timezone.now())})


@desk_page()
def ledger(request: DeskRequest, slug: str) -> HttpResponse:
    """Show what happened to one phone here, the newest first; `before` goes further back."""
    phone, before = _phone(slug), request.GET.get("before", "")
    known = before.isascii() and before.isdecimal() and len(before) <= 15
    lines, more = ledger_page(request.outlet, phone.pk, int(before) if known else None)
    level = StockLevel.objects.filter(outlet=request.outlet, phone=phone.pk).first()
    return show(request, "desk/ledger.html", {"phone": phone, "lines": lines, "more": more, "level": level})


@desk_form(Deed.REQUEST_TRANSFER)
def nearby(request: DeskRequest, slug: str) -> HttpResponse:
    """Show the nearest outlets that can give away a phone; its form asks one of them for some."""
    phone = _phone(slug)
    refused = ""
    if request.method == "POST":
        sender = _outlet(request.POST.get("sender", ""))
        quantity = _quantity(request.POST.get("quantity", ""))
        if sender is None or sender == request.outlet:
            refused = _("Choose one of these outlets.")
        elif quantity is None:
            refused = _("Ask for 1 to %(most)d at once.") % {"most": MOST_ASKED}
        else:
            try:
                return _ask(request, sender, phone, quantity)
            except StockRefusal as refusal:
                refused = in_words(refusal)
    here = Point(request.outlet.latitude, request.outlet.longitude)
    rows = find_near(here, Question(point=here, phone=phone, only_having=True), timezone.now()).outlets
    others = [row for row in rows if row.code != request.outlet.code]
    context = {"phone": phone, "rows": others, "refused": refused}
    return show(request, "desk/nearby.html", context, status=422 if refused else 200)


def _ask(request: DeskRequest, sender: Outlet, phone: Phone, quantity: int) -> HttpResponse:
    act = Act(request.form_key, request.user.actor)
    transfer = transfers.request(sender.pk, request.outlet.pk, {phone.pk: quantity}, act)
    words = ngettext("Asked %(outlet)s for one %(phone)s.", "Asked %(outlet)s for %(count)d %(phone)s.", quantity)
    tell(request, words % {"outlet": sender.name, "phone": phone.name, "count": quantity})
    return redirect("desk:transfer", request.outlet.code, transfer.pk)


def _phone(slug: str) -> Phone:
    phone = current_catalogue().by_slug.get(slug)
    if phone is None:
        raise Http404
    return phone


def _outlet(code: str) -> Outlet | None:
    is_code = len(code) <= 20 and code.isascii() and code.replace("-", "").isdecimal()
    return Outlet.objects.filter(code=code).first() if is_code else None


def _quantity(text: str) -> int | None:
    is_number = text.isascii() and text.isdecimal() and len(text) <= 3
    return int(text) if is_number and 1 <= int(text) <= MOST_ASKED else None
