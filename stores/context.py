"""What pages below the stores may say about shops. Settings wire these context processors; each asks only when used."""

from __future__ import annotations

import time
from dataclasses import dataclass
from typing import Any

from django.http import HttpRequest
from django.utils.functional import SimpleLazyObject

from stores import my_outlet as choice
from stores.totals import region_stock

# How many seconds a process may go on telling the country's figures: the pages that show them are kept for a minute.
FIGURES_ARE_FRESH = 1.0


@dataclass(frozen=True)
class Country:
    """How many shops of the country have each phone (by its key), as of `counted_at` (monotonic seconds)."""

    outlets_with: dict[int, int]
    counted_at: float


_country: Country | None = None


def my_outlet(request: HttpRequest) -> dict[str, Any]:
    """Offer `my_outlet`: the visitor's chosen outlet with its stock, or something false."""
    # Every page asks, and most visitors have chosen none.
    is_chosen = choice.COOKIE in request.COOKIES
    return {"my_outlet": SimpleLazyObject(lambda: choice.my_outlet(request)) if is_chosen else None}


def country(request: HttpRequest) -> dict[str, Any]:
    """Offer `country`: see Country."""
    return {"country": SimpleLazyObject(current_country)}


def current_country() -> Country:
    """Return the figures of the whole country, which the process counts once a second."""
    global _country
    known = _country
    if known is None or time.monotonic() - known.counted_at >= FIGURES_ARE_FRESH:
        known = _country = count_country()
    return known


def forget_country() -> None:
    """Let the next who asks for the country's figures count them."""
    global _country
    _country = None


def count_country() -> Country:
    """Return the figures of the whole country as they are now. One query, no longer for more outlets."""
    counted_at = time.monotonic()
    return Country({phone_id: totals.outlets_with for phone_id, totals in region_stock(None).items()}, counted_at)
