"""
Tables as CSV files, sent while they are made.

Spreadsheets take a cell that begins with = + - or @ for a formula, and would run what somebody typed into a name; such
cells get an apostrophe in front, as OWASP advises ("CSV Injection"). Numbers are numbers.
"""

from __future__ import annotations

import csv
from collections.abc import Iterable, Iterator, Sequence
from typing import Any

from django.http import StreamingHttpResponse
from django.utils import translation
from django.utils.translation import get_language

# Excel takes a file for UTF-8 only when it begins so.
MARK = "\ufeff"
DANGEROUS = ("=", "+", "-", "@", "\t", "\r")


class _Echo:
    """The file of a csv.writer that hands back what is written into it."""

    def write(self, text: str) -> str:
        return text


def csv_answer(name: str, rows: Iterable[Sequence[object]]) -> StreamingHttpResponse:
    """Answer with `rows`, the heading first, as the file `name`; nothing is collected in memory."""
    answer = StreamingHttpResponse(_lines(rows, get_language()), content_type="text/csv; charset=utf-8")
    answer["Content-Disposition"] = f'attachment; filename="{name}"'
    return answer


def _lines(rows: Iterable[Sequence[object]], language: str | None) -> Iterator[str]:
    writer: Any = csv.writer(_Echo())
    yield MARK
    # They are made after the view has answered, when the language of its request is no longer active.
    with translation.override(language):
        for row in rows:
            yield writer.writerow([harmless(cell) for cell in row])


def harmless(cell: object) -> object:
    """Return a cell that no spreadsheet takes for a formula; None becomes empty."""
    if cell is None:
        return ""
    if isinstance(cell, str) and cell.startswith(DANGEROUS):
        return f"'{cell}"
    return cell
