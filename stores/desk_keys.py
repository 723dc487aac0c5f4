"""
Keys of the desk's forms: whoever sends one form twice, because the answer got lost, does the deed once.

A form carries a key of its own as `form_key`; the deed is carried out under it (`stores.ledger.Act`).
"""

from __future__ import annotations

import re
import secrets

from django.http import HttpRequest

_KEY = re.compile(r"[0-9a-f]{32}", re.ASCII)


def new_key() -> str:
    """Return the key for one form."""
    return secrets.token_hex(16)


def sent_key(request: HttpRequest) -> str | None:
    """Return the key that a form was sent with, None where it has lost it: then it is shown anew and not done."""
    key = request.POST.get("form_key", "")
    return key if _KEY.fullmatch(key) else None
