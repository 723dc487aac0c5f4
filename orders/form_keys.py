"""
Keys of forms: whoever sends one form twice, or goes back and sends it again, gets one order.

A browser that goes back may ask for the form's page anew, so the key cannot be drawn for each page. It is made from a
secret that the browser keeps for half an hour and from what the form is about; together with the mobile number that is
typed in, it names one order. The same phones at the same shop for another number are another order.
"""

from __future__ import annotations

import hashlib
import re
import secrets

from django.http import HttpRequest, HttpResponse

from catalog.signed_cookies import SignedCookie
from orders.basket import Wanted

COOKIE = SignedCookie("form", seconds=30 * 60, most=120)
_KEY = re.compile(r"[0-9a-f]{32}", re.ASCII)


def key_of_form(secret: str, wanted: Wanted, outlet_code: str) -> str:
    """Return the key of the form that reserves `wanted` at an outlet, in the browser that keeps `secret`."""
    return _digest(secret, outlet_code, *map(str, wanted.lines))


def key_of_order(form_key: str, mobile: str) -> str:
    """Return the key under which the order of this form and number (E.164) is placed."""
    return _digest(form_key, mobile)


def sent_key(request: HttpRequest) -> str | None:
    """Return the key that a form was sent with, None where it has lost it."""
    key = request.POST.get("form_key", "")
    return key if _KEY.fullmatch(key) else None


def secret_of(request: HttpRequest) -> str:
    """Return the secret that the browser keeps, or a new one for `keep_secret` to give it."""
    return COOKIE.read(request) or secrets.token_hex(16)


def keep_secret(request: HttpRequest, response: HttpResponse, secret: str) -> None:
    if secret != COOKIE.read(request):
        COOKIE.write(response, secret)


def _digest(*parts: str) -> str:
    return hashlib.blake2b("\n".join(parts).encode(), digest_size=16).hexdigest()
