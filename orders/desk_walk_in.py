"""Selling at the counter to somebody who walks in: scan, look, paid; then the receipt."""

from __future__ import annotations

import re
from typing import Any

from django.conf import settings
from django.http import HttpResponse
from django.shortcuts import get_object_or_404, redirect
from django.utils.translation import get_language
from django.utils.translation import gettext as _

from catalog.catalogue import current_catalogue
from catalog.models import Phone
from catalog.prices import offers_at_prices
from orders import walk_in
from orders.mobiles import parse_mobile
from orders.models import Payment, WalkInSale
from orders.refusals import BadMobile, WrongAmount
from stores import counter
from stores.access import Deed
from stores.desk import DeskRequest, desk_deed, desk_form, desk_page, show
from stores.desk_session import tell
from stores.ledger import Act, Kind
from stores.refusal_words import in_words
from stores.refusals import PhoneNeeded, StockRefusal
from stores.unit_numbers import Unit

# So many of the outlet's newest sales are shown, so that a receipt can be printed once more.
NEWEST = 5


@desk_form(Deed.SELL, reading=Deed.SELL)
def sell(request: DeskRequest) -> HttpResponse:
    """Look at a phone by its number (the scanner's Enter), or sell it for what was paid by `method`."""
    data, shown = request.POST if request.method == "POST" else request.GET, {}
    chosen = current_catalogue().by_slug.get(data.get("phone", ""))
    number = data.get("number", "").strip()[:40]
    if request.method == "POST":
        try:
            phone, unit = _look(request, number, chosen)
            if data.get("method") in Payment.Method.values:
                return _sold(request, phone, unit)
            shown = _seen(request, phone, unit)
        except WrongAmount as refusal:
            shown = _seen(request, phone, unit) | {"refused": _("The price has changed. %(why)s") % {"why": refusal}}
        except StockRefusal as refusal:
            # The next scan would be added to what is wrong.
            number = number if isinstance(refusal, PhoneNeeded) else ""
            shown = {"refused": in_words(refusal), "asks_phone": isinstance(refusal, PhoneNeeded)}
    return _page(request, number, {"phone": chosen, "asks_phone": bool(data.get("phone"))} | shown)


def _look(request: DeskRequest, number: str, chosen: Phone | None) -> tuple[Phone, Unit]:
    phone_id, unit = counter.look(request.outlet.pk, Kind.WALK_IN_SALE, number, chosen.pk if chosen else None)
    return current_catalogue().by_id[phone_id], unit


def _seen(request: DeskRequest, phone: Phone, unit: Unit) -> dict[str, Any]:
    price = walk_in.price_at(request.outlet.pk, phone.pk)
    offer = offers_at_prices({phone.pk: price.price_fen})[phone.pk]
    return {"phone": phone, "seen": unit[0], "price": price, "offer": offer}


def _sold(request: DeskRequest, phone: Phone, unit: Unit) -> HttpResponse:
    amount = request.POST.get("amount_fen", "")
    sale = walk_in.sell(
        request.outlet.pk,
        phone,
        unit,
        Act(request.form_key, request.user.actor),
        method=Payment.Method(request.POST["method"]),
        amount_fen=int(amount) if re.fullmatch("[0-9]{1,9}", amount, re.ASCII) else -1,
    )
    tell(request, _("Sold and paid: %(phone)s.") % {"phone": phone.name})
    return redirect("order_desk:sale", request.outlet.code, phone.slug, sale.seq)


def _page(request: DeskRequest, number: str, shown: dict[str, Any]) -> HttpResponse:
    newest = WalkInSale.objects.filter(outlet=request.outlet)[:NEWEST]
    phones = current_catalogue()
    context = {
        "number": number,
        "phones": phones.listed,
        "methods": Payment.Method,
        "newest": [(phones.by_id[sale.phone_id], sale) for sale in newest],
    }
    return show(request, "desk/sell.html", context | shown, status=422 if shown.get("refused") else 200)


def _sale(request: DeskRequest, slug: str, seq: int) -> WalkInSale:
    return get_object_or_404(WalkInSale, outlet=request.outlet, phone__slug=slug, seq=seq)


@desk_page()
def sale(request: DeskRequest, slug: str, seq: int) -> HttpResponse:
    """Show the receipt of a sale, to be printed on a roll of 80 mm; its form sends it to a number."""
    return _receipt_page(request, _sale(request, slug, seq))


@desk_deed(Deed.SELL)
def send_sale(request: DeskRequest, slug: str, seq: int) -> HttpResponse:
    """Have the receipt sent to the number that the customer says; it is forgotten as soon as that is done."""
    found = _sale(request, slug, seq)
    typed, language = request.POST.get("mobile", "").replace("\0", "")[:40], request.POST.get("language", "")
    try:
        mobile = parse_mobile(typed)
    except BadMobile as refusal:
        return _receipt_page(request, found, refusal=refusal, typed=typed)
    is_new = walk_in.send_receipt(found, mobile, language if language in dict(settings.LANGUAGES) else get_language())
    done = _("The receipt goes out by text message.")
    tell(request, done if is_new else _("The receipt was sent by text message before."))
    return redirect("order_desk:sale", request.outlet.code, slug, seq)


def _receipt_page(request: DeskRequest, found: WalkInSale, **more: Any) -> HttpResponse:
    context = {
        "receipt": walk_in.receipt_of(request.outlet, found),
        "languages": settings.LANGUAGES,
        "now": get_language(),
    }
    return show(request, "desk/sale_receipt.html", context | more, status=422 if more else 200)
