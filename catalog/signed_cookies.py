"""Cookies that we have signed: the little that a visitor's browser remembers for us. Never anything of the person."""

from __future__ import annotations

from typing import NamedTuple

from django.conf import settings
from django.http import HttpRequest, HttpResponse


class SignedCookie(NamedTuple):
    """A cookie of ours; `most` is the length of its longest value, signature included."""

    name: str
    seconds: int
    most: int

    def read(self, request: HttpRequest) -> str:
        """Return the text that we have put in it, or nothing where it is missing, too old, too long or not ours."""
        if len(request.COOKIES.get(self.name, "")) > self.most:
            return ""
        return request.get_signed_cookie(self.name, default="", salt=self._salt, max_age=self.seconds) or ""

    def write(self, response: HttpResponse, text: str) -> None:
        """Let the browser carry `text`, which must do without quotes; an empty text takes the cookie away."""
        if not text:
            response.delete_cookie(self.name, samesite="Lax")
            return
        response.set_signed_cookie(
            self.name,
            text,
            salt=self._salt,
            max_age=self.seconds,
            secure=settings.HTTPS,
            httponly=True,
            samesite="Lax",
        )

    @property
    def _salt(self) -> str:
        """What keeps one of our cookies from being taken for another."""
        return f"cookie.{self.name}"
