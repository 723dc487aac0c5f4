"""
When a shop is open: now, or when next. Pure functions; the moment is always an argument.

Hours are on the clock of Asia/Shanghai, which China keeps everywhere and all year, so a day has 24 hours.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from datetime import date, datetime, time, timedelta
from functools import cached_property, lru_cache
from html import escape
from itertools import groupby
from time import monotonic
from typing import Any, NamedTuple

from django.contrib.postgres.aggregates import StringAgg
from django.contrib.postgres.fields import ArrayField
from django.db.models import BigIntegerField, TextField, Value
from django.db.models.functions import Cast, Concat
from django.utils.translation import get_language, pgettext
from django.utils.translation import gettext as _

from api.prepared import IsAnyOf, Parameter, Planned
from catalog.models import local_text
from catalog.moments import SHANGHAI, clock, day_in_words
from stores.models import Outlet, TimetableHours

# Of so many different hours a process remembers what they come to.
MOST_FOUND = 2000
# For how many seconds a process may go on telling hours that it has read: the pages that show them are kept longer.
HOURS_ARE_FRESH = 1.0
# A shop that does not open within so many days opens on no day that is worth telling.
DAYS_AHEAD = 100

Hours = tuple[time, time]
# What is open on each weekday, Monday first; the hours of a day in order.
Week = tuple[tuple[Hours, ...], ...]
NO_WEEK: Week = ((),) * 7


class Closure(NamedTuple):
    """Whole days, first and last included, on which a shop does not open."""

    first_day: date
    last_day: date
    reason_zh: str = ""
    reason_en: str = ""

    @property
    def reason(self) -> str:
        return local_text(self.reason_zh, self.reason_en)

    @property
    def days(self) -> str:
        """Say which days: March 4, or February 4 to February 20."""
        first, last = day_in_words(self.first_day), day_in_words(self.last_day)
        if first == last:
            return first
        # Chinese sets dates, which begin with a figure, apart from the word between; weekdays it does not.
        return pgettext("dates", "%(first)s to %(last)s") % {"first": first, "last": last}

    @classmethod
    def from_json(cls, period: Mapping[str, str]) -> Closure:
        """Read what `OutletQuerySet.with_closures` annotates."""
        first, last = date.fromisoformat(period["first_day"]), date.fromisoformat(period["last_day"])
        return cls(first, last, period["reason_zh"], period["reason_en"])


@lru_cache(maxsize=1000)
def closures_of(periods: tuple[str, ...]) -> tuple[Closure, ...]:
    """Read the JSON of closed periods. Holidays are closed periods of many shops, so most have been read before."""
    return tuple(Closure.from_json(json.loads(period)) for period in periods)


@dataclass(frozen=True)
class Opening:
    """
    Whether a shop is open at `moment`; `changes_at` is when that ends (None: not soon). All times in Asia/Shanghai.

    `state` is the outlet's; only an open outlet keeps hours. `closure` is the one that covers `moment`, if any.
    """

    state: str
    moment: datetime
    is_open: bool = False
    changes_at: datetime | None = None
    closure: Closure | None = None
    # What was said of it, by language, and the same as HTML: thousands of shops keep the same hours.
    said: dict[str | None, str] = field(default_factory=dict, compare=False, repr=False)
    shown: dict[str | None, str] = field(default_factory=dict, compare=False, repr=False)

    @property
    def mark(self) -> str:
        return "✓" if self.is_open else "✗"

    @cached_property
    def holds_until(self) -> datetime:
        """Up to when it, and what is said of it, is as true as at its `moment`: to the end of the day, or a change."""
        midnight = datetime.combine(self.moment + timedelta(days=1), time.min, SHANGHAI)
        return midnight if self.changes_at is None else min(self.changes_at, midnight)

    def __str__(self) -> str:
        """Say it as a clerk would: open until half past five, opens tomorrow at nine."""
        language = get_language()
        words = self.said.get(language)
        if words is None:
            words = self.said[language] = self._in_words()
        return words

    def as_html(self, language: str | None) -> str:
        """Return mark and words as HTML. `language` is the active one: a list asks once for all of its rows."""
        html = self.shown.get(language)
        if html is None:
            html = self.shown[language] = escape(f"{self.mark} {self}")
        return html

    def _in_words(self) -> str:
        if self.state != Outlet.State.OPEN:
            return str(Outlet.State(self.state).label)
        if self.changes_at is None:
            return _("closed for now")
        if self.is_open:
            return _("open, until %(time)s") % {"time": clock(self.changes_at)}
        return _("closed, opens %(when)s") % {"when": self._when(self.changes_at)}

    def _when(self, opens: datetime) -> str:
        days = (opens.date() - self.moment.date()).days
        at = clock(opens)
        if days == 0:
            return _("today at %(time)s") % {"time": at}
        if days == 1:
            return _("tomorrow at %(time)s") % {"time": at}
        if days < 7:
            return _("%(day)s at %(time)s") % {"day": weekday_name(opens.weekday()), "time": at}
        return _("%(day)s at %(time)s") % {"day": day_in_words(opens), "time": at}


def opening_at(
    moment: datetime, week: Week, closures: Iterable[Closure] = (), state: str = Outlet.State.OPEN
) -> Opening:
    """
    Return whether a shop with these hours is open at `moment` (aware), and when that changes.

    What was found for the same hours earlier that day, and still holds, is returned again with its own `moment`.
    """
    closures = tuple(closures)
    # A week has up to twenty times in it, and is mostly the very same one: `_week` remembers them.
    hours = id(week), closures, state
    same_week, opening = _found.get(hours, _NOT_FOUND)
    if opening is None or same_week is not week or not opening.moment <= moment < opening.holds_until:
        if len(_found) >= MOST_FOUND:
            _found.clear()
        opening = _find_opening(moment, week, closures, state)
        _found[hours] = week, opening
    return opening


_NOT_FOUND = NO_WEEK, None
_found: dict[tuple[int, tuple[Closure, ...], str], tuple[Week, Opening]] = {}


def _find_opening(moment: datetime, week: Week, closures: tuple[Closure, ...], state: str) -> Opening:
    now = moment.astimezone(SHANGHAI)
    if state != Outlet.State.OPEN:
        return Opening(state, now)
    closure = _covering(now.date(), closures)
    for days in range(DAYS_AHEAD):
        day = now.date() + timedelta(days=days)
        if _covering(day, closures):
            continue
        for opens, closes in week[day.weekday()]:
            begin, end = (datetime.combine(day, hour, SHANGHAI) for hour in (opens, closes))
            if begin <= now < end:
                return Opening(state, now, True, end)
            if now < begin:
                return Opening(state, now, False, begin, closure)
    return Opening(state, now, closure=closure)


def _covering(day: date, closures: Iterable[Closure]) -> Closure | None:
    return next((closure for closure in closures if closure.first_day <= day <= closure.last_day), None)


class _Read(NamedTuple):
    """The weeks that a process has read since a moment (monotonic seconds); those without hours are among them."""

    since: float
    weeks: dict[int, Week]


_read = _Read(0.0, {})


def weeks_of(timetables: Iterable[int]) -> Mapping[int, Week]:
    """
    Return the week of each of the timetables (their keys), and perhaps of others.

    One query at most once in HOURS_ARE_FRESH for the same timetable, if there are any.
    """
    global _read
    read, now = _read, monotonic()
    if now - read.since >= HOURS_ARE_FRESH:
        read = _read = _Read(now, {})
    asked = [timetable for timetable in set(timetables) if timetable not in read.weeks]
    if asked:
        found = {timetable: _week(spans) for timetable, spans in _hours_of.rows(timetables=asked)}
        read.weeks.update(dict.fromkeys(asked, NO_WEEK) | found)
    return read.weeks


def forget_hours() -> None:
    """Let the next who asks for hours read them."""
    global _read
    _read = _Read(0.0, {})


@Planned
def _hours_of() -> Any:
    timetables = Parameter("timetables", ArrayField(BigIntegerField()))
    span = Concat(*(Cast(name, TextField()) for name in ("weekday", "opens", "closes")), Value(" ", TextField()))
    hours = TimetableHours.objects.filter(IsAnyOf("timetable", timetables)).order_by().values("timetable")
    return hours.annotate(spans=StringAgg(span, "", order_by=("weekday", "opens"))).values_list("timetable", "spans")


@lru_cache(maxsize=1000)
def _week(spans: str) -> Week:
    """Read spans such as 008:00:0017:30:00: weekday, opens, closes. Few timetables serve all shops."""
    days: list[list[Hours]] = [[] for _day in range(7)]
    for span in spans.split():
        days[int(span[0])].append((time.fromisoformat(span[1:9]), time.fromisoformat(span[9:17])))
    return tuple(map(tuple, days))


def week_in_words(week: Week) -> list[tuple[str, str]]:
    """Return the week as lines of days and hours, with days in a row that are alike taken together."""
    return list(_week_in_words(week, get_language()))


@lru_cache(maxsize=1000)
def _week_in_words(week: Week, _language: str | None) -> tuple[tuple[str, str], ...]:
    lines = []
    for hours, days in groupby(range(7), key=week.__getitem__):
        first, *rest = days
        name = weekday_name(first)
        if rest:
            name = _("%(first)s to %(last)s") % {"first": name, "last": weekday_name(rest[-1])}
        spans = pgettext("between hours of one day", ", ").join(
            f"{opens:%H:%M}–{closes:%H:%M}" for opens, closes in hours
        )
        lines.append((name, spans or pgettext("a day", "closed")))
    return tuple(lines)


def weekday_name(weekday: int) -> str:
    """Return the name of a weekday; 0 is Monday."""
    names = (_("Monday"), _("Tuesday"), _("Wednesday"), _("Thursday"), _("Friday"), _("Saturday"), _("Sunday"))
    return names[weekday]
