"""Brands, tiers and phones. Triggers raise the catalogue's version, so the shop follows within a second."""

from __future__ import annotations

import re
from typing import Any

from django import forms
from django.contrib import admin
from django.contrib.postgres.fields import ArrayField
from django.contrib.postgres.forms import SimpleArrayField
from django.db.models import Max
from django.http import HttpRequest
from django.utils.translation import gettext_lazy as _

from catalog.loading.phones import MARKED_FIELDS
from catalog.models import Brand, Colour, Phone, PreinstalledApp, Tier
from catalog.prices import set_price
from catalog.provenance import Provenance
from office.access import OfficeDeed
from office.back_office.base import OfficeAdmin, PlainForm, RowsInside, standing_of
from office.back_office.prices import YuanField
from office.site import site

SECTIONS = (
    (
        None,
        {
            "fields": (
                "slug", "position", "brand", "tier", "model", ("name_zh", "name_en"),
                "description_zh", "description_en", "is_discontinued",
            )
        },
    ),
    (
        _("Screen and body"),
        {
            "fields": (
                "screen_inches", ("screen_width_px", "screen_height_px"),
                ("body_width_mm", "body_height_mm", "body_depth_mm"), "weight_g",
            )
        },
    ),
    (
        _("What is inside"),
        {
            "fields": (
                ("os_name", "os_version"), ("cpu_cores", "cpu_ghz"), ("ram_mb", "storage_gb", "memory_card_max_gb"),
                ("camera_back_mp", "camera_front_mp"), "battery_mah",
            )
        },
    ),
    (_("Network"), {"fields": ("dual_sim", "generation", "network_modes", "network_bands")}),
    (_("In the box"), {"fields": ("box_zh", "box_en")}),
)  # fmt: skip
# The fields of a phone that tell where their value comes from.
MARKED = {name for names in MARKED_FIELDS.values() for name in names}


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


class ColourForm(PlainForm):
    def clean_rgb(self) -> str:
        return self.cleaned_data["rgb"].upper()


class ColoursInside(RowsInside):
    """The first colour is the one that the drawing shows, so there is one."""

    model = Colour
    form = ColourForm
    writing = OfficeDeed.EDIT_CATALOGUE
    min_num = 1

    def get_formset(self, request: HttpRequest, obj: Any = None, **kwargs: Any) -> Any:
        return super().get_formset(request, obj, validate_min=True, **kwargs)


class ApplicationsInside(RowsInside):
    model = PreinstalledApp
    writing = OfficeDeed.EDIT_CATALOGUE


class LinesField(SimpleArrayField):
    """Several texts, one on each line."""

    def __init__(self, base_field: forms.Field, **options: Any) -> None:
        lines = {"widget": forms.Textarea({"rows": 4}), "help_text": _("one on each line")}
        super().__init__(base_field, delimiter="\n", **options | lines)

    def to_python(self, value: Any) -> Any:
        if isinstance(value, str):
            value = [line.strip() for line in value.splitlines() if line.strip()]
        return super().to_python(value)


class PhoneForm(PlainForm):
    """What is typed here gets one mark of where it comes from; everything else keeps its own."""

    mark = forms.ChoiceField(
        label=_("where the values come from"),
        choices=Provenance.choices,
        widget=forms.RadioSelect,
        required=False,
        help_text=_("for everything that is written or changed here"),
    )

    def clean_slug(self) -> str:
        slug = self.cleaned_data["slug"]
        if not re.fullmatch("[a-z0-9-]+", slug, re.ASCII):
            raise forms.ValidationError(_("Small letters from a to z, digits and hyphens only."))
        return slug

    def clean(self) -> dict[str, Any]:
        given = super().clean() or {}
        if self._marked() and not given.get("mark"):
            self.add_error("mark", _("Please say where these values come from."))
        return given

    def _marked(self) -> set[str]:
        return MARKED & set(self.changed_data) if self.instance.pk else MARKED

    def save(self, commit: bool = True) -> Phone:
        before = self.instance.provenance or {}
        self.instance.provenance = before | dict.fromkeys(self._marked(), self.cleaned_data["mark"])
        return super().save(commit)


class NewPhoneForm(PhoneForm):
    price_in_yuan = YuanField(label=_("price in yuan"), help_text=_("the ordinary price, from now on"))


@admin.register(Phone, site=site)
class PhoneAdmin(OfficeAdmin):
    """A new phone comes with its first price. What it costs later is set where prices and sale windows are."""

    writing = OfficeDeed.EDIT_CATALOGUE
    formfield_overrides = {ArrayField: {"form_class": LinesField}}
    list_display = ("model", "name_zh", "brand", "tier", "position", "is_discontinued")
    list_filter = ("tier", "brand", "is_discontinued")
    list_select_related = ("brand", "tier")
    search_fields = ("slug", "model", "name_zh", "name_en")
    inlines = (ColoursInside, ApplicationsInside)

    def has_add_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return super().has_add_permission(request, obj) and standing_of(request).may(OfficeDeed.SET_PRICES)

    def get_form(self, request: HttpRequest, obj: Any = None, change: bool = False, **kwargs: Any) -> Any:
        return super().get_form(request, obj, change, **kwargs | {"form": PhoneForm if obj else NewPhoneForm})

    def get_fieldsets(self, request: HttpRequest, obj: Any = None) -> Any:
        if not self.has_change_permission(request, obj):
            return SECTIONS
        asked = ("mark",) if obj else ("price_in_yuan", "mark")
        return (*SECTIONS, (None, {"fields": asked}))

    def get_changeform_initial_data(self, request: HttpRequest) -> dict[str, Any]:
        last = Phone.objects.aggregate(last=Max("position"))["last"] or 0
        return {"position": last + 1, **super().get_changeform_initial_data(request)}

    def save_model(self, request: HttpRequest, obj: Phone, form: Any, change: bool) -> None:
        super().save_model(request, obj, form, change)
        if not change:
            set_price(obj.pk, form.cleaned_data["price_in_yuan"])
