"""What a specification means, said as a clerk would say it at the counter. Each rule lives here once.

All functions take the value in the unit that the model's field names, and answer in the active language.
"""

from __future__ import annotations

from decimal import Decimal

from django.utils.translation import gettext as _

from catalog.models import Generation

# Battery capacity in mAh from which a phone of this kind lasts a day, or two with light use.
FULL_DAY_MAH = 1800
TWO_DAYS_MAH = 2500

# Screen diagonals in inches at which a phone stops being small, medium, large.
MEDIUM_INCHES = Decimal("4.5")
LARGE_INCHES = Decimal(5)
EXTRA_LARGE_INCHES = Decimal("5.5")


def battery_words(mah: int) -> str:
    if mah >= TWO_DAYS_MAH:
        return _("two days with light use")
    if mah >= FULL_DAY_MAH:
        return _("lasts a full day")
    return _("charge it every night")


def screen_words(inches: Decimal) -> str:
    if inches >= EXTRA_LARGE_INCHES:
        return _("extra large screen")
    if inches >= LARGE_INCHES:
        return _("large, clear screen")
    if inches >= MEDIUM_INCHES:
        return _("medium screen")
    return _("small, easy to hold")


def network_words(generation: str) -> str:
    if generation == Generation.G4:
        return _("fast 4G internet")
    return _("3G internet")
