"""Finding an order at the counter: by its QR code, its pickup code, its number, or its customer's mobile number."""

from __future__ import annotations

import re
import unicodedata
from enum import Enum
from typing import NamedTuple

from django.db.models import Q, QuerySet
from django.utils import timezone

from orders import numbers, pickup_codes
from orders.models import OPEN_STATES, Order
from orders.refusals import OrderRefused
from stores.models import Outlet

LAST_FOUR, MOBILE = 4, 11
QR = numbers.DIGITS + pickup_codes.DIGITS
# More customers of one outlet never have the same last four digits.
MOST = 20


class NotReadable(OrderRefused):
    """What was typed is nothing that an order is found by."""

    code = "not_readable"


class By(Enum):
    """What an order was found by; a code proves that the customer may have it."""

    QR = "qr"
    CODE = "code"
    NUMBER = "number"
    MOBILE = "mobile"

    @property
    def tries_a_code(self) -> bool:
        return self in (By.QR, By.CODE)


class Asked(NamedTuple):
    """What was typed, and what it can be."""

    by: By
    digits: str


def read(text: str) -> Asked | None:
    """Return what is asked for, None where no order can be found by it. Width of digits and marks do not matter."""
    digits = re.sub(r"[\s.\-·]", "", unicodedata.normalize("NFKC", text[:60])).removeprefix("+86")
    if not (digits.isascii() and digits.isdecimal()):
        return None
    kinds = {
        QR: By.QR,
        pickup_codes.DIGITS: By.CODE,
        numbers.DIGITS: By.NUMBER,
        LAST_FOUR: By.MOBILE,
        MOBILE: By.MOBILE,
    }
    by = kinds.get(len(digits))
    if by is None or (by in (By.QR, By.NUMBER) and not numbers.read_number(digits[: numbers.DIGITS])):
        return None
    return Asked(by, digits)


def find(outlet: Outlet, asked: Asked) -> list[Order]:
    """
    Return the orders of `outlet` that fit, with their lines, open ones first. Two queries.

    A pickup code finds the open order it fetches, a number any order, a mobile number those that are open or ended
    today. What is of another outlet is not found.
    """
    orders = list(_fitting(outlet, asked).prefetch_related("lines").order_by("ended_at", "placed_at")[:MOST])
    return sorted(orders, key=lambda order: not order.is_open)


def _fitting(outlet: Outlet, asked: Asked) -> QuerySet[Order]:
    here = Order.objects.at(outlet)
    match asked.by:
        case By.CODE:
            return Order.objects.with_pickup_code(outlet, asked.digits)
        case By.MOBILE:
            today = timezone.localtime().replace(hour=0, minute=0, second=0, microsecond=0)
            current = Q(state__in=OPEN_STATES) | Q(ended_at__gte=today)
            return here.filter(current, mobile__endswith=asked.digits[-MOBILE:])
        case _:
            return here.filter(number=asked.digits[: numbers.DIGITS])


def proves(asked: Asked, order: Order) -> bool:
    """Whether what was typed or scanned holds the pickup code of `order`."""
    return asked.by.tries_a_code and pickup_codes.is_code_of(asked.digits[-pickup_codes.DIGITS :], order.number)
