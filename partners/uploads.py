"""Receiving a large body: read in pieces, never more of it in memory, and never more than there may be."""

from __future__ import annotations

import hashlib
from tempfile import SpooledTemporaryFile
from typing import IO, BinaryIO, NamedTuple, cast

from django.utils.translation import gettext as _
from rest_framework.exceptions import ParseError, UnsupportedMediaType
from rest_framework.request import Request

from api.deeds import refuse_long, too_large
from stores.loading.csvfile import DAMAGED, uncompressed

MOST_BYTES = 40_000_000
MOST_PLAIN_BYTES = 40_000_000
BYTES_IN_MEMORY = 1_000_000
CHUNK_BYTES = 65_536


class Upload(NamedTuple):
    """What was received, as it came; `plain_bytes` is its size when it is not compressed."""

    file: IO[bytes]
    digest: bytes
    plain_bytes: int


def receive(request: Request) -> Upload:
    """
    Read the body of `request`, gzip or not, into a temporary file.

    Raises Refusal for one that is too long, as sent or unpacked; ParseError for a damaged one; UnsupportedMediaType.
    """
    coding = request.headers.get("Content-Encoding", "").strip().lower()
    if coding not in ("", "identity", "gzip"):
        raise UnsupportedMediaType(coding, _("Only gzip is taken as Content-Encoding."))
    refuse_long(request, MOST_BYTES)
    # It goes when nobody refers to it any more.
    file = cast(IO[bytes], SpooledTemporaryFile(max_size=BYTES_IN_MEMORY))  # noqa: SIM115
    digest = hashlib.sha256()
    try:
        while chunk := request._request.read(CHUNK_BYTES):
            digest.update(chunk)
            file.write(chunk)
    except OSError:
        raise ParseError(_("The body broke off.")) from None
    return Upload(file, digest.digest(), _plain_size(file))


def _plain_size(file: IO[bytes]) -> int:
    """Return how many bytes it has unpacked, without unpacking more than there may be."""
    file.seek(0)
    size = 0
    try:
        for chunk in uncompressed(cast(BinaryIO, file)):
            size += len(chunk)
            if size > MOST_PLAIN_BYTES:
                raise too_large(MOST_PLAIN_BYTES)
    except DAMAGED:
        raise ParseError(_("The compressed body breaks off or is damaged.")) from None
    file.seek(0)
    return size
