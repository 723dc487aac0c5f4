"""Doors at which something is done: by POST, once for each Idempotency-Key, with a body that is not too long."""

from __future__ import annotations

import hashlib
from typing import Any

from django.core.exceptions import RequestDataTooBig
from django.http import HttpResponse
from django.utils.translation import gettext as _
from rest_framework.exceptions import UnsupportedMediaType
from rest_framework.request import Request

from api.credentials import credentials_of
from api.idempotency import Call, Refused, fingerprint, key_in, once
from api.problems import Refusal, exception_handler
from api.views import Door

USUAL_BYTES = 100_000


class DeedDoor(Door):
    """A door that does something: `do` says what, in a transaction that is undone where it raises anything."""

    most_bytes = USUAL_BYTES

    def post(self, request: Request, *args: Any, **kwargs: Any) -> HttpResponse:
        key = key_in(request._request)
        credentials = credentials_of(request)
        if credentials is None:
            raise AssertionError("a door that does something is never open to all")
        call = Call(credentials.prefix, key, fingerprint(request._request, self.receive(request)))
        return once(call, lambda: self._answer(request, *args, **kwargs))

    def receive(self, request: Request) -> bytes:
        """Read the body; return a digest of it. Raises Refusal for one that is too long."""
        refuse_coded(request)
        refuse_long(request, self.most_bytes)
        try:
            return hashlib.sha256(request._request.body).digest()
        except RequestDataTooBig:
            raise too_large(self.most_bytes) from None

    def do(self, request: Request, *args: Any, **kwargs: Any) -> HttpResponse:
        """Do it and return the answer, which names no person: it is kept. Raises Refusal."""
        raise NotImplementedError

    def _answer(self, request: Request, *args: Any, **kwargs: Any) -> HttpResponse:
        try:
            return self.do(request, *args, **kwargs)
        except Refusal as refusal:
            raise Refused(exception_handler(refusal, {"request": request})) from None  # type: ignore[arg-type]


def refuse_coded(request: Request) -> None:
    """Raise UnsupportedMediaType for a body that is compressed."""
    if coding := request.headers.get("Content-Encoding", ""):
        raise UnsupportedMediaType(coding, _("The body must not be compressed here."))


def refuse_long(request: Request, most: int) -> None:
    """Raise Refusal for a body that says it has more than `most` bytes, or does not say how many it has."""
    if "Transfer-Encoding" in request.headers:
        # WSGI reads as many bytes as Content-Length says: none, and what was sent would be lost without a word.
        raise Refusal("length-required")
    length = request.headers.get("Content-Length", "")
    if length.isdecimal() and int(length[:20]) > most:
        raise too_large(most)


def too_large(most: int) -> Refusal:
    return Refusal("content-too-large", _("At most %(most)d bytes are taken.") % {"most": most})
