"""Customers whom nobody can name: a keyed digest of the mobile number, to count by when the number is erased."""

import hashlib
import hmac

from django.conf import settings


def digest_of(mobile: str) -> bytes:
    """Return what stands for a mobile number (E.164) in what has a limit for each customer."""
    return hmac.new(settings.PICKUP_KEY.encode(), f"customer:{mobile}".encode(), hashlib.sha256).digest()[:16]
