"""
Where to collect: the outlets that can hand over everything that is wanted, the nearest first.

Where none is near that can, the nearest that have a part, and which part: the visitor then decides what to change.
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from django.db.models import Exists, OuterRef
from django.utils import timezone

from orders.basket import Line, Wanted
from stores.geography import Point, distance_km
from stores.hours import SHANGHAI, Opening, opening_of, week_of
from stores.models import Outlet, StockLevel
from stores.place_words import distance_in_words
from stores.querysets import OutletQuerySet

MOST_OFFERS = 10
MOST_PARTIAL_OFFERS = 3
# Farther than this from where one looked, an outlet that has only a part may be the better way.
FAR_KM = 40
_CODE = re.compile(r"[0-9]{9}-[0-9]{2}", re.ASCII)


@dataclass(frozen=True)
class Part:
    """How many an outlet has of what one line asks for; never more than asked for."""

    line: Line
    left: int

    @property
    def is_enough(self) -> bool:
        return self.left >= self.line.quantity


@dataclass(frozen=True)
class Offer:
    """What one outlet can hand over of what is wanted. `km` is None where nobody said from where."""

    outlet: Outlet
    opening: Opening
    parts: tuple[Part, ...]
    km: float | None = None

    @property
    def distance(self) -> str:
        """Say how far it is, in words that claim no more than is known of the place."""
        if self.km is None:
            return ""
        return distance_in_words(self.km, self.outlet.coordinate_accuracy_km, is_vague=self.outlet.place_is_vague)

    @property
    def has_everything(self) -> bool:
        return self.outlet.is_open and all(part.is_enough for part in self.parts)

    @property
    def missing(self) -> list[Part]:
        return [part for part in self.parts if not part.is_enough]

    @property
    def instead(self) -> Wanted:
        """What can be had here of what is wanted."""
        lines = (Line(part.line.phone, part.left) for part in self.parts if part.left)
        return Wanted(tuple(lines), is_basket=False)


def outlet_of(code: str) -> Outlet | None:
    """Return the outlet of this code, as somebody typed or sent it, unless there is none or it is gone for good."""
    return Outlet.objects.visible().filter(code=code).first() if _CODE.fullmatch(code) else None


def offer_at(code: str, wanted: Wanted, now: datetime | None = None) -> Offer | None:
    """Return what the outlet of this code offers, None where there is no such outlet. One query."""
    if not _CODE.fullmatch(code):
        return None
    return next(iter(_offers(Outlet.objects.visible().filter(code=code), wanted, now)), None)


def nearest_offers(wanted: Wanted, point: Point, now: datetime | None = None) -> list[Offer]:
    """Return the nearest outlets that can hand over everything. One query."""
    # The dearer a phone, the fewer outlets have it: asked for first, it spares the others the question.
    rarest_first = sorted(wanted.lines, key=lambda line: -line.phone.price_fen)
    able = Outlet.objects.able_to_hand_over({line.phone.pk: line.quantity for line in rarest_first}).nearest(point)
    return _offers(able[:MOST_OFFERS], wanted, now)


def nearest_partial_offers(wanted: Wanted, point: Point, now: datetime | None = None) -> list[Offer]:
    """Return the nearest outlets that have a part of what is wanted but not everything. One query."""
    some = StockLevel.objects.filter(outlet=OuterRef("pk"), phone__in=wanted.quantities, is_available=True)
    partial = Outlet.objects.open().filter(Exists(some)).nearest(point)
    offers = _offers(partial[: MOST_PARTIAL_OFFERS * 2], wanted, now)
    return [offer for offer in offers if not offer.has_everything][:MOST_PARTIAL_OFFERS]


def _offers(outlets: OutletQuerySet, wanted: Wanted, now: datetime | None) -> list[Offer]:
    now = now or timezone.now()
    today = now.astimezone(SHANGHAI).date()
    found = outlets.with_shelf(wanted.quantities).with_week().with_closures(today)
    return [
        Offer(
            outlet,
            opening_of(outlet, {outlet.timetable_id: week_of(outlet)}, now),
            tuple(_parts(outlet, wanted.lines)),
            distance_km(outlet.chord) if hasattr(outlet, "chord") else None,
        )
        for outlet in found
    ]


def _parts(outlet: Any, lines: Iterable[Line]) -> Iterable[Part]:
    left = {level["phone"]: level["available"] for level in outlet.shelf}
    return (Part(line, min(left.get(line.phone.pk, 0), line.quantity)) for line in lines)
