"""
The catalogue as one unchanging value in memory: 14 phones are asked for on nearly every page.

It is the catalogue of a time in which no price changes. When the clock of the database reaches the end of that time,
the next one is made; so is it when a change of the catalogue was committed.
"""

from __future__ import annotations

import math
import time
from collections.abc import Hashable
from dataclasses import dataclass
from datetime import datetime
from functools import cached_property
from typing import Any, NamedTuple

from django.db import connection

from catalog.models import Brand, Phone, Tier
from catalog.prices import next_change, offers_at

# How long, in seconds, a process may believe the version that it read last. Pages carry a longer max-age anyway.
VERSION_IS_FRESH = 1.0


class Edition(NamedTuple):
    """Which catalogue it is: the number of the last change to its tables, and the moment that its prices are of."""

    version: int
    moment: datetime


@dataclass(frozen=True)
class Catalogue:
    """
    Everything in the catalogue of one edition, at prices that hold from its moment to `until` (None: none will change).

    `ends_at` is `until` by the clock of this process, time.monotonic. Shared by all threads: never change it.
    """

    edition: Edition
    until: datetime | None
    ends_at: float
    phones: tuple[Phone, ...]
    tiers: tuple[Tier, ...]
    brands: tuple[Brand, ...]

    @cached_property
    def fragments(self) -> dict[Hashable, Any]:
        """Pieces of pages made of this version; see `catalog.fragments`."""
        return {}

    @cached_property
    def listed(self) -> tuple[Phone, ...]:
        """The phones on sale, in shelf order."""
        return tuple(phone for phone in self.phones if not phone.is_discontinued)

    @cached_property
    def by_slug(self) -> dict[str, Phone]:
        return {phone.slug: phone for phone in self.phones}

    @cached_property
    def by_id(self) -> dict[int, Phone]:
        return {phone.pk: phone for phone in self.phones}

    def holds_at(self, moment: datetime) -> bool:
        """Whether its prices are those of `moment`."""
        return self.edition.moment <= moment and (self.until is None or moment < self.until)

    def seconds_left(self) -> float:
        """Return how long its prices hold from now on."""
        return max(self.ends_at - time.monotonic(), 0)


class _Belief(NamedTuple):
    """The catalogue, and when (by time.monotonic) the database has to be asked again whether it is still true."""

    catalogue: Catalogue
    ask_again_at: float


_belief: _Belief | None = None


def version_and_clock() -> tuple[int, datetime]:
    """Return the number that the last committed change left (0 while there is none), and the database's clock."""
    with connection.cursor() as cursor:
        cursor.execute("SELECT coalesce(max(number), 0), clock_timestamp() FROM catalog_catalogueversion")
        return cursor.fetchone()


def current_catalogue() -> Catalogue:
    """
    Return the catalogue at the prices of this instant, at most `VERSION_IS_FRESH` seconds behind changes to it.

    Phones come with brand, tier, colours, preinstalled apps and what they cost loaded.
    """
    global _belief
    belief, now = _belief, time.monotonic()
    if belief is None or now >= belief.ask_again_at:
        version, clock = version_and_clock()
        if belief is None or belief.catalogue.edition.version != version or not belief.catalogue.holds_at(clock):
            catalogue = catalogue_at(clock, version=version, now=now)
        else:
            catalogue = belief.catalogue
        belief = _belief = _Belief(catalogue, min(now + VERSION_IS_FRESH, catalogue.ends_at))
    return belief.catalogue


def forget_catalogue() -> None:
    """Make the next `current_catalogue()` of this process ask the database."""
    global _belief
    _belief = None


def catalogue_at(moment: datetime, *, version: int = 0, now: float = 0) -> Catalogue:
    """
    Return the catalogue at the prices of any moment; phones that had none yet are left out.

    `version` was read before, and `now` is the moment by time.monotonic: for the catalogue that is kept in memory.
    """
    # The version was read before the rows: a change in between makes the copy newer than its number says, and the
    # next look at the version loads it again. The other order could keep an old copy under a new number.
    phones = Phone.objects.select_related("brand", "tier").prefetch_related("colours", "preinstalled_apps")
    offers, until = offers_at(moment), next_change(moment)
    priced = tuple(phone for phone in phones if phone.pk in offers)
    for phone in priced:
        phone.offer = offers[phone.pk]
    return Catalogue(
        edition=Edition(version, moment),
        until=until,
        ends_at=math.inf if until is None else now + (until - moment).total_seconds(),
        phones=priced,
        tiers=tuple(Tier.objects.all()),
        brands=tuple(Brand.objects.all()),
    )
