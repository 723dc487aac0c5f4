"""The pages from the basket to a reservation."""

from __future__ import annotations

import re
import uuid
from typing import Any

from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.shortcuts import redirect, render

from api.limits import TooManyCalls, address_of, count_call
from catalog.caching import form_page
from catalog.catalogue import current_catalogue
from catalog.private import keep_private, no_page_to_find
from catalog.same_origin import takes_forms_without_token
from orders import choosing, doors, form_keys, terms
from orders.access import let_see
from orders.basket import Wanted, changed, keep_basket, lines_of, read_basket, wanted_in
from orders.checkout import place_order
from orders.forms import ReservationForm
from orders.models import Channel, Order
from orders.places import place_asked
from orders.refusals import OrderRefused, OutletNotOpen, OutOfStock, PriceRose, SaleRefused
from stores.geography import Point
from stores.models import Outlet
from stores.my_outlet import chosen_code


@takes_forms_without_token
@no_page_to_find
@form_page
def basket(request: HttpRequest) -> HttpResponse:
    catalogue = current_catalogue()
    wishes = read_basket(request)
    if request.method == "POST":
        slug, quantity = request.POST.get("phone", ""), request.POST.get("quantity", "")
        if slug in catalogue.by_slug:
            wishes = changed(wishes, slug, int(quantity) if re.fullmatch("[0-9]{1,3}", quantity, re.ASCII) else None)
        response: HttpResponse = redirect("orders:basket")
        keep_basket(response, wishes)
        return response
    gone = [catalogue.by_slug[slug] for slug in wishes if slug in catalogue.by_slug]
    wanted = Wanted(lines_of(wishes, catalogue), is_basket=True)
    context = {"wanted": wanted, "gone": [phone for phone in gone if phone.is_discontinued]}
    return render(request, "orders/basket.html", context)


@no_page_to_find
@form_page
def checkout(request: HttpRequest) -> HttpResponse:
    """From what is wanted to an order: choose a shop, fill in the form, send it. The address says how far one is."""
    wanted = wanted_in(request, current_catalogue())
    if not wanted.lines:
        return redirect("orders:basket")
    if request.method == "POST":
        return _reserve(request, wanted)
    # An empty `outlet` asks for the choice even where a shop was chosen before.
    code = request.GET.get("outlet", chosen_code(request) or "")
    offer = choosing.offer_at(code, wanted)
    if offer and offer.has_everything:
        return _form_page(request, wanted, offer, ReservationForm.blank())
    return _choice_page(request, wanted, offer)


def _choice_page(request: HttpRequest, wanted: Wanted, unable: choosing.Offer | None) -> HttpResponse:
    """Offer the shops that can hand over everything. `unable` is one that was asked for and cannot."""
    place = place_asked(request)
    context: dict[str, Any] = {"wanted": wanted, "place": place, "unable": unable}
    if place.point:
        context |= _near(wanted, place.point)
    return render(request, "orders/choose.html", context)


def _near(wanted: Wanted, point: Point) -> dict[str, Any]:
    """Return the shops near `point`: the able ones, and some that have a part where an able one is far."""
    able = choosing.nearest_offers(wanted, point)
    near_enough = able and (able[0].km or 0) <= choosing.FAR_KM
    is_single = len(wanted.lines) == 1 and wanted.lines[0].quantity == 1
    partial = [] if near_enough or is_single else choosing.nearest_partial_offers(wanted, point)
    return {"offers": able, "partial": partial}


def _form_page(
    request: HttpRequest, wanted: Wanted, offer: choosing.Offer, form: ReservationForm, **more: Any
) -> HttpResponse:
    secret = form_keys.secret_of(request)
    context = {
        "wanted": wanted,
        "offer": offer,
        "form": form,
        "form_key": form_keys.sent_key(request) or form_keys.key_of_form(secret, wanted, offer.outlet.code),
        "terms": terms.TERMS[terms.CURRENT],
        **more,
    }
    response = render(request, "orders/reserve.html", context)
    form_keys.keep_secret(request, response, secret)
    # What was typed must not lie in any cache.
    return keep_private(response) if form.is_bound else response


def _reserve(request: HttpRequest, wanted: Wanted) -> HttpResponse:
    outlet = choosing.outlet_of(request.POST.get("outlet", ""))
    if outlet is None:
        return _choice_page(request, wanted, None)
    form = ReservationForm(request.POST)
    if not form.is_valid():
        return _show_again(request, wanted, outlet, form)
    mobile = form.cleaned_data["mobile"]
    key = form_keys.key_of_order(form_keys.sent_key(request) or uuid.uuid4().hex, mobile)
    seen_fen = _seen_fen(request)
    try:
        count_call(
            (doors.RESERVATIONS_OF_AN_ADDRESS, address_of(request)),
            (doors.RESERVATIONS_OF_A_MOBILE, mobile),
        )
        order = place_order(
            outlet=outlet,
            lines=wanted.quantities,
            name=form.cleaned_data["name"],
            mobile=mobile,
            language=form.cleaned_data["language"],
            form_key=key,
            channel=Channel.WEB,
            actor=doors.CUSTOMER,
            accepted_fen=seen_fen,
        )
    except TooManyCalls as refusal:
        form.add_error(None, doors.come_back_later(refusal))
        again = _placed_before(request, wanted, outlet, key)
        return again or doors.too_many(_show_again(request, wanted, outlet, form), refusal)
    except PriceRose:
        return _show_again(request, wanted.as_listed(current_catalogue()), outlet, form, new_prices=True)
    except OrderRefused as refusal:
        return _refused(request, wanted, outlet, form, refusal)
    return _reserved(request, wanted, order, seen_fen)


def _seen_fen(request: HttpRequest) -> int:
    """Return the sum that the form has shown; nothing that can be paid where it has lost it."""
    text = request.POST.get("total", "")
    return int(text) if re.fullmatch("[0-9]{1,9}", text, re.ASCII) else 0


def _refused(
    request: HttpRequest, wanted: Wanted, outlet: Outlet, form: ReservationForm, refusal: OrderRefused
) -> HttpResponse:
    """Say why not, and where else everything is to be had: sending the form again reserves it there."""
    form.add_error(None, str(refusal))
    others = []
    if isinstance(refusal, SaleRefused):
        wanted = wanted.at_prices(refusal.data["prices"])
    if isinstance(refusal, OutOfStock | OutletNotOpen):
        point = Point(outlet.latitude, outlet.longitude)
        others = [offer for offer in choosing.nearest_offers(wanted, point) if offer.outlet.pk != outlet.pk][:3]
    response = _show_again(
        request, wanted, outlet, form, refusal=refusal, others=others, is_offered=isinstance(refusal, SaleRefused)
    )
    response.status_code = 409
    return response


def _show_again(
    request: HttpRequest, wanted: Wanted, outlet: Outlet, form: ReservationForm, **more: Any
) -> HttpResponse:
    offer = choosing.offer_at(outlet.code, wanted)
    return _form_page(request, wanted, offer, form, **more) if offer else _choice_page(request, wanted, None)


def _placed_before(request: HttpRequest, wanted: Wanted, outlet: Outlet, key: str) -> HttpResponse | None:
    """Return the way to the order that this very form has placed already, if it has."""
    order = Order.objects.filter(outlet=outlet, form_key=key).first()
    return _reserved(request, wanted, order) if order else None


def _reserved(request: HttpRequest, wanted: Wanted, order: Order, seen_fen: int = 0) -> HttpResponse:
    saved = f"?saved={seen_fen - order.total_fen}" if seen_fen > order.total_fen else ""
    # Asked to redirect to a text, Django looks for a view of that name first.
    response = keep_private(HttpResponseRedirect(order.get_absolute_url() + saved))
    let_see(request, response, order.number)
    if wanted.is_basket:
        keep_basket(response, {})
    return response
