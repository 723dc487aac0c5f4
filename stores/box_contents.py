"""What is in a box that is being scanned: phone by phone, and the last numbers."""

from __future__ import annotations

from dataclasses import dataclass, field

from catalog.catalogue import current_catalogue
from catalog.models import Phone
from stores.models import Box, BoxScan, TransferLine
from stores.unit_numbers import Unit

Purpose = Box.Purpose


@dataclass
class Scanned:
    """One phone that was scanned: the `place`th of the box, under the seq of its first number."""

    seq: int
    place: int
    phone: Phone
    numbers: Unit
    awaits_second: bool
    is_damaged: bool


@dataclass
class Content:
    """What of one phone is in the box; `expected` is what was asked for, or sent, with a transfer."""

    phone: Phone
    expected: int | None = None
    counted: int = 0
    counted_damaged: int = 0
    scanned: list[Scanned] = field(default_factory=list)

    @property
    def quantity(self) -> int:
        return self.counted + len(self.scanned)

    @property
    def damaged(self) -> int:
        return self.counted_damaged + sum(each.is_damaged for each in self.scanned)

    @property
    def missing(self) -> int:
        return max((self.expected or 0) - self.quantity, 0)

    def units(self, *, damaged: bool | None = None) -> list[Unit]:
        """Return the numbers of those that were scanned: all, or only the damaged or the whole ones."""
        return [each.numbers for each in self.scanned if damaged is None or each.is_damaged == damaged]


@dataclass(frozen=True)
class Contents:
    """All of a box, at one version of it; the last number of it has `last_seq`."""

    phones: list[Content]
    scanned: list[Scanned]
    last_seq: int

    @property
    def quantity(self) -> int:
        return sum(each.quantity for each in self.phones)

    @property
    def missing(self) -> int:
        return sum(each.missing for each in self.phones)

    @property
    def filled(self) -> list[Content]:
        return [each for each in self.phones if each.quantity]

    @property
    def latest(self) -> list[Scanned]:
        """The last few phones, the newest first: as many as people look back at."""
        return self.scanned[-6:][::-1]


def contents_of(box: Box) -> Contents:
    """Return what is in a box, those of its transfer first. Two queries, three for a transfer."""
    phones = current_catalogue().by_id
    found: dict[int, Content] = {}
    if box.transfer_id:
        lines = TransferLine.objects.filter(transfer=box.transfer_id)
        expected = "requested" if box.purpose == Purpose.SENDING else "sent"
        for phone_id, quantity in lines.order_by("phone").values_list("phone_id", expected):
            if quantity:
                found[phone_id] = Content(phones[phone_id], quantity)
    scans = list(box.scans.order_by("seq"))
    scanned = _scanned(scans, phones)
    for each in scanned:
        found.setdefault(each.phone.pk, Content(each.phone)).scanned.append(each)
    for count in box.counts.order_by("phone"):
        content = found.setdefault(count.phone_id, Content(phones[count.phone_id]))
        content.counted, content.counted_damaged = count.counted, count.damaged
    return Contents(list(found.values()), scanned, scans[-1].seq if scans else 0)


def _scanned(scans: list[BoxScan], phones: dict[int, Phone]) -> list[Scanned]:
    units: dict[int, Scanned] = {}
    for scan in scans:
        if scan.slot == 1:
            phone, place = phones[scan.phone_id], len(units) + 1
            units[scan.unit] = Scanned(scan.seq, place, phone, (scan.number,), scan.awaits_second, scan.is_damaged)
        else:
            units[scan.unit].numbers += (scan.number,)
    return list(units.values())
