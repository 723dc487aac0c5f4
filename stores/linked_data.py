"""What an outlet's page tells programs, in the words of schema.org."""

from __future__ import annotations

from collections.abc import Iterable
from functools import lru_cache
from typing import TYPE_CHECKING, Any

from django.utils.safestring import SafeString
from jinja2 import pass_context
from jinja2.runtime import Context

from catalog.linked_data import Thing, json_ld
from catalog.models import local_text
from catalog.page_data import address_of_page
from stores.hours import Closure, Hours, Week
from stores.models import Outlet

if TYPE_CHECKING:
    from stores.pages import OutletPage

DAYS = ("Monday", "Tuesday", "Wednesday", "Thursday", "Friday", "Saturday", "Sunday")


def store(outlet: Outlet, week: Week, closures: Iterable[Closure], *, address: str) -> Thing:
    """
    Return the outlet as a MobilePhoneStore; `address` is that of its page.

    The place is left out where only the county of the shop is known, the hours where it does no business.
    """
    thing: Thing = {
        "@type": "MobilePhoneStore",
        "name": outlet.name,
        "url": address,
        "address": {"@type": "PostalAddress", "addressCountry": "CN", "streetAddress": outlet.address},
        "currenciesAccepted": "CNY",
        "parentOrganization": {"@type": "Organization", "name": local_text("村铺", "Cunpu")},
    }
    if outlet.telephone:
        thing["telephone"] = outlet.telephone
    if not outlet.place_is_vague:
        thing["geo"] = {"@type": "GeoCoordinates", "latitude": outlet.latitude, "longitude": outlet.longitude}
    if outlet.is_open:
        thing["openingHoursSpecification"] = _hours(week)
        closed = [_closed(closure) for closure in closures]
        if closed:
            thing["specialOpeningHoursSpecification"] = closed
    return thing


@lru_cache(maxsize=1000)
def _hours(week: Week) -> list[dict[str, Any]]:
    """Return the hours with the days that keep them: one entry for a shop that is the same every day. Not to change."""
    days: dict[Hours, list[str]] = {}
    for name, spans in zip(DAYS, week, strict=True):
        for span in spans:
            days.setdefault(span, []).append(name)
    return [
        {
            "@type": "OpeningHoursSpecification",
            "dayOfWeek": names,
            "opens": f"{opens:%H:%M}",
            "closes": f"{closes:%H:%M}",
        }
        for (opens, closes), names in days.items()
    ]


def _closed(closure: Closure) -> dict[str, Any]:
    return {
        "@type": "OpeningHoursSpecification",
        "validFrom": closure.first_day.isoformat(),
        "validThrough": closure.last_day.isoformat(),
        "opens": "00:00",
        "closes": "00:00",
    }


@pass_context
def store_data(context: Context, page: OutletPage) -> SafeString:
    """Return the shop as a script element for programs."""
    return json_ld(store(page.outlet, page.hours, page.closures, address=address_of_page(context)))


FUNCTIONS: dict[str, Any] = {"store_data": store_data}
