"""The catalogue as one unchanging value in memory: 14 phones are asked for on nearly every page."""

from __future__ import annotations

import time
from collections.abc import Hashable
from dataclasses import dataclass
from functools import cached_property
from typing import Any

from catalog.models import Brand, CatalogueVersion, Phone, Tier

# How long, in seconds, a process may believe the version that it read last. Pages carry a longer max-age anyway.
VERSION_IS_FRESH = 1.0


@dataclass(frozen=True)
class Catalogue:
    """Everything in the catalogue at one version. Shared by all threads of a process: never change it."""

    version: int
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


_current: Catalogue | None = None
_version_read_at = 0.0


def catalogue_version() -> int:
    """Return the number that the last committed change of the catalogue left; 0 while there is none."""
    return CatalogueVersion.objects.values_list("number", flat=True).filter(pk=1).first() or 0


def current_catalogue() -> Catalogue:
    """
    Return the catalogue, at most `VERSION_IS_FRESH` seconds behind the database.

    Phones come with brand, tier, colours and preinstalled apps loaded.
    """
    global _current, _version_read_at
    now = time.monotonic()
    if _current is None or now - _version_read_at >= VERSION_IS_FRESH:
        version = catalogue_version()
        if _current is None or _current.version != version:
            _current = _load(version)
        _version_read_at = now
    return _current


def forget_catalogue() -> None:
    """Make the next `current_catalogue()` of this process ask the database."""
    global _current
    _current = None


def _load(version: int) -> Catalogue:
    # The version is read before the rows: a change in between makes the copy newer than its number says, and the
    # next look at the version loads it again. The other order could keep an old copy under a new number.
    phones = Phone.objects.select_related("brand", "tier").prefetch_related("colours", "preinstalled_apps")
    return Catalogue(
        version=version,
        phones=tuple(phones),
        tiers=tuple(Tier.objects.all()),
        brands=tuple(Brand.objects.all()),
    )
