"""
What head office calls tables and columns, and the database's rules.

The apps below have no words for columns that nobody but head office reads. They are given here when the program starts;
in the models each would be a migration that changes nothing.
"""

from __future__ import annotations

from typing import Any

from django.apps import apps
from django.utils.translation import gettext_lazy as _

APPS = {
    "catalog": _("Catalogue"),
    "stores": _("Outlets and people"),
    "partners": _("Partners"),
}

# One thing, several of it.
TABLES: dict[str, tuple[Any, Any]] = {
    "catalog.Brand": (_("brand"), _("brands")),
    "catalog.Tier": (_("tier"), _("tiers")),
    "catalog.Phone": (_("phone"), _("phones")),
    "catalog.Colour": (_("colour"), _("colours")),
    "catalog.PreinstalledApp": (_("application"), _("applications")),
    "catalog.Price": (_("price"), _("prices")),
    "catalog.SaleWindow": (_("sale window"), _("sale windows")),
    "catalog.SaleWindowPrice": (_("price in a sale window"), _("prices in a sale window")),
    "stores.Region": (_("region"), _("regions")),
    "stores.Outlet": (_("outlet"), _("outlets")),
    "stores.Timetable": (_("timetable"), _("timetables")),
    "stores.TimetableHours": (_("hours"), _("hours")),
    "stores.ClosedPeriod": (_("closed days"), _("closed days")),
    "stores.Person": (_("person"), _("people")),
    "stores.Assignment": (_("assignment"), _("assignments")),
    "partners.Partner": (_("partner"), _("partners")),
    "partners.ApiKey": (_("key"), _("keys")),
    "office.Membership": (_("role in head office"), _("roles in head office")),
}

# The same word for a column of the same name, whatever the table.
COLUMNS: dict[str, Any] = {
    "slug": _("name in addresses"),
    "code": _("code"),
    "position": _("place in lists"),
    "name_zh": _("name in Chinese"),
    "name_en": _("name in English"),
    "name_pinyin": _("name in pinyin"),
    "pinyin_initials": _("initials"),
    "summary_zh": _("summary in Chinese"),
    "summary_en": _("summary in English"),
    "explanation_zh": _("explanation in Chinese"),
    "explanation_en": _("explanation in English"),
    "description_zh": _("description in Chinese"),
    "description_en": _("description in English"),
    "address_zh": _("address in Chinese"),
    "address_en": _("address in English"),
    "reason_zh": _("reason in Chinese"),
    "reason_en": _("reason in English"),
    "brand": _("brand"),
    "tier": _("tier"),
    "model": _("model"),
    "is_discontinued": _("sold no more"),
    "os_name": _("system"),
    "os_version": _("version of the system"),
    "screen_inches": _("screen, inches"),
    "screen_width_px": _("screen width, pixels"),
    "screen_height_px": _("screen height, pixels"),
    "body_width_mm": _("width, mm"),
    "body_height_mm": _("height, mm"),
    "body_depth_mm": _("depth, mm"),
    "weight_g": _("weight, g"),
    "cpu_cores": _("processor cores"),
    "cpu_ghz": _("processor, GHz"),
    "ram_mb": _("memory, MB"),
    "storage_gb": _("storage, GB"),
    "memory_card_max_gb": _("memory card up to, GB"),
    "camera_back_mp": _("camera on the back, megapixels"),
    "camera_front_mp": _("camera on the front, megapixels"),
    "battery_mah": _("battery, mAh"),
    "dual_sim": _("two SIM cards"),
    "generation": _("network"),
    "network_modes": _("network modes"),
    "network_bands": _("network bands"),
    "box_zh": _("in the box, in Chinese"),
    "box_en": _("in the box, in English"),
    "provenance": _("where the values come from"),
    "rgb": _("colour"),
    "phone": _("phone"),
    "price_fen": _("price in fen"),
    "valid_from": _("valid from"),
    "set_at": _("set at"),
    "starts_at": _("begins"),
    "ends_at": _("ends"),
    "limit_per_customer": _("most phones per mobile number"),
    "window": _("sale window"),
    "quota_per_outlet": _("most phones per shop"),
    "level": _("level"),
    "parent": _("lies in"),
    "outlet_count": _("outlets"),
    "latitude": _("latitude"),
    "longitude": _("longitude"),
    "town": _("town"),
    "telephone": _("telephone"),
    "coordinate_source": _("how the place is known"),
    "coordinate_accuracy_km": _("accurate to, km"),
    "geonames_id": _("number at GeoNames"),
    "state": _("state"),
    "timetable": _("timetable"),
    "call_first": _("call first"),
    "weekday": _("weekday"),
    "opens": _("opens"),
    "closes": _("closes"),
    "first_day": _("first day"),
    "last_day": _("last day"),
    "username": _("username"),
    "mobile": _("mobile number"),
    "name": _("name"),
    "is_active": _("may sign in"),
    "must_change_password": _("must choose a password"),
    "created_at": _("since"),
    "person": _("person"),
    "role": _("role"),
    "outlet": _("outlet"),
    "region": _("region"),
    "starts_on": _("first day"),
    "ends_on": _("last day"),
    "since": _("since"),
    "partner": _("partner"),
    "prefix": _("beginning of the key"),
    "scopes": _("what it may do"),
    "outlets": _("only these outlets"),
    "regions": _("only these regions"),
    "phones": _("only these phones"),
    "calls_per_minute": _("calls a minute"),
    "expires_at": _("good until"),
    "revoked_at": _("revoked"),
    "last_used_at": _("last used"),
}

# What forms say where an entry would break a rule of the database.
BROKEN_RULES: dict[str, Any] = {
    "assignment_once_at_an_outlet": _("This person works at this outlet on some of these days already."),
    "assignment_once_in_a_region": _("This person answers for this region on some of these days already."),
    "assignment_place_suits_its_role": _(
        "A region manager is assigned to a region, clerks and managers are to outlets."
    ),
    "assignment_ends_after_it_starts": _("The last day is before the first."),
    "closedperiod_ends_after_it_begins": _("The last day is before the first."),
    "hours_close_after_they_open": _("It closes before it opens."),
    "hours_open_once_at_a_time": _("These hours are there twice."),
    "phone_stands_upright": _("A phone is higher than it is wide."),
    "phone_body_is_sensible": _("Width, height or depth cannot be right."),
    "phone_screen_is_sensible": _("The size of the screen cannot be right."),
    "phone_pixels_are_sensible": _("The number of pixels cannot be right."),
    "phone_weight_is_sensible": _("The weight cannot be right."),
    "phone_processor_is_sensible": _("Cores or clock of the processor cannot be right."),
    "phone_memory_is_sensible": _("Memory, storage or memory card cannot be right."),
    "phone_cameras_are_sensible": _("The cameras cannot be right."),
    "phone_battery_is_sensible": _("The battery cannot be right."),
    "region_has_its_pinyin": _("The pinyin begins with a blank."),
    "region_initials_are_small_letters": _("Initials are small letters from a to z."),
    "outlet_code_is_well_formed": _("A code is nine digits, a hyphen and two digits like 130826100-01."),
    "outlet_is_on_earth": _("There is no such latitude and longitude."),
    "salewindow_ends_after_it_starts": _("A sale window ends after it begins."),
    "price_has_its_own_moment": _("This phone has a price from that moment already."),
    "salewindowprice_once_a_phone": _("This phone has a price in this window already."),
    "colour_is_rgb": _("A colour is written as #RRGGBB."),
}


def give_words() -> None:
    """Let apps, tables and columns have these words."""
    for app, name in APPS.items():
        apps.get_app_config(app).verbose_name = name
    for table, (one, several) in TABLES.items():
        options = apps.get_model(table)._meta
        options.verbose_name, options.verbose_name_plural = one, several
        for field in options.concrete_fields:
            if field.name in COLUMNS:
                field.verbose_name = COLUMNS[field.name]
