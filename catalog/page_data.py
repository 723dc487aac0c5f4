"""What pages say in their head to programs: previews in chats (Open Graph) and search engines (schema.org)."""

from __future__ import annotations

from typing import Any

from django.http import HttpRequest
from django.utils.html import escape
from django.utils.safestring import SafeString, mark_safe
from django.utils.translation import get_language
from django.utils.translation import gettext as _
from jinja2 import pass_context
from jinja2.runtime import Context

from catalog import linked_data
from catalog.models import Phone


@pass_context
def open_graph(context: Context, title: str = "", description: str = "") -> SafeString:
    """Return the properties of Open Graph that a preview of this page needs; without arguments the site's own."""
    address = escape(address_of_page(context))
    title = escape(title or _("Cunpu"))
    description = escape(description or _("Smartphones for the countryside, to see and buy in the shop of your town."))
    return mark_safe(  # noqa: S308 - every part is ours or escaped
        f'<meta property="og:title" content="{title}"><meta property="og:description" content="{description}">'
        f'<meta property="og:type" content="website"><meta property="og:url" content="{address}">'
        f'<meta property="og:locale" content="{"en_GB" if get_language() == "en" else "zh_CN"}">'
    )


@pass_context
def product_data(context: Context, phone: Phone) -> SafeString:
    """Return the phone as schema.org's Product with its Offer."""
    country: Any = context.get("country")
    outlets_with = country.outlets_with.get(phone.pk, 0) if country else None
    return linked_data.json_ld(linked_data.product(phone, address=address_of_page(context), outlets_with=outlets_with))


def address_of_page(context: Context) -> str:
    """Return the address of this page in normal size, without its query."""
    request: HttpRequest = context["request"]
    address = request.address  # type: ignore[attr-defined]
    return f"{request.scheme}://{request.get_host()}{address._replace(is_large=False, query='')}"


FUNCTIONS: dict[str, Any] = {"open_graph": open_graph, "product_data": product_data}
