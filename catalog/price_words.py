"""What pages say beside a price, in the active language."""

from __future__ import annotations

from django.utils.translation import gettext as _
from django.utils.translation import ngettext

from catalog.bilingual import local_text
from catalog.moments import moment_in_words, until_in_words
from catalog.prices import Offer, Sale
from catalog.templating import yuan


def sale_words(offer: Offer) -> str:
    """Say what a phone ordinarily costs and until when it costs less; nothing where no sale window is open for it."""
    if offer.sale is None:
        return ""
    ordinary = _("ordinarily %(price)s yuan") % {"price": yuan(offer.ordinary_fen)}
    if offer.valid_until is None:
        return ordinary
    return _("%(ordinary)s; this price %(until)s") % {
        "ordinary": ordinary,
        "until": until_in_words(offer.valid_until),
    }


def limit_words(sale: Sale) -> str:
    """Say how many phones one customer may have at the prices of a sale window."""
    return ngettext(
        "%(sale)s: one phone at this price for each mobile number.",
        "%(sale)s: %(limit)d phones at this price for each mobile number.",
        sale.limit_per_customer,
    ) % {"sale": sale_name(sale), "limit": sale.limit_per_customer}


def sale_name(sale: Sale) -> str:
    return local_text(sale.name_zh, sale.name_en)


FILTERS = {"sale_words": sale_words, "limit_words": limit_words, "full_moment": moment_in_words}
