"""Where addresses lead, remembered: Django tries the patterns of the site one by one, anew for each request."""

from __future__ import annotations

from functools import lru_cache
from typing import Any

from django.urls import ResolverMatch, URLPattern, URLResolver
from django.urls.resolvers import LocalePrefixPattern
from django.utils.translation import get_language

# Those asked for last; what leads nowhere is not among them.
MOST_ADDRESSES = 2048


class RememberedPages(URLResolver):
    """The pages of `patterns` in all languages, the default one without a prefix, as `i18n_patterns` has them."""

    def __init__(self, patterns: list[URLPattern | URLResolver]) -> None:
        super().__init__(LocalePrefixPattern(prefix_default_language=False), patterns)
        self._remembered = lru_cache(maxsize=MOST_ADDRESSES)(self._resolve_in)

    def resolve(self, path: Any) -> ResolverMatch:
        return self._remembered(str(path), get_language())

    def _resolve_in(self, path: str, _language: str | None) -> ResolverMatch:
        return super().resolve(path)
