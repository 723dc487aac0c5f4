"""What every page of the shop needs: money, inlined style, and the address of the page's twins."""

from __future__ import annotations

from dataclasses import replace

from django import template
from django.utils.formats import number_format
from django.utils.html import format_html, format_html_join
from django.utils.safestring import SafeString, mark_safe

from catalog import facts, inline

register = template.Library()


@register.filter
def yuan(fen: int) -> str:
    """Return a price in fen as yuan, with decimals only where there are any: 29900 is 299, 29950 is 299.50."""
    whole, rest = divmod(fen, 100)
    return f"{whole}.{rest:02}" if rest else str(whole)


@register.filter
def count(number: int) -> str:
    """Return a number of things with its thousands set apart."""
    return number_format(number, use_l10n=True, force_grouping=True)


@register.simple_tag
def inline_style() -> SafeString:
    return mark_safe(f"<style>{inline.inline_style().text}</style>")  # noqa: S308 - our own file


@register.simple_tag
def inline_script(name: str) -> SafeString:
    return mark_safe(f"<script>{inline.inline_script(name).text}</script>")  # noqa: S308 - our own file


@register.simple_tag(takes_context=True)
def twin(context: template.Context, language: str | None = None, large: bool | None = None) -> str:
    """
    Return the address of this very page in another language or text size, with its query.

    What is not named stays as it is. A request that failed before it got an address is sent to the home page.
    """
    address = getattr(context.get("request"), "address", None)
    return str(address.twin(language=language, large=large)) if address else "/"


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
