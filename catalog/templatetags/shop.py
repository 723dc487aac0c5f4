"""What every page of the shop needs: money, inlined style, and the address of the page's twins."""

from __future__ import annotations

from dataclasses import replace
from decimal import Decimal

from django import template
from django.utils.formats import number_format
from django.utils.safestring import SafeString, mark_safe
from django.utils.translation import gettext as _

from catalog import inline

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
def canonical(context: template.Context, language: str | None = None) -> str:
    """
    Return the absolute address by which search engines shall know this page, in this or another language.

    It is the one in normal size. Views put `canonical_query` in the context where the query chooses what is shown;
    any other query (someone's tracking) does not count.
    """
    request = context["request"]
    address = replace(request.address.twin(language=language, large=False), query=context.get("canonical_query", ""))
    return request.build_absolute_uri(str(address))


@register.filter
def of(levels: dict, key: object) -> object:
    """Return the entry of `levels` for `key`, or None: a template cannot look up by a variable."""
    return levels.get(key)


@register.filter
def inches(diagonal: Decimal) -> str:
    """Return a screen's diagonal as people say it: 4 inches, 4.5 inches."""
    return _("%(inches)s inches") % {"inches": f"{diagonal.normalize():f}"}
