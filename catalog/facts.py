"""A phone's specifications in the order in which a buyer asks: plain words, the technical value, and its mark."""

from __future__ import annotations

from dataclasses import dataclass
from decimal import Decimal

from django.utils.translation import gettext as _
from django.utils.translation import pgettext

from catalog import plain_words as words
from catalog.models import Phone, Provenance, local_text


@dataclass(frozen=True)
class Fact:
    """One thing about a phone. `key` is the same for all phones, `is_reported` says whether the press printed it."""

    key: str
    label: str
    words: str
    value: str
    is_reported: bool


def facts_of(phone: Phone) -> tuple[Fact, ...]:
    """Return what there is to say of `phone`, in the active language."""

    def fact(key: str, label: str, said: str, value: str) -> Fact:
        return Fact(key, label, said, value, phone.provenance.get(key) == Provenance.REPORTED)

    ppi = words.pixels_per_inch(phone.screen_inches, phone.screen_width_px, phone.screen_height_px)
    return (
        fact("screen_inches", _("Screen"), words.screen_words(phone.screen_inches), inches(phone.screen_inches)),
        fact(
            "screen_width_px",
            _("Sharpness"),
            words.sharpness_words(ppi),
            _("%(width)s × %(height)s dots") % {"width": phone.screen_width_px, "height": phone.screen_height_px},
        ),
        fact("battery_mah", _("Battery"), words.battery_words(phone.battery_mah), mah(phone.battery_mah)),
        fact("generation", _("Internet"), words.network_words(phone.generation), phone.generation),
        fact("dual_sim", _("SIM cards"), words.sim_words(phone.dual_sim), "2" if phone.dual_sim else "1"),
        fact(
            "camera_back_mp",
            _("Photos"),
            words.back_camera_words(phone.camera_back_mp),
            megapixels(phone.camera_back_mp),
        ),
        fact(
            "camera_front_mp",
            _("Video calls"),
            words.front_camera_words(phone.camera_front_mp),
            megapixels(phone.camera_front_mp),
        ),
        fact("cpu_cores", _("Speed"), words.speed_words(phone.cpu_cores), processor(phone.cpu_cores, phone.cpu_ghz)),
        fact("ram_mb", pgettext("of a phone", "Memory"), words.memory_words(phone.ram_mb), megabytes(phone.ram_mb)),
        fact(
            "storage_gb",
            _("Storage"),
            words.storage_words(phone.storage_gb),
            f"{phone.storage_gb} GB",
        ),
        fact(
            "memory_card_max_gb",
            _("Memory card"),
            words.memory_card_words(phone.memory_card_max_gb),
            _("up to %(gb)s GB") % {"gb": phone.memory_card_max_gb} if phone.memory_card_max_gb else "",
        ),
        fact("weight_g", _("Weight"), words.weight_words(phone.weight_g), grams(phone.weight_g)),
        fact(
            "body_depth_mm",
            _("Size"),
            words.depth_words(phone.body_depth_mm),
            _("%(height)s × %(width)s × %(depth)s mm")
            % {
                "height": plain(phone.body_height_mm),
                "width": plain(phone.body_width_mm),
                "depth": plain(phone.body_depth_mm),
            },
        ),
        fact("os_name", _("System"), words.system_words(phone.os_name), f"{phone.os_name} {phone.os_version}"),
    )


def plain(number: Decimal) -> str:
    """Return a number without zeros that say nothing: 4, 4.5, 100."""
    return f"{number.normalize():f}"


def inches(diagonal: Decimal) -> str:
    return _("%(inches)s inches") % {"inches": plain(diagonal)}


def mah(capacity: int) -> str:
    return _("%(mah)s mAh") % {"mah": capacity}


def megapixels(number: Decimal) -> str:
    """Return a camera's size; Chinese counts it in ten thousands of dots."""
    return local_text(f"{plain(number * 100)} 万像素", f"{plain(number)} megapixels")


def processor(cores: int, ghz: Decimal) -> str:
    return _("%(cores)s cores of %(ghz)s GHz") % {"cores": cores, "ghz": plain(ghz)}


def megabytes(number: int) -> str:
    return f"{number // 1024} GB" if number >= 1024 else f"{number} MB"


def grams(weight: int) -> str:
    return _("%(grams)s g") % {"grams": weight}
