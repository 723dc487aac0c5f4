"""Answers in a coding that the client reads: zstd, brotli or gzip."""

from __future__ import annotations

from django.http import HttpRequest
from django.http.response import HttpResponseBase
from django_http_compression.middleware import HttpCompressionMiddleware


class Compression(HttpCompressionMiddleware):
    """The library's, but that it looks into nothing where no coding is asked for."""

    def maybe_compress(self, request: HttpRequest, response: HttpResponseBase) -> None:
        if request.META.get("HTTP_ACCEPT_ENCODING", "identity") != "identity":
            super().maybe_compress(request, response)
