"""
A temporary table that holds a file's rows as text, so that the database checks and compares all of them at once.

    with staged_lines(lines, columns) as staged:
        problems = staged.problems + refuse(CHECKS, joins=...)  # stores.loading.checks
        ...

The table `staged_lines` has the line number and one text column for each column that the file may have; what the file
does not have is empty. Lines that are refused stay in it and are named in `refused_lines`.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any, cast

from django.db import connection, transaction
from django.utils.translation import gettext as _

from catalog.loading.report import Problem
from catalog.loading.text import NOT_TEXT
from stores.loading.copying import copy_row, copy_rows, is_plain, plain_row, plain_rows
from stores.loading.csvfile import Line, PlainLines

# How much of a wrong cell is shown.
SHOWN_CHARACTERS = 60


@dataclass(frozen=True)
class Columns:
    """What a header must name, may name, and may name without being read."""

    required: tuple[str, ...]
    optional: tuple[str, ...] = ()
    ignored: tuple[str, ...] = ()

    @property
    def read(self) -> tuple[str, ...]:
        return self.required + self.optional


@dataclass
class Staged:
    """What came of reading: which columns the file has, how many lines the table, and what was wrong with others."""

    columns: set[str] = field(default_factory=set)
    lines: int = 0
    problems: list[Problem] = field(default_factory=list)

    def has(self, column: str) -> bool:
        return column in self.columns


@contextmanager
def staged_lines(lines: Iterable[Line | PlainLines | Problem], columns: Columns) -> Iterator[Staged]:
    """Hold `lines`, the first of them the header, in the table `staged_lines` for the length of the block."""
    staged = Staged()
    with transaction.atomic(), connection.cursor() as cursor:
        cells = ", ".join(f"{column} text NOT NULL DEFAULT ''" for column in columns.read)
        cursor.execute(f"CREATE TEMP TABLE staged_lines (line integer, {cells})")
        cursor.execute("CREATE TEMP TABLE refused_lines (line integer)")
        iterator = iter(lines)
        header = _read_header(iterator, columns, staged)
        if header:
            read = [column for column in header if column in columns.read]
            rows = _copy_rows(iterator, header, read, staged.problems)
            staged.lines = copy_rows(cursor, f"staged_lines (line, {', '.join(read)})", rows)
        mark_refused(cursor, staged.problems)
        yield staged
        cursor.execute("DROP TABLE staged_lines, refused_lines")


def mark_refused(cursor: Any, problems: Iterable[Problem]) -> None:
    """Note the lines, so that whoever goes on leaves them out."""
    copy_rows(cursor, "refused_lines", (copy_row(problem.line) for problem in problems))


def count_refused(problems: Iterable[Problem]) -> int:
    """Return how many lines are refused; a line with three problems is one line."""
    return len({problem.line for problem in problems})


def _read_header(lines: Iterator[Line | PlainLines | Problem], columns: Columns, staged: Staged) -> list[str]:
    """Return the file's columns, or nothing when they cannot be told."""
    first = next(lines, None)
    if first is None:
        staged.problems.append(Problem(1, "", _("the file is empty; its first line has to name the columns")))
        return []
    if isinstance(first, Problem):
        staged.problems.append(first)
        return []
    # What comes first is never one of many.
    number, cells = cast(Line, first)
    header = [cell.strip() for cell in cells]
    staged.problems += _header_problems(number, header, columns)
    staged.columns = set(header)
    return [] if staged.problems else header


def _header_problems(number: int, header: list[str], columns: Columns) -> Iterator[Problem]:
    known = {*columns.read, *columns.ignored}
    for position, column in enumerate(header, start=1):
        shown = NOT_TEXT.sub("?", column)[:SHOWN_CHARACTERS]
        if column not in known:
            yield Problem(
                number, shown, _("is not a column of this file (number %(position)d)") % {"position": position}
            )
        elif column in header[: position - 1]:
            yield Problem(number, shown, _("is there twice"))
    for column in columns.required:
        if column not in header:
            yield Problem(number, column, _("is missing"))


def _copy_rows(
    lines: Iterator[Line | PlainLines | Problem], header: list[str], read: list[str], problems: list[Problem]
) -> Iterator[str]:
    """Yield what COPY wants of the lines whose shape is right; put what is wrong with the others into `problems`."""
    wanted = [header.index(column) for column in read]
    for found in lines:
        if isinstance(found, Problem):
            problems.append(found)
        elif isinstance(found, PlainLines) and found.width == len(header) == len(read):
            yield plain_rows(found.first, found.rows)
        else:
            for line in found.lines() if isinstance(found, PlainLines) else (found,):
                if any(line.cells):
                    yield from _copy_line(line, header, wanted, problems)


def _copy_line(line: Line, header: list[str], wanted: list[int], problems: list[Problem]) -> Iterator[str]:
    text = "".join(line.cells)
    has_shape = len(line.cells) == len(header)
    if has_shape and is_plain(text):
        yield plain_row(line.number, [line.cells[position] for position in wanted])
    elif has_shape and not NOT_TEXT.search(text):
        yield copy_row(line.number, *[line.cells[position].strip() for position in wanted])
    else:
        problems += _shape_problems(line, header)


def _shape_problems(line: Line, header: list[str]) -> Iterator[Problem]:
    """Yield what is wrong with a line that has not as many cells as the header, or one that is no text."""
    number, cells = line
    if len(cells) != len(header):
        reason = _("has %(count)d cells, the header has %(expected)d")
        yield Problem(number, "", reason % {"count": len(cells), "expected": len(header)})
        return
    for column, cell in zip(header, cells, strict=True):
        if not (found := NOT_TEXT.search(cell)):
            continue
        if "\ud800" <= found[0] <= "\udfff":
            yield Problem(
                number, column, _("is not valid UTF-8 (byte %(byte)s)") % {"byte": f"{ord(found[0]) & 255:02X}"}
            )
        else:
            yield Problem(
                number, column, _("holds a control character (%(code)s)") % {"code": f"U+{ord(found[0]):04X}"}
            )
