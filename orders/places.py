"""From where somebody looks for a shop: a position, a place by its name, a region, or else the chosen shop."""

from __future__ import annotations

import re
from dataclasses import dataclass, field

from django.http import HttpRequest, QueryDict
from django.utils.translation import gettext as _

from catalog.errors import BadQuery
from stores.geography import Point
from stores.models import Outlet, Region
from stores.my_outlet import chosen_code
from stores.questions import read_point
from stores.search import LONGEST_QUESTION, Hit, find_places

MOST_OTHERS = 6
_DIGITS = re.compile(r"[0-9]{6}|[0-9]{9}", re.ASCII)


@dataclass(frozen=True)
class Place:
    """
    Where shops are looked for: a point, or, as long as the place is too wide for one, the narrower regions to choose.

    `question` is what was typed; `others` are further regions above the town of that name.
    """

    name: str = ""
    point: Point | None = None
    regions: list[Region] = field(default_factory=list)
    question: str = ""
    others: list[Hit] = field(default_factory=list)

    @property
    def is_unknown(self) -> bool:
        return bool(self.question) and not self.name


def place_asked(request: HttpRequest, near: Outlet | None = None) -> Place:
    """
    Return the place that the address asks for, or else `near`, or else the chosen shop; junk is as good as not asked.

    At most five queries.
    """
    data = request.GET
    point = _point(data)
    if point:
        return Place(_("where you are"), point)
    question = " ".join(data.get("q", "").replace("\0", " ").split())[:LONGEST_QUESTION]
    if question:
        return _place_called(question)
    code = data.get("region", "")
    if _DIGITS.fullmatch(code):
        return _place_of_region(code) or _country()
    if near is not None:
        return Place(near.name, Point(near.latitude, near.longitude))
    chosen = chosen_code(request)
    return (chosen and _place_of_outlet(chosen)) or _country()


def _point(data: QueryDict) -> Point | None:
    """As the finder reads it, but whoever is about to reserve is not stopped by a bad one."""
    try:
        return read_point(data)
    except BadQuery:
        return None


def _place_called(question: str) -> Place:
    hits = find_places(question)
    if not hits:
        return Place(question=question, regions=_regions_in(None))
    best, *rest = hits
    # Towns come without a name, and those of the best hit's region show among its shops anyway.
    others = [hit for hit in rest if hit.level < Region.Level.TOWN][:MOST_OTHERS]
    is_region = best.level <= Region.Level.TOWN
    place = (_place_of_region(best.code) if is_region else _place_of_outlet(best.code)) or _country()
    return Place(place.name, place.point, place.regions, question, others)


def _place_of_region(code: str) -> Place | None:
    region = Region.objects.filter(code=code).first()
    if region is None:
        return None
    if region.level >= Region.Level.COUNTY and region.latitude is not None and region.longitude is not None:
        return Place(region.name, Point(region.latitude, region.longitude))
    return Place(region.name, regions=_regions_in(region))


def _place_of_outlet(code: str) -> Place | None:
    outlet = Outlet.objects.filter(code=code).only("name_zh", "name_en", "latitude", "longitude").first()
    return Place(outlet.name, Point(outlet.latitude, outlet.longitude)) if outlet else None


def _country() -> Place:
    return Place(regions=_regions_in(None))


def _regions_in(region: Region | None) -> list[Region]:
    """The regions just below `region` (None: the provinces) that have shops."""
    below = Region.objects.filter(parent=None) if region is None else region.children
    return list(below.filter(outlet_count__gt=0).order_by("code"))
