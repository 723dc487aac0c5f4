"""An order for somebody who calls or stands at the counter and has no telephone to reserve with."""

from __future__ import annotations

import re
from typing import Any

from django import forms
from django.conf import settings
from django.http import HttpResponse
from django.shortcuts import redirect
from django.utils.translation import get_language, gettext_lazy
from django.utils.translation import gettext as _

from api.limits import TooManyCalls, count_call
from catalog.catalogue import current_catalogue
from catalog.models import Phone
from orders import choosing, doors
from orders.basket import Line, Wanted
from orders.checkout import place_order
from orders.desk_orders import note_proved
from orders.form_keys import key_of_order
from orders.forms import PlainForm, clean_mobile, clean_name
from orders.models import Channel, Order
from orders.pickup_codes import in_threes
from orders.refusals import OrderRefused, OutletNotOpen, OutOfStock, PriceRose, SaleRefused
from stores.access import Deed
from stores.desk import DeskRequest, desk_form, show
from stores.desk_keys import new_key, sent_key
from stores.desk_session import tell
from stores.geography import Point
from stores.models import AVAILABLE, StockLevel

_NEIGHBOURS = 3
_CHANNELS = {
    Channel.DESK: gettext_lazy("stands at the counter"),
    Channel.HOTLINE: gettext_lazy("is on the telephone"),
}


class NewOrderForm(PlainForm):
    """Who wants it, and how we are talking to each other. `mobile` is cleaned to E.164."""

    name = forms.CharField(error_messages={"required": gettext_lazy("Please write the customer's name.")})
    mobile = forms.CharField(
        error_messages={
            "required": gettext_lazy("Please write a mobile number: a relative's or a neighbour's will do.")
        }
    )
    language = forms.ChoiceField(choices=settings.LANGUAGES)
    channel = forms.ChoiceField(choices=list(_CHANNELS.items()))

    def clean_name(self) -> str:
        return clean_name(self.cleaned_data["name"])

    def clean_mobile(self) -> str:
        return clean_mobile(self.cleaned_data["mobile"])


@desk_form(Deed.ORDER, reading=Deed.ORDER, once=False)
def new_order(request: DeskRequest) -> HttpResponse:
    """Reserve phones of this outlet by the rule of the shop, for somebody who tells the clerk name and number."""
    if request.method != "POST":
        return _page(request, NewOrderForm(initial={"language": get_language(), "channel": Channel.DESK}))
    form, key, wanted = NewOrderForm(request.POST), sent_key(request), _wanted(request)
    if not form.is_valid() or key is None or not wanted.lines:
        problem = "" if wanted.lines else _("Please choose at least one phone.")
        return _page(
            request, form, wanted, refusal=problem or (_("Please send the form once more.") if not key else "")
        )
    key = key_of_order(key, form.cleaned_data["mobile"])
    before = Order.objects.at(request.outlet).filter(form_key=key).exists()
    try:
        count_call((doors.RESERVATIONS_OF_A_MOBILE, form.cleaned_data["mobile"]))
        order = place_order(
            outlet=request.outlet,
            lines=wanted.quantities,
            name=form.cleaned_data["name"],
            mobile=form.cleaned_data["mobile"],
            language=form.cleaned_data["language"],
            form_key=key,
            channel=Channel(form.cleaned_data["channel"]),
            actor=request.user.actor,
            accepted_fen=_told_fen(request, wanted),
        )
    except TooManyCalls as refusal:
        return doors.too_many(_page(request, form, wanted, refusal=doors.come_back_later(refusal)), refusal)
    except PriceRose as refusal:
        return _page(request, form, wanted.as_listed(current_catalogue()), status=409, refusal=refusal)
    except OrderRefused as refusal:
        return _refused(request, form, wanted, refusal)
    if order.channel == Channel.DESK:
        # The customer stands here, and no code proves more. Who called shows it when coming.
        note_proved(request, order)
    facts = {"number": order.spoken_number, "code": in_threes(order.pickup_code)}
    text = _("Placed: order %(number)s, pickup code %(code)s. Write both down for the customer.")
    again = _("This was placed before: order %(number)s, pickup code %(code)s.")
    tell(request, (again if before else text) % facts)
    return redirect("order_desk:order", request.outlet.code, order.number)


def _wanted(request: DeskRequest) -> Wanted:
    """Read how many of which phones; what is no small number is nothing."""
    lines, offered = [], {}
    for phone in current_catalogue().listed:
        text = request.POST.get(f"quantity-{phone.pk}", "").strip()
        if re.fullmatch("[1-9][0-9]?", text, re.ASCII):
            lines.append(Line(phone, int(text)))
            if f"offered-{phone.pk}" in request.POST:
                offered[phone.pk] = _shown_fen(request, phone)
    return Wanted(tuple(lines), is_basket=False).at_prices(offered)


def _told_fen(request: DeskRequest, wanted: Wanted) -> int:
    """Return what the phones cost together by the prices that the page has shown, and the clerk has said."""
    return sum(line.quantity * _shown_fen(request, line.phone) for line in wanted.lines)


def _shown_fen(request: DeskRequest, phone: Phone) -> int:
    text = request.POST.get(f"price-{phone.pk}", "")
    return int(text) if re.fullmatch("[0-9]{1,9}", text, re.ASCII) else 0


def _refused(request: DeskRequest, form: NewOrderForm, wanted: Wanted, refusal: OrderRefused) -> HttpResponse:
    """Say what is missing, and which neighbours have all of it."""
    neighbours = []
    if isinstance(refusal, SaleRefused):
        wanted = wanted.at_prices(refusal.data["prices"])
    if isinstance(refusal, OutOfStock | OutletNotOpen):
        here = Point(request.outlet.latitude, request.outlet.longitude)
        offers = choosing.nearest_offers(wanted, here)
        neighbours = [offer for offer in offers if offer.outlet.pk != request.outlet.pk][:_NEIGHBOURS]
    return _page(
        request,
        form,
        wanted,
        status=409,
        refusal=refusal,
        neighbours=neighbours,
        asked=True,
        is_offered=isinstance(refusal, SaleRefused),
    )


def _page(
    request: DeskRequest, form: NewOrderForm, wanted: Wanted | None = None, status: int = 200, **more: Any
) -> HttpResponse:
    shelves = StockLevel.objects.filter(outlet=request.outlet).values_list("phone_id", AVAILABLE)
    available, lines = dict(shelves), {line.phone.pk: line for line in wanted.lines} if wanted else {}
    rows = [(phone, available.get(phone.pk, 0), lines.get(phone.pk)) for phone in current_catalogue().listed]
    context = {
        # What can be had first.
        "rows": sorted(rows, key=lambda row: not row[1]),
        "form": form,
        "form_key": sent_key(request) or new_key(),
        "channels": _CHANNELS.items(),
        "languages": settings.LANGUAGES,
    }
    return show(request, "desk/new_order.html", context | more, status=status)
