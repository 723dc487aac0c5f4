"""
The lines of an upload of counts: a JSON array, NDJSON or CSV, gzip or not; never more than some hundreds in memory.

Lines as nearly all are (of plain cells, the same in each) are handed on by the hundred: to touch each takes longer than
PostgreSQL takes. Where one of some hundreds is anything else, each of them is looked at by itself.
"""

from __future__ import annotations

import codecs
import json
from collections.abc import Iterator
from itertools import chain
from operator import itemgetter
from typing import Any, BinaryIO

import orjson
from django.utils.translation import gettext as _

from api.parsers import field_twice
from catalog.loading.report import Problem
from stores.loading.csvfile import (
    BYTE_ORDER_MARK,
    DAMAGED,
    LONGEST_LINE_BYTES,
    Line,
    LineTooLongError,
    PlainLines,
    blocks,
    lines_of,
    plain_lines,
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
_PLAIN_TYPES = [{_TYPES[name][0]} for name in _FIELDS]
# How many quotation marks a plain object has: around each name, and each text, which all but `on_hand` are.
_MARKS_OF = {len(fields): 2 * (2 * len(fields) - 1) for fields in (_FIELDS, COLUMNS.required)}
_CHARACTERS_AT_ONCE = 16_384
_BLANK = " \t\r\n"
_OF_NUMBERS = "0123456789+-.eE"


class _Twice(str):
    """The name of a field that an object has more than once, in place of the object."""


def _object(fields: list[tuple[str, Any]]) -> dict[str, Any] | _Twice:
    name = field_twice(fields)
    return dict(fields) if name is None else _Twice(name)


_DECODER = json.JSONDecoder(object_pairs_hook=_object)


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
        return chain([Line(0, list(_FIELDS))], read(self.stream))


def _plain_lines(first: int, objects: list[Any], marks: int) -> PlainLines | None:
    """Return objects as lines if all have the same fields, each once, and plain cells. `marks` is their number of "."""
    try:
        (names,) = set(map(tuple, objects))
        fields = _FIELDS if "counted_at" in names else COLUMNS.required
        columns = list(zip(*map(itemgetter(*fields), objects), strict=True))
    except (KeyError, TypeError, ValueError):
        return None
    types = [set(map(type, column)) for column in columns]
    if len(names) > len(fields) or types != _PLAIN_TYPES[: len(fields)]:
        return None
    if marks != len(objects) * _MARKS_OF[len(fields)]:
        return None
    form = ",".join(["%s"] * len(fields)) + "," * (len(_FIELDS) - len(fields))
    lines = plain_lines(first, "\n".join(map(form.__mod__, zip(*columns, strict=True))).encode())
    # As many as there are objects: a cell may have the end of a line in it.
    return lines if lines and (lines.width, len(lines.rows)) == (len(_FIELDS), len(objects)) else None


def _line(number: int, found: Any) -> Line | Problem:
    """Return the fields of an object as the cells that the columns have."""
    if isinstance(found, _Twice):
        return Problem(number, _named(found), _("is there more than once"))
    if not isinstance(found, dict):
        return Problem(number, "", _("is no JSON object"))
    for name, value in found.items():
        if type(value) not in _TYPES.get(name, ()):
            return Problem(number, *_wrong_field(name))
    return Line(number, ["" if (value := found.get(name)) is None else str(value) for name in _FIELDS])


def _wrong_field(name: str) -> tuple[str, str]:
    if name not in _FIELDS:
        return _named(name), _("There is no such field here.")
    return name, _("must be a whole number") if name == "on_hand" else _("must be a string")


def _named(field: str) -> str:
    return field[:60].encode("ascii", "replace").decode()


def _read_ndjson(stream: BinaryIO) -> Iterator[Line | PlainLines | Problem]:
    number = 0
    try:
        for block in blocks(uncompressed(stream)):
            if plain := _plain_block(number + 1, block):
                yield plain
                number += len(plain.rows)
                continue
            for raw in lines_of(block):
                number += 1
                if stripped := raw.removeprefix(BYTE_ORDER_MARK).strip():
                    yield _ndjson_line(number, stripped)
    except LineTooLongError:
        raise BrokenBody(_("Line %(line)d is too long.") % {"line": number + 1}) from None
    except DAMAGED:
        raise BrokenBody(_("The compressed body breaks off or is damaged.")) from None


def _ndjson_line(number: int, raw: bytes) -> Line | Problem:
    try:
        return _line(number, _DECODER.decode(raw.decode()))
    except (ValueError, RecursionError):
        return Problem(number, "", _("is no JSON"))


def _plain_block(first: int, block: bytes) -> PlainLines | None:
    """
    Return the lines of a block if each is an object, and plain.

    They are read as one array. Its objects have no objects in them, and no text has the end of a line in it: so where a
    brace stands on both sides of each end of a line, none goes over it, and as many as lines are one on each.
    """
    lines = block.split(b"\n")
    ends = block.count(b"}\n{")
    if not (block.startswith(b"{") and block.endswith(b"}") and ends == len(lines) - 1):
        return None
    if max(map(len, lines)) > LONGEST_LINE_BYTES:
        return None
    try:
        objects = orjson.loads(b"[%b]" % block.replace(b"\n", b"\n,"))
    except ValueError:
        return None
    return _plain_lines(first, objects, block.count(b'"')) if len(objects) == len(lines) else None


def _read_json(stream: BinaryIO) -> Iterator[Line | PlainLines | Problem]:
    """Yield the objects of an array, counted from 1."""
    array = _Array(uncompressed(stream))
    try:
        yield from array
    except DAMAGED:
        raise BrokenBody(_("The compressed body breaks off or is damaged.")) from None
    except (ValueError, RecursionError):
        told = _("The body is no JSON array of objects: it cannot be read behind element %(number)d.")
        raise BrokenBody(told % {"number": array.number}) from None


class _Array:
    """Reads the elements of a JSON array one by one, plain ones by the hundred. Raises ValueError for anything else."""

    def __init__(self, chunks: Iterator[bytes]) -> None:
        self.texts = codecs.iterdecode(chunks, "utf-8-sig")
        self.buffer, self.place = "", 0
        self.number = 0
        # Whether all that was read of the buffer is plain so far.
        self.is_plain = True

    def __iter__(self) -> Iterator[Line | PlainLines | Problem]:
        self._take("[")
        if self._next() != "]":
            yield self._lines()
            while self._next() == ",":
                self._take(",")
                yield self._lines()
        self._take("]")
        if self._next():
            raise ValueError("something follows the array")

    def _lines(self) -> Line | PlainLines | Problem:
        found = self._plain_lines() or _line(self.number + 1, self._element())
        self.number += len(found.rows) if isinstance(found, PlainLines) else 1
        return found

    def _plain_lines(self) -> PlainLines | None:
        """Take some of the buffer's elements, up to a brace, if all of them are plain."""
        if not self.is_plain:
            return None
        end = self.buffer.rfind("}", self.place, self.place + _CHARACTERS_AT_ONCE) + 1
        try:
            # Where that brace is not the end of an element, this is no JSON.
            text = self.buffer[self.place : end]
            found = _plain_lines(self.number + 1, orjson.loads(f"[{text}]"), text.count('"'))
        except ValueError:
            found = None
        self.is_plain = found is not None
        self.place = end if found else self.place
        return found

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
        self.buffer, self.place, self.is_plain = self.buffer[self.place :] + text, 0, True
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
