"""Sending a file of outlets, looking at what it would do, applying it; and an empty file to fill in."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from http import HTTPStatus
from typing import Any

from django.contrib import messages
from django.db.models import QuerySet
from django.http import Http404, HttpResponse
from django.http.response import HttpResponseBase
from django.shortcuts import get_object_or_404, redirect
from django.utils.translation import gettext as _

from catalog.csv_answers import CONTENT_TYPE, csv_lines
from catalog.loading.report import Problem
from office import import_queue
from office.access import OfficeDeed
from office.doors import OfficeRequest, office_deed, office_form, office_page
from office.imports import ImportRefused, keep_file, look_at, region_around
from office.list_files import hand_out, in_turn, moment_cell
from office.models import OutletImport
from office.report_places import name_of
from office.spreadsheets import write_xlsx
from stores.desk import is_fragment, show
from stores.geography import Point
from stores.loading.outlets import COLUMNS
from stores.maps import CELLS, Dot, map_of, on_map

PROBLEMS_SHOWN = 500
FILES_SHOWN = 20
TEMPLATE = (*COLUMNS.required, "telephone", "state", "timetable")
XLSX = "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet"


@office_form(OfficeDeed.EDIT_OUTLETS)
def upload(request: OfficeRequest) -> HttpResponse:
    """Take a file; show the latest ones."""
    refusal = ""
    if request.method == "POST":
        file = request.FILES.get("file")
        try:
            if file is None:
                raise ImportRefused(_("Please choose a file."))
            kept = keep_file(request.user, file.name or "", file)  # type: ignore[arg-type]
            return redirect("office:import", kept.pk)
        except ImportRefused as refused:
            refusal = str(refused)
    context = {"files": _files()[:FILES_SHOWN], "refusal": refusal, "columns": COLUMNS}
    return show(request, "office/imports.html", context)


def _files() -> QuerySet[OutletImport]:
    return OutletImport.objects.select_related("person").defer("content")


@office_page(OfficeDeed.EDIT_OUTLETS)
def files_file(request: OfficeRequest) -> HttpResponseBase:
    """Hand out the list of all files that were sent."""
    return hand_out(request, "imports.csv", _file_rows(), OutletImport)


def _file_rows() -> Iterator[Sequence[object]]:
    yield [_("Number"), _("File"), _("Who"), _("When"), _("What became of it")]
    for kept in in_turn(_files()):
        yield [kept.pk, kept.file_name, kept.person.name, moment_cell(kept.uploaded_at), kept.what_became_of_it]


@office_page(OfficeDeed.EDIT_OUTLETS)
def preview(request: OfficeRequest, number: int) -> HttpResponse:
    """Show what a file would do, how far it is, or what became of it. The page's script asks how far it is."""
    kept = get_object_or_404(OutletImport, pk=number)
    if kept.asked_at:
        context = {"kept": kept, "steps": import_queue.STEPS}
        return show(request, "office/_import_steps.html" if is_fragment(request) else "office/import.html", context)
    if is_fragment(request):
        # The whole page has more to say by now.
        return HttpResponse(status=HTTPStatus.RESET_CONTENT)
    if kept.applied_at:
        return show(request, "office/import.html", {"kept": kept})
    seen = look_at(kept)
    context = {
        "kept": kept,
        "report": seen.report,
        "problems": seen.report.problems[:PROBLEMS_SHOWN],
        "fingerprint": seen.fingerprint,
        "new": len(seen.new),
        **_map_with(seen.new),
    }
    return show(request, "office/import.html", context)


@office_page(OfficeDeed.EDIT_OUTLETS)
def problems_file(request: OfficeRequest, number: int) -> HttpResponseBase:
    """Hand out everything that is wrong with a file, to put it right beside the table."""
    problems = look_at(get_object_or_404(OutletImport, pk=number)).report.problems
    return hand_out(request, f"problems-{number}.csv", _problem_rows(problems), OutletImport, number)


def _problem_rows(problems: Sequence[Problem]) -> Iterator[Sequence[object]]:
    yield [_("Line"), _("Column"), _("What is wrong")]
    for problem in problems:
        yield [problem.line, problem.column, problem.reason]


def _map_with(new: Mapping[str, Point]) -> dict[str, Any]:
    """Return the map of where the new outlets are, and a frame that those beyond its edge are in, too."""
    region = region_around(new)
    drawn, dots = map_of(region), on_map(list(new.values()), region)
    corners = [Dot(0, 0), Dot(drawn.width, drawn.height) if drawn else Dot(CELLS, CELLS), *dots]
    left, top = min(dot.x for dot in corners) - 2, min(dot.y for dot in corners) - 2
    right, bottom = max(dot.x for dot in corners) + 2, max(dot.y for dot in corners) + 2
    frame = f"{left} {top} {right - left} {bottom - top}"
    return {"map": drawn, "dots": dots, "frame": frame, "where": name_of(region)}


@office_deed(OfficeDeed.EDIT_OUTLETS)
def apply_import(request: OfficeRequest, number: int) -> HttpResponse:
    """Have what was shown done by the worker."""
    kept = get_object_or_404(OutletImport, pk=number)
    try:
        import_queue.ask(kept, request.POST.get("fingerprint", ""), request.user)
    except ImportRefused as refused:
        messages.error(request, str(refused))
    return redirect("office:import", kept.pk)


@office_page(OfficeDeed.EDIT_OUTLETS)
def template(request: OfficeRequest, kind: str) -> HttpResponse:
    """Answer with an empty file that has the right first line."""
    if kind == "csv":
        response = HttpResponse("".join(csv_lines([TEMPLATE])), content_type=CONTENT_TYPE)
    elif kind == "xlsx":
        response = HttpResponse(write_xlsx([TEMPLATE]), content_type=XLSX)
    else:
        raise Http404
    response["Content-Disposition"] = f'attachment; filename="outlets.{kind}"'
    return response
