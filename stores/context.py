"""What pages below the stores may say about shops. Settings wire these context processors; each asks only when used."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from django.http import HttpRequest
from django.utils.functional import SimpleLazyObject

from stores import my_outlet as choice
from stores.totals import region_stock


@dataclass(frozen=True)
class Country:
    """How many shops of the country have each phone (by its key)."""

    outlets_with: dict[int, int]


def my_outlet(request: HttpRequest) -> dict[str, Any]:
    """Offer `my_outlet`: the visitor's chosen outlet with its stock, or something false."""
    return {"my_outlet": SimpleLazyObject(lambda: choice.my_outlet(request))}


def country(request: HttpRequest) -> dict[str, Any]:
    """Offer `country`: see Country."""
    return {"country": SimpleLazyObject(count_country)}


def count_country() -> Country:
    """Return the figures of the whole country. One query, no longer for more outlets."""
    return Country({phone_id: totals.outlets_with for phone_id, totals in region_stock(None).items()})
