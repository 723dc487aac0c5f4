"""
Scanning a box: number after number, each judged at once, and nothing booked until somebody says so.

Every change locks the box first (then, at the end, transfer, shelves and handsets), so two people at one counter fill
the same box. Changing and booking say which version they saw or which scan they mean: what comes twice, because an
answer was lost, has no second effect.
"""

from __future__ import annotations

from typing import NamedTuple

from django.db import transaction
from django.db.models import Sum
from django.utils import timezone
from django.utils.translation import gettext as _

from stores import counter, handsets, stock, transfers, unit_numbers
from stores.box_contents import Content, Contents, Purpose, contents_of
from stores.ledger import MOST_AT_ONCE, Act, Kind
from stores.models import Box, BoxCount, BoxScan, Handset, StockMovement, Transfer
from stores.refusals import StockRefusal, TransferNotPossible, UnitProblem, UnitRefused

KIND = {
    Purpose.DELIVERY: Kind.RECEIVED,
    Purpose.SENDING: Kind.TRANSFER_OUT,
    Purpose.ARRIVING: Kind.TRANSFER_IN,
}
# A transfer is packed or unpacked in this state only.
STATE = {Purpose.SENDING: Transfer.State.APPROVED, Purpose.ARRIVING: Transfer.State.SENT}


class BoxRefused(StockRefusal):
    """The box says no, in words of the active language; `code` is stable."""

    def __init__(self, code: str, message: str) -> None:
        self.code = code  # type: ignore[misc]
        super().__init__(message)


class Booked(NamedTuple):
    """A box that was booked, by this call or (`is_new` False) before; `quantity` phones were in it."""

    box: Box
    quantity: int
    is_new: bool


def open_delivery(outlet_id: int, note: str, actor: str) -> Box:
    """Return the outlet's open box for deliveries, made for this delivery note if there is none."""
    opened = {"note": note, "opened_by": actor, "opened_at": timezone.now(), "has_pairs": _had_pairs(outlet_id)}
    return Box.objects.get_or_create(
        outlet_id=outlet_id, purpose=Purpose.DELIVERY, transfer=None, closed_at=None, defaults=opened
    )[0]


def open_transfer(transfer: Transfer, purpose: Box.Purpose, actor: str) -> Box:
    """Return the open box at one end of a transfer (SENDING, ARRIVING). Raises TransferNotPossible."""
    if transfer.state != STATE[purpose]:
        raise TransferNotPossible(transfer.pk, transfer.state)
    outlet_id = transfer.sender_id if purpose == Purpose.SENDING else transfer.receiver_id
    phone_id = transfer.lines.order_by("phone").values_list("phone_id", flat=True).first()
    opened = {"opened_by": actor, "opened_at": timezone.now(), "phone_id": phone_id}
    return Box.objects.get_or_create(
        outlet_id=outlet_id,
        purpose=purpose,
        transfer=transfer,
        closed_at=None,
        defaults=opened | {"has_pairs": _had_pairs(outlet_id)},
    )[0]


def choose_phone(box_id: int, phone_id: int, *, has_pairs: bool) -> None:
    """Say of which phone the next numbers are, and whether each has two."""
    with transaction.atomic():
        box = _open(box_id)
        # Who says so anew has seen that the last one has no second number.
        box.scans.filter(awaits_second=True).update(awaits_second=False)
        box.phone_id, box.has_pairs = phone_id, has_pairs
        _changed(box, "phone", "has_pairs")


def scan(box_id: int, typed: str) -> BoxScan:
    """
    Put a phone into the box by its number, or the second number to the phone that waits for it.

    Raises UnitNumberInvalid, UnitRefused (on record elsewhere, sold, not of this transfer ...), BoxRefused.
    """
    number = unit_numbers.number(typed)
    with transaction.atomic():
        box = _open(box_id)
        unit = Handset.objects.filter(numbers__number=number).first()
        _not_twice(box, number, unit)
        last = box.scans.order_by("-seq").first()
        phone_id = unit.phone_id if unit else box.phone_id
        if phone_id is None:
            raise BoxRefused("no_phone", _("Choose the phone first, then scan."))
        handsets.check(box.outlet_id, KIND[Purpose(box.purpose)], {phone_id: [(number,)]})
        _of_the_transfer(box, number, phone_id, unit)
        row = BoxScan(box=box, seq=last.seq + 1 if last else 1, number=number, phone_id=phone_id)
        if last and last.awaits_second and last.phone_id == phone_id and unit is None:
            row.unit, row.slot = last.unit, 2
            box.scans.filter(seq=last.seq).update(awaits_second=False)
        else:
            row.unit, row.awaits_second = row.seq, box.has_pairs and unit is None
        row.save(force_insert=True)
        _changed(box)
    return row


def undo(box_id: int, seq: int) -> BoxScan | None:
    """Take the last number back, if it is the `seq`th; None where that was done already or another came after it."""
    with transaction.atomic():
        box = _open(box_id)
        last = box.scans.order_by("-seq").first()
        if last is None or last.seq != seq:
            return None
        box.scans.filter(seq=seq).delete()
        if last.slot == 2:
            box.scans.filter(seq=last.unit).update(awaits_second=True)
        _changed(box)
    return last


def count(box_id: int, phone_id: int, counted: int, damaged: int = 0) -> None:
    """
    Say how many of a phone are in the box beside those that were scanned; 0 for none.

    Raises BoxRefused, also where the sender named these phones by their numbers and a count does not say which arrived.
    """
    if not 0 <= damaged <= counted <= MOST_AT_ONCE:
        raise BoxRefused("bad_count", _("Type a number from 0 to %(most)d.") % {"most": MOST_AT_ONCE})
    with transaction.atomic():
        box = _open(box_id)
        if counted:
            damaged = damaged if box.purpose == Purpose.ARRIVING else 0
            _not_by_count_alone(box, phone_id, counted, damaged)
            BoxCount.objects.update_or_create(
                box=box, phone_id=phone_id, defaults={"counted": counted, "damaged": damaged}
            )
        else:
            box.counts.filter(phone=phone_id).delete()
        _changed(box)


def count_all(box_id: int) -> None:
    """Say that everything is in the box that should be: what was asked for, or what was sent."""
    with transaction.atomic():
        box = _open(box_id)
        box.scans.all().delete()
        box.counts.all().delete()
        expected = [each for each in contents_of(box).phones if each.expected]
        BoxCount.objects.bulk_create(
            BoxCount(box=box, phone_id=each.phone.pk, counted=each.expected or 0) for each in expected
        )
        _changed(box)


def mark(box_id: int, seq: int, *, damaged: bool) -> None:
    """Say that the phone whose first number was the `seq`th arrived damaged, or after all whole."""
    with transaction.atomic():
        box = _open(box_id)
        if box.purpose == Purpose.ARRIVING:
            box.scans.filter(seq=seq, slot=1).update(is_damaged=damaged)
            _changed(box)


def drop(box_id: int, actor: str) -> Box:
    """Throw away what was scanned; nothing is booked. A box that is closed stays as it is."""
    with transaction.atomic():
        box = Box.objects.select_for_update().get(pk=box_id)
        if box.is_open:
            _close(box, Box.End.DROPPED, actor)
    return box


def book(box_id: int, version: int, actor: str, *, nothing_arrived: bool = False) -> Booked:
    """
    Carry out what the box is for: stock moves, and the box is closed. What was booked before is told, not repeated.

    `version` is that of the box as `actor` saw it. Raises BoxRefused (changed meanwhile, empty, thrown away) and what
    the deed of the stock raises; the box then stays open as it is.
    """
    with transaction.atomic():
        box = Box.objects.select_for_update(of=["self"]).select_related("transfer").get(pk=box_id)
        if box.end == Box.End.BOOKED:
            return Booked(box, _quantity_of(box), is_new=False)
        if not box.is_open:
            raise _closed()
        if box.version != version:
            raise BoxRefused("changed", _("The box has changed meanwhile. Look again, then book it."))
        contents = contents_of(box)
        if not contents.quantity and not (nothing_arrived and box.purpose == Purpose.ARRIVING):
            raise BoxRefused("empty", _("Nothing is in the box yet."))
        _carry_out(box, contents, actor)
        _close(box, Box.End.BOOKED, actor)
    return Booked(box, contents.quantity, is_new=True)


def _carry_out(box: Box, contents: Contents, actor: str) -> None:
    filled = contents.filled
    quantities = {each.phone.pk: each.quantity for each in filled}
    units = {each.phone.pk: each.units() for each in filled if each.scanned}
    act = Act(box.key, actor, f"delivery:{box.note}" if box.note else "")
    if box.purpose == Purpose.DELIVERY:
        stock.receive(box.outlet_id, quantities, act, units)
    elif box.purpose == Purpose.SENDING:
        for each in filled:
            if each.scanned and each.counted:
                message = _("%(phone)s: scan all of them, or count all of them.") % {"phone": each.phone.name}
                raise BoxRefused("some_scanned", message)
            if unrecorded := each.quantity - _on_record(each):
                counter.require_unnumbered(box.outlet_id, each.phone.pk, unrecorded)
        transfers.send(_transfer_id(box), quantities, act, units)
    else:
        transfers.receive(_transfer_id(box), {each.phone.pk: _arrival(each) for each in filled}, act)


def _on_record(content: Content) -> int:
    numbers = [number for unit in content.units() for number in unit]
    return Handset.objects.filter(numbers__number__in=numbers).distinct().count() if numbers else 0


def _arrival(content: Content) -> transfers.Arrival:
    return transfers.Arrival(
        content.quantity - content.damaged,
        content.damaged,
        content.units(damaged=False),
        content.units(damaged=True),
    )


def _transfer_id(box: Box) -> int:
    assert box.transfer_id is not None  # noqa: S101 - the database holds it
    return box.transfer_id


def _open(box_id: int) -> Box:
    box = Box.objects.select_for_update(of=["self"]).select_related("transfer").get(pk=box_id)
    if not box.is_open:
        raise _closed()
    return box


def _closed() -> BoxRefused:
    return BoxRefused("closed", _("This box is closed: it was booked or thrown away."))


def _changed(box: Box, *fields: str) -> None:
    box.version += 1
    box.save(update_fields=["version", *fields])


def _close(box: Box, end: Box.End, actor: str) -> None:
    box.scans.all().delete()
    box.counts.all().delete()
    box.end, box.closed_by, box.closed_at = end, actor, timezone.now()
    box.save(update_fields=["end", "closed_by", "closed_at"])


def _quantity_of(box: Box) -> int:
    lines = StockMovement.objects.filter(outlet=box.outlet_id, operation_key=box.key)
    return abs(lines.aggregate(sum=Sum("change_on_hand"))["sum"] or 0)


def _not_twice(box: Box, number: str, unit: Handset | None) -> None:
    numbers = [each.number for each in unit.numbers.all()] if unit else [number]
    there = box.scans.filter(number__in=numbers).first()
    if there:
        place = box.scans.filter(slot=1, seq__lte=there.unit).count()
        message = _("%(number)s is in this box already: phone %(place)d.")
        raise BoxRefused("in_this_box", message % {"number": number, "place": place})


def _had_pairs(outlet_id: int) -> bool:
    """Whether both numbers of each phone were scanned here last time; at the beginning, they are."""
    last = Box.objects.filter(outlet=outlet_id).values_list("has_pairs", flat=True).first()
    return True if last is None else last


def _not_by_count_alone(box: Box, phone_id: int, counted: int, damaged: int) -> None:
    if box.purpose != Purpose.ARRIVING or box.transfer is None:
        return
    named = len(transfers.units_sent(box.transfer).get(phone_id, []))
    if named and (counted != named or damaged not in (0, counted)):
        raise BoxRefused("sent_by_number", _("These were sent by their numbers: scan those that arrived."))


def _of_the_transfer(box: Box, number: str, phone_id: int, unit: Handset | None) -> None:
    """Refuse what did not leave with this transfer, where its sender named the phones by their numbers."""
    if box.purpose != Purpose.ARRIVING or box.transfer is None:
        return
    sent = transfers.units_sent(box.transfer)
    named = {each for units in sent.values() for one in units for each in one}
    if number in named:
        return
    if unit is not None:
        problem = UnitProblem(number, unit.state, unit.outlet_id, phone_id)
        raise UnitRefused(box.outlet_id, [problem])
    if phone_id in sent:
        raise UnitRefused(box.outlet_id, [UnitProblem(number, "unknown", None, phone_id)])
