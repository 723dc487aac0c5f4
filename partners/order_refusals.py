"""Why an order was refused, as a problem for programs: what is short, how many are left, and where else it is."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from rest_framework.exceptions import APIException, ValidationError

from api.credentials import Credentials
from api.problems import Refusal
from api.resources import in_utc, money
from catalog.catalogue import current_catalogue
from catalog.prices import offers_at_prices
from orders.basket import Line, Wanted
from orders.choosing import nearest_offers
from orders.refusals import (
    AlreadyMoved,
    BadMobile,
    BadName,
    OrderRefused,
    OutletNotOpen,
    OutOfStock,
    PhoneNotListed,
    PriceRose,
    SaleLimitReached,
    SaleQuotaUsedUp,
    TooManyOfOnePhone,
    TooManyOpenOrders,
    WrongState,
)
from partners.orders import ReferenceTaken
from stores.api import told_distance
from stores.geography import Point
from stores.models import Outlet

MOST_OUTLETS = 5


def problem_of(refused: OrderRefused, wanted: Wanted | None, credentials: Credentials) -> APIException:
    """Return what a door raises for `refused`; `wanted` is what was to be ordered."""
    match refused:
        case BadName() | BadMobile():
            field = "name" if isinstance(refused, BadName) else "mobile"
            return ValidationError({"customer": {field: [str(refused)]}})
        case OutOfStock(data={"outlet": outlet, "short": short}) if wanted:
            return Refusal(
                "out-of-stock",
                str(refused),
                short=[
                    {"phone": _slug(phone_id), "wanted": asked, "left": left}
                    for phone_id, (asked, left) in short.items()
                ],
                outlets=_elsewhere(outlet, wanted, credentials),
            )
        case OutletNotOpen(data={"outlet": outlet}) if wanted:
            return Refusal("outlet-not-open", str(refused), outlets=_elsewhere(outlet, wanted, credentials))
        case PriceRose(data=data):
            # What it says is for somebody before a page.
            return Refusal("price-rose", **_of_prices(data))
    name, members = _OTHERS[type(refused)]
    return Refusal(name, str(refused), **members(refused.data))


def _of_prices(data: dict[str, Any]) -> dict[str, Any]:
    """Tell the sum and the prices that are to be had, each as the catalogue tells its own."""
    prices = [
        {
            "phone": _slug(phone_id),
            "price": money(offer.price_fen),
            "ordinary_price": money(offer.ordinary_fen),
            "price_valid_until": in_utc(offer.valid_until) if offer.valid_until else None,
        }
        for phone_id, offer in offers_at_prices(data["prices"]).items()
    ]
    return {"total": money(data["total_fen"]), "prices": prices}


def _of_sale(data: dict[str, Any]) -> dict[str, Any]:
    return {"limit": data["limit"], "phones": [_slug(each) for each in data["prices"]], **_of_prices(data)}


_OTHERS: dict[type[OrderRefused], tuple[str, Callable[[dict[str, Any]], dict[str, Any]]]] = {
    PhoneNotListed: ("phone-not-on-sale", lambda data: {"phones": [_slug(each) for each in data["phone_ids"]]}),
    TooManyOpenOrders: ("too-many-orders", lambda data: {"limit": data["limit"]}),
    # How many others there are is the customer's matter.
    TooManyOfOnePhone: (
        "too-many-of-one-phone",
        lambda data: {"limit": data["limit"], "phone": _slug(data["phone_id"])},
    ),
    SaleLimitReached: ("sale-limit-reached", _of_sale),
    SaleQuotaUsedUp: ("sale-quota-used-up", _of_sale),
    ReferenceTaken: ("reference-taken", lambda data: {}),
    WrongState: ("wrong-state", lambda data: {"state": data["state"]}),
    AlreadyMoved: ("wrong-state", lambda data: {"moved_to": data["number"]}),
}


def _slug(phone_id: int) -> str:
    return current_catalogue().by_id[phone_id].slug


def _elsewhere(outlet: Outlet, wanted: Wanted, credentials: Credentials) -> list[dict[str, Any]]:
    """Return the nearest other outlets that can hand over all of it and that the credentials reach."""
    offers = nearest_offers(wanted, Point(outlet.latitude, outlet.longitude))
    others = [offer for offer in offers if offer.outlet.pk != outlet.pk]
    asked = Outlet.objects.filter(pk__in=[offer.outlet.pk for offer in others])
    reached = set(asked.reached_by(credentials).values_list("pk", flat=True))
    return [
        {
            "outlet": offer.outlet.code,
            "name": {"zh": offer.outlet.name_zh, "en": offer.outlet.name_en},
            "distance": told_distance(offer.km or 0, offer.outlet),
        }
        for offer in others
        if offer.outlet.pk in reached
    ][:MOST_OUTLETS]


def wanted_of(lines: dict[int, int]) -> Wanted:
    """Return phones by id and how many of each as the shop has them, in its order; what is not on sale is left out."""
    phones = [phone for phone in current_catalogue().listed if phone.pk in lines]
    return Wanted(tuple(Line(phone, lines[phone.pk]) for phone in phones), is_basket=False)
