"""Answers as JSON, by a library that writes long ones twenty times as fast as Python's own."""

from __future__ import annotations

import hashlib
from typing import Any

import orjson
from django.http import HttpResponse
from rest_framework.negotiation import DefaultContentNegotiation
from rest_framework.renderers import BaseRenderer
from rest_framework.request import Request

JSON = "application/json"


class JsonRenderer(BaseRenderer):
    """Writes what is told. Without `data` there is no body."""

    media_type = JSON
    format = "json"
    charset = None

    def render(self, data: Any, *args: Any, **options: Any) -> bytes:
        return b"" if data is None else as_json(data)


class OneFormat(DefaultContentNegotiation):
    """Looks closely only at an Accept header that says more than most do."""

    def select_renderer(self, request: Request, renderers: Any, format_suffix: str | None = None) -> Any:
        if request.META.get("HTTP_ACCEPT", "*/*") in ("*/*", JSON):
            return renderers[0], JSON
        return super().select_renderer(request, renderers, format_suffix)


def as_json(told: Any) -> bytes:
    """Return JSON in UTF-8 of what JSON knows, of dates, UUIDs, moments in UTC and what is `ready`."""
    return orjson.dumps(told, option=orjson.OPT_UTC_Z)


def answer(told: Any, status: int = 200, **headers: str) -> HttpResponse:
    """Return the answer that tells this. A `Response` of the framework says the same, later and at thrice the cost."""
    return HttpResponse(as_json(told), content_type=JSON, status=status, headers=headers)


def ready(told: Any) -> Any:
    """Return something written as JSON already, which can be a part of many answers."""
    return orjson.Fragment(as_json(told))


def tag_of(body: bytes) -> str:
    """Return the ETag of an answer. Processors have SHA-256 built in, so it takes half of what MD5 does."""
    return f'"{hashlib.sha256(body).hexdigest()[:32]}"'
