"""Which outlets are near an outlet, for its desk: no nearer than is known of their place."""

from __future__ import annotations

from datetime import datetime
from typing import NamedTuple

from catalog.models import Phone
from stores.finder import OutletRow, find_near
from stores.geography import Point, distance_between
from stores.models import Outlet
from stores.place_words import nearness
from stores.questions import Question

# So many are shown. Of those whose place is known by their county alone, many lie on one spot, so more are looked at.
MOST = 20
PAGES = 3


class Neighbour(NamedTuple):
    """Another outlet, as a row of the finder; `is_vague`: only the county is known; `km` is as far as can be said."""

    row: OutletRow
    is_vague: bool
    km: int


def neighbours(outlet: Outlet, moment: datetime, phone: Phone | None = None) -> list[Neighbour]:
    """
    Return the open outlets near `outlet`, those that have `phone` if one is named, the nearest first.

    One of which only the county is known stands where it may be at worst. At most seven queries.
    """
    here = Point(outlet.latitude, outlet.longitude)
    rows: list[OutletRow] = []
    for page in range(1, PAGES + 1):
        found = find_near(here, Question(point=here, phone=phone, only_having=phone is not None, page=page), moment)
        rows += [row for row in found.outlets if row.code != outlet.code]
        if not found.has_more:
            break
    places = {other.code: other for other in Outlet.objects.filter(code__in=[row.code for row in rows])}
    near = [_neighbour(here, row, places[row.code]) for row in rows if row.code in places]
    return sorted(near, key=lambda each: (each.km, each.is_vague))[:MOST]


def _neighbour(here: Point, row: OutletRow, other: Outlet) -> Neighbour:
    km = distance_between(here, Point(other.latitude, other.longitude))
    known, is_vague = nearness(km, other.coordinate_accuracy_km, other.place_is_vague)
    return Neighbour(row, is_vague, known)
