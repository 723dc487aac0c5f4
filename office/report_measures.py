"""What reports show: the measures, their columns, and how each is worked out from sums of figures."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import timedelta

from django.utils.functional import Promise
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy, ngettext, pgettext_lazy

from catalog.templating import grouped
from office.report_models import LEVELS, SUMMED
from stores.durations import duration_in_words

# Figures of one line of a report by their names, added up over its days, phones and places; and `days`, how many.
Sums = Mapping[str, int]
Number = int | float | None


@dataclass(frozen=True)
class Column:
    """One column: its heading, what it says of some sums (None: nothing), and how that is written for people."""

    heading: str | Promise
    value: Callable[[Sums], Number]
    write: Callable[[int | float], str]


@dataclass(frozen=True)
class Measure:
    """
    One thing to look at. The last column is the one that lists are sorted by and pictures show.

    `flows`: it is about what happened in the days. `levels`: about what there was in the evening of the last.
    """

    key: str
    name: str | Promise
    columns: tuple[Column, ...]
    flows: bool = True
    levels: bool = False
    # What a picture's sizes are, where the last column is a share or a duration: those cannot be added up.
    weight: Callable[[Sums], int] | None = None

    @property
    def main(self) -> Column:
        return self.columns[-1]

    def size(self, sums: Sums) -> int:
        """Return how large these sums are in a picture."""
        return self.weight(sums) if self.weight else int(self.main.value(sums) or 0)


def percent(share: int | float) -> str:
    return f"{share * 100:.1f} %" if share else "0 %"


def hours(seconds: int | float) -> str:
    return duration_in_words(timedelta(seconds=seconds))


def days_of(number: int | float) -> str:
    if number >= 365:
        return str(_("over a year"))
    whole = round(number)
    return ngettext("%(days)d day", "%(days)d days", whole) % {"days": whole}


def one_decimal(number: int | float) -> str:
    return f"{number:.1f}"


def count(heading: str | Promise, value: Callable[[Sums], Number]) -> Column:
    return Column(heading, value, lambda number: grouped(int(number)))


def share(heading: str | Promise, part: str, whole: Callable[[Sums], int]) -> Column:
    """Make a column of how much of `whole` is `part`; nothing is said of nothing."""
    return Column(heading, lambda sums: sums[part] / whole(sums) if whole(sums) > 0 else None, percent)


def sold(sums: Sums) -> int:
    """Return what was sold and stayed sold."""
    return sums["handed_over"] + sums["walk_in"] - sums["returned"]


def _free(sums: Sums) -> int:
    return max(sums["on_hand"] - sums["promised"], 0)


def _sold_a_day(sums: Sums) -> float:
    return max(sold(sums), 0) / sums["days"]


def _cover(sums: Sums) -> float | None:
    a_day = _sold_a_day(sums)
    return _free(sums) / a_day if a_day else None


def _to_answer_for(sums: Sums) -> int:
    """Return how many ordered phones the outlets had to answer for: those that moved count where they went."""
    return sums["placed"] + sums["moved"]


def _set_aside(sums: Sums) -> int:
    return sums["set_aside"]


def _set_aside_after(sums: Sums) -> float | None:
    return sums["set_aside_seconds"] / sums["set_aside"] if sums["set_aside"] else None


MEASURES = (
    Measure(
        "sold",
        gettext_lazy("Sold"),
        (
            count(gettext_lazy("orders handed over"), lambda sums: sums["handed_over"]),
            count(gettext_lazy("sold at the counter"), lambda sums: sums["walk_in"]),
            count(gettext_lazy("taken back"), lambda sums: sums["returned"]),
            count(gettext_lazy("sold"), sold),
        ),
    ),
    Measure(
        "reserved",
        gettext_lazy("Reserved"),
        (
            count(gettext_lazy("handed over"), lambda sums: sums["handed_over"]),
            count(gettext_lazy("given back"), lambda sums: sums["released"]),
            count(gettext_lazy("moved, net"), lambda sums: sums["moved"]),
            count(pgettext_lazy("a number of phones", "reserved"), lambda sums: sums["reserved"]),
        ),
    ),
    Measure(
        "received",
        gettext_lazy("Received"),
        (
            count(gettext_lazy("by transfers"), lambda sums: sums["transferred"]),
            count(gettext_lazy("by counts and corrections"), lambda sums: sums["corrected"]),
            count(gettext_lazy("from suppliers"), lambda sums: sums["received"]),
        ),
    ),
    Measure(
        "stock",
        gettext_lazy("In stock"),
        (
            count(gettext_lazy("promised"), lambda sums: sums["promised"]),
            count(gettext_lazy("free"), _free),
            count(gettext_lazy("on hand"), lambda sums: sums["on_hand"]),
        ),
        flows=False,
        levels=True,
    ),
    Measure(
        "cover",
        gettext_lazy("Days of cover"),
        (
            count(gettext_lazy("free"), _free),
            Column(gettext_lazy("sold a day"), _sold_a_day, one_decimal),
            Column(gettext_lazy("lasts for"), _cover, days_of),
        ),
        levels=True,
        weight=_free,
    ),
    Measure(
        "short",
        gettext_lazy("Shortfalls"),
        (
            count(gettext_lazy("on hand"), lambda sums: sums["on_hand"]),
            count(gettext_lazy("promised"), lambda sums: sums["promised"]),
            count(gettext_lazy("missing"), lambda sums: sums["missing"]),
        ),
        flows=False,
        levels=True,
    ),
    Measure(
        "lapsed",
        gettext_lazy("Declined and expired"),
        (
            count(gettext_lazy("ordered"), lambda sums: sums["placed"]),
            count(gettext_lazy("moved, net"), lambda sums: sums["moved"]),
            count(gettext_lazy("cancelled"), lambda sums: sums["cancelled"]),
            count(gettext_lazy("declined"), lambda sums: sums["declined"]),
            share(gettext_lazy("share declined"), "declined", _to_answer_for),
            count(gettext_lazy("expired"), lambda sums: sums["expired"]),
            share(gettext_lazy("share expired"), "expired", _to_answer_for),
        ),
        weight=lambda sums: sums["declined"] + sums["expired"],
    ),
    Measure(
        "waiting",
        gettext_lazy("Time to set aside"),
        (
            count(gettext_lazy("set aside"), _set_aside),
            share(gettext_lazy("within 1 hour"), "within_1_hour", _set_aside),
            share(gettext_lazy("within 4 hours"), "within_4_hours", _set_aside),
            share(gettext_lazy("within 24 hours"), "within_24_hours", _set_aside),
            Column(gettext_lazy("on average after"), _set_aside_after, hours),
        ),
        weight=_set_aside,
    ),
)
BY_KEY = {measure.key: measure for measure in MEASURES}


def added_up(lines: list[Sums], days: int) -> dict[str, int]:
    """Return the sums of several lines of the same days; those of none are noughts."""
    return {name: sum(line.get(name, 0) for line in lines) for name in (*SUMMED, *LEVELS)} | {"days": days}
