"""Phones on the shelf: a drawing, a price tag, a name and the facts that matter first."""

from __future__ import annotations

from dataclasses import dataclass

from django.template.loader import render_to_string
from django.utils.safestring import SafeString

from catalog import plain_words
from catalog.catalogue import Catalogue
from catalog.drawing import shelf_drawing
from catalog.fragments import kept_with_catalogue
from catalog.models import Phone, Tier

# Where in a card the page says what my outlet has: the one thing that is not the catalogue's.
STOCK_GOES_HERE = "<!--stock-->"


@dataclass(frozen=True)
class Card:
    """One phone as HTML, in two halves: what my outlet has goes between them."""

    phone: Phone
    opening: SafeString
    closing: SafeString


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
    html = render_to_string("catalog/_card.html", {"phone": phone, "facts": facts, "drawing": drawing, **options})
    opening, closing = html.split(STOCK_GOES_HERE)
    return Card(phone, SafeString(opening), SafeString(closing))
