"""Why the price of a sale window, or the one that was seen, is not to be had: in words, with what is to be had."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import NamedTuple

from django.utils.translation import gettext as _
from django.utils.translation import ngettext

from catalog.catalogue import current_catalogue, forget_catalogue
from catalog.models import SaleWindowPrice
from catalog.price_words import sale_name
from catalog.prices import Sale
from orders.refusals import PriceRose, SaleLimitReached, SaleQuotaUsedUp, SaleRefused
from stores.models import Outlet


def price_rose(prices: Mapping[int, int], total_fen: int) -> PriceRose:
    # The next page must not show again what the database has refused.
    forget_catalogue()
    return PriceRose(_("Prices have changed since you opened this page."), prices=prices, total_fen=total_fen)


class PassedOver(NamedTuple):
    """A phone whose lowest price is used up, and what it can be had for instead, in fen; see migration 0016."""

    why: str
    phone_id: int
    ordered: int
    price_fen: int
    window_id: int
    total_fen: int


def used_up(passed: Sequence[PassedOver], outlet: Outlet) -> SaleRefused:
    """Return one refusal for all phones that are concerned, named for the reason of the first."""
    told = [_limit_reached(each) if each.why == "sale limit" else _quota_used_up(each, outlet) for each in passed]
    refused, limit = (SaleLimitReached if passed[0].why == "sale limit" else SaleQuotaUsedUp), told[0][1]
    return refused(
        # Phones of one window share its sentence.
        " ".join(dict.fromkeys(sentence for sentence, _limit in told)),
        limit=limit,
        ordered=passed[0].ordered,
        prices={each.phone_id: each.price_fen for each in passed},
        total_fen=passed[0].total_fen,
    )


def _sale_of(passed: PassedOver) -> Sale:
    """Return the window that was passed over. The catalogue in memory knows it, unless it opened this very second."""
    sale = current_catalogue().by_id[passed.phone_id].offer.sale
    if sale and sale.window_id == passed.window_id:
        return sale
    price = SaleWindowPrice.objects.select_related("window").get(window_id=passed.window_id, phone_id=passed.phone_id)
    window = price.window
    return Sale(
        window.pk, window.name_zh, window.name_en, window.ends_at, window.limit_per_customer, price.quota_per_outlet
    )


def _limit_reached(passed: PassedOver) -> tuple[str, int]:
    sale = _sale_of(passed)
    limit, left = sale.limit_per_customer, max(sale.limit_per_customer - passed.ordered, 0)
    facts = {"sale": sale_name(sale), "limit": limit, "left": left}
    message = ngettext(
        "%(sale)s: one mobile number may have %(limit)d phone at this price.",
        "%(sale)s: one mobile number may have %(limit)d phones at this price.",
        limit,
    )
    more = _("You may have %(left)d more.") if left else _("You have had them.")
    return f"{message % facts} {more % facts}", limit


def _quota_used_up(passed: PassedOver, outlet: Outlet) -> tuple[str, int]:
    sale = _sale_of(passed)
    quota = sale.quota_per_outlet or 0
    facts = {
        "sale": sale_name(sale),
        "shop": outlet.name,
        "quota": quota,
        "left": max(quota - passed.ordered, 0),
        "phone": current_catalogue().by_id[passed.phone_id].name,
    }
    return _("%(sale)s: %(shop)s has %(quota)d of %(phone)s at this price, and %(left)d left.") % facts, quota
