"""What pages tell programs about phones and shops, in the words of schema.org, as JSON-LD."""

from __future__ import annotations

import json
from typing import Any

from django.utils.safestring import SafeString, mark_safe

from catalog.models import Phone
from catalog.moments import SHANGHAI

Thing = dict[str, Any]

# JSON inside HTML: nothing in it may end the script element or begin a comment.
ESCAPES = {"<": "\\u003C", ">": "\\u003E", "&": "\\u0026", "\u2028": "\\u2028", "\u2029": "\\u2029"}
_ENCODER = json.JSONEncoder(ensure_ascii=False, separators=(",", ":"))


def json_ld(thing: Thing) -> SafeString:
    """Return `thing` as a script element that browsers do not run."""
    text = _ENCODER.encode({"@context": "https://schema.org"} | thing)
    for character, escape in ESCAPES.items():
        text = text.replace(character, escape)
    return mark_safe(f'<script type="application/ld+json">{text}</script>')  # noqa: S308


def product(phone: Phone, *, address: str, outlets_with: int | None) -> Thing:
    """
    Return the Product with its Offer. `outlets_with` is how many outlets can promise one, None when nobody counted.

    Phones are sold over the counter only, so nothing is ever plainly "in stock".
    """
    availability = "OutOfStock" if outlets_with == 0 else "InStoreOnly"
    if phone.is_discontinued:
        availability = "Discontinued"
    until = phone.offer.valid_until
    return {
        "@type": "Product",
        "name": phone.name,
        "description": phone.description,
        "sku": phone.slug,
        "brand": {"@type": "Brand", "name": phone.brand.name},
        "offers": {
            "@type": "Offer",
            "url": address,
            "price": f"{phone.price_yuan:.2f}",
            "priceCurrency": "CNY",
            **({"priceValidUntil": until.astimezone(SHANGHAI).isoformat()} if until else {}),
            "availability": f"https://schema.org/{availability}",
            "itemCondition": "https://schema.org/NewCondition",
        },
    }
