"""The orders of the whole country, the newest first, with customers masked: for whoever helps somebody on the phone."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from datetime import datetime, timedelta
from urllib.parse import urlencode

from django import forms
from django.db.models import Q, QuerySet
from django.http import HttpResponse
from django.http.response import HttpResponseBase
from django.utils import timezone
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from catalog.acting import acting_as
from catalog.csv_answers import csv_answer
from catalog.moments import midnight
from catalog.templating import yuan
from office import trail
from office.access import OfficeDeed
from office.day_field import DayField
from office.doors import OfficeRequest, office_page
from office.models import TrailEntry
from orders import numbers
from orders.models import Channel, Order, State
from stores.desk import show
from stores.models import Outlet

LINES = 50
# Where neither days nor an outlet are named: so that a rare kind of orders is not looked for in all of them.
USUAL_DAYS = 31
ROWS_AT_ONCE = 2_000


class OrderFilter(forms.Form):
    """
    Which orders are asked for, of the last days unless others are named.

    A mobile number is asked for by `office:find`, since it must stand in no address.
    """

    state = forms.ChoiceField(label=gettext_lazy("State"), required=False, choices=[("", "–"), *State.choices])
    channel = forms.ChoiceField(label=gettext_lazy("ordered by"), required=False, choices=[("", "–"), *Channel.choices])
    outlet = forms.CharField(label=gettext_lazy("code of the outlet"), required=False, max_length=20)
    first = DayField(label=gettext_lazy("placed from"))
    last = DayField(label=gettext_lazy("until"))

    def clean_outlet(self) -> Outlet | None:
        code = self.cleaned_data["outlet"]
        if not code:
            return None
        outlet = Outlet.objects.filter(code=code).first()
        if outlet is None:
            raise forms.ValidationError(_("No outlet has this code."))
        return outlet

    def asked(self) -> QuerySet[Order]:
        """Return the orders, the newest first; none where the filter makes no sense."""
        orders = Order.objects.select_related("outlet").order_by("-placed_at", "-number")
        if not self.is_valid():
            return orders.none()
        given = self.cleaned_data
        found = orders.filter(**{name: given[name] for name in ("state", "channel", "outlet") if given[name]})
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
    with acting_as(request.user.actor):
        asked = request.META.get("QUERY_STRING", "")[:200]
        trail.note(TrailEntry.Deed.EXPORTED, Order._meta.db_table, "", query=asked)
    return csv_answer("orders.csv", _rows(form.asked()))


def _rows(found: QuerySet[Order]) -> Iterator[Sequence[object]]:
    yield [
        _("Order"), _("State"), _("ordered by"), _("Outlet"), _("Name"), _("when placed"), _("kept until"), _("ended"),
        _("Total"), _("Customer"), _("mobile number"),
    ]  # fmt: skip
    for order in found.iterator(chunk_size=ROWS_AT_ONCE):
        yield [
            order.number, order.get_state_display(), order.get_channel_display(), order.outlet.code, order.outlet.name,
            _moment(order.placed_at), _moment(order.held_until), _moment(order.ended_at), yuan(order.total_fen),
            order.masked_name, order.masked_mobile,
        ]  # fmt: skip


def _moment(moment: datetime | None) -> str:
    return timezone.localtime(moment).strftime("%Y-%m-%d %H:%M") if moment else ""
