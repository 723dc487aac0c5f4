"""What every page of the shop needs: money, inlined style, and the address of the page's twins."""

from __future__ import annotations

from dataclasses import replace
from functools import lru_cache
from typing import Any

from django import template
from django.urls import get_script_prefix
from django.utils.formats import number_format
from django.utils.html import format_html, format_html_join
from django.utils.safestring import SafeString, mark_safe
from django.utils.translation import get_language
from django.utils.translation import gettext as _

from catalog import cards, facts, inline

register = template.Library()


@register.filter
def yuan(fen: int) -> str:
    """Return a price in fen as yuan, with decimals only where there are any: 29900 is 299, 29950 is 299.50."""
    whole, rest = divmod(fen, 100)
    return f"{whole}.{rest:02}" if rest else str(whole)


@register.filter
def count(number: int) -> str:
    """Return a number of things with its thousands set apart."""
    return _count(number, get_language())


@lru_cache(maxsize=4096)
def _count(number: int, language: str | None) -> str:
    return number_format(number, use_l10n=True, force_grouping=True)


@register.simple_tag
def inline_style() -> SafeString:
    return mark_safe(f"<style>{inline.inline_style().text}</style>")  # noqa: S308 - our own file


@register.simple_tag
def inline_script(name: str) -> SafeString:
    return mark_safe(f"<script>{inline.inline_script(name).text}</script>")  # noqa: S308 - our own file


class Kept(template.Node):
    """See `kept`."""

    def __init__(self, nodelist: template.NodeList, catalogue: template.Variable | None) -> None:
        self.nodelist = nodelist
        self.catalogue = catalogue
        self.everlasting: dict[Any, str] = {}

    def render(self, context: template.Context) -> SafeString:
        kept = self.catalogue.resolve(context).fragments if self.catalogue else self.everlasting
        key = (self, get_language(), get_script_prefix())
        fragment = kept.get(key)
        if fragment is None:
            fragment = kept[key] = self.nodelist.render(context)
        return SafeString(fragment)


@register.tag
def kept(parser: template.base.Parser, token: template.base.Token) -> Kept:
    """
    Render what is inside once for each language and text size: `{% kept %}`, `{% kept catalogue %}`.

    What is inside may depend on nothing else; with `catalogue`, on that version of the catalogue, too.
    """
    _name, *names = token.split_contents()
    nodelist = parser.parse(("endkept",))
    parser.delete_first_token()
    return Kept(nodelist, template.Variable(names[0]) if names else None)


@register.simple_tag(takes_context=True)
def shelf(context: template.Context, row: tuple[cards.Card, ...]) -> SafeString:
    """Return a row of phones to one scale, and what my outlet has of each where one is chosen."""
    my_outlet = context.get("my_outlet")
    # A shop that is shut can hand nothing over, whatever stands on its shelves.
    stock = my_outlet.stock if my_outlet and my_outlet.outlet.is_open else None
    return mark_safe(f'<ul class="shelf">{cards.row(row, stock)}</ul>')  # noqa: S308 - cards are SafeStrings


@register.simple_tag(takes_context=True)
def twin_links(context: template.Context) -> SafeString:
    """
    Return the links to this very page in the other text size and the other language, with its query.

    Where a request failed before it got an address, they are left out.
    """
    request = context.get("request")
    if request is None or not hasattr(request, "address"):
        return SafeString()
    is_large, is_english = request.address.is_large, request.address.language == "en"
    other = "zh-Hans" if is_english else "en"
    return format_html(
        '<a href="{}">{}</a> <a href="{}" lang="{}" hreflang="{}">{}</a>',
        request.address.twin(large=not is_large),
        _("Normal text") if is_large else _("Large text"),
        request.address.twin(language=other.lower()),
        other,
        other,
        "中文" if is_english else "English",
    )


@register.simple_tag(takes_context=True)
def alternates(context: template.Context) -> SafeString:
    """
    Return the links by which search engines know this page: the canonical one, and one for each language.

    Large text is another dress of the same page, so its canonical address is the one in normal size. Views put
    `canonical_query` in the context where the query chooses what is shown; any other query (someone's tracking) is
    left out.
    """
    request = context.get("request")
    if request is None or not hasattr(request, "address"):
        return SafeString()
    site = f"{request.scheme}://{request.get_host()}"
    plain = replace(request.address, is_large=False, query=context.get("canonical_query", ""))
    chinese, english = (f"{site}{plain.twin(language=language)}" for language in ("zh-hans", "en"))
    links = (
        ("canonical", "", f"{site}{plain}"),
        ("alternate", "zh-Hans", chinese),
        ("alternate", "en", english),
        ("alternate", "x-default", chinese),
    )
    return format_html_join(
        "", '<link rel="{}"{} href="{}">', ((rel, _hreflang(code), address) for rel, code, address in links)
    )


def _hreflang(code: str) -> SafeString:
    return format_html(' hreflang="{}"', code) if code else SafeString()


@register.filter
def of(levels: dict, key: object) -> object:
    """Return the entry of `levels` for `key`, or None: a template cannot look up by a variable."""
    return levels.get(key)


register.filter("inches", facts.inches)
