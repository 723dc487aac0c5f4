"""Pages as they are sent: every coding holds the whole page, and the beginning that pages share is made once."""

import gzip
import hashlib

import brotli
import pytest
from hypothesis import given
from hypothesis import strategies as st

from config import squeeze
from config.squeeze import zstd

BEGINNING = b"<!doctype html><style>" + b"p{margin:0}" * 200 + b"</style>"
READERS = {"zstd": zstd.decompress, "br": brotli.decompress, "gzip": gzip.decompress}


@pytest.fixture(autouse=True)
def no_beginnings(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(squeeze, "_beginnings", [])


@given(st.sampled_from(sorted(READERS)), st.sampled_from([b"", b"</style>", BEGINNING]), st.binary())
def test_every_coding_holds_the_whole_page(coding: str, beginning: bytes, rest: bytes) -> None:
    assert READERS[coding](squeeze.encode(coding, beginning + rest)) == beginning + rest


def test_pages_share_the_frame_of_their_beginning() -> None:
    one, other = squeeze.encode("zstd", BEGINNING + b"one"), squeeze.encode("zstd", BEGINNING + b"another")

    frame = zstd.compress(BEGINNING, squeeze.THOROUGH_ZSTD)
    assert one.startswith(frame)
    assert other.startswith(frame)
    assert len(squeeze._beginnings) == 1


@given(st.sampled_from([b"", BEGINNING]), st.binary())
def test_the_digest_is_that_of_the_whole_page(beginning: bytes, rest: bytes) -> None:
    page = beginning + rest
    assert squeeze.digest(page) == hashlib.sha256(page).hexdigest()[:24]


def test_many_beginnings_take_no_memory() -> None:
    pages = [BEGINNING.replace(b"html", b"%d" % number) for number in range(squeeze.MOST_BEGINNINGS + 5)]

    assert all(zstd.decompress(squeeze.encode("zstd", page)) == page for page in pages)
    assert len(squeeze._beginnings) == squeeze.MOST_BEGINNINGS
