"""What stands on the shelves of an outlet, and what moved there."""

from __future__ import annotations

from django.http import Http404, HttpResponse
from django.utils import timezone

from catalog.catalogue import current_catalogue
from catalog.models import Phone
from stores.board import board as board_of
from stores.desk import DeskRequest, desk_page, show
from stores.ledger_words import ledger_page
from stores.models import StockLevel


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


def _phone(slug: str) -> Phone:
    phone = current_catalogue().by_slug.get(slug)
    if phone is None:
        raise Http404
    return phone
