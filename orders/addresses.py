"""The addresses of an order's pages, made from those of any number: Django takes long to make each of its own."""

from __future__ import annotations

from functools import cache

from django.urls import get_script_prefix, reverse
from django.utils.translation import get_language

from orders import numbers

_ANY = "0" * numbers.DIGITS


def address_of(number: str, page: str = "order") -> str:
    """Return the address of a page of the order of a well-formed number, in the active language and text size."""
    return number.join(_around_the_number(page, get_language(), get_script_prefix()))


@cache
def _around_the_number(page: str, _language: str | None, _prefix: str) -> list[str]:
    return reverse(f"orders:{page}", args=[_ANY]).split(_ANY)
