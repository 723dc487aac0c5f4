"""
What every template of the site may call: money, addresses, inlined style, and the page's own twins.

Settings give it to the template engine (`config.templates`). The functions that need the page's context say so.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from functools import cache, lru_cache
from html import escape
from typing import Any

from django.urls import reverse
from django.utils.formats import number_format
from django.utils.safestring import SafeString
from django.utils.translation import get_language
from django.utils.translation import gettext as _
from jinja2 import pass_context
from jinja2.runtime import Context

from catalog import cards, facts, inline


def yuan(fen: int) -> str:
    """Return a price in fen as yuan, with decimals only where there are any: 29900 is 299, 29950 is 299.50."""
    whole, rest = divmod(fen, 100)
    return f"{whole}.{rest:02}" if rest else str(whole)


def grouped(number: int) -> str:
    """Return a number of things with its thousands set apart."""
    return _grouped(number, get_language())


@lru_cache(maxsize=4096)
def _grouped(number: int, language: str | None) -> str:
    return number_format(number, use_l10n=True, force_grouping=True)


def url(name: str, *arguments: object) -> str:
    """Return the address of a page of the site in the active language and text size."""
    return reverse(name, args=arguments)


def inline_style() -> SafeString:
    return SafeString(f"<style>{inline.inline_style().text}</style>")


def inline_script(name: str) -> SafeString:
    return SafeString(f"<script>{inline.inline_script(name).text}</script>")


@pass_context
def phone_row(context: Context, row: Iterable[cards.Card]) -> SafeString:
    """Return phones side by side, to one scale, and what my outlet has of each where one is chosen."""
    my_outlet = context.get("my_outlet")
    # A shop that is shut can hand nothing over, whatever stands on its shelves.
    stock = my_outlet.stock if my_outlet and my_outlet.outlet.is_open else None
    return SafeString(f'<ul class="shelf">{cards.row(row, stock)}</ul>')


def twin_links(request: Any) -> SafeString:
    """
    Return the links to this very page in the other text size and the other language, with its query.

    Where a request failed before it got an address, they are left out.
    """
    address = getattr(request, "address", None)
    if address is None:
        return SafeString()
    is_english = address.language == "en"
    other = "zh-Hans" if is_english else "en"
    size = _other_size(address.language, address.is_large)
    return SafeString(  # every part is ours or escaped
        f'<a href="{escape(str(address.twin(large=not address.is_large)))}">{escape(size)}</a> '
        f'<a href="{escape(str(address.twin(language=other.lower())))}" lang="{other}" hreflang="{other}">'
        f"{'中文' if is_english else 'English'}</a>"
    )


@cache
def _other_size(_language: str, is_large: bool) -> str:
    return _("Normal text") if is_large else _("Large text")


@pass_context
def alternates(context: Context) -> SafeString:
    """
    Return the links by which search engines know this page: the canonical one, and one for each language.

    Large text is another dress of the same page, so its canonical address is the one in normal size. Views put
    `canonical_query` in the context where the query chooses what is shown; any other query (someone's tracking) is
    left out.
    """
    request = context.get("request")
    address = getattr(request, "address", None)
    if address is None:
        return SafeString()
    site = f"{request.scheme}://{request.get_host()}"
    return _alternates(site, address._replace(is_large=False, query=context.get("canonical_query", "")))


@lru_cache(maxsize=1000)
def _alternates(site: str, plain: Any) -> SafeString:
    """The links for a page in normal size. Of the finder, which has an address for each question, they are the same."""
    chinese, english = (escape(f"{site}{plain.twin(language=language)}") for language in ("zh-hans", "en"))
    own = english if plain.language == "en" else chinese
    return SafeString(  # every part is ours or escaped
        f'<link rel="canonical" href="{own}"><link rel="alternate" hreflang="zh-Hans" href="{chinese}">'
        f'<link rel="alternate" hreflang="en" href="{english}">'
        f'<link rel="alternate" hreflang="x-default" href="{chinese}">'
    )


# What is the same on every page in one language and text size.
SETTLED: dict[str, Callable[..., str | None]] = {
    "url": url,
    "language": get_language,
    "inline_style": inline_style,
    "inline_script": inline_script,
}
FUNCTIONS: dict[str, Any] = SETTLED | {
    "phone_row": phone_row,
    "twin_links": twin_links,
    "alternates": alternates,
}
FILTERS = {"yuan": yuan, "grouped": grouped, "inches": facts.inches}
