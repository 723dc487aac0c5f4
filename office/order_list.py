"""The orders of the whole country, the newest first, with customers masked: for whoever helps somebody on the phone."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from datetime import timedelta
from urllib.parse import urlencode

from django import forms
from django.db.models import Q, QuerySet
from django.http import HttpResponse
from django.http.response import HttpResponseBase
from django.utils import timezone
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from catalog.moments import midnight
from catalog.templating import yuan
from office.access import OfficeDeed
from office.doors import OfficeRequest, office_page
from office.fields import DayField, OutletField
from office.list_files import hand_out, in_turn, moment_cell
from orders import numbers
from orders.models import OPEN_STATES, Channel, Order, State
from stores.desk import show

LINES = 50
OPEN = "open"
# Where neither days nor an outlet are named: so that a rare kind of orders is not looked for in all of them.
USUAL_DAYS = 31


class OrderFilter(forms.Form):
    """
    Which orders are asked for, of the last days unless others are named.

    A mobile number is asked for by `office:find`, since it must stand in no address.
    """

    state = forms.ChoiceField(
        label=gettext_lazy("State"),
        required=False,
        choices=[("", "–"), (OPEN, gettext_lazy("placed or ready")), *State.choices],
    )
    channel = forms.ChoiceField(label=gettext_lazy("ordered by"), required=False, choices=[("", "–"), *Channel.choices])
    outlet = OutletField(label=gettext_lazy("code of the outlet"))
    first = DayField(label=gettext_lazy("placed from"))
    last = DayField(label=gettext_lazy("until"))

    def asked(self) -> QuerySet[Order]:
        """Return the orders, the newest first; none where the filter makes no sense."""
        orders = Order.objects.select_related("outlet").order_by("-placed_at", "-number")
        if not self.is_valid():
            return orders.none()
        given = self.cleaned_data
        found = orders.filter(**{name: given[name] for name in ("channel", "outlet") if given[name]})
        if given["state"]:
            found = found.filter(state__in=OPEN_STATES if given["state"] == OPEN else [given["state"]])
        first = given["first"]
        if not (first or given["last"] or given["outlet"]):
            first = timezone.localdate() - timedelta(days=USUAL_DAYS)
        if first:
            found = found.filter(placed_at__gte=midnight(first))
        if given["last"]:
            found = found.filter(placed_at__lt=midnight(given["last"] + timedelta(days=1)))
        return found


@office_page(OfficeDeed.READ_ORDERS)
def orders(request: OfficeRequest) -> HttpResponse:
    """Show the orders that are asked for, or those before one of them. Three statements beside the door's, or four."""
    form = OrderFilter(request.GET)
    lines = list(_before(form.asked(), request.GET.get("before", ""))[: LINES + 1])
    asked = {name: value for name in form.fields if (value := request.GET.get(name, ""))}
    context = {
        "form": form,
        "usual": _usual(),
        "orders": lines[:LINES],
        "earlier": urlencode(asked | {"before": lines[LINES - 1].number}) if len(lines) > LINES else "",
        "query": urlencode(asked),
    }
    return show(request, "office/orders.html", context, status=200 if form.is_valid() else 400)


def _usual() -> str:
    return _("Where neither days nor an outlet are named: orders of the last %(days)d days.") % {"days": USUAL_DAYS}


def _before(found: QuerySet[Order], number: str) -> QuerySet[Order]:
    """Keep the orders that come after the one of this number in the list; all where there is none."""
    if not number or numbers.read_number(number) != number:
        return found
    placed_at = Order.objects.numbered(number).values_list("placed_at", flat=True).first()
    if placed_at is None:
        return found
    return found.filter(Q(placed_at__lt=placed_at) | Q(number__lt=number), placed_at__lte=placed_at)


@office_page(OfficeDeed.READ_ORDERS)
def orders_file(request: OfficeRequest) -> HttpResponseBase:
    """Hand out the same as a file, however many; who took it is in the trail."""
    form = OrderFilter(request.GET)
    if not form.is_valid():
        return show(request, "office/orders.html", {"form": form, "usual": _usual(), "orders": []}, status=400)
    asked = request.META.get("QUERY_STRING", "")[:200]
    return hand_out(request, "orders.csv", order_rows(in_turn(form.asked())), Order, query=asked)


def order_rows(found: Iterable[Order]) -> Iterator[Sequence[object]]:
    """Yield the heading and a row for each order, its customer masked."""
    yield [
        _("Order"), _("State"), _("ordered by"), _("Outlet"), _("Name"), _("when placed"), _("kept until"), _("ended"),
        _("Total"), _("Customer"), _("mobile number"),
    ]  # fmt: skip
    for order in found:
        yield [
            order.number, order.get_state_display(), order.get_channel_display(), order.outlet.code, order.outlet.name,
            moment_cell(order.placed_at), moment_cell(order.held_until), moment_cell(order.ended_at),
            yuan(order.total_fen), order.masked_name, order.masked_mobile,
        ]  # fmt: skip
