"""What a specification means, said as a clerk would say it at the counter. Each rule lives here once.

All functions take values in the units that the model's fields name, and answer in the active language.
"""

from __future__ import annotations

import math
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

# Dots an inch from which the eye stops seeing the dots in letters, and in pictures.
FINE_LETTERS_PPI = 220
FINE_PICTURES_PPI = 290

# What a hen's egg weighs, in grams: everybody has held one.
EGG_G = 55

# An ordinary photo takes about this much, and about half of the storage is free for photos.
PHOTO_MB = Decimal("1.5")
FREE_SHARE = Decimal("0.5")


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


def pixels_per_inch(inches: Decimal, width_px: int, height_px: int) -> int:
    return round(math.hypot(width_px, height_px) / float(inches))


def sharpness_words(ppi: int) -> str:
    if ppi >= FINE_PICTURES_PPI:
        return _("letters and pictures are fine")
    if ppi >= FINE_LETTERS_PPI:
        return _("letters are clear")
    return _("letters are clear, pictures a little coarse")


def network_words(generation: str) -> str:
    if generation == Generation.G4:
        return _("fast enough for videos")
    return _("good for chat and pages; videos take a while to start")


def sim_words(dual_sim: bool) -> str:
    if dual_sim:
        return _("two cards: two numbers in one phone")
    return _("one card")


def back_camera_words(megapixels: Decimal) -> str:
    if megapixels >= 13:
        return _("fine photos that stay clear when enlarged")
    if megapixels >= 8:
        return _("clear photos, good enough to print")
    if megapixels >= 5:
        return _("clear photos by day")
    if megapixels > 0:
        return _("simple photos, to show somebody something")
    return _("takes no photos")


def front_camera_words(megapixels: Decimal) -> str:
    if megapixels >= 5:
        return _("a clear picture of you in video calls")
    if megapixels >= 2:
        return _("good enough for video calls with the family")
    if megapixels > 0:
        return _("video calls work, the picture is rough")
    return _("no video calls")


def speed_words(cores: int) -> str:
    if cores >= 8:
        return _("quick, also with several apps at once")
    if cores >= 4:
        return _("pages and videos run smoothly")
    return _("enough for calls, chat and simple pages")


def memory_words(ram_mb: int) -> str:
    if ram_mb >= 2048:
        return _("many apps can stay open")
    if ram_mb >= 1024:
        return _("a few apps can stay open")
    return _("one or two apps at a time")


def photos_that_fit(storage_gb: int) -> int:
    """Return about how many photos the phone can keep: a round figure, in hundreds."""
    return int(storage_gb * 1024 * FREE_SHARE / PHOTO_MB) // 100 * 100


def storage_words(storage_gb: int) -> str:
    return _("room for about %(count)s photos") % {"count": photos_that_fit(storage_gb)}


def memory_card_words(max_gb: int) -> str:
    if max_gb:
        return _("a memory card adds room")
    return _("no slot for a memory card")


def weight_words(grams: int) -> str:
    """Return the weight in hen's eggs, to the nearest half."""
    halves = round(grams / EGG_G * 2)
    eggs = {
        2: _("one egg"),
        3: _("an egg and a half"),
        4: _("two eggs"),
        5: _("two and a half eggs"),
        6: _("three eggs"),
    }
    if halves in eggs:
        return _("about as heavy as %(eggs)s") % {"eggs": eggs[halves]}
    return _("about as heavy as %(count)s eggs") % {"count": round(grams / EGG_G)}


def depth_words(millimetres: Decimal) -> str:
    if millimetres < Decimal("8.5"):
        return _("slim")
    if millimetres < 10:
        return _("not thick")
    return _("thick enough to grip well")


def system_words(os_name: str) -> str:
    if os_name == "YunOS":
        return _("Alibaba's system, used much like Android")
    return _("the system that most phones use")
