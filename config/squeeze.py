"""
Pages in the codings that browsers read, and the digest that tells one page from another.

More than half of a short page is its beginning: the head with the style in it, the same on every page of one language
and text size. A body of Zstandard may have several frames, which read as one (RFC 8878, section 3). So the beginning
is a frame that was made once, as small as it goes, and each page costs only what is its own.
"""

from __future__ import annotations

import gzip
import hashlib
import sys
from threading import local
from typing import Any, NamedTuple

import brotli  # type: ignore[import-untyped]

if sys.version_info >= (3, 14):
    from compression import zstd
else:
    from backports import zstd

# At level 5 Zstandard makes a page as small as brotli's level 4 does, in half the time. What a short page has of its
# own level 2 makes some hundredths larger, in a third of that.
ZSTD_LEVEL = 5
ZSTD_LEVEL_OF_SHORT = 2
SHORT_BYTES = 20_000
QUICK_BROTLI = 4
THOROUGH_BROTLI = 11
THOROUGH_ZSTD = 19
END_OF_BEGINNING = b"</style>"
# What is shorter is not worth a frame of its own.
LEAST_BEGINNING = 2000
# Languages times text sizes, and some to spare. Whatever comes after these is squeezed whole.
MOST_BEGINNINGS = 8


class Beginning(NamedTuple):
    """How pages begin: plain, as a frame of Zstandard, and hashed."""

    plain: bytes
    frame: bytes
    hashed: Any


_beginnings: list[Beginning] = []
_NO_BEGINNING = Beginning(b"", b"", hashlib.sha256())


def encode(coding: str, plain: bytes) -> bytes:
    """Return the page in `coding` (zstd, br or gzip), made quickly."""
    if coding == "zstd":
        beginning = _beginning_of(plain)
        rest = memoryview(plain)[len(beginning.plain) :]
        compressor = _compressors.short if len(plain) < SHORT_BYTES else _compressors.long
        return beginning.frame + compressor.compress(rest, mode=zstd.ZstdCompressor.FLUSH_FRAME)
    if coding == "br":
        return brotli.compress(plain, mode=brotli.MODE_TEXT, quality=QUICK_BROTLI)
    return gzip.compress(plain, 9, mtime=0)


def thoroughly(plain: bytes) -> bytes:
    """Return the page in brotli, as small as it goes."""
    return brotli.compress(plain, mode=brotli.MODE_TEXT, quality=THOROUGH_BROTLI)


def digest(plain: bytes) -> str:
    """Return 24 hexadecimal digits of the page's SHA-256."""
    beginning = _beginning_of(plain)
    hashed = beginning.hashed.copy()
    hashed.update(memoryview(plain)[len(beginning.plain) :])
    return hashed.hexdigest()[:24]


def _beginning_of(plain: bytes) -> Beginning:
    """Return what is ready of the page's beginning; an empty one where it is none of ours."""
    for beginning in _beginnings:
        if plain.startswith(beginning.plain):
            return beginning
    length = plain.find(END_OF_BEGINNING) + len(END_OF_BEGINNING)
    if length < LEAST_BEGINNING or len(_beginnings) >= MOST_BEGINNINGS:
        return _NO_BEGINNING
    text = plain[:length]
    beginning = Beginning(text, zstd.compress(text, THOROUGH_ZSTD), hashlib.sha256(text))
    _beginnings.append(beginning)
    return beginning


class _Compressors(local):
    """Each thread's own: to make a new one for every page would cost half as much again as to compress the page."""

    def __init__(self) -> None:
        self.short = zstd.ZstdCompressor(ZSTD_LEVEL_OF_SHORT)
        self.long = zstd.ZstdCompressor(ZSTD_LEVEL)


_compressors = _Compressors()
