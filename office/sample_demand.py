"""
How many phones the customers of a sample outlet want: made up, but the way a country of small shops looks.

A large shop sells about one phone a day, a small one every fifth day; cheaper phones go better; people of one county
buy more than those of another. Saturdays and Sundays are busy, the days to Singles' Day more so, and 11.11 most. All of
it depends on names and dates alone.
"""

from __future__ import annotations

from datetime import date

from stores.loading.chance import shares
from stores.loading.demo_stock import Size

# Phones that a shop sells in a day for each one of a kind that it has room for.
SOLD_FOR_ROOM = 0.04
# How much better each phone goes than the next dearer one.
CHEAPER = 0.86
WEEKDAYS = (0.85, 0.8, 0.85, 0.9, 1.1, 1.3, 1.2)  # from Monday
SINGLES_DAY, BEFORE_SINGLES_DAY, AFTER_SINGLES_DAY = 5.0, 1.3, 0.7


def rate(size: Size, rank: int, code: str) -> float:
    """Return how many of the phone of this rank (0: the cheapest of 14) an outlet could sell on a common day."""
    (of_county,), (of_outlet,) = shares(1, code[:6], "demand"), shares(1, code, "demand")
    share = CHEAPER**rank * (1 - CHEAPER) / (1 - CHEAPER**14)
    return SOLD_FOR_ROOM * size.room * share * (0.6 + 0.9 * of_county) * (0.5 + of_outlet)


def weight(day: date) -> float:
    """Return how much more than on a common day is wanted on `day`."""
    of_season = 1.0
    if day.month == 11:
        if day.day == 11:
            of_season = SINGLES_DAY
        elif day.day < 11:
            of_season = BEFORE_SINGLES_DAY
        elif day.day < 17:
            of_season = AFTER_SINGLES_DAY
    return WEEKDAYS[day.weekday()] * of_season
