"""Lines of a CSV file, plain or gzip, from any source of bytes; whatever is wrong with a line is said, never raised."""

from __future__ import annotations

import codecs
import csv
import gzip
import zlib
from collections.abc import Callable, Iterator
from typing import BinaryIO, NamedTuple, cast

from django.utils.translation import gettext as _

from catalog.loading.report import Problem

CHUNK_BYTES = 65_536
# The longest line of the sample data has 620 bytes. A limit keeps memory flat whatever the file is.
LONGEST_LINE_BYTES = 20_000
GZIP_MAGIC = b"\x1f\x8b"
# What reading a gzip file raises that breaks off or is damaged.
DAMAGED = (EOFError, zlib.error, gzip.BadGzipFile)
BYTE_ORDER_MARK = b"\xef\xbb\xbf"
UTF_8, GB18030 = "utf-8", "gb18030"
# Visible ASCII characters but for those that mean something in CSV or to COPY.
_PLAIN = bytes(each for each in range(0x21, 0x7F) if each not in b',"\\')


class Line(NamedTuple):
    """The cells of one line; `number` counts from 1, the header."""

    number: int
    cells: list[str]


class PlainLines(NamedTuple):
    """
    Lines that follow one another from `first` on, all with so many cells, which a comma parts. None is empty.

    Cells are of visible ASCII characters, without quotation mark and backslash: there is nothing to interpret.
    """

    first: int
    width: int
    rows: list[str]

    def lines(self) -> Iterator[Line]:
        return (Line(number, row.split(",")) for number, row in enumerate(self.rows, start=self.first))


def read_csv(stream: BinaryIO, encoding: str = UTF_8) -> Iterator[Line | Problem]:
    """
    Yield every line of a CSV file (RFC 4180, UTF-8 with or without byte order mark, LF or CRLF), empty ones left out.

    A cell stays on one line: so a quotation mark that is never closed spoils one line and not the rest of the file.
    Bytes that are not of the encoding come through as lone surrogates (PEP 383); whoever checks cells refuses them by
    column.
    """
    for found in read_csv_blocks(stream, encoding):
        if isinstance(found, PlainLines):
            yield from found.lines()
        else:
            yield found


def read_csv_blocks(stream: BinaryIO, encoding: str = UTF_8) -> Iterator[Line | PlainLines | Problem]:
    """Yield what `read_csv` does, plain lines by the hundred: to touch each takes longer than PostgreSQL takes."""
    number, has_header = 0, False
    try:
        for block in blocks(uncompressed(stream)):
            one_end = block.replace(b"\r\n", b"\n").removesuffix(b"\r")
            if has_header and (plain := plain_lines(number + 1, one_end)):
                yield plain
                number += len(plain.rows)
                continue
            for raw in lines_of(block):
                number += 1
                if line := _read_line(number, raw, encoding):
                    yield line
                    has_header = True
    except LineTooLongError:
        yield Problem(
            number + 1, "", _("is longer than %(limit)d bytes; is this a CSV file?") % {"limit": LONGEST_LINE_BYTES}
        )
    except DAMAGED:
        yield Problem(number + 1, "", _("the compressed file breaks off or is damaged here"))


def _read_line(number: int, raw: bytes, encoding: str) -> Line | Problem | None:
    """Return a line that may be anything; None for an empty one."""
    if number == 1:
        raw = raw.removeprefix(BYTE_ORDER_MARK)
    text = raw.rstrip(b"\r").decode(encoding, errors="surrogateescape")
    if not text:
        return None
    try:
        # Without a quotation mark there is nothing to interpret.
        is_simple = '"' not in text and "\r" not in text
        return Line(number, text.split(",") if is_simple else next(csv.reader((text,), strict=True)))
    except csv.Error as error:
        return Problem(number, "", _broken_line(text, error))


def encoding_of(stream: BinaryIO) -> str:
    """
    Return UTF_8, or GB18030 where the whole file is that and not UTF-8; the stream is read and set back.

    Excel saves CSV files so in China (GB 18030-2022, of which GBK is a part). Where a file is neither, it is UTF-8 in
    which something is wrong: a table in Chinese that was UTF-8 but for some bytes is hardly ever GB 18030.
    """
    start = stream.tell()
    decoders = {name: codecs.getincrementaldecoder(name)() for name in (UTF_8, GB18030)}
    try:
        for chunk in (*uncompressed(stream), b""):
            for name in list(decoders):
                try:
                    decoders[name].decode(chunk, final=not chunk)
                except UnicodeDecodeError:
                    del decoders[name]
    except DAMAGED:
        # Where it breaks off is told by whoever reads it.
        pass
    finally:
        stream.seek(start)
    return next(iter(decoders), UTF_8)


class LineTooLongError(Exception):
    """A line has more than LONGEST_LINE_BYTES."""


def _broken_line(text: str, error: csv.Error) -> str:
    if text.count('"') % 2:
        return _("a quotation mark is opened and not closed on this line")
    if "\r" in text:
        return _("has a carriage return in the middle")
    return _("a quotation mark stands where none may be (%(detail)s)") % {"detail": error}


def uncompressed(stream: BinaryIO) -> Iterator[bytes]:
    """Yield the content in chunks; gzip is known by its first bytes, not by the file's name."""
    head = stream.read(len(GZIP_MAGIC))
    if head != GZIP_MAGIC:
        yield head
        yield from _chunks(stream.read)
        return
    # read1, because read loses what it has when the file breaks off.
    yield from _chunks(gzip.GzipFile(fileobj=cast(BinaryIO, _Prepended(head, stream)), mode="rb").read1)


def _chunks(read: Callable[[int], bytes]) -> Iterator[bytes]:
    while chunk := read(CHUNK_BYTES):
        yield chunk


class _Prepended:
    """A stream with the bytes put back that were read to see what it is."""

    def __init__(self, head: bytes, stream: BinaryIO) -> None:
        self.head = head
        self.stream = stream

    def read(self, size: int = -1) -> bytes:
        head, self.head = self.head, b""
        return head or self.stream.read(size)


def blocks(chunks: Iterator[bytes]) -> Iterator[bytes]:
    """Yield whole lines by the hundred, without the last LF. Raises LineTooLongError for a line without end."""
    rest = b""
    for chunk in chunks:
        block, has_end, rest = (rest + chunk).rpartition(b"\n")
        if has_end:
            yield block
        if len(rest) > LONGEST_LINE_BYTES:
            raise LineTooLongError
    if rest:
        yield rest


def lines_of(block: bytes) -> Iterator[bytes]:
    """Yield the lines of a block without their LF. Raises LineTooLongError."""
    for line in block.split(b"\n"):
        if len(line) > LONGEST_LINE_BYTES:
            raise LineTooLongError
        yield line


def plain_lines(first: int, block: bytes) -> PlainLines | None:
    """Return the lines of a block, the first of them number `first`, if all of them are plain and of one width."""
    # Without their cells, plain lines are as many commas each.
    commas, *others = block.translate(None, delete=_PLAIN).split(b"\n")
    if commas.strip(b",") or others.count(commas) < len(others):
        return None
    rows = block.decode("ascii").split("\n")
    if "," * len(commas) in rows or max(map(len, rows)) > LONGEST_LINE_BYTES:
        return None
    return PlainLines(first, len(commas) + 1, rows)
