"""
Who may keep a page, and for how long: the one place that writes Cache-Control and Vary.

A page is the same for everybody but for "my outlet", which one cookie names. With that cookie a page is private;
without it any shared cache may keep it. What no view declares keepable is nobody's to keep (`ReadyPages` says so).
"""

from __future__ import annotations

from collections.abc import Callable
from functools import wraps
from typing import Any

from django.http import HttpRequest, HttpResponse
from django.utils.cache import patch_vary_headers

# The one cookie that pages for customers differ by.
PERSONAL_COOKIE = "my_outlet"

# How long, in seconds, others may keep a page of the catalogue without asking again.
CATALOGUE_SECONDS = 60

NOT_TO_KEEP = "private, no-cache"

View = Callable[..., HttpResponse]


def is_personal(request: HttpRequest) -> bool:
    """Whether the answer to this visitor may differ from the answer to everybody."""
    return PERSONAL_COOKIE + "=" in request.META.get("HTTP_COOKIE", "") or "HTTP_AUTHORIZATION" in request.META


def catalogue_page(view: View) -> View:
    """Let a page that tells of the catalogue alone be kept, here for as long as the catalogue stays as it is."""

    @wraps(view)
    def keepable(request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponse:
        response = view(request, *args, **kwargs)
        _let_keep(request, response, CATALOGUE_SECONDS)
        response.tells_of_catalogue_alone = True  # type: ignore[attr-defined]
        return response

    return keepable


def stock_page(seconds: int) -> Callable[[View], View]:
    """Let a page that tells of stock, outlets or opening hours be kept for some seconds by anyone."""

    def decorate(view: View) -> View:
        @wraps(view)
        def keepable(request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponse:
            response = view(request, *args, **kwargs)
            _let_keep(request, response, seconds)
            return response

        return keepable

    return decorate


def _let_keep(request: HttpRequest, response: HttpResponse, seconds: int) -> None:
    if response.status_code != 200 or response.has_header("Cache-Control"):
        return
    response["Cache-Control"] = f"{'private' if is_personal(request) else 'public'}, max-age={seconds}"
    patch_vary_headers(response, ["Accept-Encoding", "Cookie"])
