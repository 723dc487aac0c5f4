"""Conditional requests: who has a page already is told so (304), and gets nothing of it."""

from __future__ import annotations

from django.http import HttpRequest, HttpResponseBase
from django.middleware.http import ConditionalGetMiddleware
from django.utils.cache import set_response_etag

CONDITIONS = {"HTTP_IF_MATCH", "HTTP_IF_NONE_MATCH", "HTTP_IF_MODIFIED_SINCE", "HTTP_IF_UNMODIFIED_SINCE"}


class ConditionalGet(ConditionalGetMiddleware):
    """
    Django's, but that it compares nothing where nothing is asked: most requests come without a condition.

    Nor does it mark a page that sets a cookie: the page goes with that, and is another one the next time.
    """

    def process_response(self, request: HttpRequest, response: HttpResponseBase) -> HttpResponseBase:
        if response.cookies and "ETag" not in response.headers:
            return response
        if not request.META.keys().isdisjoint(CONDITIONS):
            return super().process_response(request, response)
        if request.method == "GET" and "ETag" not in response.headers and self.needs_etag(response):
            set_response_etag(response)
        return response
