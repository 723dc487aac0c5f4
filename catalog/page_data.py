"""What pages say in their head to programs: previews in chats (Open Graph) and search engines (schema.org)."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

from django.http import HttpRequest
from django.utils.html import format_html_join
from django.utils.safestring import SafeString
from django.utils.translation import get_language
from django.utils.translation import gettext as _
from jinja2 import pass_context
from jinja2.runtime import Context

from catalog import linked_data
from catalog.models import Phone


@pass_context
def open_graph(context: Context, title: str = "", description: str = "") -> SafeString:
    """Return the properties of Open Graph that a preview of this page needs; without arguments the site's own."""
    properties = [
        ("og:title", title or _("Cunpu")),
        (
            "og:description",
            description or _("Smartphones for the countryside, to see and buy in the shop of your town."),
        ),
        ("og:type", "website"),
        ("og:url", address_of_page(context)),
        ("og:locale", "en_GB" if get_language() == "en" else "zh_CN"),
    ]
    return format_html_join("", '<meta property="{}" content="{}">', properties)


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
    return request.build_absolute_uri(str(replace(address, is_large=False, query="")))


FUNCTIONS: dict[str, Any] = {"open_graph": open_graph, "product_data": product_data}
