"""A list of the back office as a CSV file, however long: rows go out as they come from the database."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from django.contrib.admin.utils import label_for_field, lookup_field
from django.db.models import Model
from django.http import HttpRequest, StreamingHttpResponse
from django.utils.translation import gettext as _

from office.list_files import hand_out, in_turn, moment_cell


def export_list(pages: Any, request: HttpRequest) -> StreamingHttpResponse:
    """Answer with the list as it was searched and filtered, in its own columns; who took it is in the trail."""
    found = pages.get_changelist_instance(request)
    names = [name for name in found.list_display if name != "action_checkbox"]
    heads = [str(label_for_field(name, pages.model, pages)) for name in names]
    asked = request.META.get("QUERY_STRING", "")[:200]
    rows = _all(heads, in_turn(found.queryset), names, pages)
    return hand_out(request, f"{pages.opts.db_table}.csv", rows, pages.model, query=asked)


def _all(heads: list[str], rows: Iterator[Model], names: list[str], pages: Any) -> Iterator[list[Any]]:
    yield heads
    for row in rows:
        yield [_cell(name, row, pages) for name in names]


def _cell(name: str, row: Model, pages: Any) -> Any:
    field, _attribute, value = lookup_field(name, row, pages)
    if field is not None and getattr(field, "flatchoices", None):
        return str(dict(field.flatchoices).get(value, value))
    if hasattr(value, "astimezone"):
        return moment_cell(value)
    if isinstance(value, list):
        return ", ".join(map(str, value))
    if isinstance(value, bool):
        return _("yes") if value else _("no")
    return value if isinstance(value, int | float) else str("" if value is None else value)
