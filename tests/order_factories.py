"""Orders to test with. What a test does not care about is filled in."""

from __future__ import annotations

from datetime import timedelta
from itertools import count
from typing import Any
from uuid import uuid4

from django.utils import timezone

from catalog.catalogue import forget_catalogue
from orders import lifecycle
from orders.checkout import place_order
from orders.models import Channel, Order, Payment
from stores.models import Outlet, StockLevel
from stores.unit_numbers import Unit
from tests.factories import create_outlet, create_phone, create_stock

CLERK = "person:clerk"
CUSTOMER = "customer:web"
MOBILE = "+8613800138000"

_mobiles = count(13_900_000_000)
_units = count(1)


def new_mobile() -> str:
    """A mobile number that no other order has."""
    return f"+86{next(_mobiles)}"


def create_shelf(outlet: Outlet | None = None, **values: Any) -> StockLevel:
    """Stock of a phone that the catalogue in memory knows, too."""
    shelf = create_stock(outlet=outlet or create_outlet(), phone=values.pop("phone", None) or create_phone(), **values)
    forget_catalogue()
    return shelf


def request_for(shelf: StockLevel, quantity: int = 1, **values: Any) -> dict[str, Any]:
    """What place_order takes, for one phone of a shelf."""
    return {
        "outlet": shelf.outlet,
        "lines": {shelf.phone_id: quantity},
        "name": "王小明",
        "mobile": new_mobile(),
        "language": "zh-hans",
        "form_key": str(uuid4()),
        "channel": Channel.WEB,
        "actor": CUSTOMER,
    } | values


def create_order(shelf: StockLevel | None = None, quantity: int = 1, *, state: str = "placed", **values: Any) -> Order:
    """An order of one phone, led to `state` by the deeds that lead there."""
    order = place_order(**request_for(shelf or create_shelf(), quantity, **values))
    return lead_to(order, state)


def lead_to(order: Order, state: str) -> Order:
    match state:
        case "ready":
            return lifecycle.set_ready(order, CLERK)
        case "collected":
            return collect(lifecycle.set_ready(order, CLERK))
        case "cancelled":
            return lifecycle.cancel(order, CUSTOMER)
        case "declined":
            return lifecycle.decline(order, CLERK, "not found")
        case "expired":
            from orders.holds import expire_orders

            expire_orders(now=timezone.now() + timedelta(days=30_000))
            order.refresh_from_db()
    return order


def new_unit() -> Unit:
    """A handset's IMEI that no other has."""
    from stdnum import luhn

    digits = f"35{next(_units):012d}"
    return (digits + luhn.calc_check_digit(digits),)


def collect(order: Order, **values: Any) -> Order:
    units = {line.phone_id: [new_unit() for _ in range(line.quantity)] for line in order.lines.all()}
    payment = {"method": Payment.Method.CASH, "amount_fen": order.due_fen, "units": units}
    return lifecycle.collect(order, CLERK, **payment | values)
