"""Links to an order's page that need nothing typed: a short key stands for the last digits of the mobile number."""

import base64
import hashlib
import hmac

from django.conf import settings
from django.utils import translation
from django.utils.crypto import constant_time_compare

from orders.addresses import address_of
from orders.models import Order

# 40 bits: eight letters and digits that survive being copied by hand.
KEY_LENGTH = 8


def order_key(number: str) -> str:
    """Return the key that opens the page of this order, for links that only its customer gets."""
    digest = hmac.new(settings.PICKUP_KEY.encode(), f"link:{number}".encode(), hashlib.sha256).digest()
    return base64.b32encode(digest)[:KEY_LENGTH].decode().lower()


def opens(number: str, key: str) -> bool:
    """Say whether `key` is that of the order `number`."""
    return constant_time_compare(order_key(number), key.strip().lower())


def order_link(order: Order) -> str:
    """Return the whole address of the order's page in the order's language, with its key."""
    with translation.override(order.language):
        return f"{settings.SITE_URL}{address_of(order.number)}?k={order_key(order.number)}"
