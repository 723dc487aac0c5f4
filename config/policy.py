"""
What a page may load and run (see the settings), and what it may ask of the device: where it is, and nothing else.

Both are the same for every page of the shop, so they are written down once. The desk has its own (`stores.desk`).
"""

from __future__ import annotations

from collections.abc import Callable

from csp.middleware import CSPMiddleware
from csp.utils import build_policy
from django.http import HttpRequest, HttpResponse
from django.http.response import HttpResponseBase

PERMISSIONS = "geolocation=(self), camera=(), microphone=(), payment=(), usb=()"


class ContentPolicy(CSPMiddleware):
    """
    The middleware of django-csp, but that it writes the policy anew only where a view has one of its own.

    It writes down the permissions, too: one middleware less for every page.
    """

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponse]) -> None:
        super().__init__(get_response)
        self.policy = build_policy()

    def process_request(self, request: HttpRequest) -> None:
        """Offer no nonce: style and script are known by their hashes."""

    def process_response(self, request: HttpRequest, response: HttpResponseBase) -> HttpResponseBase:
        response.headers.setdefault("Permissions-Policy", PERMISSIONS)
        if any(name.startswith("_csp") for name in vars(response)):
            return super().process_response(request, response)
        response.headers.setdefault("Content-Security-Policy", self.policy)
        return response
