"""
Language and text size are part of the address: `/` Chinese, `/en/` English, `/large/…` either in large text.

So both survive without a cookie, and a shared cache may keep every page. Neither is ever read from a header.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import NamedTuple

from django.http import HttpRequest, HttpResponse, HttpResponsePermanentRedirect
from django.urls import get_script_prefix, set_script_prefix
from django.utils import translation

# No question of ours is longer. What is makes no sense, and would weigh on the page that says so, in each of its links.
MOST_QUERY = 1000
CHINESE = "zh-hans"
ENGLISH = "en"


class Address(NamedTuple):
    """Where a page is: `path` is without language and size, `root` is where the site is mounted, mostly `/`."""

    root: str
    path: str
    query: str
    language: str = CHINESE
    is_large: bool = False

    def __str__(self) -> str:
        query = f"?{self.query}" if self.query else ""
        large, english = "large/" if self.is_large else "", "en/" if self.language == ENGLISH else ""
        return f"{self.root}{large}{english}{self.path[1:]}{query}"

    def twin(self, *, language: str | None = None, large: bool | None = None) -> Address:
        """Return the address of the same page in another language or size; what is None stays as it is."""
        return Address(
            self.root,
            self.path,
            self.query,
            self.language if language is None else language,
            self.is_large if large is None else large,
        )

    @classmethod
    def of(cls, request: HttpRequest) -> Address:
        path, is_large, language = request.path_info, False, CHINESE
        if path.startswith("/large/"):
            path, is_large = path.removeprefix("/large"), True
        if path == "/en" or path.startswith("/en/"):
            path, language = path.removeprefix("/en") or "/", ENGLISH
        query = request.META.get("QUERY_STRING", "")
        return cls(get_script_prefix(), path, query if len(query) <= MOST_QUERY else "", language, is_large)


def address_middleware(get_response: Callable[[HttpRequest], HttpResponse]) -> Callable[[HttpRequest], HttpResponse]:
    """
    Take `/large` off the path, activate the language that the path names, and tell the request.

    Sets `request.address`, `is_large` and `LANGUAGE_CODE`. The script prefix becomes `/large/` meanwhile, so that
    every `reverse()` stays in large text by itself.
    """

    def middleware(request: HttpRequest) -> HttpResponse:
        if request.path_info == "/large":
            return HttpResponsePermanentRedirect(f"{get_script_prefix()}large/")
        address = Address.of(request)
        request.address = address  # type: ignore[attr-defined]
        request.is_large = address.is_large  # type: ignore[attr-defined]
        request.LANGUAGE_CODE = address.language
        if address.is_large:
            request.path_info = request.path_info.removeprefix("/large")
            set_script_prefix(f"{address.root}large/")
        try:
            with translation.override(address.language):
                response = get_response(request)
        finally:
            if address.is_large:
                set_script_prefix(address.root)
        response.setdefault("Content-Language", "en" if address.language == ENGLISH else "zh-Hans")
        return response

    return middleware
