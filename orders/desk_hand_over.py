"""Handing an order over at the counter: code, handsets, payment; then the receipt."""

from __future__ import annotations

import re
from typing import Any

from django.http import HttpResponse
from django.http.response import HttpResponseBase
from django.shortcuts import redirect
from django.utils.translation import gettext as _

from orders import lifecycle, pickup, receipts
from orders.desk_orders import forget_proof, is_proved, note_proved, of_this_outlet, show_order
from orders.models import Order, Payment, State
from orders.refusals import AlreadyCollected, OrderRefused, TooManyWrongCodes, WrongState
from stores.access import Deed
from stores.desk import DeskRequest, desk_deed, desk_form, desk_page, show
from stores.desk_session import tell
from stores.desk_typed import words
from stores.refusals import NotOnShelf, NotReserved, UnitRefused


@desk_form(Deed.HAND_OVER)
@of_this_outlet
def order_page(request: DeskRequest, order: Order) -> HttpResponseBase:
    """
    Show an order. Its form is looked at (the scanner's Enter), or hands over what was paid by `method`.

    Whoever sends it twice is told that it was done, whoever comes second is told who did it.
    """
    if request.method != "POST":
        return show_order(request, order)
    data = request.POST
    if order.state == State.COLLECTED:
        return _handed_over_before(request, order)
    scans = pickup.scans_of(order, data.dict())
    more: dict[str, Any] = {
        "scans": scans,
        "typed": {"reason": words(request, "reason")},
    }
    code_error = _code_error(request, order)
    are_right = pickup.check_scans(order, scans)
    if not are_right and (now := _anew(request, order)).state == State.COLLECTED:
        # By a colleague, this very second: that is why the phone is not on the shelf.
        return _handed_over_before(request, now)
    if code_error or not are_right:
        for scan in scans:
            if not scan.text and data.get("method"):
                scan.error = _("Please scan this phone.")
        status = 429 if isinstance(code_error, TooManyWrongCodes) else 200
        return show_order(request, order, status, code_error=code_error, **more)
    if data.get("method") not in Payment.Method.values:
        return show_order(request, order, is_checked=True, **more)
    return _hand_over(request, order, scans, more)


def _code_error(request: DeskRequest, order: Order) -> OrderRefused | str | None:
    """Say what is wrong with the proof that the customer may have it; None where nothing is."""
    if is_proved(request, order):
        return None
    if words(request, "reason"):
        request.standing.require(Deed.HAND_OVER_WITHOUT_CODE)
        return None
    typed = request.POST.get("code", "")
    if not typed.strip():
        return _("Please type the pickup code.")
    try:
        pickup.check_code(order, typed, request.user.actor)
    except OrderRefused as refusal:
        return refusal
    note_proved(request, order)
    return None


def _hand_over(request: DeskRequest, order: Order, scans: list[pickup.Scan], more: dict[str, Any]) -> HttpResponse:
    amount = request.POST.get("amount_fen", "")
    try:
        lifecycle.collect(
            order,
            request.user.actor,
            method=Payment.Method(request.POST["method"]),
            amount_fen=int(amount) if re.fullmatch("[0-9]{1,9}", amount, re.ASCII) else -1,
            units=pickup.units_of(scans),
            form_key=request.form_key,
            reason=words(request, "reason"),
        )
    except (AlreadyCollected, WrongState) as refusal:
        return show_order(request, _anew(request, order), 409, refusal=refusal)
    except OrderRefused as refusal:
        return show_order(request, order, 409, refusal=refusal, **more)
    except UnitRefused as refusal:
        # Sold or taken by a colleague since it was looked at.
        pickup.blame(scans, refusal)
        return show_order(request, order, 409, **more)
    except (NotOnShelf, NotReserved):
        refusal_text = _("By the books this phone is not on the shelf. Count the shelf, and hand over then.")
        return show_order(request, order, 409, refusal=refusal_text, **more)
    forget_proof(request)
    tell(request, _("Handed over and paid."))
    return redirect("order_desk:receipt", request.outlet.code, order.number)


def _handed_over_before(request: DeskRequest, order: Order) -> HttpResponse:
    """Say who was first, and when; the door has told those who sent the same form once more."""
    try:
        lifecycle.refuse_other_form(order, request.form_key)
    except AlreadyCollected as refusal:
        return show_order(request, order, 409, refusal=refusal)
    return redirect("order_desk:receipt", request.outlet.code, order.number)


def _anew(request: DeskRequest, order: Order) -> Order:
    return Order.objects.at(request.outlet).get(number=order.number)


@desk_page()
@of_this_outlet
def receipt(request: DeskRequest, order: Order) -> HttpResponseBase:
    """Show what was handed over and paid, to be printed on a roll of 80 mm."""
    try:
        shown = receipts.receipt_of(order)
    except WrongState:
        return redirect("order_desk:order", request.outlet.code, order.number)
    return show(request, "desk/receipt.html", {"receipt": shown, "order": order})


@desk_deed(Deed.HAND_OVER)
@of_this_outlet
def send_receipt(request: DeskRequest, order: Order) -> HttpResponseBase:
    try:
        is_new = receipts.send_receipt(order)
    except WrongState as refusal:
        return show_order(request, order, 409, refusal=refusal)
    done = _("The receipt goes out by text message.")
    tell(request, done if is_new else _("The receipt was sent by text message before."))
    return redirect("order_desk:receipt", request.outlet.code, order.number)
