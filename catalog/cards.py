"""Phones on the shelf: a drawing, a price tag, a name and the facts that matter first."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from functools import cache, cached_property
from typing import Any

from django.utils.safestring import SafeString
from django.utils.translation import get_language

from catalog import plain_words
from catalog.catalogue import Catalogue
from catalog.drawing import shelf_drawing
from catalog.fragments import kept_with_catalogue, render_part
from catalog.models import Phone, Tier

# Where in a card the page says what my outlet has: the one thing that is not the catalogue's.
STOCK_GOES_HERE = "<!--stock-->"


@dataclass(frozen=True)
class Card:
    """One phone as HTML, in two halves: what my outlet has goes between them."""

    phone: Phone
    opening: SafeString
    closing: SafeString


def row(cards: Iterable[Card], stock: Mapping[int, Any] | None) -> str:
    """
    Return `cards` side by side as HTML.

    `stock` has my outlet's level for the key of each phone that it keeps (anything with `available` will do); None
    where no outlet is chosen.
    """
    if stock is None:
        return "".join(card.opening + card.closing for card in cards)
    return "".join(card.opening + stock_line(stock.get(card.phone.pk)) + card.closing for card in cards)


def stock_line(level: Any) -> str:
    """Return what an outlet has of a phone, as a mark and a word. Level None: it never had the phone."""
    return _stock_line(get_language(), min(level.available, 2) if level else 0)


@cache
def _stock_line(language: str | None, available: int) -> str:
    return render_part("catalog/_stock.html", {"level": {"available": available}})


@dataclass(frozen=True)
class Shelf:
    """A tier with its phones on sale, in shelf order."""

    tier: Tier
    phones: tuple[Phone, ...]
    cards: tuple[Card, ...]

    @property
    def floor_fen(self) -> int:
        return min(phone.price_fen for phone in self.phones)

    @property
    def top_fen(self) -> int:
        return max(phone.price_fen for phone in self.phones)

    @cached_property
    def heading(self) -> SafeString:
        return render_part("catalog/_shelf_heading.html", {"shelf": self})


@kept_with_catalogue
def shelves(catalogue: Catalogue) -> tuple[Shelf, ...]:
    """Return a shelf for each tier that has phones on sale."""
    found = []
    for tier in catalogue.tiers:
        phones = tuple(phone for phone in catalogue.listed if phone.tier_id == tier.pk)
        if phones:
            found.append(Shelf(tier, phones, tuple(card(catalogue, phone) for phone in phones)))
    return tuple(found)


@kept_with_catalogue
def card(catalogue: Catalogue, phone: Phone) -> Card:
    """Return the card of `phone` in the active language and text size."""
    return _card(phone)


@kept_with_catalogue
def card_to_compare(catalogue: Catalogue, phone: Phone, is_ticked: bool = False) -> Card:
    """Return the card of `phone` with a box to tick for the comparison."""
    return _card(phone, is_comparable=True, is_ticked=is_ticked)


def _card(phone: Phone, **options: bool) -> Card:
    facts = (
        plain_words.screen_words(phone.screen_inches),
        plain_words.battery_words(phone.battery_mah),
    )
    drawing = SafeString(shelf_drawing(phone))
    html = render_part("catalog/_card.html", {"phone": phone, "facts": facts, "drawing": drawing, **options})
    opening, closing = html.split(STOCK_GOES_HERE)
    return Card(phone, SafeString(opening), SafeString(closing))
