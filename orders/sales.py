"""Why the price of a sale window, or the one that was seen, is not to be had: in words, with what is to be had."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from django.utils.translation import gettext as _
from django.utils.translation import ngettext

from catalog.catalogue import current_catalogue, forget_catalogue
from catalog.models import SaleWindow, SaleWindowPrice
from orders.refusals import PriceRose, SaleLimitReached, SaleQuotaUsedUp
from stores.models import Outlet


def price_rose(prices: Mapping[int, int], total_fen: int) -> PriceRose:
    # The next page must not show again what the database has refused.
    forget_catalogue()
    return PriceRose(_("Prices have changed since you opened this page."), prices=prices, total_fen=total_fen)


def limit_reached(window_id: int, phone_ids: Sequence[int], ordered: int) -> SaleLimitReached:
    window = SaleWindow.objects.get(pk=window_id)
    limit, left = window.limit_per_customer, max(window.limit_per_customer - ordered, 0)
    facts = {"sale": str(window), "limit": limit, "left": left}
    message = ngettext(
        "%(sale)s: one mobile number may have %(limit)d phone at this price.",
        "%(sale)s: one mobile number may have %(limit)d phones at this price.",
        limit,
    )
    more = _("You may have %(left)d more.") if left else _("You have had them.")
    return SaleLimitReached(
        f"{message % facts} {more % facts}", window=window, phone_ids=phone_ids, limit=limit, ordered=ordered
    )


def quota_used_up(window_id: int, phone_id: int, ordered: int, outlet: Outlet) -> SaleQuotaUsedUp:
    price = SaleWindowPrice.objects.select_related("window").get(window_id=window_id, phone_id=phone_id)
    quota = price.quota_per_outlet or 0
    facts = {
        "sale": str(price.window),
        "shop": outlet.name,
        "quota": quota,
        "left": max(quota - ordered, 0),
        "phone": current_catalogue().by_id[phone_id].name,
    }
    message = _("%(sale)s: %(shop)s has %(quota)d of %(phone)s at this price, and %(left)d left.") % facts
    return SaleQuotaUsedUp(
        message, window=price.window, phone_ids=[phone_id], limit=quota, ordered=ordered, outlet=outlet
    )
