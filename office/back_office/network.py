"""Regions, outlets and their hours."""

from __future__ import annotations

from typing import Any

from django import forms
from django.contrib import admin
from django.db.models import Q, QuerySet
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect
from django.urls import reverse
from django.utils.translation import gettext_lazy as _

from office.access import OfficeDeed
from office.back_office.base import OfficeAdmin, PlainForm, RowsInside
from office.site import site
from stores.models import ClosedPeriod, Outlet, PlaceKey, Region, Timetable, TimetableHours
from stores.outlets import save_outlet
from stores.regions import NAMES, save_names
from stores.search import find_places


class RegionForm(PlainForm):
    class Meta:
        model = Region
        fields = NAMES
        help_texts = {
            "name_pinyin": _("The name, a blank, then what kind of place it is: Fengning Manzu Zizhixian."),
            "pinyin_initials": _("Of the name alone, in small letters: fn."),
        }


@admin.register(Region, site=site)
class RegionAdmin(OfficeAdmin):
    """The tree comes from a file (`load_regions`): codes and what lies in what are read here, names are corrected."""

    form = RegionForm
    writing = OfficeDeed.EDIT_OUTLETS
    may_be_added = False
    list_display = ("code", "name_zh", "name_en", "level", "outlet_count")
    list_filter = ("level",)
    search_fields = ("code",)
    fields = ("code", "level", "parent", *NAMES, "outlet_count")
    readonly_fields = ("code", "level", "parent", "outlet_count")

    def get_search_results(
        self, request: HttpRequest, queryset: QuerySet[Any], search_term: str
    ) -> tuple[QuerySet[Any], bool]:
        """Find regions as customers do, towns by their outlets' key."""
        if not search_term:
            return queryset, False
        if search_term.isdecimal():
            return queryset.filter(code__startswith=search_term), False
        codes = [hit.code for hit in find_places(search_term[:60]) if hit.level < PlaceKey.OUTLET_LEVEL]
        return queryset.filter(code__in=codes), False

    def save_model(self, request: HttpRequest, obj: Region, form: Any, change: bool) -> None:
        save_names(obj)


class HoursInside(RowsInside):
    model = TimetableHours
    writing = OfficeDeed.EDIT_OUTLETS


@admin.register(Timetable, site=site)
class TimetableAdmin(OfficeAdmin):
    writing = OfficeDeed.EDIT_OUTLETS
    may_be_removed = True
    list_display = ("slug", "name_zh", "name_en")
    search_fields = ("slug", "name_zh", "name_en")
    inlines = (HoursInside,)


class ClosedDaysInside(RowsInside):
    model = ClosedPeriod
    writing = OfficeDeed.EDIT_OUTLETS


class OutletForm(PlainForm):
    def clean(self) -> dict[str, Any]:
        given = super().clean() or {}
        code, town = given.get("code"), given.get("town")
        if code and town and not code.startswith(f"{town.pk}-"):
            message = _("must begin with the code of its town, %(value)s")
            self.add_error("code", forms.ValidationError(message, params={"value": town.pk}))
        return given

    def clean_town(self) -> Region:
        town: Region = self.cleaned_data["town"]
        if town.level != Region.Level.TOWN:
            raise forms.ValidationError(_("An outlet is in a town."))
        return town


@admin.register(Outlet, site=site)
class OutletAdmin(OfficeAdmin):
    """Code and town are fixed once an outlet is there: its code begins with that of its town, and the books name it."""

    form = OutletForm
    writing = OfficeDeed.EDIT_OUTLETS
    actions = ("suspend_or_close",)
    list_display = ("code", "name_zh", "name_en", "town", "state", "timetable", "call_first")
    list_filter = ("state", "call_first")
    list_select_related = ("town", "timetable")
    search_fields = ("code",)
    search_help_text = _("A part of the name, pinyin, or the beginning of a code.")
    autocomplete_fields = ("town",)
    fields = (
        "code", "town", "name_zh", "name_en", "address_zh", "address_en", "telephone", "latitude", "longitude",
        "coordinate_source", "coordinate_accuracy_km", "state", "timetable",
    )  # fmt: skip
    inlines = (ClosedDaysInside,)

    def get_readonly_fields(self, request: HttpRequest, obj: Any = None) -> tuple[str, ...]:
        return ("code", "town", "state") if obj else ()

    def formfield_for_choice_field(self, db_field: Any, request: HttpRequest, **kwargs: Any) -> Any:
        if db_field.name == "state":
            kwargs["choices"] = [(state.value, state.label) for state in (Outlet.State.PLANNED, Outlet.State.OPEN)]
        return super().formfield_for_choice_field(db_field, request, **kwargs)

    def get_search_results(
        self, request: HttpRequest, queryset: QuerySet[Any], search_term: str
    ) -> tuple[QuerySet[Any], bool]:
        """Find outlets as customers do: by themselves, or by the region that they are in."""
        if not search_term:
            return queryset, False
        if search_term[:9].isdecimal():
            return queryset.filter(code__startswith=search_term), False
        hits = find_places(search_term[:60])
        found = Q(code__in=[hit.code for hit in hits if hit.level == PlaceKey.OUTLET_LEVEL])
        found |= Q(town__in=[hit.code for hit in hits if hit.level == Region.Level.TOWN])
        above = [hit for hit in hits if hit.level < Region.Level.TOWN]
        for hit in above[:20]:
            found |= Q(town__code__startswith=hit.code[: Region.PREFIX_DIGITS[Region.Level(hit.level)]])
        return queryset.filter(found), False

    def save_model(self, request: HttpRequest, obj: Any, form: Any, change: bool) -> None:
        save_outlet(obj, form.changed_data)

    @admin.action(description=_("Open, suspend or close"), permissions=["change"])
    def suspend_or_close(self, request: HttpRequest, queryset: QuerySet[Any]) -> HttpResponse | None:
        outlets = list(queryset.values_list("code", flat=True)[:2])
        if len(outlets) != 1:
            self.message_user(request, _("Please choose one outlet."), "error")
            return None
        return redirect(reverse("office:outlet_state", args=outlets))
