"""
Lines of the lists of shops and of shelves, put together without the template engine.

A page has up to forty of them, and filling a template for each took most of the page's time. What only changes with the
catalogue is made once.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from functools import cache
from html import escape

from django.urls import reverse
from django.utils.html import format_html
from django.utils.safestring import SafeString
from django.utils.translation import get_language, pgettext
from django.utils.translation import gettext as _

from catalog.catalogue import Catalogue, current_catalogue
from catalog.fragments import kept_with_catalogue, render_part
from catalog.models import Phone
from catalog.templating import grouped, yuan
from stores.finder import OutletRow
from stores.models import Outlet
from stores.pages import Elsewhere, NamedPlace, Shelf

OPEN = Outlet.State.OPEN.value


def items(lines: Iterable[SafeString], *, apart: str = "") -> SafeString:
    """Return the items of a list that has these lines, with `apart` before each."""
    inside = f"</li>{apart}<li>".join(lines)
    return SafeString(f"{apart}<li>{inside}</li>" if inside else "")


def outlet_lines(rows: Iterable[OutletRow], phone: Phone | None) -> Iterator[SafeString]:
    """
    Yield a line for each shop: its name, how far, whether `phone` is there, whether it is open.

    Where the phone can be promised, the way to its reservation.
    """
    catalogue = current_catalogue()
    marks = _stock_marks(catalogue) if phone else ()
    to_form = _ways_to_reserve(catalogue).get(phone.pk) if phone else None
    language = get_language()
    for row in rows:
        opening = row.opening.as_html(language)
        distance = f" <span>{row.distance}</span>" if row.distance else ""
        mark = way = ""
        if row.available is not None:
            mark = f"{marks[min(row.available, 2)]} "
            if to_form and row.available and row.opening.state == OPEN:
                way = to_form.format(row.code)
        silent = call_first(language) if row.call_first else ""
        yield SafeString(  # every part is ours or escaped
            f'<a href="{row.address}">{escape(row.name)}</a>{distance}<br>{mark}<span>{opening}</span>{silent}{way}'
        )


@cache
def call_first(_language: str | None) -> str:
    """Return the words of a shop that has been silent, as HTML. `_language` is the active one."""
    words = escape(_("Call first"))
    return f' <b class="warn">! {words}</b>'


def shelf_lines(shelves: Sequence[Shelf], outlet: Outlet) -> Iterator[SafeString]:
    """Yield a line for each shelf: phone, price, whether it is there, when it was counted, where else it is."""
    catalogue = current_catalogue()
    phones, marks, ways = _phone_lines(catalogue), _stock_marks(catalogue), _ways_to_reserve(catalogue)
    heading, between, counted_on = escape(_("Nearest:")), pgettext("between shops", "; "), _("counted %(day)s")
    # A few shops around here have most of what this one lacks.
    links = {shop: _elsewhere(shop) for shop in {shop for shelf in shelves for shop in shelf.elsewhere}}
    for shelf in shelves:
        day = counted_on % {"day": shelf.counted}
        counted = f" <small>{escape(day)}</small>" if shelf.counted else ""
        mark = marks[min(shelf.available, 2)]
        way = ways[shelf.phone.pk].format(outlet.code) if shelf.available and shelf.phone.pk in ways else ""
        line = f"{phones[shelf.phone.pk]} {mark}{counted}{way}"
        if shelf.elsewhere:
            line += f"<small>{heading} {between.join(map(links.__getitem__, shelf.elsewhere))}</small>"
        yield SafeString(line)  # every part is ours or escaped


def _elsewhere(shop: Elsewhere) -> str:
    return f'<a href="{shop.address}">{escape(shop.name)}</a> {escape(shop.distance)}'


def region_lines(regions: Iterable[NamedPlace], phone: Phone | None) -> Iterator[SafeString]:
    """Yield a line for each region: its name and how many shops it has. Its page goes on looking for `phone`."""
    query = f"?phone={phone.slug}" if phone else ""
    for region in regions:
        yield SafeString(  # every part is ours or escaped
            f'<a href="{region.address}{query}">{escape(region.name)}</a> {grouped(region.outlet_count)}'
        )


def phone_lines(numbers: Mapping[int, int]) -> Iterator[SafeString]:
    """Yield a line for each phone on sale, which asks for the shops that have it, and its number (by its key)."""
    for phone, line in _ways_to_look(current_catalogue()).items():
        yield SafeString(f"{line} {grouped(numbers.get(phone, 0))}")  # every part is ours or escaped


@kept_with_catalogue
def _ways_to_look(catalogue: Catalogue) -> dict[int, SafeString]:
    """The link from each phone on sale to the shops here that have it."""
    return {phone.pk: format_html('<a href="?phone={}">{}</a>', phone.slug, phone.name) for phone in catalogue.listed}


@kept_with_catalogue
def _phone_lines(catalogue: Catalogue) -> dict[int, SafeString]:
    return {
        phone.pk: format_html(
            '<a href="{}">{}</a> <span>{} {}</span>',
            phone.get_absolute_url(),
            phone.name,
            yuan(phone.price_fen),
            _("yuan"),
        )
        for phone in catalogue.phones
    }


@kept_with_catalogue
def _ways_to_reserve(catalogue: Catalogue) -> dict[int, str]:
    """The link to the form that reserves each phone on sale, but for the code of the shop that goes into it."""
    checkout, word = reverse("orders:checkout"), escape(_("Reserve here"))
    return {
        phone.pk: f' <a class="way" href="{checkout}?p={phone.slug}&amp;outlet={{}}">{word}</a>'
        for phone in catalogue.listed
    }


@kept_with_catalogue
def _stock_marks(catalogue: Catalogue) -> tuple[SafeString, ...]:
    """What is said of none, one and more."""
    return tuple(render_part("catalog/_stock.html", {"level": {"available": number}}) for number in range(3))
