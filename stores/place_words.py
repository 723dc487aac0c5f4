"""How far and in which direction, in words that claim no more than is known of the place."""

from __future__ import annotations

from collections.abc import Callable
from functools import lru_cache, partial
from math import ceil
from operator import attrgetter

from django.utils.translation import get_language
from django.utils.translation import gettext as _

from stores.geography import Point, bearing, distance_between
from stores.models import Outlet, Region

# What outlets have as their source where only the county is known. An enumeration is slow to compare with, row by row.
COUNTY_OFFSET = Outlet.CoordinateSource.COUNTY_OFFSET.value
# A distance to a place of which only the county is known is rounded to so many kilometres.
VAGUE_STEP_KM = 10
# Nearer to the county seat than this is in it, as far as the points are exact.
IN_THE_SEAT_KM = 3


def distance_in_words(km: float, accuracy_km: int, *, is_vague: bool) -> str:
    """Say a distance in kilometres, never closer than the place is known: `accuracy_km` is how far off it may be."""
    return distances(get_language())(*as_far_as_known(km, accuracy_km, is_vague))


def distances(language: str | None) -> Callable[[bool, int], str]:
    """Return what says what `as_far_as_known` returns. `language` is the active one: a list asks once for all."""
    return partial(_distance, language)


def as_far_as_known(km: float, accuracy_km: int, is_vague: bool) -> tuple[bool, int]:
    """Return whole kilometres that claim no more than is known, and before them whether it is only "within" these."""
    step = VAGUE_STEP_KM if is_vague else 1
    known = ceil(accuracy_km / step) * step
    return (True, known) if km < known else (False, round(km / step) * step)


def nearness(km: float, accuracy_km: int, is_vague: bool) -> tuple[int, bool]:
    """
    Return by what places are ordered that are known more or less exactly, the nearest first.

    A place of which only the county is known is as far as it may be at worst, and comes after an exact one there.
    """
    return as_far_as_known(km, accuracy_km, is_vague)[1], is_vague


# The same of what has both worked out already.
NEARNESS = attrgetter("km", "is_vague")


# A page says up to forty distances, and mostly the same ones.
@lru_cache(maxsize=4096)
def _distance(language: str | None, is_within: bool, km: int) -> str:
    return (_("within %(km)d km") if is_within else _("about %(km)d km")) % {"km": km}


def way_from_seat(outlet: Outlet, county: Region) -> str:
    """Say where the outlet is as seen from the county seat; empty where that is not known."""
    if outlet.place_is_vague or county.latitude is None or county.longitude is None:
        return ""
    seat, place = Point(county.latitude, county.longitude), Point(outlet.latitude, outlet.longitude)
    km = distance_between(seat, place)
    if km < IN_THE_SEAT_KM:
        return _("In the county seat.")
    where = {"direction": direction_in_words(bearing(seat, place)), "km": round(km)}
    return _("%(direction)s of the county seat, about %(km)d km in a straight line.") % where


def direction_in_words(degrees: float) -> str:
    """Return the nearest of eight directions; 0 is north, 90 east."""
    names = (
        _("North"),
        _("North-east"),
        _("East"),
        _("South-east"),
        _("South"),
        _("South-west"),
        _("West"),
        _("North-west"),
    )
    return names[round(degrees / 45) % 8]
