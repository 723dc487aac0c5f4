"""
Where to collect: the outlets that can hand over everything that is wanted, the nearest first.

Where none is near that can, the nearest that have a part, and which part: the visitor then decides what to change.
"""

from __future__ import annotations

import json
import re
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from functools import lru_cache
from html import escape
from typing import Any

from django.contrib.postgres.fields import ArrayField
from django.db import DEFAULT_DB_ALIAS
from django.db.models import (
    CharField,
    DateField,
    Exists,
    FloatField,
    IntegerField,
    OuterRef,
    SmallIntegerField,
    TextField,
    Value,
)
from django.utils import timezone
from django.utils.safestring import SafeString
from django.utils.translation import get_language

from api.prepared import IsAnyOf, Parameter, Planned
from catalog.bilingual import is_english
from orders.basket import Line, Wanted
from stores.geography import Point, distance_km
from stores.hours import NO_WEEK, SHANGHAI, Opening, closures_of, opening_at, weeks_of
from stores.lines import call_first
from stores.models import Outlet, StockLevel
from stores.place_words import COUNTY_OFFSET, distance_in_words, nearness

MOST_OFFERS = 10
MOST_PARTIAL_OFFERS = 3
# So many times as many are looked at: of those that are near by their points, some are only known by their county.
LOOKED_AT = 2
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
    def told(self) -> SafeString:
        """Say as HTML which shop it is, how far, whether open, and where: without a template, as lists have ten."""
        outlet, language = self.outlet, get_language()
        is_in_english = is_english(language)
        name = outlet.name_en if is_in_english else outlet.name_zh
        address = outlet.address_en if is_in_english else outlet.address_zh
        far = f" <small>{distance}</small>" if (distance := self.distance) else ""
        silent = call_first(language) if outlet.call_first else ""
        return SafeString(  # every part is ours or escaped
            f"<b>{escape(name)}</b>{far}<small>{self.opening.as_html(language)}{silent}</small>"
            f"<small>{escape(address)}</small>"
        )

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


# What is told of an outlet, and asked of it when an order is placed there.
_OUTLET_FIELDS = (
    "id", "code", "name_zh", "name_en", "address_zh", "address_en", "latitude", "longitude", "coordinate_source",
    "coordinate_accuracy_km", "state", "timetable_id", "call_first",
)  # fmt: skip


# Where they are in a row, which ends with these.
_TIMETABLE, _ACCURACY, _SOURCE = (
    _OUTLET_FIELDS.index(field) - len(_OUTLET_FIELDS)
    for field in ("timetable_id", "coordinate_accuracy_km", "coordinate_source")
)


def outlet_of(code: str) -> Outlet | None:
    """
    Return the outlet of this code, as somebody typed or sent it, unless there is none or it is gone for good.

    One query, none where the text can be no code.
    """
    rows = _outlet_of_code.rows(code=code) if _CODE.fullmatch(code) else []
    return _outlet(rows[0]) if rows else None


def _outlet(values: Sequence[Any]) -> Outlet:
    return Outlet.from_db(DEFAULT_DB_ALIAS, _OUTLET_FIELDS, values)


@Planned
def _outlet_of_code() -> Any:
    return Outlet.objects.visible().filter(code=_CODE_ASKED).order_by().values_list(*_OUTLET_FIELDS)


def offer_at(code: str, wanted: Wanted, now: datetime | None = None) -> Offer | None:
    """Return what the outlet of this code offers, None where there is no such outlet. Two queries."""
    if not _CODE.fullmatch(code):
        return None
    return next(iter(_offers(_offer_of_code, wanted, now, code=code, phones=list(wanted.quantities))), None)


def nearest_offers(wanted: Wanted, point: Point, now: datetime | None = None) -> list[Offer]:
    """Return the nearest outlets that can hand over everything, as far as their places are known. Two queries."""
    # The dearer a phone, the fewer outlets have it: asked for first, it spares the others the question.
    rarest_first = sorted(wanted.lines, key=lambda line: -line.phone.price_fen)
    asked: dict[str, Any] = {"latitude": point.latitude, "longitude": point.longitude}
    for place, line in enumerate(rarest_first):
        asked |= {f"phone{place}": line.phone.pk, f"quantity{place}": line.quantity}
    able = _able_to_hand_over(tuple(line.quantity > 1 for line in rarest_first))
    return _offers(able, wanted, now, limit=MOST_OFFERS, **asked)


def nearest_partial_offers(wanted: Wanted, point: Point, now: datetime | None = None) -> list[Offer]:
    """Return the nearest outlets that have a part of what is wanted but not everything. Two queries."""
    asked = {"latitude": point.latitude, "longitude": point.longitude, "phones": list(wanted.quantities)}
    offers = _offers(_having_some, wanted, now, limit=MOST_PARTIAL_OFFERS * 2, **asked)
    return [offer for offer in offers if not offer.has_everything][:MOST_PARTIAL_OFFERS]


_CODE_ASKED = Parameter("code", CharField())
_PHONES_ASKED = Parameter("phones", ArrayField(SmallIntegerField()))
_NOT_MEASURED = Value(None, FloatField())
_EVERYTHING = Value(None, TextField())
_POINT_ASKED = (Parameter("latitude", FloatField()), Parameter("longitude", FloatField()))


def _values(outlets: Any, *columns: str) -> Any:
    """Return the columns that `_offers` reads."""
    return outlets.with_closures(Parameter("today", DateField())).values_list(*columns, "closures", *_OUTLET_FIELDS)


@Planned
def _offer_of_code() -> Any:
    outlets = Outlet.objects.visible().filter(code=_CODE_ASKED).order_by()
    return _values(outlets.with_shelf(_PHONES_ASKED).annotate(chord=_NOT_MEASURED), "shelf", "chord")


@Planned
def _having_some() -> Any:
    some = StockLevel.objects.filter(IsAnyOf("phone", _PHONES_ASKED), outlet=OuterRef("pk"), is_available=True)
    outlets = Outlet.objects.open().filter(Exists(some)).nearest(_POINT_ASKED)
    return _values(outlets.with_shelf(_PHONES_ASKED), "shelf", "chord")


@lru_cache(maxsize=100)
def _able_to_hand_over(several: tuple[bool, ...]) -> Planned:
    """Return the question for so many phones; `several` says of which of them more than one is wanted."""

    def make() -> Any:
        wanted = {
            Parameter(f"phone{place}", SmallIntegerField()): (
                Parameter(f"quantity{place}", IntegerField()) if is_several else 1
            )
            for place, is_several in enumerate(several)
        }
        outlets = Outlet.objects.able_to_hand_over(wanted).nearest(_POINT_ASKED)
        # What they have left of each phone is known: enough.
        return _values(outlets.annotate(shelf=_EVERYTHING), "shelf", "chord")

    return Planned(make)


def _offers(
    question: Planned, wanted: Wanted, now: datetime | None, *, limit: int | None = None, **asked: Any
) -> list[Offer]:
    now = now or timezone.now()
    rows = question.rows(limit=limit and limit * LOOKED_AT, today=now.astimezone(SHANGHAI).date(), **asked)
    if limit:
        rows = sorted(rows, key=_nearness)[:limit]
    weeks = weeks_of(row[_TIMETABLE] for row in rows)
    # Most shops near each other keep the same hours.
    openings: dict[tuple[Any, ...], Opening] = {}
    offers = []
    for shelf, chord, closures, *values in rows:
        outlet = _outlet(values)
        key = (outlet.timetable_id, outlet.state, *closures)
        if key not in openings:
            week = weeks.get(outlet.timetable_id, NO_WEEK)
            openings[key] = opening_at(now, week, closures_of(tuple(closures)), outlet.state)
        km = None if chord is None else distance_km(chord)
        offers.append(Offer(outlet, openings[key], _parts(shelf, wanted), km))
    return offers


def _nearness(row: Sequence[Any]) -> tuple[int, bool]:
    _shelf, chord, *values = row
    return nearness(distance_km(chord), values[_ACCURACY], values[_SOURCE] == COUNTY_OFFSET)


def _parts(shelf: list[str] | None, wanted: Wanted) -> tuple[Part, ...]:
    """`shelf` is what `OutletQuerySet.with_shelf` annotates; None where everything is known to be there."""
    if shelf is None:
        return tuple(Part(line, line.quantity) for line in wanted.lines)
    levels = map(json.loads, shelf)
    left = {level["phone"]: level["available"] for level in levels}
    return tuple(Part(line, min(left.get(line.phone.pk, 0), line.quantity)) for line in wanted.lines)
