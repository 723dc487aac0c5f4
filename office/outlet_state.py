"""Opening, suspending and closing one outlet, with its open orders in sight."""

from __future__ import annotations

from django import forms
from django.contrib import messages
from django.http import HttpResponse
from django.shortcuts import get_object_or_404, redirect
from django.utils.translation import gettext as _
from django.utils.translation import ngettext

from office.access import OfficeDeed
from office.doors import OfficeRequest, office_form
from office.life import transfers_of
from orders.closing import OrdersCameMeanwhile, orders_at_stake, set_state
from stores.desk import show
from stores.models import Outlet, StockLevel

REASON_LENGTH = 200


class StateForm(forms.Form):
    state = forms.ChoiceField(choices=Outlet.State.choices)
    reason = forms.CharField(max_length=REASON_LENGTH)
    # The orders that were on the page, so that none is declined that nobody saw.
    shown = forms.CharField(required=False, max_length=100_000, widget=forms.HiddenInput)


@office_form(OfficeDeed.EDIT_OUTLETS)
def outlet_state(request: OfficeRequest, code: str) -> HttpResponse:
    """Show what becomes of orders, stock and transfers, and do it."""
    outlet = get_object_or_404(Outlet, code=code)
    form = StateForm(request.POST or None)
    refusal = ""
    if form.is_valid():
        state = Outlet.State(form.cleaned_data["state"])
        try:
            declined = set_state(
                outlet,
                state,
                request.user.actor,
                form.cleaned_data["reason"],
                shown=form.cleaned_data["shown"].split(),
            )
        except OrdersCameMeanwhile as meanwhile:
            refusal = str(meanwhile)
        else:
            messages.success(request, _told(outlet, state, declined))
            return redirect("admin:stores_outlet_change", outlet.pk)
    orders = orders_at_stake(outlet)
    context = {
        "outlet": outlet,
        "form": form,
        "refusal": refusal,
        "orders": orders,
        "shown": " ".join(order.number for order in orders),
        "on_hand": sum(StockLevel.objects.filter(outlet=outlet).values_list("on_hand", flat=True)),
        "transfers": transfers_of(outlet),
        "states": [state for state in Outlet.State if state != outlet.state],
    }
    return show(request, "office/outlet_state.html", context)


def _told(outlet: Outlet, state: Outlet.State, declined: int) -> str:
    said = _("%(outlet)s: %(state)s.") % {"outlet": outlet.name, "state": state.label}
    if not declined:
        return said
    text = ngettext(
        "%(count)d order was declined, and its customer is told.",
        "%(count)d orders were declined, and their customers are told.",
        declined,
    )
    return f"{said} {text % {'count': declined}}"
