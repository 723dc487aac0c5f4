"""Every address of the desk, found where the site finds them, with the rule of its door."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from django.urls import URLPattern, URLResolver, get_resolver, reverse

from catalog.models import Phone
from orders.models import Order, Refund, WalkInSale
from orders.numbers import draw_number
from stores import boxes, transfers
from stores.desk import Rule
from stores.models import Outlet
from tests.factories import act, create_outlet, create_phone


@dataclass(frozen=True)
class Door:
    """One address. `name` has its namespace; `route` is as in the list of addresses."""

    name: str
    route: str
    arguments: tuple[str, ...]
    view: Any

    @property
    def rule(self) -> Rule | None:
        return getattr(self.view, "desk_rule", None)

    def address(self, outlet_code: str, samples: dict[str, str]) -> str:
        """Return an address that leads here. What is neither the outlet nor among `samples` is unknown to the tests."""
        values = samples | {"outlet_code": outlet_code}
        missing = [name for name in self.arguments if name not in values]
        assert not missing, f"{self.route}: say in tests/desk_walk.py what {missing} can be"
        return reverse(self.name, kwargs={name: values[name] for name in self.arguments})


def doors() -> list[Door]:
    found = [door for door in _doors(get_resolver().url_patterns) if door.route.startswith("desk/")]
    return sorted(found, key=lambda door: door.route)


def _doors(patterns: list[Any], route: str = "", namespace: str = "") -> Iterator[Door]:
    for pattern in patterns:
        here = route + str(pattern.pattern).removeprefix("^").removesuffix(r"\Z")
        if isinstance(pattern, URLResolver):
            # The pattern for languages in front shows the language that is active.
            inner = route if pattern.pattern.__class__.__name__ == "LocalePrefixPattern" else here
            inside = f"{namespace}{pattern.namespace}:" if pattern.namespace else namespace
            yield from _doors(pattern.url_patterns, inner, inside)
        elif isinstance(pattern, URLPattern):
            arguments = tuple(pattern.pattern.regex.groupindex)
            yield Door(f"{namespace}{pattern.name}", here, arguments, pattern.callback)


def samples(outlet: Outlet) -> dict[str, str]:
    """Return something for each argument that addresses of the desk have beside the outlet's code."""
    # A number of this outlet; at the door it does not matter whether there is such an order.
    order = Order.objects.at(outlet).filter(state="ready").order_by("number").first()
    phone = Phone.objects.filter(slug="walk").first() or create_phone(slug="walk")
    other = Outlet.objects.exclude(pk=outlet.pk).first() or create_outlet()
    transfer = transfers.request(outlet.pk, other.pk, {phone.pk: 1}, act("walk"))
    sale = WalkInSale.objects.filter(outlet=outlet, phone=phone).order_by("seq").first()
    given_back = Refund.objects.filter(back_outlet=outlet, phone=phone).first()
    box = boxes.open_delivery(outlet.pk, "", "person:1")
    return {
        "number": order.number if order else draw_number(outlet.pk),
        "slug": phone.slug,
        "transfer_id": str(transfer.pk),
        "box_id": str(box.pk),
        "seq": str(sale.seq) if sale else "1",
        "back_seq": str(given_back.back_seq) if given_back else "1",
        "sender_code": other.code,
    }
