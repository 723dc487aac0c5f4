"""What somebody asks of a report: read from the address, and written into the links that lead on from it."""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import date, timedelta
from urllib.parse import urlencode

from django.http import QueryDict
from django.urls import reverse
from django.utils import timezone
from django.utils.translation import gettext as _

from catalog.catalogue import current_catalogue
from catalog.errors import BadQuery, Suggestion
from catalog.models import Phone
from office.report_measures import BY_KEY, MEASURES, Measure

PERIODS = (7, 28, 90)
USUAL_DAYS = 28
MOST_DAYS = 366
FIRST_DAY = date(2014, 1, 1)
# By what lines can be told apart.
WAYS = ("place", "phone", "brand", "tier", "day")
FILTERS = ("phone", "brand", "tier")


@dataclass(frozen=True)
class Question:
    """
    A measure, the days it is about (first and last included), which phones, and by what its lines are told apart.

    `filter` is one of FILTERS and its slug, empty for all phones; `days` is set where the period ends today.
    """

    measure: Measure
    by: str
    first: date
    last: date
    days: int | None
    filter: tuple[str, str] = ("", "")

    @property
    def length(self) -> int:
        return (self.last - self.first).days + 1

    @property
    def phones(self) -> list[Phone]:
        """The phones it is about, in shelf order."""
        kind, slug = self.filter
        phones = current_catalogue().phones
        if not kind:
            return list(phones)
        return [phone for phone in phones if slug == (phone.slug if kind == "phone" else getattr(phone, kind).slug)]

    @property
    def filter_name(self) -> str:
        """What the phones are called that it is about, empty for all."""
        kind, _slug = self.filter
        phones = self.phones
        if not kind or not phones:
            return ""
        return str(phones[0].name if kind == "phone" else getattr(phones[0], kind))

    def with_(self, **changes: object) -> Question:
        return replace(self, **changes)  # type: ignore[arg-type]

    @property
    def query(self) -> str:
        """This question as the query of an address, with its question mark; what is usual is left out."""
        keys = {"show": self.measure.key if self.measure is not MEASURES[0] else "", "by": self.by}
        if self.days is None:
            keys |= {"from": self.first.isoformat(), "to": self.last.isoformat()}
        elif self.days != USUAL_DAYS:
            keys["days"] = str(self.days)
        if self.filter[0]:
            keys[self.filter[0]] = self.filter[1]
        written = urlencode({key: value for key, value in keys.items() if value})
        return f"?{written}" if written else ""


def read_question(query: QueryDict, ways: tuple[str, ...]) -> Question:
    """
    Read `show`, `by` (one of `ways`, the first where nothing is said), `days` or `from` and `to`, and a filter.

    Raises BadQuery where one of them makes no sense.
    """
    first, last, days = _read_period(query)
    return Question(
        measure=BY_KEY[_one_of(query.get("show", "") or MEASURES[0].key, BY_KEY, _("Report"))],
        by=_one_of(query.get("by", "") or ways[0], ways, _("By")),
        first=first,
        last=last,
        days=days,
        filter=_read_filter(query),
    )


def _read_period(query: QueryDict) -> tuple[date, date, int | None]:
    today = timezone.localdate()
    if not query.get("from") and not query.get("to"):
        text = query.get("days", "") or str(USUAL_DAYS)
        days = int(text) if text.isascii() and text.isdecimal() and len(text) <= 3 else 0
        if not 1 <= days <= MOST_DAYS:
            reason = _("A report is about 1 to %(most)d days.") % {"most": MOST_DAYS}
            raise BadQuery(_("Days"), text, reason, [_all()])
        return today - timedelta(days=days - 1), today, days
    first, last = _read_day(query.get("from", ""), _("From")), _read_day(query.get("to", ""), _("To"))
    if not FIRST_DAY <= first <= last <= today:
        reason = _("The first day comes before the last, and the last not after today.")
        raise BadQuery(_("From"), query.get("from", ""), reason, [_all()])
    if (last - first).days >= MOST_DAYS:
        reason = _("A report is about 1 to %(most)d days.") % {"most": MOST_DAYS}
        raise BadQuery(_("To"), query.get("to", ""), reason, [_all()])
    return first, last, None


def _read_day(text: str, field: str) -> date:
    try:
        return date.fromisoformat(text.strip()) if len(text) <= 12 else date.fromisoformat("")
    except ValueError as error:
        raise BadQuery(field, text, _("Write a day as 2026-11-28: year, month, day."), [_all()]) from error


def _read_filter(query: QueryDict) -> tuple[str, str]:
    catalogue = current_catalogue()
    known = {
        "phone": set(catalogue.by_slug),
        "brand": {brand.slug for brand in catalogue.brands},
        "tier": {tier.slug for tier in catalogue.tiers},
    }
    for kind in FILTERS:
        if slug := query.get(kind, ""):
            if slug not in known[kind]:
                raise BadQuery(_("Phone"), slug, _("We have no phone of this name."), [_all()])
            return kind, slug
    return "", ""


def _one_of(text: str, known: object, field: str) -> str:
    if text not in known:  # type: ignore[operator]
        raise BadQuery(field, text, _("There is no such report."), [_all()])
    return text


def _all() -> Suggestion:
    return Suggestion(_("Reports"), reverse("reports:country"))
