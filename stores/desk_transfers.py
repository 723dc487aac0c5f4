"""Transfers at the desk: asked for, agreed to, packed, unpacked, called off; each by the end whose business it is."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from django.db.models import Q, Sum
from django.db.models.functions import Coalesce
from django.http import HttpResponse
from django.shortcuts import get_object_or_404, redirect
from django.utils.translation import gettext as _

from catalog.catalogue import current_catalogue
from stores import boxes, transfers
from stores.access import Deed
from stores.boxes import Purpose
from stores.desk import DeskRequest, desk_deed, desk_page, show
from stores.desk_session import note_done, tell
from stores.desk_typed import words
from stores.ledger import Act
from stores.models import Outlet, Transfer
from stores.people import names_of
from stores.refusal_words import in_words
from stores.refusals import StockRefusal

State = Transfer.State
OPEN = [State.REQUESTED, State.APPROVED, State.SENT]
MOST_OPEN, MOST_PAST = 50, 20


@dataclass(frozen=True)
class Possible:
    """What somebody at one end of a transfer can do with it now."""

    approve: bool
    send: bool
    receive: bool
    cancel: bool


@desk_page()
def transfers_page(request: DeskRequest) -> HttpResponse:
    """Show what comes, what goes, and what is over."""
    here = request.outlet
    ours = Transfer.objects.filter(Q(sender=here) | Q(receiver=here)).select_related("sender", "receiver")
    ours = ours.annotate(units=Sum(Coalesce("lines__sent", "lines__requested")))
    going_on = list(ours.filter(state__in=OPEN).order_by("requested_at", "pk")[:MOST_OPEN])
    context = {
        "coming": [each for each in going_on if each.receiver_id == here.pk],
        "going": [each for each in going_on if each.sender_id == here.pk],
        "past": ours.exclude(state__in=OPEN).order_by("-ended_at", "-pk")[:MOST_PAST],
    }
    return show(request, "desk/transfers.html", context)


@desk_page()
def transfer(request: DeskRequest, transfer_id: int) -> HttpResponse:
    """Show one transfer: what, who, when, and what can be done now."""
    return _page(request, _transfer(request, transfer_id))


@desk_deed(Deed.APPROVE_TRANSFER)
def approve(request: DeskRequest, transfer_id: int) -> HttpResponse:
    """Agree to send what another outlet has asked for."""
    found = _transfer(request, transfer_id)
    if refused := _for_others(request, found.sender):
        return _page(request, found, refused)
    try:
        transfers.approve(found.pk, Act("", request.user.actor))
    except StockRefusal as refusal:
        return _page(request, _transfer(request, transfer_id), in_words(refusal))
    return _done(request, found, _("Agreed. It can be packed now."))


@desk_deed(Deed.SEND_TRANSFER)
def pack(request: DeskRequest, transfer_id: int) -> HttpResponse:
    """Open the box that is sent, or go on with it."""
    return _open(request, transfer_id, Purpose.SENDING)


@desk_deed(Deed.RECEIVE_TRANSFER)
def unpack(request: DeskRequest, transfer_id: int) -> HttpResponse:
    """Open the box that has arrived, or go on with it."""
    return _open(request, transfer_id, Purpose.ARRIVING)


@desk_deed(Deed.CANCEL_TRANSFER)
def cancel(request: DeskRequest, transfer_id: int) -> HttpResponse:
    """Call a transfer off. What is on its way can only be called back by its sender."""
    found = _transfer(request, transfer_id)
    if found.state == State.SENT and (refused := _for_others(request, found.sender)):
        return _page(request, found, refused)
    reason = words(request, "reason")
    if not reason:
        return _page(request, found, _("Say why it is called off."))
    try:
        transfers.cancel(found.pk, Act(request.form_key, request.user.actor, reason=reason))
    except StockRefusal as refusal:
        return _page(request, _transfer(request, transfer_id), in_words(refusal))
    return _done(request, found, _("Called off."))


def possible(request: DeskRequest, transfer: Transfer) -> Possible:
    """Return what this person can do with a transfer at this end of it."""
    may, state = request.standing.may, transfer.state
    is_sender = transfer.sender_id == request.outlet.pk
    return Possible(
        approve=is_sender and state == State.REQUESTED and may(Deed.APPROVE_TRANSFER),
        send=is_sender and state == State.APPROVED and may(Deed.SEND_TRANSFER),
        receive=not is_sender and state == State.SENT and may(Deed.RECEIVE_TRANSFER),
        cancel=state in OPEN and (is_sender or state != State.SENT) and may(Deed.CANCEL_TRANSFER),
    )


def _transfer(request: DeskRequest, transfer_id: int) -> Transfer:
    ours = Transfer.objects.filter(Q(sender=request.outlet) | Q(receiver=request.outlet))
    return get_object_or_404(ours.select_related("sender", "receiver"), pk=transfer_id)


def _for_others(request: DeskRequest, outlet: Outlet) -> str:
    """Say so where something is the business of the other end of a transfer; empty where it is ours."""
    return "" if outlet == request.outlet else _("This is for %(outlet)s to do.") % {"outlet": outlet.name}


def _open(request: DeskRequest, transfer_id: int, purpose: Purpose) -> HttpResponse:
    found = _transfer(request, transfer_id)
    if refused := _for_others(request, found.sender if purpose == Purpose.SENDING else found.receiver):
        return _page(request, found, refused)
    try:
        box = boxes.open_transfer(found, purpose, request.user.actor)
    except StockRefusal as refusal:
        return _page(request, found, in_words(refusal))
    note_done(request, _("the box is open."))
    return redirect("desk:box", request.outlet.code, box.pk)


def _done(request: DeskRequest, transfer: Transfer, text: str) -> HttpResponse:
    tell(request, text)
    return redirect("desk:transfer", request.outlet.code, transfer.pk)


def _page(request: DeskRequest, transfer: Transfer, refused: str = "") -> HttpResponse:
    phones = current_catalogue().by_id
    lines = [(phones.get(line.phone_id), line) for line in transfer.lines.order_by("phone")]
    context: dict[str, Any] = {
        "transfer": transfer,
        "lines": lines,
        "steps": _steps(transfer),
        "can": possible(request, transfer),
        "is_sender": transfer.sender_id == request.outlet.pk,
        "refused": refused,
    }
    return show(request, "desk/transfer.html", context, status=409 if refused else 200)


def _steps(transfer: Transfer) -> list[tuple[str, str, Any]]:
    """Return what has happened so far: what, who, when."""
    ended = {State.RECEIVED: _("received"), State.CANCELLED: _("called off")}.get(State(transfer.state), "")
    steps = [
        (_("asked for"), transfer.requested_by, transfer.requested_at),
        (_("agreed to"), transfer.approved_by, transfer.approved_at),
        (_("sent"), transfer.sent_by, transfer.sent_at),
        (ended, transfer.ended_by, transfer.ended_at),
    ]
    names = names_of(actor for _what, actor, _when in steps if actor)
    return [(what, names.get(actor, ""), when) for what, actor, when in steps if when]
