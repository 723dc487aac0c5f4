"""Reports: the page of a place and a measure, and the same as a file for spreadsheets."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from datetime import date
from typing import Any

from django.conf import settings
from django.http import Http404, HttpResponse
from django.http.response import HttpResponseBase
from django.shortcuts import redirect
from django.utils import timezone
from django.utils.formats import date_format
from django.utils.safestring import SafeString
from django.utils.translation import gettext as _

from catalog.csv_answers import csv_answer
from office import report_pictures
from office.doors import ReportRequest, report_page
from office.report_figures import Line, Report, read_report
from office.report_measures import MEASURES, Measure
from office.report_pictures import Day, Dot
from office.report_places import Place, Spot, address_of, country, outlet_place, region_place
from office.report_questions import PERIODS, Question, read_question
from office.rollup import as_of
from stores.desk import show
from stores.models import Outlet

WAY_NAMES = {
    "place": lambda: _("place"),
    "phone": lambda: _("phone"),
    "brand": lambda: _("brand"),
    "tier": lambda: _("shelf"),
    "day": lambda: _("day"),
}


@report_page
def country_report(request: ReportRequest) -> HttpResponseBase:
    """Show the whole country; whoever answers for a region alone is led there."""
    if not request.reach.is_whole:
        return redirect(address_of(request.reach.regions[0]))
    return _page(request, country())


@report_page
def region_report(request: ReportRequest, code: str) -> HttpResponseBase:
    """Show a province, city or county."""
    return _page(request, _region(request, code))


@report_page
def outlet_report(request: ReportRequest, code: str) -> HttpResponseBase:
    """Show one outlet."""
    return _page(request, _outlet(request, code))


@report_page
def country_file(request: ReportRequest) -> HttpResponseBase:
    if not request.reach.is_whole:
        raise Http404
    return _file(request, country())


@report_page
def region_file(request: ReportRequest, code: str) -> HttpResponseBase:
    return _file(request, _region(request, code))


@report_page
def outlet_file(request: ReportRequest, code: str) -> HttpResponseBase:
    return _file(request, _outlet(request, code))


def _region(request: ReportRequest, code: str) -> Place:
    """Return the region within reach; whoever may not see it is told no more than of one that is not there."""
    place = region_place(code) if request.reach.covers(code) else None
    if place is None:
        raise Http404
    return place


def _outlet(request: ReportRequest, code: str) -> Place:
    place = outlet_place(code)
    if place is None or place.outlet is None or not request.reach.covers(place.outlet.town_id):
        raise Http404
    return place


def _page(request: ReportRequest, place: Place) -> HttpResponse:
    question = read_question(request.GET, place.ways)
    report = read_report(place, question)
    context = {
        "place": place,
        "question": question,
        "measure": question.measure,
        "as_of": as_of(),
        "days": " – ".join(date_format(day, _("j M Y")) for day in (question.first, question.last)),
        "above": _above(request, place, question),
        "measures": [
            (each.name, _link(place, question.with_(measure=each)), each is question.measure) for each in MEASURES
        ],
        "ways": [(WAY_NAMES[way](), _link(place, question.with_(by=way)), way == question.by) for way in place.ways],
        "periods": _periods(place, question),
        "filters": _filters(place, question),
        "first_heading": WAY_NAMES[question.by](),
        "rows": _rows(place, question, report),
        "total": _cells(question.measure, report.total),
        "picture": _picture(place, question, report),
        "file": f"{place.address}csv/{question.query}",
        "is_demo": settings.DEMO,
    }
    return show(request, "reports/report.html", context)


def _link(place: Place, question: Question) -> str:
    return f"{place.address}{question.query}"


def _above(request: ReportRequest, place: Place, question: Question) -> list[tuple[str, str]]:
    """Return name and address of what the place lies in, as far as it is within reach."""
    spots: list[Spot | None] = [None] if request.reach.is_whole else []
    spots += [region for region in place.around if request.reach.covers(region.code)]
    here = place.outlet or place.region
    usual = question.with_(by="place").query
    return [(spot.name if spot else _("China"), f"{address_of(spot)}{usual}") for spot in spots if spot != here]


def _periods(place: Place, question: Question) -> list[tuple[str, str, bool]]:
    today = timezone.localdate()
    periods = []
    for days in PERIODS:
        changed = question.with_(days=days, last=today, first=date.fromordinal(today.toordinal() - days + 1))
        periods.append((_("%(days)d days") % {"days": days}, _link(place, changed), question.days == days))
    return periods


def _filters(place: Place, question: Question) -> list[tuple[str, str]]:
    """Return the filter that is on, with the address where it is off."""
    if not question.filter_name:
        return []
    return [(question.filter_name, _link(place, question.with_(filter=("", ""))))]


def _rows(place: Place, question: Question, report: Report) -> list[dict[str, Any]]:
    measure = question.measure
    most = max((measure.size(line.sums) for line in report.lines), default=0)
    lines = reversed(report.lines) if question.by == "day" else report.lines
    return [
        {
            "name": _name(line),
            "address": _leads_to(place, question, line),
            "cells": _cells(measure, line.sums),
            "bar": None if question.by == "day" else report_pictures.bar(measure.size(line.sums), most),
        }
        for line in lines
    ]


def _name(line: Line) -> str:
    return date_format(line.day, _("D j M")) if line.day else line.name


def _leads_to(place: Place, question: Question, line: Line) -> str:
    """Return where a line leads: into its place, or to its phones by what tells them apart further."""
    if line.spot is not None:
        return (
            f"{address_of(line.spot)}{question.with_(by='phone' if isinstance(line.spot, Outlet) else 'place').query}"
        )
    if line.filter is not None:
        by = place.ways[0] if line.filter[0] == "phone" else "phone"
        if place.outlet and line.filter[0] == "phone":
            by = "day"
        return _link(place, question.with_(filter=line.filter, by=by))
    return ""


def _cells(measure: Measure, sums: Any) -> list[str]:
    numbers = [(column, column.value(sums)) for column in measure.columns]
    return ["–" if value is None else column.write(value) for column, value in numbers]


def _picture(place: Place, question: Question, report: Report) -> SafeString | str:
    measure = question.measure
    if question.by == "day":
        days = [
            Day(line.day or question.first, measure.size(line.sums), _cells(measure, line.sums)[-1])
            for line in report.lines
        ]
        if measure.weight:
            days = [day._replace(words=str(int(day.size))) for day in days]
        words = _("%(what)s day by day, in %(place)s") % {"what": measure.name, "place": place.name}
        return report_pictures.chart(days, words, as_line=measure.levels and not measure.flows)
    if question.by == "place":
        words = _("%(what)s in %(place)s: a dot for each place, the larger the more") % {
            "what": measure.name,
            "place": place.name,
        }
        return report_pictures.dot_map(_dots(measure, report.lines), words)
    return ""


def _dots(measure: Measure, lines: Sequence[Line]) -> list[Dot]:
    return [
        Dot(line.name, line.spot.longitude, line.spot.latitude, measure.size(line.sums), _cells(measure, line.sums)[-1])
        for line in lines
        if line.spot is not None and line.spot.longitude is not None and line.spot.latitude is not None
    ]


def _file(request: ReportRequest, place: Place) -> HttpResponseBase:
    question = read_question(request.GET, place.ways)
    name = f"{question.measure.key}-{place.outlet.code if place.outlet else place.code or 'china'}"
    return csv_answer(f"{name}-{question.first}-{question.last}.csv", _file_rows(place, question))


def _file_rows(place: Place, question: Question) -> Iterator[Sequence[object]]:
    """Yield the heading and a row for each line: code or slug, name, then the figures as they are."""
    columns = question.measure.columns
    yield [_("Code"), WAY_NAMES[question.by](), *(str(column.heading) for column in columns)]
    for line in read_report(place, question).lines:
        if line.day:
            code = line.day.isoformat()
        elif line.filter:
            code = line.filter[1]
        else:
            code = line.spot.code if line.spot else ""
        yield [code, line.name, *(_plain(column.value(line.sums)) for column in columns)]


def _plain(value: int | float | None) -> int | float | None:
    return round(value, 4) if isinstance(value, float) else value
