"""Streaming rows into a table by COPY, in its text format."""

from __future__ import annotations

import re
from collections.abc import Iterable
from io import BytesIO
from itertools import islice
from typing import Any

# As many as make it worth the while, and as few that a megabyte holds them where each is of many rows.
_TEXTS_AT_ONCE = 20
# How much of them is handed on at once.
_BYTES_AT_ONCE = 65_536
_TO_ESCAPE = re.compile(r"[\\\t\n\r]")


def copy_rows(cursor: Any, target: str, rows: Iterable[str]) -> int:
    """
    Stream texts of one or more rows (COPY's text format, see `copy_row`) into a table; return how many rows.

    Never more than a few of them are in memory.
    """
    cursor.copy_expert(f"COPY {target} FROM STDIN", _Pipe(rows), _BYTES_AT_ONCE)
    return cursor.rowcount


def copy_row(*values: object) -> str:
    """Return one line of COPY's text format; None is NULL."""
    cells = [*map(str, values)]
    if None in values or _TO_ESCAPE.search("".join(cells)):
        cells = [*map(_escaped, values)]
    return "\t".join(cells) + "\n"


def is_plain(text: str) -> bool:
    """Whether a text is of visible ASCII characters that COPY takes as they are: codes, numbers and moments are."""
    return text.isascii() and text.isprintable() and " " not in text and "\\" not in text


def plain_row(number: int, cells: list[str]) -> str:
    """Return what `copy_row` does of a number and cells that are plain, in a third of the time."""
    return "\t".join((str(number), *cells)) + "\n"


def plain_rows(first: int, texts: Iterable[str]) -> str:
    """Return what `plain_row` does of numbers from `first` on, each with a text of cells that a comma parts."""
    return "".join([f"{number},{text}\n" for number, text in enumerate(texts, start=first)]).replace(",", "\t")


def _escaped(value: object) -> str:
    if value is None:
        return r"\N"
    return str(value).replace("\\", "\\\\").replace("\t", r"\t").replace("\n", r"\n").replace("\r", r"\r")


class _Pipe:
    """The file that psycopg2 reads COPY data from."""

    def __init__(self, texts: Iterable[str]) -> None:
        self.texts = iter(texts)
        self.buffer = BytesIO()

    def read(self, size: int) -> bytes:
        if not (data := self.buffer.read(size)):
            self.buffer = BytesIO("".join(islice(self.texts, _TEXTS_AT_ONCE)).encode())
            data = self.buffer.read(size)
        return data
