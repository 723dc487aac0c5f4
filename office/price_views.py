"""
What everything costs at a moment, chosen by head office: before a window opens, or long after. For one outlet it also
tells what is left of its quotas then.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from datetime import datetime
from typing import NamedTuple
from urllib.parse import urlencode

from django import forms
from django.http import HttpResponse
from django.http.response import HttpResponseBase
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from catalog.catalogue import Catalogue, catalogue_at, version_and_clock
from catalog.models import Phone, Price
from catalog.moments import SHANGHAI
from catalog.price_words import sale_name
from catalog.prices import next_change
from catalog.templating import yuan
from office.doors import OfficeRequest, office_page
from office.fields import MomentField, OutletField
from office.list_files import hand_out, moment_cell
from orders.sale_quotas import given_of_quotas
from stores.desk import show
from stores.models import Outlet


class PreviewForm(forms.Form):
    at = MomentField(label=gettext_lazy("Day and time in China"))
    outlet = OutletField(label=gettext_lazy("code of the outlet"), help_text=gettext_lazy("what is left of its quotas"))


class Previewed(NamedTuple):
    """A phone at the price of a moment, and what is `left` of its quota at an outlet; None without either."""

    phone: Phone
    left: int | None


@office_page()
def prices_page(request: OfficeRequest) -> HttpResponse:
    """Show the whole catalogue's prices as of `at`, on the clock of Asia/Shanghai; now where nothing is asked."""
    form = PreviewForm(request.GET)
    if not form.is_valid():
        return show(request, "office/prices.html", {"form": form}, status=422)
    moment, outlet = _asked(form)
    at = moment.astimezone(SHANGHAI).strftime("%Y-%m-%dT%H:%M")
    context = {
        "form": PreviewForm({**request.GET.dict(), "at": at}),
        "moment": moment,
        "outlet": outlet,
        "lines": list(_preview(catalogue_at(moment), outlet)),
        "next": next_change(moment),
        "query": urlencode({name: value for name in form.fields if (value := request.GET.get(name))}),
    }
    return show(request, "office/prices.html", context)


@office_page()
def prices_file(request: OfficeRequest) -> HttpResponseBase:
    """Hand out the same as a file."""
    form = PreviewForm(request.GET)
    if not form.is_valid():
        return show(request, "office/prices.html", {"form": form}, status=422)
    moment, outlet = _asked(form)
    rows = _rows(_preview(catalogue_at(moment), outlet))
    return hand_out(request, f"prices-{moment.astimezone(SHANGHAI):%Y-%m-%d-%H%M}.csv", rows, Price)


def _asked(form: PreviewForm) -> tuple[datetime, Outlet | None]:
    return form.cleaned_data["at"] or version_and_clock()[1], form.cleaned_data["outlet"]


def _preview(catalogue: Catalogue, outlet: Outlet | None) -> Iterator[Previewed]:
    """Yield the phones of a catalogue, at most one query more for the outlet."""
    limited = {phone.pk: sale for phone in catalogue.phones if (sale := phone.offer.sale) and sale.quota_per_outlet}
    windows = {sale.window_id for sale in limited.values()}
    given = given_of_quotas(outlet.pk, windows, catalogue.edition.moment) if outlet and windows else {}
    for phone in catalogue.phones:
        sale = limited.get(phone.pk) if outlet else None
        quota = sale and sale.quota_per_outlet
        left = max(quota - given.get((sale.window_id, phone.pk), 0), 0) if sale and quota else None
        yield Previewed(phone, left)


def _rows(lines: Iterator[Previewed]) -> Iterator[Sequence[object]]:
    yield [
        _("Code"), _("Phone"), _("Price"), _("Ordinarily"), _("Until"), _("Sale window"),
        _("most phones per mobile number"), _("most phones per shop"), _("left at this outlet"),
    ]  # fmt: skip
    for phone, left in lines:
        offer, sale = phone.offer, phone.offer.sale
        yield [
            phone.slug, phone.name, yuan(offer.price_fen), yuan(offer.ordinary_fen), moment_cell(offer.valid_until),
            sale_name(sale) if sale else "", sale and sale.limit_per_customer, sale and sale.quota_per_outlet, left,
        ]  # fmt: skip
