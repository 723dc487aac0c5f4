"""Parts of the catalogue's pages that only change with the catalogue, rendered once; see `catalog.fragments`."""

from __future__ import annotations

from dataclasses import dataclass

from django.utils.safestring import SafeString
from django.utils.translation import gettext as _

from catalog import filters
from catalog.catalogue import Catalogue
from catalog.comparison import compare, neighbours
from catalog.drawing import shelf_drawing, sides_drawing
from catalog.facts import facts_of, plain
from catalog.fragments import kept_with_catalogue, render_part
from catalog.models import Phone


@dataclass(frozen=True)
class Found:
    """What the list says of a selection before the phones themselves."""

    phones: tuple[Phone, ...]
    choices: SafeString


@kept_with_catalogue
def found(catalogue: Catalogue, selection: filters.Selection) -> Found:
    """Return the phones of a selection, and the links that narrow, widen and sort it."""
    phones = filters.found(catalogue, selection)
    current = selection.sort or filters.sorts(catalogue)[0].value
    context = {
        "count": len(phones),
        "chosen": filters.chosen(catalogue, selection),
        "looser": [] if phones else filters.looser(catalogue, selection),
        "questions": [
            (question.label, list(filters.choices(catalogue, selection, question)))
            for question in filters.filters(catalogue)
        ],
        "sorts": [
            (order.label, selection.sorted_by(catalogue, order.value).address, order.value == current)
            for order in filters.sorts(catalogue)
        ],
    }
    return Found(phones, render_part("catalog/_choices.html", context))


@kept_with_catalogue
def about(catalogue: Catalogue, phone: Phone) -> SafeString:
    """Return what a phone's page says of it, but for where it can be had."""
    cheaper, dearer = neighbours(catalogue, phone)
    context = {"phone": phone, "facts": facts_of(phone), "cheaper": cheaper, "dearer": dearer}
    return render_part("catalog/_about_phone.html", context)


@kept_with_catalogue
def portrait(catalogue: Catalogue, phone: Phone) -> SafeString:
    """Return the drawing of all sides of a phone."""
    size = f"{plain(phone.body_height_mm)} × {plain(phone.body_width_mm)} × {plain(phone.body_depth_mm)}"
    label = _("%(name)s from the front, the back and the side, %(size)s mm, beside a coin")
    return SafeString(sides_drawing(phone, label % {"name": phone.name, "size": size}))


@kept_with_catalogue
def comparison(catalogue: Catalogue, phones: tuple[Phone, ...]) -> SafeString:
    """Return the table that shows `phones` side by side."""
    heads = [(phone, SafeString(shelf_drawing(phone))) for phone in phones]
    context = {"heads": heads, "rows": compare(phones), "is_crowded": len(phones) > 2}
    return render_part("catalog/_comparison.html", context)
