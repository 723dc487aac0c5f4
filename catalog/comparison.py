"""How one phone differs from another, in words: what is better, what is not as good, what is only different."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from decimal import Decimal
from typing import Any

from django.utils.functional import Promise
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from catalog import facts, plain_words
from catalog.catalogue import Catalogue
from catalog.facts import Fact
from catalog.models import Phone

MOST_COMPARED = 4


@dataclass(frozen=True)
class Trait:
    """
    Something that one phone may have more of than another.

    `key` is that of the fact which it belongs to. A gap below `least_gap` is not worth a word. With `less_is_better`
    the smaller value is the good one.
    """

    key: str
    measure: Callable[[Phone], Any]
    show: Callable[[Any], str]
    more: str | Promise
    less: str | Promise
    least_gap: Decimal | int = 0
    less_is_better: bool = False


@dataclass(frozen=True)
class Difference:
    """One point in which a phone differs from another: `words` alone, and with both values in `sentence`."""

    key: str
    words: str
    sentence: str
    is_better: bool


def _ppi(phone: Phone) -> int:
    return plain_words.pixels_per_inch(phone.screen_inches, phone.screen_width_px, phone.screen_height_px)


TRAITS = (
    Trait(
        "screen_inches",
        lambda phone: phone.screen_inches,
        facts.inches,
        gettext_lazy("bigger screen"),
        gettext_lazy("smaller screen"),
    ),
    Trait(
        "screen_width_px",
        _ppi,
        lambda ppi: _("%(ppi)s dots an inch") % {"ppi": ppi},
        gettext_lazy("sharper picture"),
        gettext_lazy("coarser picture"),
        least_gap=20,
    ),
    Trait(
        "battery_mah",
        lambda phone: phone.battery_mah,
        facts.mah,
        gettext_lazy("bigger battery"),
        gettext_lazy("smaller battery"),
        least_gap=100,
    ),
    Trait(
        "generation",
        lambda phone: phone.generation,
        str,
        gettext_lazy("faster internet"),
        gettext_lazy("slower internet"),
    ),
    Trait(
        "dual_sim",
        lambda phone: 2 if phone.dual_sim else 1,
        str,
        gettext_lazy("takes two SIM cards"),
        gettext_lazy("takes one SIM card only"),
    ),
    Trait(
        "camera_back_mp",
        lambda phone: phone.camera_back_mp,
        facts.megapixels,
        gettext_lazy("clearer photos"),
        gettext_lazy("plainer photos"),
    ),
    Trait(
        "camera_front_mp",
        lambda phone: phone.camera_front_mp,
        facts.megapixels,
        gettext_lazy("clearer video calls"),
        gettext_lazy("rougher video calls"),
    ),
    Trait(
        "cpu_cores",
        lambda phone: (phone.cpu_cores, phone.cpu_ghz),
        lambda cores_ghz: facts.processor(*cores_ghz),
        gettext_lazy("quicker"),
        gettext_lazy("slower"),
    ),
    Trait(
        "ram_mb",
        lambda phone: phone.ram_mb,
        facts.megabytes,
        gettext_lazy("more memory"),
        gettext_lazy("less memory"),
    ),
    Trait(
        "storage_gb",
        lambda phone: phone.storage_gb,
        lambda gb: f"{gb} GB",
        gettext_lazy("room for more"),
        gettext_lazy("room for less"),
    ),
    Trait(
        "weight_g",
        lambda phone: phone.weight_g,
        facts.grams,
        gettext_lazy("heavier"),
        gettext_lazy("lighter"),
        least_gap=5,
        less_is_better=True,
    ),
    Trait(
        "body_depth_mm",
        lambda phone: phone.body_depth_mm,
        lambda mm: _("%(mm)s mm") % {"mm": facts.plain(mm)},
        gettext_lazy("thicker"),
        gettext_lazy("slimmer"),
        least_gap=Decimal("0.5"),
        less_is_better=True,
    ),
)


def differences(phone: Phone, other: Phone) -> tuple[Difference, ...]:
    """Return in what `phone` differs from `other`; what is about the same is left out."""
    found = (_difference(trait, phone, other) for trait in TRAITS)
    return tuple(difference for difference in found if difference)


def _difference(trait: Trait, phone: Phone, other: Phone) -> Difference | None:
    mine, theirs = trait.measure(phone), trait.measure(other)
    if mine == theirs or (trait.least_gap and abs(mine - theirs) < trait.least_gap):
        return None
    words = str(trait.more if mine > theirs else trait.less)
    sentence = _("%(words)s: %(mine)s, not %(theirs)s") % {
        "words": words,
        "mine": trait.show(mine),
        "theirs": trait.show(theirs),
    }
    return Difference(trait.key, words, sentence, (mine > theirs) != trait.less_is_better)


@dataclass(frozen=True)
class Neighbour:
    """The next cheaper or next dearer phone, and what changes for who takes it instead."""

    phone: Phone
    gap_fen: int
    better: tuple[Difference, ...]
    worse: tuple[Difference, ...]


def neighbours(catalogue: Catalogue, phone: Phone) -> tuple[Neighbour | None, Neighbour | None]:
    """Return the next cheaper and the next dearer phone on sale; None where there is none. Ties go by shelf order."""

    def place(other: Phone) -> tuple[int, int]:
        return other.price_fen, other.position

    cheaper = [other for other in catalogue.listed if place(other) < place(phone)]
    dearer = [other for other in catalogue.listed if place(other) > place(phone)]
    return (
        _neighbour(max(cheaper, key=place), phone) if cheaper else None,
        _neighbour(min(dearer, key=place), phone) if dearer else None,
    )


def _neighbour(other: Phone, phone: Phone) -> Neighbour:
    found = differences(other, phone)
    return Neighbour(
        other,
        abs(other.price_fen - phone.price_fen),
        tuple(difference for difference in found if difference.is_better),
        tuple(difference for difference in found if not difference.is_better),
    )


@dataclass(frozen=True)
class Cell:
    """What one phone has in a row, and how that differs from the first phone of the table."""

    phone: Phone
    fact: Fact
    difference: Difference | None


@dataclass(frozen=True)
class Row:
    """One fact of all compared phones. `is_same`: nothing to choose between them here."""

    label: str
    cells: tuple[Cell, ...]

    @property
    def is_same(self) -> bool:
        first = self.cells[0].fact
        return all((cell.fact.words, cell.fact.value) == (first.words, first.value) for cell in self.cells)


def compare(phones: tuple[Phone, ...]) -> tuple[Row, ...]:
    """Return the facts of `phones` (two or more) as rows; differences are from the first phone."""
    first = phones[0]
    gaps = [{difference.key: difference for difference in differences(phone, first)} for phone in phones]
    rows = zip(*(facts.facts_of(phone) for phone in phones), strict=True)
    return tuple(
        Row(
            label=row[0].label,
            cells=tuple(
                Cell(phone, fact, gap.get(fact.key)) for phone, fact, gap in zip(phones, row, gaps, strict=True)
            ),
        )
        for row in rows
    )
