"""
How a page may be asked for, who may keep it, and for how long: the one place that writes Cache-Control and Vary.

A page is the same for everybody but for "my outlet", which one cookie names. With that cookie a page is private;
without it any shared cache may keep it, though not past the second in which a price changes. What no view declares
keepable is nobody's to keep (`config.ready` says so).
"""

from __future__ import annotations

from collections.abc import Callable
from functools import wraps
from typing import Any

from django.http import HttpRequest
from django.http.response import HttpResponseBase

from catalog.catalogue import current_catalogue

# The one cookie that pages for customers differ by.
PERSONAL_COOKIE = "my_outlet"

# How long, in seconds, others may keep a page of the catalogue without asking again.
CATALOGUE_SECONDS = 60

NOT_TO_KEEP = "private, no-cache"
VARIES_BY = "Accept-Encoding, Cookie"

READING = ["GET", "HEAD", "OPTIONS"]

View = Callable[..., HttpResponseBase]


def cache_control(is_private: bool, seconds: float, seconds_of_prices: float) -> str:
    """Return who may keep a page, and for how long: in no case until after a price on it has changed."""
    return f"{'private' if is_private else 'public'}, max-age={int(min(seconds, seconds_of_prices))}"


def is_personal(request: HttpRequest) -> bool:
    """Whether the answer to this visitor may differ from the answer to everybody."""
    return PERSONAL_COOKIE + "=" in request.META.get("HTTP_COOKIE", "") or "HTTP_AUTHORIZATION" in request.META


def catalogue_page(view: View) -> View:
    """Make `view` a page that tells of the catalogue alone: ready for as long as the catalogue stays as it is."""

    @_asked_by(READING)
    @wraps(view)
    def page(request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponseBase:
        response = _read(view, CATALOGUE_SECONDS, request, *args, **kwargs)
        response.tells_of_catalogue_alone = True  # type: ignore[attr-defined]
        return response

    return page


def stock_page(seconds: int) -> Callable[[View], View]:
    """Make a view a page that tells of stock, outlets or opening hours, too: anyone may keep it for some seconds."""

    def decorate(view: View) -> View:
        @_asked_by(READING)
        @wraps(view)
        def page(request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponseBase:
            return _read(view, seconds, request, *args, **kwargs)

        return page

    return decorate


def deed(view: View) -> View:
    """Make `view` something that is done and not read: only a form is taken, and nobody keeps the answer."""
    return _asked_by(["POST"])(view)


def personal_page(view: View) -> View:
    """Make `view` a page of one visitor: it is read, and what others may keep of it is nothing or as it says itself."""
    return _asked_by(READING)(view)


def form_page(view: View) -> View:
    """Make `view` a personal page that takes a form, too."""
    return _asked_by([*READING, "POST"])(view)


def _asked_by(methods: list[str]) -> Callable[[View], View]:
    """Say which methods a view takes; `config.methods` refuses the others before the view is called."""

    def declare(view: View) -> View:
        view.methods = methods  # type: ignore[attr-defined]
        return view

    return declare


def _read(view: View, seconds: int, request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponseBase:
    # Asked before the page is made: what is on it may be at the prices of that instant.
    catalogue = current_catalogue()
    response = view(request, *args, **kwargs)
    if response.status_code == 200:
        response["Cache-Control"] = cache_control(is_personal(request), seconds, catalogue.seconds_left())
        response["Vary"] = VARIES_BY
    return response
