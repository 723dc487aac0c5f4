"""
Which orders this browser may see: those placed or looked up from it, for three days.

A signed cookie carries their numbers. It says nothing of the person, and to whoever lacks it an order looks as if it
did not exist.
"""

from __future__ import annotations

from django.http import HttpRequest, HttpResponse

from catalog.signed_cookies import SignedCookie

COOKIE = SignedCookie("orders", seconds=3 * 24 * 3600, most=400)
MOST_ORDERS = 8


def visible_numbers(request: HttpRequest) -> list[str]:
    """Return the numbers of the orders that this browser may see, the latest last."""
    return [number for number in COOKIE.read(request).split(".") if number]


def let_see(request: HttpRequest, response: HttpResponse, number: str) -> None:
    """Let the browser see the order `number` from now on; the oldest of many are forgotten."""
    others = [each for each in visible_numbers(request) if each != number]
    COOKIE.write(response, ".".join([*others, number][-MOST_ORDERS:]))


def let_forget(request: HttpRequest, response: HttpResponse, number: str) -> None:
    """Take that right away again, for a phone that is somebody else's."""
    COOKIE.write(response, ".".join(each for each in visible_numbers(request) if each != number))
