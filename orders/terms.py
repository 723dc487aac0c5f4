"""
The terms that an order was placed under.

An order line keeps the key of its terms. Texts that were once in use stay here as they were.
"""

from django.utils.translation import gettext_lazy as _

TERMS = {
    # The days are those of the national rules for repair, exchange and return of mobile phones (2001, article 11-13).
    "2026-11": _(
        "You pay at the counter when you collect. Return within 7 days, exchange within 15 days, "
        "repair within one year, as the national rules for mobile phones say."
    ),
}
# What of them stands on a receipt: whoever gets one has paid.
RIGHTS = {
    "2026-11": _(
        "Return within 7 days, exchange within 15 days, repair within one year, as the national rules for mobile "
        "phones say."
    ),
}
CURRENT = "2026-11"
