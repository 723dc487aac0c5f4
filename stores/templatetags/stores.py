"""What the pages of shops say to programs."""

from __future__ import annotations

from django import template
from django.utils.safestring import SafeString

from catalog.linked_data import json_ld
from catalog.templatetags.linked import address_of_page
from stores.linked_data import store
from stores.pages import OutletPage

register = template.Library()


@register.simple_tag(takes_context=True)
def store_data(context: template.Context, page: OutletPage) -> SafeString:
    """Return the shop as schema.org's Store."""
    return json_ld(store(page.outlet, page.hours, page.closures, address=address_of_page(context)))
