"""Which outlets are near an outlet, for its desk: no nearer than is known of their place."""

from __future__ import annotations

from datetime import datetime

from catalog.models import Phone
from stores.finder import OutletRow, find_near
from stores.geography import Point
from stores.models import Outlet
from stores.place_words import NEARNESS
from stores.questions import Question

# So many are shown. Of those whose place is known by their county alone, many lie on one spot, so more are looked at.
MOST = 20
PAGES = 3


def neighbours(outlet: Outlet, moment: datetime, phone: Phone | None = None) -> list[OutletRow]:
    """
    Return the open outlets near `outlet`, those that have `phone` if one is named, the nearest first.

    One of which only the county is known stands where it may be at worst. At most six queries.
    """
    here = Point(outlet.latitude, outlet.longitude)
    rows: list[OutletRow] = []
    for page in range(1, PAGES + 1):
        found = find_near(here, Question(point=here, phone=phone, only_having=phone is not None, page=page), moment)
        rows += [row for row in found.outlets if row.code != outlet.code]
        if not found.has_more:
            break
    return sorted(rows, key=NEARNESS)[:MOST]
