"""The page of one order: look it up, see how it stands, cancel it, move it, keep it longer."""

from __future__ import annotations

import re
from collections.abc import Callable
from functools import wraps
from typing import Any

from django.http import HttpRequest, HttpResponse
from django.http.response import HttpResponseBase
from django.shortcuts import redirect, render
from django.utils import timezone

from api.limits import TooManyCalls, address_of, count_call
from catalog.caching import form_page, personal_page
from catalog.catalogue import current_catalogue
from catalog.private import private_page
from orders import choosing, doors, lifecycle, links
from orders.access import let_forget, let_see, visible_numbers
from orders.basket import Line, Wanted
from orders.calendar import calendar_file
from orders.forms import LookUpForm
from orders.models import Order
from orders.order_page import Whole, describe, whole_order
from orders.places import place_asked
from orders.refusals import OrderRefused

View = Callable[..., HttpResponse]


@private_page
@form_page
def look_up(request: HttpRequest) -> HttpResponse:
    """Ask for number and last four digits; a wrong number and wrong digits get the same answer."""
    if request.method == "POST":
        return _look_up(request)
    return _look_up_page(request, LookUpForm())


def _look_up(request: HttpRequest) -> HttpResponse:
    form = LookUpForm(request.POST)
    if not form.is_valid():
        return _look_up_page(request, form)
    number = form.cleaned_data["number"]
    try:
        _count_look_up(request, number)
    except TooManyCalls as refusal:
        return doors.too_many(_look_up_page(request, form, doors.come_back_later(refusal)), refusal)
    order = Order.objects.for_lookup(number, form.cleaned_data["last_four"])
    if order is None:
        return _look_up_page(request, form, doors.no_such_order())
    response = redirect(order)
    let_see(request, response, order.number)
    return response


def _count_look_up(request: HttpRequest, number: str) -> None:
    count_call((doors.LOOK_UPS_OF_AN_ADDRESS, address_of(request)), (doors.LOOK_UPS_OF_AN_ORDER, number))


def _look_up_page(request: HttpRequest, form: LookUpForm, refusal: str = "") -> HttpResponse:
    context = {"form": form, "refusal": refusal, "mine": visible_numbers(request)}
    return render(request, "orders/look_up.html", context)


def of_ones_own(view: View) -> Callable[..., HttpResponseBase]:
    """
    Give `view` the order instead of its number. A browser that may not see it is asked to look it up.

    So is one that asks for an order that does not exist: the two cannot be told apart.
    """
    return private_page(_checked(view, _order_of))


def whole_of_ones_own(view: View) -> Callable[..., HttpResponseBase]:
    """Give `view` the order with all that its page tells; else like `of_ones_own`."""
    return private_page(_checked(view, lambda number: whole_order(number, timezone.now())))


def _checked(view: View, find: Callable[[str], Any]) -> View:
    @wraps(view)
    def checked(request: HttpRequest, number: str, **kwargs: Any) -> HttpResponse:
        key = request.GET.get("k", "")
        if key and request.method != "POST":
            return _open_by_key(request, number, key)
        found = find(number) if number in visible_numbers(request) else None
        if found is None:
            return _look_up_page(request, LookUpForm(initial={"number": number}))
        return view(request, found, **kwargs)

    return checked


def _order_of(number: str) -> Order | None:
    return Order.objects.numbered(number).filter(erased_at=None).select_related("outlet").first()


def _open_by_key(request: HttpRequest, number: str, key: str) -> HttpResponse:
    """Follow a link from a text message; the key then leaves the address, so that no history keeps it."""
    try:
        _count_look_up(request, number)
    except TooManyCalls as refusal:
        form = LookUpForm(initial={"number": number})
        return doors.too_many(_look_up_page(request, form, doors.come_back_later(refusal)), refusal)
    response = redirect(request.path)
    if links.opens(number, key[:20]):
        let_see(request, response, number)
    return response


@personal_page
@whole_of_ones_own
def order_page(request: HttpRequest, whole: Whole) -> HttpResponse:
    return _page_of(request, whole)


def _page_of(request: HttpRequest, whole: Whole, refusal: OrderRefused | None = None) -> HttpResponse:
    saved = request.GET.get("saved", "")
    context = describe(whole, timezone.now()) | {
        "refusal": refusal,
        "saved_fen": int(saved) if re.fullmatch("[0-9]{1,9}", saved, re.ASCII) else 0,
    }
    return render(request, "orders/order.html", context, status=409 if refusal else 200)


@form_page
@of_ones_own
def cancel(request: HttpRequest, order: Order) -> HttpResponse:
    return _deed(request, order, lambda: lifecycle.cancel(order, actor=doors.CUSTOMER))


@form_page
@of_ones_own
def extend(request: HttpRequest, order: Order) -> HttpResponse:
    return _deed(request, order, lambda: lifecycle.extend_hold(order, actor=doors.CUSTOMER))


def _deed(request: HttpRequest, order: Order, deed: Callable[[], Any]) -> HttpResponse:
    """
    Do it and show the order anew; where it is refused, say why on the order's page.

    Who only reads the address comes from the language links of that refusal, and gets the order.
    """
    if request.method != "POST":
        return redirect(order)
    try:
        deed()
    except OrderRefused as refusal:
        fresh = whole_order(order.number, timezone.now())
        if fresh:
            return _page_of(request, fresh, refusal)
    return redirect(order)


@form_page
@of_ones_own
def move(request: HttpRequest, order: Order) -> HttpResponse:
    """Show the nearest other shops that can hand over all of it; one tap moves it there, all or nothing."""
    if request.method == "POST":
        return _move(request, order)
    return _move_page(request, order)


def _move(request: HttpRequest, order: Order) -> HttpResponse:
    outlet = choosing.outlet_of(request.POST.get("outlet", ""))
    if outlet is None:
        return _move_page(request, order)
    try:
        moved = lifecycle.move_order(order, outlet, actor=doors.CUSTOMER)
    except OrderRefused as refusal:
        return _move_page(request, order, refusal)
    response = redirect(moved)
    let_see(request, response, moved.number)
    return response


def _move_page(request: HttpRequest, order: Order, refusal: OrderRefused | None = None) -> HttpResponse:
    wanted = _wanted_of(order)
    place = place_asked(request, near=order.outlet)
    offers = choosing.nearest_offers(wanted, place.point) if place.point else []
    context = {
        "order": order,
        "wanted": wanted,
        "place": place,
        "offers": [offer for offer in offers if offer.outlet.pk != order.outlet_id],
        "refusal": refusal,
    }
    return render(request, "orders/move.html", context, status=409 if refusal else 200)


def _wanted_of(order: Order) -> Wanted:
    phones = current_catalogue().by_id
    lines = tuple(Line(phones[line.phone_id], line.quantity, fixed_fen=line.price_fen) for line in order.lines.all())
    return Wanted(lines, is_basket=False)


@personal_page
@of_ones_own
def calendar(request: HttpRequest, order: Order) -> HttpResponse:
    url = request.build_absolute_uri(order.get_absolute_url())
    response = HttpResponse(calendar_file(order, url, timezone.now()), content_type="text/calendar; charset=utf-8")
    response["Content-Disposition"] = f'attachment; filename="{order.number}.ics"'
    return response


@form_page
@private_page
def forget(request: HttpRequest, number: str) -> HttpResponse:
    """Let this browser forget the order: it may be somebody else's phone."""
    if request.method != "POST":
        return redirect("orders:order", number)
    response = redirect("orders:lookup")
    let_forget(request, response, number)
    return response
