"""
Pickup codes: six digits that a customer shows at the counter.

The database holds no code, but a keyed digest of it, by which a typed code is found among the open orders of an
outlet; the key is in the settings. Whoever has the key derives the code from the order's number, so that page and SMS
can show it again; whoever has the database alone cannot. Where two open orders of an outlet would have the same code,
the later one gets another number.
"""

import hashlib
import hmac
import unicodedata

from django.conf import settings

DIGITS = 6


def derive_code(number: str) -> str:
    """Return the code that fetches the order `number`."""
    value = int.from_bytes(_digest(f"code:{number}")[:8], "big")
    return f"{value % 10**DIGITS:0{DIGITS}d}"


def is_code_of(code: str, number: str) -> bool:
    """Whether `code`, as `read_code` returns it, fetches the order `number`. Takes as long whatever the answer."""
    return hmac.compare_digest(code.encode(), derive_code(number).encode())


def in_threes(code: str) -> str:
    """Return a code in two groups of three, to be read aloud."""
    return f"{code[:3]} {code[3:]}"


def fingerprint(outlet_id: int, code: str) -> bytes:
    """Return what the database holds of a code. The same code has another fingerprint at every outlet."""
    return _digest(f"fingerprint:{outlet_id}:{code}")


def read_code(text: str) -> str | None:
    """Return the pickup code that somebody typed, None if it can be none."""
    code = unicodedata.normalize("NFKC", text[:30]).replace(" ", "").replace("-", "")
    return code if len(code) == DIGITS and code.isascii() and code.isdecimal() else None


def _digest(text: str) -> bytes:
    return hmac.new(settings.PICKUP_KEY.encode(), text.encode(), hashlib.sha256).digest()
