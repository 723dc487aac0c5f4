"""The lines of an upload of counts: a JSON array, NDJSON or CSV, gzip or not; never more than one in memory."""

from __future__ import annotations

import codecs
import json
from collections.abc import Iterator
from typing import Any, BinaryIO

import orjson
from django.utils.translation import gettext as _

from catalog.loading.report import Problem
from stores.loading.csvfile import (
    BYTE_ORDER_MARK,
    DAMAGED,
    LONGEST_LINE_BYTES,
    Line,
    LineTooLongError,
    PlainLines,
    physical_lines,
    read_csv_blocks,
    uncompressed,
)
from stores.loading.stock import COLUMNS

MEDIA_TYPES = {"json": "application/json", "ndjson": "application/x-ndjson", "csv": "text/csv"}
MOST_LINES = 210_000
_FIELDS = COLUMNS.read
_TYPES: dict[str, tuple[type, ...]] = dict.fromkeys(_FIELDS, (str,)) | {
    "on_hand": (int,),
    "counted_at": (str, type(None)),
}
_DECODER = json.JSONDecoder()
_BLANK = " \t\r\n"
_OF_NUMBERS = "0123456789+-.eE"


class BrokenBody(Exception):
    """The body as a whole is not what it says it is. The message says where, for people."""


class CountLines:
    """
    The header and then every line of an upload, gzip or not; what is wrong with one is a Problem in its place.

    Where nothing can be made of the whole, or there are more than MOST_LINES, they end, and `broken` says why: whoever
    streams them into the database cannot be raised at. `number` is how many there were so far.
    """

    def __init__(self, stream: BinaryIO, media_type: str) -> None:
        self.stream, self.media_type = stream, media_type
        self.broken = ""
        self.number = 0

    def __iter__(self) -> Iterator[Line | PlainLines | Problem]:
        # The header is none.
        read = -1
        try:
            for found in self._read():
                read += len(found.rows) if isinstance(found, PlainLines) else 1
                if read > MOST_LINES:
                    raise BrokenBody(_("There are more than %(most)d lines.") % {"most": MOST_LINES})
                self.number = max(read, 0)
                yield found
        except BrokenBody as error:
            self.broken = str(error)

    def _read(self) -> Iterator[Line | PlainLines | Problem]:
        if self.media_type == MEDIA_TYPES["csv"]:
            return read_csv_blocks(self.stream)
        read = _read_json if self.media_type == MEDIA_TYPES["json"] else _read_ndjson
        return _with_header(read(self.stream))


def _with_header(objects: Iterator[tuple[int, Any] | Problem]) -> Iterator[Line | Problem]:
    yield Line(0, list(_FIELDS))
    for found in objects:
        if isinstance(found, Problem):
            yield found
        else:
            yield _line(*found)


def _line(number: int, found: Any) -> Line | Problem:
    """Return the fields of an object as the cells that the columns have."""
    if not isinstance(found, dict):
        return Problem(number, "", _("is no JSON object"))
    for name, value in found.items():
        if type(value) not in _TYPES.get(name, ()):
            return Problem(number, *_wrong_field(name))
    return Line(number, ["" if (value := found.get(name)) is None else str(value) for name in _FIELDS])


def _wrong_field(name: str) -> tuple[str, str]:
    if name not in _FIELDS:
        return name[:60].encode("ascii", "replace").decode(), _("There is no such field here.")
    return name, _("must be a whole number") if name == "on_hand" else _("must be a string")


def _read_ndjson(stream: BinaryIO) -> Iterator[tuple[int, Any] | Problem]:
    number = 0
    try:
        for number, raw in enumerate(physical_lines(uncompressed(stream)), start=1):
            raw = raw.removeprefix(BYTE_ORDER_MARK).strip()
            if not raw:
                continue
            try:
                yield number, orjson.loads(raw)
            except ValueError:
                yield Problem(number, "", _("is no JSON"))
    except LineTooLongError:
        raise BrokenBody(_("Line %(line)d is too long.") % {"line": number + 1}) from None
    except DAMAGED:
        raise BrokenBody(_("The compressed body breaks off or is damaged.")) from None


def _read_json(stream: BinaryIO) -> Iterator[tuple[int, Any] | Problem]:
    """Yield the objects of an array, counted from 1."""
    found: tuple[int, Any] = (0, None)
    try:
        for found in enumerate(_Array(uncompressed(stream)), start=1):
            yield found
    except DAMAGED:
        raise BrokenBody(_("The compressed body breaks off or is damaged.")) from None
    except (ValueError, RecursionError):
        told = _("The body is no JSON array of objects: it cannot be read behind element %(number)d.")
        raise BrokenBody(told % {"number": found[0]}) from None


class _Array:
    """Reads the elements of a JSON array one by one. Raises ValueError for anything else."""

    def __init__(self, chunks: Iterator[bytes]) -> None:
        self.texts = codecs.iterdecode(chunks, "utf-8-sig")
        self.buffer, self.place = "", 0

    def __iter__(self) -> Iterator[Any]:
        self._take("[")
        if self._next() != "]":
            yield self._element()
            while self._next() == ",":
                self._take(",")
                yield self._element()
        self._take("]")
        if self._next():
            raise ValueError("something follows the array")

    def _take(self, character: str) -> None:
        if self._next() != character:
            raise ValueError(f"no {character}")
        self.place += 1

    def _next(self) -> str:
        """Return the next character that is not blank, without taking it; an empty text at the end."""
        while True:
            while self.place < len(self.buffer) and self.buffer[self.place] in _BLANK:
                self.place += 1
            if self.place < len(self.buffer):
                return self.buffer[self.place]
            if not self._read():
                return ""

    def _read(self) -> bool:
        text = next(self.texts, "")
        self.buffer, self.place = self.buffer[self.place :] + text, 0
        return bool(text)

    def _element(self) -> Any:
        self._next()
        while True:
            try:
                element, end = _DECODER.raw_decode(self.buffer, self.place)
            except ValueError:
                if len(self.buffer) - self.place > LONGEST_LINE_BYTES or not self._read():
                    raise
                continue
            # Of a number there may be more to come.
            if isinstance(element, int | float) and not self.buffer[end:].strip(_OF_NUMBERS) and self._read():
                continue
            self.place = end
            return element
