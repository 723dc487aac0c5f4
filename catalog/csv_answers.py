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
CONTENT_TYPE = "text/csv; charset=utf-8"
DANGEROUS = ("=", "+", "-", "@", "\t", "\r")


class _Echo:
    """The file of a csv.writer that hands back what is written into it."""

    def write(self, text: str) -> str:
        return text


def csv_answer(name: str, rows: Iterable[Sequence[object]]) -> StreamingHttpResponse:
    """Answer with `rows`, the heading first, as the file `name`; nothing is collected in memory."""
    answer = StreamingHttpResponse(_in_language(csv_lines(rows), get_language()), content_type=CONTENT_TYPE)
    answer["Content-Disposition"] = f'attachment; filename="{name}"'
    return answer


def csv_lines(rows: Iterable[Sequence[object]]) -> Iterator[str]:
    """Yield `rows` as the lines of a CSV file (RFC 4180), after the mark that it begins with."""
    writer: Any = csv.writer(_Echo())
    yield MARK
    for row in rows:
        yield writer.writerow([harmless(cell) for cell in row])


def _in_language(lines: Iterator[str], language: str | None) -> Iterator[str]:
    """Make lines in the language of the request: they are sent when it is no longer active."""
    while True:
        # Line by line, since the thread may have other things to do in between.
        with translation.override(language):
            line = next(lines, None)
        if line is None:
            return
        yield line


def harmless(cell: object) -> object:
    """Return a cell that no spreadsheet takes for a formula; None becomes empty."""
    if cell is None:
        return ""
    if isinstance(cell, str) and cell.startswith(DANGEROUS):
        return f"'{cell}"
    return cell
