"""
Keys of the desk's forms: whoever sends one form twice, because the answer got lost, does the deed once.

A form carries a key of its own as `form_key`. The door writes it down together with the deed (`stores.once`), and
deeds with goods are carried out under it, too (`stores.ledger.Act`).
"""

from __future__ import annotations

import re
import secrets
from hashlib import blake2b

from django.http import HttpRequest
from django.utils.safestring import SafeString, mark_safe

_KEY = re.compile(r"[0-9a-f]{32}", re.ASCII)


def new_key() -> str:
    """Return the key for one form."""
    return secrets.token_hex(16)


def key_field() -> SafeString:
    """Return the hidden field with a new key, for templates: each form of a page has its own."""
    return mark_safe(f'<input type="hidden" name="form_key" value="{new_key()}">')  # noqa: S308 - digits of ours


def sent_key(request: HttpRequest) -> str | None:
    """
    Return the key that a form was sent with, None where it has lost it: then nothing is done.

    A scanner may send its next number from a page whose answer is still under way: each number has a key of its own. So
    has each outlet that is asked (`sender`) by one of the buttons of a form.
    """
    key = request.POST.get("form_key", "")
    if not _KEY.fullmatch(key):
        return None
    of_its_own = request.POST.get("number", "").strip() or request.POST.get("sender", "")
    return blake2b(f"{key} {of_its_own}".encode(), digest_size=16).hexdigest() if of_its_own else key
