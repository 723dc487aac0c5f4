"""
The basket: which phones a visitor would like, and how many of each.

A signed cookie carries it, with nothing of the person in it. What cannot be read is as good as an empty basket.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from urllib.parse import urlencode

from django.conf import settings
from django.http import HttpRequest, HttpResponse

from catalog.catalogue import Catalogue
from catalog.models import Phone
from catalog.prices import Offer, offers_at_prices
from catalog.signed_cookies import SignedCookie

# Twenty slugs and the signature find room.
COOKIE = SignedCookie("basket", seconds=30 * 24 * 3600, most=1500)
MOST_LINES = 20
_LINE = re.compile(r"([a-z0-9-]{1,60})(?::([0-9]{1,4}))?", re.ASCII)
_OFFERED = re.compile(r"([a-z0-9-]{1,60}):([0-9]{1,9})", re.ASCII)

Wishes = dict[str, int]


@dataclass(frozen=True)
class Line:
    """
    So many of one phone, at what it costs now.

    `fixed_fen`: at this price instead, that of an order that was placed before. `offered`: what a shop still has to
    offer where a sale window is used up.
    """

    phone: Phone
    quantity: int
    fixed_fen: int | None = None
    offered: Offer | None = None

    @property
    def offer(self) -> Offer | None:
        """What it costs now, beside what it ordinarily costs and until when; None where the price was fixed before."""
        return self.offered or (self.phone.offer if self.fixed_fen is None else None)

    @property
    def price_fen(self) -> int:
        return self.offer.price_fen if self.offer else self.fixed_fen or 0

    @property
    def total_fen(self) -> int:
        return self.price_fen * self.quantity

    @property
    def fewer(self) -> int | None:
        """The number to ask for to have one less; None where that would be none."""
        return self.quantity - 1 or None

    @property
    def more(self) -> int | None:
        """The number to ask for to have one more; None where one customer may not have so many."""
        return self.quantity + 1 if self.quantity < settings.MAX_UNITS_OF_A_PHONE else None

    def __str__(self) -> str:
        """Write the line as addresses and forms carry it."""
        return f"{self.phone.slug}:{self.quantity}" if self.quantity > 1 else self.phone.slug


@dataclass(frozen=True)
class Wanted:
    """What a visitor is about to reserve: the basket, or what an address or form names instead of it."""

    lines: tuple[Line, ...]
    is_basket: bool

    @property
    def total_fen(self) -> int:
        return sum(line.total_fen for line in self.lines)

    @property
    def quantities(self) -> dict[int, int]:
        """How many of each phone, by the phone's key."""
        return {line.phone.pk: line.quantity for line in self.lines}

    def at_prices(self, prices: Mapping[int, int]) -> Wanted:
        """Return the same with these phones (by their keys) at these prices in fen. One query, if there are any."""
        offers = offers_at_prices(prices)
        lines = (replace(line, offered=offers.get(line.phone.pk, line.offered)) for line in self.lines)
        return replace(self, lines=tuple(lines))

    def as_listed(self, catalogue: Catalogue) -> Wanted:
        """Return the same at the prices of `catalogue`."""
        return replace(self, lines=lines_of({line.phone.slug: line.quantity for line in self.lines}, catalogue))

    @property
    def query(self) -> str:
        """What an address must carry to mean the same again; nothing where it is the basket."""
        return "" if self.is_basket else urlencode([("p", str(line)) for line in self.lines])


def wanted_in(request: HttpRequest, catalogue: Catalogue) -> Wanted:
    """
    Return what `request` is about: the lines `p` that it names, or else the basket.

    A form always names its lines, so that it reserves what its page has shown, whatever the basket holds by now.
    """
    data = request.POST if request.method == "POST" else request.GET
    named = parse_wishes(data.getlist("p")[:MOST_LINES])
    wishes = named or read_basket(request)
    wanted = Wanted(lines_of(wishes, catalogue), is_basket=not named or "basket" in request.POST)
    return wanted.at_prices(_offered_in(request, catalogue))


def _offered_in(request: HttpRequest, catalogue: Catalogue) -> dict[int, int]:
    """Return what a form has offered: phone key -> fen. Nothing is ordered for less because a form says so."""
    offered = (_OFFERED.fullmatch(text) for text in request.POST.getlist("offered")[:MOST_LINES])
    return {catalogue.by_slug[each[1]].pk: int(each[2]) for each in offered if each and each[1] in catalogue.by_slug}


def parse_wishes(texts: Iterable[str]) -> Wishes:
    """Read lines such as `coolpad-8720` or `coolpad-8720:2`. Junk is left out, too large a number made smaller."""
    wishes: Wishes = {}
    for text in texts:
        match = _LINE.fullmatch(text)
        if match and len(wishes) < MOST_LINES:
            quantity = min(int(match[2] or 1), settings.MAX_UNITS_OF_A_PHONE)
            if quantity:
                wishes[match[1]] = quantity
    return wishes


def lines_of(wishes: Mapping[str, int], catalogue: Catalogue) -> tuple[Line, ...]:
    """Return the wishes that can be had, in shelf order; a phone that is not on sale is left out."""
    return tuple(Line(phone, wishes[phone.slug]) for phone in catalogue.listed if phone.slug in wishes)


def read_basket(request: HttpRequest) -> Wishes:
    return parse_wishes(COOKIE.read(request).split("."))


def keep_basket(response: HttpResponse, wishes: Mapping[str, int]) -> None:
    """Let the visitor's browser carry `wishes`; an empty basket leaves no cookie behind."""
    COOKIE.write(response, ".".join(f"{slug}:{quantity}" for slug, quantity in wishes.items()))


def changed(wishes: Mapping[str, int], slug: str, quantity: int | None) -> Wishes:
    """
    Return the basket with `quantity` of a phone; 0 takes it out, None puts one in unless it is there already.

    All three may be sent twice by a bad link or a quick finger, and the basket is the same.
    """
    if quantity is None:
        quantity = wishes.get(slug, 1)
    rest = {each: number for each, number in wishes.items() if each != slug}
    if quantity <= 0 or len(rest) >= MOST_LINES:
        return rest
    # In its old place, so that lines do not jump under the finger.
    return {
        each: min(quantity, settings.MAX_UNITS_OF_A_PHONE) if each == slug else wishes[each] for each in [*wishes, slug]
    }
