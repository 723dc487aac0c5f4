"""
Goods on their way between outlets: requested, agreed to, sent, received whole or short, cancelled.

What is on its way stands on neither shelf, so nobody can be promised it. Each deed locks the transfer first, then the
shelves of one outlet.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import NamedTuple

from django.db import transaction
from django.utils import timezone

from events.models import Type
from events.recording import Happening, record
from stores import handsets, stock
from stores.handsets import Unit
from stores.ledger import MOST_AT_ONCE, Act, Line
from stores.models import Handset, Outlet, StockMovement, Transfer, TransferLine
from stores.refusals import MoreThanWasSent, OperationKeyReused, Shortage, TransferNotPossible, UnitProblem, UnitRefused

State = Transfer.State


class Arrival(NamedTuple):
    """What arrived of one phone. Units are named where the sender named them and not all of them arrived whole."""

    whole: int
    damaged: int = 0
    whole_units: Sequence[Unit] = ()
    damaged_units: Sequence[Unit] = ()


def request(sender_id: int, receiver_id: int, quantities: Mapping[int, int], act: Act) -> Transfer:
    """Ask an outlet for phones; nothing moves yet. The same `act.key` of the receiver asks once."""
    if not quantities or not all(1 <= quantity <= MOST_AT_ONCE for quantity in quantities.values()):
        raise ValueError(f"a transfer is about 1 to {MOST_AT_ONCE} of each of its phones")
    with transaction.atomic():
        transfer, is_new = Transfer.objects.get_or_create(
            receiver_id=receiver_id,
            request_key=act.key,
            defaults={"sender_id": sender_id, "requested_by": act.actor, "requested_at": timezone.now()},
        )
        if is_new:
            TransferLine.objects.bulk_create(
                TransferLine(transfer=transfer, phone_id=phone_id, requested=quantity)
                for phone_id, quantity in sorted(quantities.items())
            )
            _tell(transfer)
        elif transfer.sender_id != sender_id or _requested(transfer) != dict(quantities):
            raise OperationKeyReused(receiver_id, act.key)
    return transfer


def approve(transfer_id: int, act: Act) -> Transfer:
    """Agree, for the sender, to what was asked for; to agree again changes nothing. Raises TransferNotPossible."""
    with transaction.atomic():
        transfer = _locked(transfer_id)
        if transfer.state == State.REQUESTED:
            transfer.state, transfer.approved_at, transfer.approved_by = State.APPROVED, timezone.now(), act.actor
            transfer.save(update_fields=["state", "approved_at", "approved_by"])
            _tell(transfer)
        elif transfer.state != State.APPROVED:
            raise TransferNotPossible(transfer_id, transfer.state)
    return transfer


def send(
    transfer_id: int, quantities: Mapping[int, int], act: Act, units: Mapping[int, Sequence[Unit]] | None = None
) -> Transfer:
    """
    Take phones off the sender's shelf and put them on their way, in the numbers really sent.

    Units that were scanned (all of a phone's or none) travel by their numbers. Raises OutOfStock (what is promised
    stays), UnitRefused, TransferNotPossible, OperationKeyReused.
    """
    with transaction.atomic():
        transfer = _locked(transfer_id)
        is_new = transfer.state == State.APPROVED
        if not is_new and transfer.send_key != act.key:
            raise TransferNotPossible(transfer_id, transfer.state)
        stock.send(transfer.sender_id, quantities, act._replace(reference=transfer.reference), units)
        if is_new:
            _note(transfer, {phone_id: {"sent": quantity} for phone_id, quantity in quantities.items()})
            transfer.state, transfer.sent_at = State.SENT, timezone.now()
            transfer.sent_by, transfer.send_key = act.actor, act.key
            transfer.save(update_fields=["state", "sent_at", "sent_by", "send_key"])
            _tell(transfer)
    return transfer


def receive(transfer_id: int, arrivals: Mapping[int, Arrival], act: Act) -> Transfer:
    """
    Put what arrived whole on the receiver's shelf, write off what came damaged; the rest is noted as lost.

    Raises MoreThanWasSent, UnitRefused, TransferNotPossible, OperationKeyReused.
    """
    with transaction.atomic():
        transfer = _locked(transfer_id)
        is_new = transfer.state == State.SENT
        if not is_new and (transfer.state, transfer.end_key) != (State.RECEIVED, act.key):
            raise TransferNotPossible(transfer_id, transfer.state)
        sent = _sent(transfer)
        too_many = [
            Shortage(phone_id, arrival.whole + arrival.damaged, sent.get(phone_id, 0))
            for phone_id, arrival in sorted(arrivals.items())
            if arrival.whole + arrival.damaged > sent.get(phone_id, 0)
        ]
        if too_many:
            raise MoreThanWasSent(transfer.receiver_id, too_many)
        _put_on_shelf(transfer, _with_units(transfer, sent, arrivals), act._replace(reference=transfer.reference))
        if is_new:
            none = Arrival(0)
            _note(
                transfer,
                {
                    phone_id: {
                        "received": arrivals.get(phone_id, none).whole,
                        "damaged": arrivals.get(phone_id, none).damaged,
                    }
                    for phone_id in sent
                },
            )
            _end(transfer, State.RECEIVED, act)
    return transfer


def cancel(transfer_id: int, act: Act) -> Transfer:
    """
    Call a transfer off, for `act.reason`; goods that were on their way return to the sender's shelf.

    Raises TransferNotPossible.
    """
    with transaction.atomic():
        transfer = _locked(transfer_id)
        if (transfer.state, transfer.end_key) == (State.CANCELLED, act.key):
            return transfer
        if transfer.state not in (State.REQUESTED, State.APPROVED, State.SENT):
            raise TransferNotPossible(transfer_id, transfer.state)
        if transfer.state == State.SENT:
            back = act._replace(reference=transfer.reference)
            stock.take_in(transfer.sender_id, _sent(transfer), back, units_sent(transfer))
        _end(transfer, State.CANCELLED, act)
    return transfer


def _locked(transfer_id: int) -> Transfer:
    return Transfer.objects.select_for_update().get(pk=transfer_id)


def _requested(transfer: Transfer) -> dict[int, int]:
    return dict(transfer.lines.filter(requested__gt=0).values_list("phone_id", "requested"))


def _sent(transfer: Transfer) -> dict[int, int]:
    return {phone_id: sent for phone_id, sent in transfer.lines.values_list("phone_id", "sent") if sent}


def units_sent(transfer: Transfer) -> dict[int, list[Unit]]:
    """Return the units (by phone_id) that the sender named. Three queries."""
    lines = StockMovement.objects.filter(outlet_id=transfer.sender_id, operation_key=transfer.send_key)
    return handsets.units_of(transfer.sender_id, [Line.of(row) for row in lines])


def _note(transfer: Transfer, numbers: Mapping[int, Mapping[str, int]]) -> None:
    """Write what was sent or received into the transfer's lines; a phone that nobody asked for gets its own."""
    lines = [
        TransferLine(transfer=transfer, phone_id=phone_id, requested=0, **each) for phone_id, each in numbers.items()
    ]
    fields = list(next(iter(numbers.values())))
    TransferLine.objects.bulk_create(
        sorted(lines, key=lambda line: line.phone_id),
        update_conflicts=True,
        unique_fields=["transfer", "phone"],
        update_fields=fields,
    )


def _end(transfer: Transfer, state: Transfer.State, act: Act) -> None:
    transfer.state, transfer.ended_at = state, timezone.now()
    transfer.ended_by, transfer.end_key, transfer.end_reason = act.actor, act.key, act.reason
    transfer.save(update_fields=["state", "ended_at", "ended_by", "end_key", "end_reason"])
    _tell(transfer)


def _tell(transfer: Transfer) -> None:
    """Write down, once for each of the two outlets, in which state the transfer is now. Three statements."""
    codes = dict(Outlet.objects.filter(pk__in=[transfer.sender_id, transfer.receiver_id]).values_list("pk", "code"))
    fields = ("phone__slug", "requested", "sent", "received", "damaged")
    lines = transfer.lines.order_by("phone").values_list(*fields)
    data = {
        "transfer": transfer.pk,
        "state": transfer.state,
        "sender": codes[transfer.sender_id],
        "receiver": codes[transfer.receiver_id],
        "lines": [dict(zip(("phone", *fields[1:]), line, strict=True)) for line in lines],
    }
    happened = Type(f"transfer.{transfer.state}")
    record(Happening(happened, outlet_id, data=data) for outlet_id in (transfer.sender_id, transfer.receiver_id))


def _with_units(transfer: Transfer, sent: Mapping[int, int], arrivals: Mapping[int, Arrival]) -> dict[int, Arrival]:
    """
    Name the units of each arrival: all that were sent, where all arrived and nobody scanned them.

    Raises UnitRefused when the sender named units, some are missing and the receiver does not say which, or names one
    that is on another way.
    """
    named_by_sender = units_sent(transfer)
    named = {}
    problems = []
    for phone_id, arrival in arrivals.items():
        known = named_by_sender.get(phone_id, [])
        scanned = [*arrival.whole_units, *arrival.damaged_units]
        if known and not scanned:
            if arrival.whole == sent[phone_id]:
                arrival = arrival._replace(whole_units=known)
            elif arrival.damaged == sent[phone_id]:
                arrival = arrival._replace(damaged_units=known)
            elif arrival.whole + arrival.damaged:
                problems += [UnitProblem(unit[0], "not_named") for unit in known]
        problems += [UnitProblem(unit[0], "in_transit") for unit in _on_another_way(scanned, known)]
        named[phone_id] = arrival
    if problems:
        raise UnitRefused(transfer.receiver_id, problems)
    return named


def _on_another_way(scanned: Sequence[Unit], known: Sequence[Unit]) -> list[Unit]:
    sent = {number for unit in known for number in unit}
    others = [unit for unit in scanned if not sent & set(unit)]
    if not others:
        return []
    travelling = Handset.objects.filter(
        state=Handset.State.IN_TRANSIT, numbers__number__in=[number for unit in others for number in unit]
    )
    numbers = set(travelling.values_list("numbers__number", flat=True))
    return [unit for unit in others if numbers & set(unit)]


def _put_on_shelf(transfer: Transfer, arrivals: Mapping[int, Arrival], act: Act) -> None:
    """Everything that arrived is taken in, and what is damaged is then written off, so that the ledger tells both."""
    arrived = {phone_id: each.whole + each.damaged for phone_id, each in arrivals.items() if each.whole + each.damaged}
    damaged = {phone_id: each.damaged for phone_id, each in arrivals.items() if each.damaged}
    units = {phone_id: [*each.whole_units, *each.damaged_units] for phone_id, each in arrivals.items()}
    broken = {phone_id: each.damaged_units for phone_id, each in arrivals.items() if each.damaged_units}
    if arrived:
        stock.take_in(transfer.receiver_id, arrived, act, units)
    if damaged:
        stock.write_off(transfer.receiver_id, damaged, act._replace(key=f"{act.key}:damaged"), broken)
