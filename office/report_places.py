"""The place that a report is about: the country, a region down to the county, or an outlet; and what lies in it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from django.urls import reverse
from django.utils.translation import gettext as _

from stores.access import regions_around
from stores.models import Outlet, Region

Spot = Region | Outlet


@dataclass(frozen=True)
class Place:
    """
    `region` None: the country; `outlet`: that outlet, in `region`. `around` are the regions that it lies in, from the
    province down; `inside` are the regions or, of a county, the outlets right in it.
    """

    region: Region | None
    outlet: Outlet | None
    around: Sequence[Region]
    inside: Sequence[Spot]

    @property
    def code(self) -> str:
        """The code of the region, "" for the country."""
        return self.region.code if self.region else ""

    @property
    def name(self) -> str:
        return name_of(self.outlet or self.region)

    @property
    def has_outlets(self) -> bool:
        """Whether what lies inside are outlets."""
        return self.region is not None and self.region.level == Region.Level.COUNTY

    @property
    def ways(self) -> tuple[str, ...]:
        """By what the lines of its reports can be told apart, the usual one first."""
        return ("phone", "brand", "tier", "day") if self.outlet else ("place", "phone", "brand", "tier", "day")

    @property
    def address(self) -> str:
        return address_of(self.outlet or self.region)


def name_of(spot: Spot | None) -> str:
    return spot.name if spot else _("China")


def address_of(spot: Spot | None) -> str:
    if isinstance(spot, Outlet):
        return reverse("reports:outlet", args=[spot.code])
    return reverse("reports:region", args=[spot.code]) if spot else reverse("reports:country")


def country() -> Place:
    """Return the country. One query."""
    return Place(None, None, (), list(Region.objects.filter(level=Region.Level.PROVINCE)))


def region_place(code: str) -> Place | None:
    """Return the province, city or county of this code, None where there is none. One query, two for a county."""
    around = [found for found in regions_around(code) if len(found) == 6]
    wanted = Region.objects.filter(code__in=around, level__lt=Region.Level.TOWN)
    inside: Any = Region.objects.filter(parent=code, level__lt=Region.Level.TOWN)
    regions = list(wanted.union(inside, all=True).order_by("code"))
    region = next((each for each in regions if each.code == code), None)
    if region is None:
        return None
    above = [each for each in regions if each.level < region.level]
    if region.level == Region.Level.COUNTY:
        return Place(region, None, above, list(Outlet.objects.in_region(region).order_by("code")))
    return Place(region, None, above, [each for each in regions if each.level > region.level])


def outlet_place(code: str) -> Place | None:
    """Return the outlet of this code, None where there is none. Two queries."""
    outlet = Outlet.objects.filter(code=code).first()
    if outlet is None:
        return None
    codes = [found for found in regions_around(outlet.town_id) if len(found) == 6]
    around = list(Region.objects.filter(code__in=codes, level__lt=Region.Level.TOWN).order_by("level"))
    return Place(around[-1], outlet, around, ())
