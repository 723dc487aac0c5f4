"""Load the weekly hours that outlets keep from a JSON document in the shape of stores/data/timetables.json."""

from __future__ import annotations

from datetime import time
from itertools import pairwise
from typing import Any

from django.db import transaction
from django.utils.translation import gettext as _

from catalog.loading.document import Node, clean, read_document
from catalog.loading.report import Problem, Report
from stores.models import Timetable, TimetableHours

WEEKDAYS = ("mon", "tue", "wed", "thu", "fri", "sat", "sun")

# Weekday, opening and closing time.
Hours = tuple[int, time, time]


@transaction.atomic
def load_timetables(content: bytes, *, apply: bool) -> Report:
    """
    Compare a document with the stored timetables; with `apply`, store what differs.

    A timetable that is stored and not in the document stays. Nothing is written when anything is refused.
    """
    problems: list[Problem] = []
    root = read_document(content, problems)
    wanted: dict[str, tuple[Timetable, list[Hours]]] = {}
    for node in root.nodes("timetables"):
        timetable, hours = _read_timetable(node)
        if timetable.slug in wanted:
            node.refuse("slug", _("is there twice"))
        wanted[timetable.slug] = timetable, hours
    if problems:
        return Report(refused=len({problem.column for problem in problems}), problems=problems)
    stored = {timetable.slug: timetable for timetable in Timetable.objects.prefetch_related("hours")}
    new = [slug for slug in wanted if slug not in stored]
    changed = [slug for slug in wanted if slug in stored and _state(*wanted[slug]) != _stored_state(stored[slug])]
    if apply:
        for slug in new + changed:
            _write(*wanted[slug], stored.get(slug))
    return Report(len(new), len(changed), len(wanted) - len(new) - len(changed), is_applied=apply)


def _read_timetable(node: Node) -> tuple[Timetable, list[Hours]]:
    values = {key: node.plain(key, str) for key in ("slug", "name_zh", "name_en")}
    timetable = Timetable(**values)
    clean(timetable, {}, node, exclude={"id", *(key for key, value in values.items() if value is None)})
    week = Node(node.place("hours"), node.plain("hours", dict) or {}, node.problems)
    hours = [one for days in week.values for one in _read_days(week, days)]
    _refuse_overlaps(week, hours)
    return timetable, sorted(hours)


def _read_days(week: Node, days: str) -> list[Hours]:
    """Read what stands under a key like "mon tue": a list of texts like "08:30-12:00"."""
    if unknown := [day for day in days.split() if day not in WEEKDAYS]:
        week.refuse(days, _("no weekday is called “%(day)s”") % {"day": unknown[0]})
        return []
    spans = [span for text in week.plain(days, list) or [] if (span := _read_span(week, days, text))]
    return [(WEEKDAYS.index(day), opens, closes) for day in days.split() for opens, closes in spans]


def _read_span(week: Node, days: str, text: Any) -> tuple[time, time] | None:
    try:
        opens, closes = (time.fromisoformat(part) for part in text.split("-"))
    except (AttributeError, ValueError):
        week.refuse(days, _("has to be a time like 08:30-12:00, but is “%(text)s”") % {"text": str(text)[:60]})
        return None
    if opens.tzinfo or closes.tzinfo or opens >= closes:
        week.refuse(days, _("closes before it opens: %(text)s") % {"text": text})
        return None
    return opens, closes


def _refuse_overlaps(week: Node, hours: list[Hours]) -> None:
    ordered = sorted(hours)
    for (day, _opens, closes), (next_day, opens, _closes) in pairwise(ordered):
        if day == next_day and opens < closes:
            week.refuse(WEEKDAYS[day], _("opens again at %(time)s before it has closed") % {"time": f"{opens:%H:%M}"})


def _state(timetable: Timetable, hours: list[Hours]) -> tuple[Any, ...]:
    return timetable.name_zh, timetable.name_en, hours


def _stored_state(timetable: Timetable) -> tuple[Any, ...]:
    return _state(timetable, sorted((one.weekday, one.opens, one.closes) for one in timetable.hours.all()))


def _write(timetable: Timetable, hours: list[Hours], stored: Timetable | None) -> None:
    if stored:
        timetable.pk = stored.pk
        stored.hours.all().delete()
    timetable.save()
    TimetableHours.objects.bulk_create(
        TimetableHours(timetable=timetable, weekday=weekday, opens=opens, closes=closes)
        for weekday, opens, closes in hours
    )
