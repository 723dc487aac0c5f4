"""What is on record of phones, orders and shelves, as files; customers are masked."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence

from django.db.models import QuerySet
from django.http.response import HttpResponseBase
from django.shortcuts import get_object_or_404
from django.utils.translation import gettext as _

from office.access import OfficeDeed
from office.doors import OfficeRequest, office_deed, office_page
from office.life import Moment, search
from office.life_views import order_life, shelf_of, shelves_of, unit_life
from office.list_files import hand_out, in_turn, moment_cell
from office.order_list import order_rows
from orders.models import Order
from stores.ledger_words import ledger_in_words
from stores.models import Handset, Outlet, StockLevel, StockMovement


@office_page(OfficeDeed.READ_ORDERS)
def unit_file(request: OfficeRequest, number: str) -> HttpResponseBase:
    """Hand out a phone's life."""
    rows = _moment_rows(unit_life(number).moments)
    return hand_out(request, f"unit-{number}.csv", rows, Handset, number)


@office_page(OfficeDeed.READ_ORDERS)
def order_file(request: OfficeRequest, number: str) -> HttpResponseBase:
    """Hand out an order's life."""
    rows = _moment_rows(order_life(number).moments)
    return hand_out(request, f"order-{number}.csv", rows, Order, number)


def _moment_rows(moments: Iterable[Moment]) -> Iterator[Sequence[object]]:
    yield [_("When"), _("What happened"), _("Order"), _("Why"), _("Where"), _("Who")]
    for moment in moments:
        yield [moment_cell(moment.at), moment.what, moment.order, moment.why, moment.outlet, moment.who]


@office_deed(OfficeDeed.READ_ORDERS)
def found_file(request: OfficeRequest) -> HttpResponseBase:
    """Hand out the orders that were found. It is sent as a form, and the trail does not say by which mobile number."""
    return hand_out(request, "orders.csv", order_rows(search(request.POST.get("q", "")).orders), Order)


@office_page(OfficeDeed.READ_ORDERS)
def books_file(request: OfficeRequest, code: str) -> HttpResponseBase:
    """Hand out an outlet's shelves."""
    outlet = get_object_or_404(Outlet, code=code)
    return hand_out(request, f"stock-{code}.csv", _shelf_rows(shelves_of(outlet)), StockLevel, code)


def _shelf_rows(levels: Iterable[StockLevel]) -> Iterator[Sequence[object]]:
    yield [_("Code"), _("Phone"), _("on hand"), _("reserved")]
    for level in levels:
        yield [level.phone.slug, level.phone.name, level.on_hand, level.reserved]


@office_page(OfficeDeed.READ_ORDERS)
def ledger_file(request: OfficeRequest, code: str, slug: str) -> HttpResponseBase:
    """Hand out the whole ledger of a shelf, the newest line first."""
    outlet, phone = shelf_of(code, slug)
    lines = StockMovement.objects.filter(outlet=outlet, phone=phone.pk).order_by("-seq")
    return hand_out(request, f"ledger-{code}-{slug}.csv", _ledger_rows(lines), StockMovement, f"{code} {slug}")


def _ledger_rows(lines: QuerySet[StockMovement]) -> Iterator[Sequence[object]]:
    yield [
        _("Number"), _("When"), _("What happened"), _("change on hand"), _("change reserved"), _("on hand"),
        _("reserved"), _("Why"), _("Who"),
    ]  # fmt: skip
    for line in ledger_in_words(in_turn(lines)):
        row = line.row
        yield [
            row.seq, moment_cell(row.created_at), row.get_kind_display(), row.change_on_hand, row.change_reserved,
            row.on_hand, row.reserved, line.why, line.who,
        ]  # fmt: skip
