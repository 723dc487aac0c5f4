"""Brands, tiers and phones. Triggers raise the catalogue's version, so the shop follows within a second."""

from __future__ import annotations

from django.contrib import admin

from catalog.models import Brand, Colour, Phone, PreinstalledApp, Tier
from office.access import OfficeDeed
from office.back_office.base import OfficeAdmin, RowsInside
from office.site import site


@admin.register(Brand, site=site)
class BrandAdmin(OfficeAdmin):
    writing = OfficeDeed.EDIT_CATALOGUE
    may_be_removed = True
    list_display = ("slug", "name_zh", "name_en")
    search_fields = ("slug", "name_zh", "name_en")


@admin.register(Tier, site=site)
class TierAdmin(OfficeAdmin):
    writing = OfficeDeed.EDIT_CATALOGUE
    may_be_removed = True
    list_display = ("slug", "name_zh", "name_en", "position")


class ColoursInside(RowsInside):
    model = Colour
    writing = OfficeDeed.EDIT_CATALOGUE


class ApplicationsInside(RowsInside):
    model = PreinstalledApp
    writing = OfficeDeed.EDIT_CATALOGUE


@admin.register(Phone, site=site)
class PhoneAdmin(OfficeAdmin):
    """What a phone costs is set where prices and sale windows are."""

    writing = OfficeDeed.EDIT_CATALOGUE
    may_be_added = False
    list_display = ("model", "name_zh", "brand", "tier", "position", "is_discontinued")
    list_filter = ("tier", "brand", "is_discontinued")
    list_select_related = ("brand", "tier")
    search_fields = ("slug", "model", "name_zh", "name_en")
    inlines = (ColoursInside, ApplicationsInside)
