"""Which phones the list shows, in which order: read from the address, and written back in one canonical form."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from functools import cached_property
from itertools import combinations
from urllib.parse import urlencode

from django.http import QueryDict
from django.urls import reverse
from django.utils.translation import gettext as _

from catalog.catalogue import Catalogue
from catalog.errors import BadQuery, Suggestion
from catalog.fragments import kept_with_catalogue
from catalog.models import Generation, Phone
from catalog.plain_words import EXTRA_LARGE_INCHES, FULL_DAY_MAH, LARGE_INCHES, MEDIUM_INCHES, TWO_DAYS_MAH

# From how many yuan to below how many.
PRICE_BANDS = ((0, 400), (400, 600), (600, 900), (900, None))

Test = Callable[[Phone], bool]


@dataclass(frozen=True)
class Option:
    """One choice of a filter: `value` in the address, `label` for people, `accepts` for phones."""

    value: str
    label: str
    accepts: Test


@dataclass(frozen=True)
class Filter:
    """One question that the list can be narrowed by. `name` is its key in the address."""

    name: str
    label: str
    options: tuple[Option, ...]

    @cached_property
    def by_value(self) -> dict[str, Option]:
        return {option.value: option for option in self.options}


@dataclass(frozen=True)
class Sort:
    """One order of the list."""

    value: str
    label: str
    key: Callable[[Phone], tuple]


@kept_with_catalogue
def filters(catalogue: Catalogue) -> tuple[Filter, ...]:
    """Return all filters in canonical order, labels in the active language."""
    return (
        Filter(
            "tier", _("Family"), tuple(Option(tier.slug, tier.name, _has_tier(tier.pk)) for tier in catalogue.tiers)
        ),
        Filter(
            "brand",
            _("Brand"),
            tuple(Option(brand.slug, brand.name, _has_brand(brand.pk)) for brand in catalogue.brands),
        ),
        Filter("price", _("Price"), tuple(_price_band(floor, ceiling) for floor, ceiling in PRICE_BANDS)),
        Filter(
            "screen",
            _("Screen"),
            (
                Option("small", _("small"), lambda phone: phone.screen_inches < MEDIUM_INCHES),
                Option("medium", _("medium"), lambda phone: MEDIUM_INCHES <= phone.screen_inches < LARGE_INCHES),
                Option("large", _("large"), lambda phone: LARGE_INCHES <= phone.screen_inches < EXTRA_LARGE_INCHES),
                Option("extra-large", _("extra large"), lambda phone: phone.screen_inches >= EXTRA_LARGE_INCHES),
            ),
        ),
        Filter(
            "battery",
            _("Battery"),
            (
                Option("day", _("a full day or longer"), lambda phone: phone.battery_mah >= FULL_DAY_MAH),
                Option("two-days", _("two days with light use"), lambda phone: phone.battery_mah >= TWO_DAYS_MAH),
            ),
        ),
        Filter(
            "internet",
            _("Internet"),
            (
                Option("4g", "4G", lambda phone: phone.generation == Generation.G4),
                Option("3g", "3G", lambda phone: phone.generation == Generation.G3),
            ),
        ),
        Filter(
            "sim",
            _("SIM cards"),
            (
                Option("two", _("two cards"), lambda phone: phone.dual_sim),
                Option("one", _("one card"), lambda phone: not phone.dual_sim),
            ),
        ),
    )


@kept_with_catalogue
def sorts(catalogue: Catalogue) -> tuple[Sort, ...]:
    """Return the orders of the list; the first one is the one that needs no saying. Ties go by shelf order."""
    return (
        Sort("cheap", _("price, low to high"), lambda phone: (phone.price_fen, phone.position)),
        Sort("dear", _("price, high to low"), lambda phone: (-phone.price_fen, phone.position)),
        Sort("screen", _("larger screens first"), lambda phone: (-phone.screen_inches, phone.position)),
        Sort("battery", _("larger batteries first"), lambda phone: (-phone.battery_mah, phone.position)),
        Sort("light", _("lighter phones first"), lambda phone: (phone.weight_g, phone.position)),
    )


def _has_tier(pk: int) -> Test:
    return lambda phone: phone.tier_id == pk


def _has_brand(pk: int) -> Test:
    return lambda phone: phone.brand_id == pk


def _price_band(floor: int, ceiling: int | None) -> Option:
    if ceiling is None:
        return Option(
            f"from-{floor}", _("%(floor)s yuan and up") % {"floor": floor}, lambda p: p.price_fen >= floor * 100
        )
    label = _("%(floor)s to %(top)s yuan") if floor else _("below %(ceiling)s yuan")
    return Option(
        f"{floor}-{ceiling - 1}",
        label % {"floor": floor, "top": ceiling - 1, "ceiling": ceiling},
        lambda phone: floor * 100 <= phone.price_fen < ceiling * 100,
    )


@dataclass(frozen=True)
class Selection:
    """What a visitor asked for: pairs of filter and value in canonical order, and a sort (empty: the usual one)."""

    chosen: tuple[tuple[str, str], ...] = ()
    sort: str = ""

    @property
    def query(self) -> str:
        """The one way to write this selection into an address."""
        return urlencode([*self.chosen, ("sort", self.sort)] if self.sort else self.chosen)

    @property
    def address(self) -> str:
        return reverse("catalog:phones") + (f"?{self.query}" if self.query else "")

    @cached_property
    def values(self) -> Mapping[str, str]:
        return dict(self.chosen)

    def having(self, catalogue: Catalogue, name: str, value: str) -> Selection:
        """Return the selection with filter `name` set to `value`; an empty value lifts it."""
        wanted = {**self.values, name: value}
        return Selection(tuple((f.name, wanted[f.name]) for f in filters(catalogue) if wanted.get(f.name)), self.sort)

    def without(self, names: tuple[str, ...]) -> Selection:
        return Selection(tuple(pair for pair in self.chosen if pair[0] not in names), self.sort)

    def sorted_by(self, catalogue: Catalogue, value: str) -> Selection:
        return Selection(self.chosen, "" if value == sorts(catalogue)[0].value else value)


def read_selection(catalogue: Catalogue, query: QueryDict) -> Selection:
    """
    Return what `query` asks for. Empty values count as not asked, keys that are none of ours are passed over.

    Raises `BadQuery` for a value that a filter or the sort does not know, and for two values of one filter.
    """
    chosen = []
    for question in filters(catalogue):
        value = _one_value(query, question.name, question.label)
        if value and value not in question.by_value:
            raise _unknown(
                question.label, value, [(o.label, Selection(((question.name, o.value),))) for o in question.options]
            )
        if value:
            chosen.append((question.name, value))
    orders = sorts(catalogue)
    sort = _one_value(query, "sort", _("Order"))
    if sort and sort not in {order.value for order in orders}:
        raise _unknown(_("Order"), sort, [(o.label, Selection((), o.value)) for o in orders])
    return Selection(tuple(chosen)).sorted_by(catalogue, sort or orders[0].value)


def _one_value(query: QueryDict, name: str, label: str) -> str:
    values = list(dict.fromkeys(value for value in query.getlist(name) if value))
    if len(values) > 1:
        raise BadQuery(label, ", ".join(values), _("Only one can be chosen at a time."))
    return values[0] if values else ""


def _unknown(label: str, value: str, known: list[tuple[str, Selection]]) -> BadQuery:
    way_on = [Suggestion(name, selection.address) for name, selection in known]
    return BadQuery(label, value, _("There is no such choice. Choose one of these:"), way_on)


def found(catalogue: Catalogue, selection: Selection) -> tuple[Phone, ...]:
    """Return the phones on sale that pass every chosen filter, in the chosen order."""
    tests = [
        question.by_value[selection.values[question.name]].accepts
        for question in filters(catalogue)
        if question.name in selection.values
    ]
    passed = (phone for phone in catalogue.listed if all(test(phone) for test in tests))
    order = {order.value: order for order in sorts(catalogue)}[selection.sort or sorts(catalogue)[0].value]
    return tuple(sorted(passed, key=order.key))


@dataclass(frozen=True)
class Choice:
    """A link that changes the selection: its text, where it leads, how many phones are there, whether it is on now."""

    label: str
    address: str
    count: int
    is_chosen: bool = False


def choices(catalogue: Catalogue, selection: Selection, question: Filter) -> Iterator[Choice]:
    """Yield a choice for each option of `question`; the one that is on leads to the list without it."""
    for option in question.options:
        is_chosen = selection.values.get(question.name) == option.value
        there = selection.having(catalogue, question.name, option.value)
        link = selection.without((question.name,)) if is_chosen else there
        yield Choice(option.label, link.address, len(found(catalogue, there)), is_chosen)


def chosen(catalogue: Catalogue, selection: Selection) -> list[Choice]:
    """Return a choice for each filter that is on; it leads to the list without it."""
    result = []
    for question in filters(catalogue):
        if value := selection.values.get(question.name):
            wider = selection.without((question.name,))
            result.append(Choice(question.by_value[value].label, wider.address, len(found(catalogue, wider)), True))
    return result


def looser(catalogue: Catalogue, selection: Selection) -> list[Choice]:
    """
    Return what to let go of when nothing was found: as few filters as possible, and each choice has results.

    Empty when filters are not the reason, because nothing is on sale.
    """
    labels = {question.name: question.by_value for question in filters(catalogue)}
    for size in range(1, len(selection.chosen) + 1):
        result = []
        for dropped in combinations(selection.chosen, size):
            wider = selection.without(tuple(name for name, _value in dropped))
            if count := len(found(catalogue, wider)):
                label = _(" and ").join(labels[name][value].label for name, value in dropped)
                result.append(Choice(label, wider.address, count))
        if result:
            return result
    return []
