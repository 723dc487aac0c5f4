"""Tables as people send them: CSV, and the spreadsheets of Excel and WPS (XLSX, ECMA-376)."""

from __future__ import annotations

import io
import zipfile
from collections.abc import Iterable, Iterator
from datetime import date
from typing import Any, BinaryIO

from django.utils.translation import gettext as _

from catalog.loading.report import Problem
from stores.loading.csvfile import Line, encoding_of, read_csv

MOST_LINES = 20_000
MOST_COLUMNS = 100
# What an archive may unpack to, and out of how many files: a small one can hold gigabytes of nothing.
MOST_UNPACKED_BYTES = 64 * 2**20
MOST_FILES = 200
ZIP_MAGIC = b"PK\x03\x04"


def read_table(stream: BinaryIO) -> Iterator[Line | Problem]:
    """
    Yield every line of a table in CSV (plain or gzip, UTF-8 or GB 18030) or XLSX, known by its bytes.

    At most MOST_LINES are read. Whatever is wrong is yielded as a Problem with its line, and never raised. Lines of a
    spreadsheet are its rows.
    """
    is_xlsx = stream.read(len(ZIP_MAGIC)) == ZIP_MAGIC
    stream.seek(0)
    lines = _read_xlsx(stream) if is_xlsx else read_csv(stream, encoding_of(stream))
    for line in lines:
        number = line.number if isinstance(line, Line) else line.line
        if number > MOST_LINES:
            yield Problem(number, "", _("is beyond the %(limit)d lines that a file may have") % {"limit": MOST_LINES})
            return
        yield line


def _read_xlsx(stream: BinaryIO) -> Iterator[Line | Problem]:
    # Imported where it is used: it brings numpy, which web processes have no other use for.
    import openpyxl
    from openpyxl.utils.exceptions import InvalidFileException

    if _unpacks_to_too_much(stream):
        yield Problem(1, "", _("the spreadsheet is larger inside than a table of outlets can be"))
        return
    try:
        # Values, not formulas; row by row. openpyxl reads XML by way of defusedxml, where that is installed.
        book = openpyxl.load_workbook(stream, read_only=True, data_only=True, keep_links=False)
        rows = book.worksheets[0].iter_rows(values_only=True, max_col=MOST_COLUMNS)
        width = 0
        for number, row in enumerate(rows, start=1):
            cells = [_as_text(value) for value in row]
            filled = max((place for place, cell in enumerate(cells, start=1) if cell), default=0)
            # A row ends with the first one, which names the columns; cells behind that are somebody's notes, or wrong.
            width = width or filled
            if filled:
                yield Line(number, cells[: max(width, filled)])
    # The library raises whatever it stumbles over in a file that is none.
    except Exception as error:
        detail = type(error).__name__ if not isinstance(error, InvalidFileException) else str(error)
        yield Problem(1, "", _("the spreadsheet cannot be read (%(detail)s)") % {"detail": detail[:60]})


def _unpacks_to_too_much(stream: BinaryIO) -> bool:
    try:
        files = zipfile.ZipFile(stream).infolist()
    except zipfile.BadZipFile:
        return False
    finally:
        stream.seek(0)
    # Reading stops at the sizes that the archive names itself.
    return len(files) > MOST_FILES or sum(file.file_size for file in files) > MOST_UNPACKED_BYTES


def _as_text(value: Any) -> str:
    """Return a cell as it would stand in a CSV file."""
    if value is None:
        return ""
    if isinstance(value, float) and value.is_integer():
        return str(int(value))
    if isinstance(value, date):
        return value.isoformat()
    return str(value)


def write_xlsx(rows: Iterable[Iterable[str]]) -> bytes:
    """Return a small spreadsheet of one sheet, all of it text."""
    import openpyxl

    book = openpyxl.Workbook(write_only=True)
    sheet = book.create_sheet("outlets")
    for row in rows:
        sheet.append(list(row))
    file = io.BytesIO()
    book.save(file)
    return file.getvalue()
