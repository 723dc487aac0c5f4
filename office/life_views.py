"""Looking for an order or a phone, and reading what is on record of it; customers are masked."""

from __future__ import annotations

from typing import Any

from django.db.models import QuerySet
from django.http import Http404, HttpResponse
from django.shortcuts import get_object_or_404, redirect
from django.utils.translation import gettext as _

from catalog.catalogue import current_catalogue
from catalog.models import Phone
from office import trail
from office.access import OfficeDeed
from office.doors import OfficeRequest, office_deed, office_form, office_page
from office.life import OrderLife, UnitLife, life_of_order, life_of_unit, search
from office.models import TrailEntry
from orders import numbers
from orders.models import Order
from stores.desk import show
from stores.ledger_words import ledger_page
from stores.models import Outlet, StockLevel

ORDERS_SHOWN = 50


@office_form(OfficeDeed.READ_ORDERS)
def find(request: OfficeRequest) -> HttpResponse:
    """
    Lead to what was asked for, or list the orders that fit.

    It is sent as a form, because mobile numbers must not stand in addresses.
    """
    if request.method != "POST":
        return show(request, "office/find.html")
    asked = request.POST.get("q", "").replace("\0", "").strip()
    found = search(asked)
    if found.unit:
        return redirect("office:unit", found.unit)
    if found.order:
        return redirect("office:order", found.order)
    if found.outlet:
        return redirect("office:books", found.outlet)
    refusal = "" if found.orders else _("Nothing on record fits.")
    return show(request, "office/find.html", {"asked": asked, "orders": found.orders, "refusal": refusal})


@office_page(OfficeDeed.READ_ORDERS)
def unit(request: OfficeRequest, number: str) -> HttpResponse:
    """Show a phone's life."""
    return show(request, "office/unit.html", {"life": unit_life(number)})


def unit_life(number: str) -> UnitLife:
    """Return what is on record of a phone. Raises Http404 where nothing is."""
    life = life_of_unit(number)
    if life is None:
        raise Http404
    return life


@office_page(OfficeDeed.READ_ORDERS)
def order(request: OfficeRequest, number: str) -> HttpResponse:
    """Show an order's life, its customer masked."""
    return _order_page(request, number)


@office_deed(OfficeDeed.SHOW_PERSONAL)
def show_customer(request: OfficeRequest, number: str) -> HttpResponse:
    """Show the customer's name and number, this once; the trail says to whom."""
    trail.note(TrailEntry.Deed.SHOWN, Order._meta.db_table, number)
    return _order_page(request, number, is_shown=True)


def _order_page(request: OfficeRequest, number: str, **more: Any) -> HttpResponse:
    life = order_life(number)
    may_show = request.standing.may(OfficeDeed.SHOW_PERSONAL) and not life.order.erased_at
    return show(request, "office/order.html", {"life": life, "may_show": may_show, **more})


def order_life(number: str) -> OrderLife:
    """Return what is on record of an order. Raises Http404 where nothing is."""
    life = life_of_order(number) if numbers.read_number(number) == number else None
    if life is None:
        raise Http404
    return life


@office_page(OfficeDeed.READ_ORDERS)
def books(request: OfficeRequest, code: str) -> HttpResponse:
    """Show an outlet's shelves and its newest orders."""
    outlet = get_object_or_404(Outlet, code=code)
    context = {
        "outlet": outlet,
        "levels": shelves_of(outlet),
        "orders": Order.objects.at(outlet).select_related("outlet").order_by("-placed_at")[:ORDERS_SHOWN],
    }
    return show(request, "office/books.html", context)


def shelves_of(outlet: Outlet) -> QuerySet[StockLevel]:
    return StockLevel.objects.filter(outlet=outlet).select_related("phone").order_by("phone__position")


@office_page(OfficeDeed.READ_ORDERS)
def ledger(request: OfficeRequest, code: str, slug: str) -> HttpResponse:
    """Show the ledger of a shelf, the newest lines first."""
    outlet, phone = shelf_of(code, slug)
    before = request.GET.get("before", "")
    lines, more = ledger_page(outlet, phone.pk, int(before) if before.isdecimal() and len(before) < 19 else None)
    return show(request, "office/ledger.html", {"outlet": outlet, "phone": phone, "lines": lines, "more": more})


def shelf_of(code: str, slug: str) -> tuple[Outlet, Phone]:
    """Return the outlet and the phone that an address names. Raises Http404."""
    outlet, phone = get_object_or_404(Outlet, code=code), current_catalogue().by_slug.get(slug)
    if phone is None:
        raise Http404
    return outlet, phone
