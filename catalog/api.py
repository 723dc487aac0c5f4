"""The catalogue for programs: phones, brands, tiers; from the same copy in memory as the pages."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import django_filters
from django import forms
from django.http import Http404
from drf_spectacular.utils import extend_schema, extend_schema_field
from rest_framework import serializers

from api.examples import shown_as
from api.pagination import Key
from api.parameters import Filters
from api.rendering import ready
from api.resources import Money, Reference, Resource, Text, Texts
from api.views import DetailDoor, ListDoor, Told
from catalog.api_examples import BRAND, PHONE, TIER
from catalog.catalogue import Catalogue, current_catalogue
from catalog.filters import Selection, filters, found
from catalog.fragments import kept_with_catalogue
from catalog.models import Generation, Phone, Provenance

BY_SLUG = (Key("slug", str),)
BY_POSITION = (Key("position", int),)


@shown_as(BRAND)
class BrandResource(Resource):
    slug = serializers.CharField()
    name = Text()


@shown_as(TIER)
class TierResource(Resource):
    slug = serializers.CharField()
    name = Text()
    summary = Text()
    explanation = Text()


class ColourResource(Resource):
    name = Text()
    rgb = serializers.CharField(help_text="as #RRGGBB")


class AppResource(Resource):
    name = Text()
    provenance = serializers.ChoiceField(Provenance.choices)


@shown_as(PHONE)
class PhoneResource(Resource):
    slug = serializers.CharField()
    name = Text()
    description = Text()
    model = serializers.CharField()
    brand = Reference(BrandResource, code="brand.slug")
    tier = Reference(TierResource, code="tier.slug")
    price = Money(source="offer.price_fen")
    ordinary_price = Money(source="offer.ordinary_fen")
    price_valid_until = serializers.DateTimeField(
        source="offer.valid_until",
        allow_null=True,
        help_text="when it will cost something else; null while nothing else is planned",
    )
    is_discontinued = serializers.BooleanField()
    os_name = serializers.CharField()
    os_version = serializers.CharField()
    screen_inches = serializers.FloatField()
    screen_width_px = serializers.IntegerField()
    screen_height_px = serializers.IntegerField()
    body_width_mm = serializers.FloatField()
    body_height_mm = serializers.FloatField()
    body_depth_mm = serializers.FloatField()
    weight_g = serializers.IntegerField()
    cpu_cores = serializers.IntegerField()
    cpu_ghz = serializers.FloatField()
    ram_mb = serializers.IntegerField()
    storage_gb = serializers.IntegerField()
    memory_card_max_gb = serializers.IntegerField(help_text="0: no slot for a memory card")
    camera_back_mp = serializers.FloatField()
    camera_front_mp = serializers.FloatField()
    battery_mah = serializers.IntegerField()
    dual_sim = serializers.BooleanField()
    generation = serializers.ChoiceField(Generation.choices)
    network_modes = serializers.ListField(child=serializers.CharField())
    network_bands = serializers.ListField(child=serializers.CharField())
    box = Texts()
    colours = serializers.SerializerMethodField()
    preinstalled_apps = serializers.SerializerMethodField()
    provenance = serializers.DictField(
        source="marks",
        child=serializers.ChoiceField(Provenance.choices),
        help_text="for each value whether the press reported it or it is illustrative",
    )

    @extend_schema_field(ColourResource(many=True))
    def get_colours(self, phone: Phone) -> Any:
        return [ColourResource.tell(colour) for colour in phone.colours.all()]

    @extend_schema_field(AppResource(many=True))
    def get_preinstalled_apps(self, phone: Phone) -> Any:
        return [AppResource.tell(app) for app in phone.preinstalled_apps.all()]


def _choice(description: str, values: list[str] | None = None) -> dict[str, Any]:
    return {
        "description": description,
        "schema": {"type": "string", **({"enum": values} if values else {"minLength": 1})},
    }


class PhoneFilters(Filters):
    """The questions of the page with all phones, by the same rules."""

    tier = django_filters.CharFilter()
    brand = django_filters.CharFilter()
    price = django_filters.CharFilter()
    screen = django_filters.CharFilter()
    battery = django_filters.CharFilter()
    internet = django_filters.CharFilter()
    sim = django_filters.CharFilter()

    described = {
        "tier": _choice("The slug of a tier."),
        "brand": _choice("The slug of a brand."),
        "price": _choice("From how many to how many yuan.", ["0-399", "400-599", "600-899", "from-900"]),
        "screen": _choice("How large the screen is.", ["small", "medium", "large", "extra-large"]),
        "battery": _choice("How long a charge lasts.", ["day", "two-days"]),
        "internet": _choice("The fastest mobile network.", ["4g", "3g"]),
        "sim": _choice("How many SIM cards fit.", ["two", "one"]),
    }

    def field_of(self, name: str) -> forms.Field:
        """Return a field that knows the values that the page's filter of this name knows."""
        for question in filters(current_catalogue()):
            if question.name == name:
                return forms.ChoiceField(choices=[(value, value) for value in question.by_value], required=False)
        return super().field_of(name)

    def filter_queryset(self, queryset: Any) -> Any:
        catalogue = current_catalogue()
        names = [question.name for question in filters(catalogue) if self.cleaned.get(question.name)]
        passed = found(catalogue, Selection(tuple((name, self.cleaned[name]) for name in names)))
        return sorted(passed, key=lambda phone: phone.position)


class _InMemory:
    """The phones that are in memory already, as filters ask for them."""

    model = Phone

    def __init__(self, entries: Any) -> None:
        self.entries = entries

    def __iter__(self) -> Iterator[Any]:
        return iter(self.entries)

    def all(self) -> Any:
        return self.entries


@kept_with_catalogue
def _written(catalogue: Catalogue, expand: frozenset[str]) -> dict[str, Any]:
    """The whole of each phone as it is told, by its slug."""
    tell = PhoneResource.teller(expand=expand)
    return {slug: ready(tell(phone)) for slug, phone in catalogue.by_slug.items()}


class PhoneDoor(Told):
    """A door that tells of phones: the whole of one is written once for each catalogue."""

    def teller(self) -> Any:
        fields, expand = self.asked_for()
        if fields is not None:
            return super().teller()
        written = _written(current_catalogue(), expand)
        return lambda phone: written[phone.slug]


@extend_schema(tags=["catalogue"], summary="Phones on sale", description="In the order of the shelf.")
class PhoneList(PhoneDoor, ListDoor):
    scope = "catalog:read"
    open_to_all = True
    serializer_class = PhoneResource
    filterset_class = PhoneFilters
    order = BY_POSITION

    def get_queryset(self) -> Any:
        return _InMemory(current_catalogue().listed)


@extend_schema(tags=["catalogue"], summary="A phone", description="Discontinued phones keep their address.")
class PhoneDetail(PhoneDoor, DetailDoor):
    scope = "catalog:read"
    open_to_all = True
    serializer_class = PhoneResource

    def find(self, code: str) -> Phone:
        phone = current_catalogue().by_slug.get(code)
        if phone is None:
            raise Http404
        return phone


@extend_schema(tags=["catalogue"], summary="Brands")
class BrandList(ListDoor):
    scope = "catalog:read"
    open_to_all = True
    serializer_class = BrandResource
    order = BY_SLUG

    def get_queryset(self) -> Any:
        return current_catalogue().brands


@extend_schema(tags=["catalogue"], summary="Tiers", description="Families of phones, the less expensive one first.")
class TierList(ListDoor):
    scope = "catalog:read"
    open_to_all = True
    serializer_class = TierResource
    order = BY_POSITION

    def get_queryset(self) -> Any:
        return current_catalogue().tiers
