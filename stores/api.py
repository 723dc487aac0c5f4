"""Regions and outlets for programs, by the same questions as the pages."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import date
from functools import lru_cache
from typing import Any

import django_filters
from django import forms
from django.core.validators import EMPTY_VALUES, ProhibitNullCharactersValidator
from django.utils import timezone
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy
from drf_spectacular.utils import extend_schema, extend_schema_field
from rest_framework import serializers

from api.examples import shown_as
from api.pagination import Key
from api.parameters import MOMENT_SCHEMA, Filters, MomentFilter, PointField
from api.rendering import ready
from api.resources import Reference, Resource, Text
from api.views import DetailDoor, ListDoor
from catalog.catalogue import current_catalogue
from catalog.models import Phone
from stores.api_examples import OUTLET, REGION, REGION_IN_TREE
from stores.geography import distance_km
from stores.hours import NO_WEEK, SHANGHAI, Closure, Week, weeks_of
from stores.models import Outlet, Region
from stores.outlet_questions import OutletQuestion
from stores.pages import find_outlet, find_region
from stores.place_words import COUNTY_OFFSET, as_far_as_known
from stores.search import LONGEST_QUESTION

BY_CODE = (Key("code", str),)
BY_DISTANCE = (Key("chord", float), *BY_CODE)
BY_RANK = (Key("rank", int), *BY_CODE)
WEEKDAYS = ("monday", "tuesday", "wednesday", "thursday", "friday", "saturday", "sunday")
LEVELS = {level.name.lower(): level.value for level in Region.Level}

LOCATION_SCHEMA: dict[str, Any] = {
    "type": ["object", "null"],
    "properties": {"latitude": {"type": "number"}, "longitude": {"type": "number"}},
    "required": ["latitude", "longitude"],
    "description": "Degrees, WGS 84.",
}
HOURS_SCHEMA: dict[str, Any] = {
    "type": "object",
    "description": "From when to when on each weekday, in Asia/Shanghai.",
    "additionalProperties": {
        "type": "array",
        "items": {
            "type": "object",
            "properties": {"opens": {"type": "string"}, "closes": {"type": "string"}},
            "required": ["opens", "closes"],
        },
    },
    "example": {"monday": [{"opens": "08:30", "closes": "18:00"}], "sunday": []},
}
DISTANCE_SCHEMA: dict[str, Any] = {
    "type": ["object", "null"],
    "description": "As the crow flies from `near`, and no closer than the place of the outlet is known.",
    "properties": {"km": {"type": "integer"}, "precision": {"type": "string", "enum": ["about", "within"]}},
    "required": ["km", "precision"],
}


@shown_as(REGION)
class RegionResource(Resource):
    code = serializers.CharField(help_text="GB/T 2260 down to the county, nine digits (NBS) for a town")
    level = serializers.SerializerMethodField()
    name = Text()
    location = serializers.SerializerMethodField()
    outlet_count = serializers.IntegerField(help_text="outlets that customers can see")

    @extend_schema_field({"type": "string", "enum": list(LEVELS)})
    def get_level(self, region: Region) -> str:
        return Region.Level(region.level).name.lower()

    @extend_schema_field(LOCATION_SCHEMA)
    def get_location(self, region: Region) -> dict[str, float] | None:
        if region.latitude is None or region.longitude is None:
            return None
        return {"latitude": region.latitude, "longitude": region.longitude}


@shown_as(REGION_IN_TREE)
class RegionInTree(RegionResource):
    """A region that also says what it lies in."""

    parent = Reference(RegionResource, code="parent_id")  # type: ignore[assignment]


class ClosureResource(Resource):
    first_day = serializers.DateField()
    last_day = serializers.DateField(help_text="closed on this day, too")
    reason = Text()


@shown_as(OUTLET)
class OutletResource(Resource):
    code = serializers.CharField()
    name = Text()
    address = Text()
    town = Reference(RegionResource, code="town_id")
    state = serializers.ChoiceField(Outlet.State.choices)
    telephone = serializers.CharField(help_text="empty where there is none")
    location = serializers.SerializerMethodField()
    coordinate_source = serializers.ChoiceField(Outlet.CoordinateSource.choices, help_text="how the point is known")
    coordinate_accuracy_km = serializers.IntegerField(help_text="how far off the point may be")
    hours = serializers.SerializerMethodField()
    closures = ClosureResource(many=True, help_text="coming days, first and last included, on which it does not open")
    updated_at = serializers.DateTimeField(help_text="when this changed last, hours and closures included")
    distance = serializers.SerializerMethodField()

    @extend_schema_field(LOCATION_SCHEMA)
    def get_location(self, outlet: Outlet) -> dict[str, float]:
        return {"latitude": outlet.latitude, "longitude": outlet.longitude}

    @extend_schema_field(HOURS_SCHEMA)
    def get_hours(self, outlet: Any) -> Any:
        return _hours(outlet.week)

    @extend_schema_field(DISTANCE_SCHEMA)
    def get_distance(self, outlet: Any) -> dict[str, Any] | None:
        # Only rows of a list with `near` have one.
        chord = getattr(outlet, "chord", None)
        return None if chord is None else told_distance(distance_km(chord), outlet)


def told_distance(km: float, outlet: Outlet) -> dict[str, Any]:
    """Return a distance as DISTANCE_SCHEMA has it."""
    is_vague = outlet.coordinate_source == COUNTY_OFFSET
    is_within, told = as_far_as_known(km, outlet.coordinate_accuracy_km, is_vague)
    return {"km": told, "precision": "within" if is_within else "about"}


@lru_cache(maxsize=1000)
def _hours(week: Week) -> Any:
    """Return a week as HOURS_SCHEMA has it, written already: most outlets of a list keep the same."""
    return ready(
        {
            day: [{"opens": f"{opens:%H:%M}", "closes": f"{closes:%H:%M}"} for opens, closes in spans]
            for day, spans in zip(WEEKDAYS, week, strict=True)
        }
    )


def outlets_to_tell(ids: Iterable[int]) -> dict[int, Any]:
    """Return outlets by their ids, with all that the resource tells. Two queries."""
    return {outlet.pk: outlet for outlet in _with_hours(Outlet.objects.filter(pk__in=ids).with_closures(_today()))}


def _today() -> date:
    return timezone.now().astimezone(SHANGHAI).date()


def _with_hours(outlets: Any) -> Any:
    """Give outlets from `with_closures` their weeks and closures as the resource reads them."""
    weeks = weeks_of(outlet.timetable_id for outlet in outlets)
    for outlet in outlets:
        outlet.week = weeks.get(outlet.timetable_id, NO_WEEK)
        outlet.closures = [Closure.from_json(period) for period in outlet.closures]
    return outlets


class RegionFilters(Filters):
    parent = django_filters.CharFilter(validators=[ProhibitNullCharactersValidator()])
    level = django_filters.ChoiceFilter(choices=[(level, level) for level in LEVELS], method="of_level")

    described = {
        "parent": {
            "description": "The code of the region that they lie right in.",
            "schema": {"type": "string", "minLength": 1},
        },
        "level": {"description": "Only regions of this level.", "schema": {"type": "string", "enum": list(LEVELS)}},
    }

    def of_level(self, regions: Any, name: str, level: str) -> Any:
        return regions.filter(level=LEVELS[level])


class PhoneField(forms.CharField):
    """The slug of a phone of the catalogue; cleaned to the phone, None where empty."""

    def clean(self, value: Any) -> Phone | None:
        slug = super().clean(value)
        if slug and slug not in current_catalogue().by_slug:
            raise forms.ValidationError(_("We have no phone of this name."))
        return current_catalogue().by_slug.get(slug)


class RegionField(forms.RegexField):
    """The code of a region; cleaned to the region, None where empty. One query."""

    def __init__(self, **options: Any) -> None:
        super().__init__(
            r"^[0-9]{6}([0-9]{3})?$",
            error_messages={"invalid": gettext_lazy("The code of a region has six or nine digits.")},
            **options,
        )

    def clean(self, value: Any) -> Region | None:
        code = super().clean(value)
        region = Region.objects.filter(pk=code).first() if code else None
        if code and region is None:
            raise forms.ValidationError(_("We know no place with this code."))
        return region


class TextFilter(django_filters.Filter):
    field_class = forms.CharField


class PointFilter(django_filters.Filter):
    field_class = PointField


class PhoneFilter(django_filters.Filter):
    field_class = PhoneField


class RegionFilter(django_filters.Filter):
    field_class = RegionField


class OutletFilters(Filters):
    """What the finder of the pages is asked, in any combination."""

    q = TextFilter(max_length=LONGEST_QUESTION)
    near = PointFilter()
    has = PhoneFilter()
    region = RegionFilter()
    updated_since = MomentFilter()

    described = {
        "q": {
            "description": "A part of the name of outlet, town or county: Chinese, pinyin, initials; or a code.",
            "schema": {"type": "string", "minLength": 1, "maxLength": LONGEST_QUESTION},
        },
        "near": {
            "description": "Latitude and longitude. Only outlets that are open for business, the nearest first.",
            "schema": {"type": "string", "example": "38.03,114.14"},
        },
        "has": {
            "description": "The slug of a phone: only outlets that can promise one now.",
            "schema": {"type": "string", "minLength": 1},
        },
        "region": {
            "description": "The code of a province, city, county or town: only outlets in it.",
            "schema": {"type": "string", "pattern": "^[0-9]{6}([0-9]{3})?$"},
        },
        "updated_since": {
            "description": "Only outlets of which something changed then or later; also those that have closed for "
            "good. Ask from some minutes before you asked last: a change is told when it is committed.",
            "schema": MOMENT_SCHEMA,
        },
    }

    def filter_queryset(self, question: Any) -> Any:
        for name, asked in self.cleaned.items():
            if asked not in EMPTY_VALUES:
                question.narrow(name, asked)
        return question


@extend_schema(tags=["places"], summary="Regions", description="Provinces, cities, counties and towns, by their codes.")
class RegionList(ListDoor):
    scope = "stores:read"
    open_to_all = True
    serializer_class = RegionInTree
    filterset_class = RegionFilters
    order = BY_CODE

    def get_queryset(self) -> Any:
        regions = Region.objects.all()
        return regions.select_related("parent") if "expand" in self.request.query_params else regions


@extend_schema(tags=["places"], summary="A region")
class RegionDetail(DetailDoor):
    scope = "stores:read"
    open_to_all = True
    serializer_class = RegionInTree

    def find(self, code: str) -> Region:
        return find_region(code)


@extend_schema(
    tags=["places"],
    summary="Outlets",
    description="All but those that have closed for good. Ordered by code; with `near` by distance, with `q` alone by "
    "how well they answer. `distance` is null without `near`.",
)
class OutletList(ListDoor):
    scope = "stores:read"
    open_to_all = True
    serializer_class = OutletResource
    filterset_class = OutletFilters

    def get_order(self) -> tuple[Key, ...]:
        asked = self.request.query_params
        if "near" in asked:
            return BY_DISTANCE
        return BY_RANK if "q" in asked else BY_CODE

    def get_queryset(self) -> Any:
        return OutletQuestion(_today(), with_town="expand" in self.request.query_params)


@extend_schema(tags=["places"], summary="An outlet")
class OutletDetail(DetailDoor):
    scope = "stores:read"
    open_to_all = True
    serializer_class = OutletResource

    def find(self, code: str) -> Any:
        question = OutletQuestion(_today(), with_town="expand" in self.request.query_params)
        question.narrow("code", code)
        while (outlet := question.one()) is None:
            # Raises what says why it is in no list, unless it came just now.
            find_outlet(code, timezone.now())
        return outlet
