"""
The short way of programs: a request goes straight to its door of the API.

What stands before the pages reads languages from addresses, signs people in, guards forms and tells browsers what a
page may do. A program needs none of it. Compression and If-None-Match stand before this, for programs and pages alike.
"""

from __future__ import annotations

from collections.abc import Callable
from functools import lru_cache

from django.conf import settings
from django.core.handlers.exception import convert_exception_to_response
from django.http import HttpRequest, HttpResponse
from django.http.response import HttpResponseBase
from django.urls import Resolver404, ResolverMatch, get_resolver

from api.problems import is_for_programs
from api.views import Door
from catalog.caching import NOT_TO_KEEP
from config.remembered import MOST_ADDRESSES

# What every answer says of itself: nobody's to keep, and data, also to a browser that somebody leads to it.
HEADERS = {
    "Cache-Control": NOT_TO_KEEP,
    "Content-Security-Policy": "default-src 'none'; frame-ancestors 'none'",
    "X-Content-Type-Options": "nosniff",
    "X-Frame-Options": "DENY",
}


class Programs:
    """The middleware. What asks for no door goes on to the pages, and so does what should be secure and is not."""

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponseBase]) -> None:
        self.for_pages = get_response
        self.for_programs: Callable[[HttpRequest], HttpResponse] = convert_exception_to_response(_open)  # type: ignore[assignment]
        self.must_be_secure = settings.SECURE_SSL_REDIRECT
        self.headers = dict(HEADERS)
        if settings.SECURE_HSTS_SECONDS:
            self.headers["Strict-Transport-Security"] = f"max-age={settings.SECURE_HSTS_SECONDS}"

    def __call__(self, request: HttpRequest) -> HttpResponseBase:
        if not is_for_programs(request) or (self.must_be_secure and not request.is_secure()):
            return self.for_pages(request)
        try:
            request.resolver_match = _door_at(request.path_info, settings.ROOT_URLCONF)
        except Resolver404:
            return self.for_pages(request)
        response = self.for_programs(request)
        for name, value in self.headers.items():
            response.headers.setdefault(name, value)
        response.headers.setdefault("Content-Length", str(len(response.content)))
        return response


def _open(request: HttpRequest) -> HttpResponse:
    # Raises what becomes a 400 where the host is not ours.
    request.get_host()
    door, args, kwargs = request.resolver_match  # type: ignore[misc]
    return door(request, *args, **kwargs)


@lru_cache(maxsize=MOST_ADDRESSES)
def _door_at(path: str, urlconf: str) -> ResolverMatch:
    """Return the door at an address. Raises Resolver404 where there is none, though there may be a page."""
    match = get_resolver(urlconf).resolve(path)
    if not issubclass(getattr(match.func, "cls", object), Door):
        raise Resolver404
    return match
