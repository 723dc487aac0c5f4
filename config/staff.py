"""Sessions and people for the pages of the staff alone: no other page asks for either, or pays for them."""

from __future__ import annotations

from collections.abc import Callable

from django.contrib.auth.middleware import AuthenticationMiddleware
from django.contrib.messages.middleware import MessageMiddleware
from django.contrib.sessions.middleware import SessionMiddleware
from django.http import HttpRequest
from django.http.response import HttpResponseBase

STAFF_PATHS = ("/desk/", "/admin/", "/reports/")


class StaffDoor:
    """The middleware. Stands behind the one that reads the address, because `/en/desk/` is a page of the staff, too."""

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponseBase]) -> None:
        self.for_all = get_response
        self.for_staff = SessionMiddleware(AuthenticationMiddleware(MessageMiddleware(get_response)))

    def __call__(self, request: HttpRequest) -> HttpResponseBase:
        is_for_staff = request.address.path.startswith(STAFF_PATHS)  # type: ignore[attr-defined]
        return (self.for_staff if is_for_staff else self.for_all)(request)  # type: ignore[return-value]
