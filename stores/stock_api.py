"""Stock for programs: of one outlet, or of many outlets times many phones in one call."""

from __future__ import annotations

from typing import Any

import django_filters
from django import forms
from django.utils import timezone
from django.utils.translation import gettext as _
from drf_spectacular.utils import extend_schema, extend_schema_field
from rest_framework import serializers

from api.credentials import Credentials, credentials_of
from api.examples import shown_as
from api.pagination import Key
from api.parameters import Filters
from api.resources import Resource
from api.views import DetailDoor, ListDoor
from catalog.catalogue import current_catalogue
from catalog.errors import NotHere
from catalog.models import Phone
from stores.api import OutletFilters, RegionFilter
from stores.api_examples import SHELVES
from stores.levels import Level, Shelves, levels_of, shelves_at
from stores.models import Outlet
from stores.outlet_questions import Brief, EveryOutlet
from stores.pages import find_outlet

MOST_OUTLETS = 1000


class LevelResource(Resource):
    """What an outlet has of one phone."""

    phone = serializers.CharField()
    available = serializers.IntegerField(
        help_text="what it can promise: on_hand - reserved - safety_stock, never below 0"
    )
    on_hand = serializers.IntegerField()
    reserved = serializers.IntegerField()
    safety_stock = serializers.IntegerField()
    counted_at = serializers.DateTimeField(help_text="when the shelf was last counted, UTC", allow_null=True)


@shown_as(SHELVES)
class ShelvesResource(Resource):
    """What an outlet has of each phone that it has ever had."""

    outlet = serializers.CharField(source="code")
    state = serializers.ChoiceField(Outlet.State.choices)
    levels = serializers.SerializerMethodField()

    @extend_schema_field(LevelResource(many=True))
    def get_levels(self, shelves: Shelves) -> list[Level]:
        return shelves.levels


class CodesField(forms.CharField):
    """Codes of outlets, separated by commas; cleaned to a list, None where empty."""

    def clean(self, value: Any) -> list[str] | None:
        text = super().clean(value)
        if not text:
            return None
        codes = [code.strip() for code in text.split(",")]
        if len(codes) > MOST_OUTLETS:
            raise forms.ValidationError(_("Name at most %(most)d outlets.") % {"most": MOST_OUTLETS})
        return codes


class SlugsField(forms.CharField):
    """Slugs of phones, separated by commas; cleaned to the phones, None where empty."""

    def clean(self, value: Any) -> list[Phone] | None:
        text = super().clean(value)
        if not text:
            return None
        known = current_catalogue().by_slug
        slugs = [slug.strip() for slug in text.split(",")]
        if not set(slugs) <= set(known):
            raise forms.ValidationError(_("We have no phone of this name."))
        return [known[slug] for slug in dict.fromkeys(slugs)]


class CodesFilter(django_filters.Filter):
    field_class = CodesField


class SlugsFilter(django_filters.Filter):
    field_class = SlugsField


class StockFilters(Filters):
    outlets = CodesFilter(method="named")
    region = RegionFilter(method="inside")
    phones = SlugsFilter(method="of_phones")

    described = {
        "outlets": {
            "description": f"Codes of outlets, at most {MOST_OUTLETS}, separated by commas. Unknown ones are left out.",
            "schema": {"type": "string", "minLength": 1},
        },
        "region": OutletFilters.described["region"],
        "phones": {
            "description": "Slugs of phones, separated by commas; all on sale without it.",
            "schema": {"type": "string", "minLength": 1},
        },
    }

    def named(self, outlets: Any, name: str, codes: list[str]) -> Any:
        return outlets.filter(code__in=codes)

    def inside(self, outlets: Any, name: str, region: Any) -> Any:
        return outlets.in_region(region)

    def of_phones(self, outlets: Any, name: str, phones: list[Phone]) -> Any:
        # Which outlets are told of stays the same.
        self.request.phones = phones
        return outlets


def phones_for(credentials: Credentials | None, phones: list[Phone] | None = None) -> list[Phone]:
    """Return those of `phones` (without them: of all on sale) that the credentials reach; none without credentials."""
    if credentials is None:
        return []
    wanted = current_catalogue().listed if phones is None else phones
    return [phone for phone in wanted if not credentials.phones or phone.slug in credentials.phones]


@extend_schema(
    tags=["stock"],
    summary="Stock of many outlets",
    description="Outlets by their codes, with what each has of every phone asked for: up to 1,000 outlets a call. "
    "Outlets that the key does not reach are left out.",
)
class StockList(ListDoor):
    scope = "stock:read"
    serializer_class = ShelvesResource
    filterset_class = StockFilters
    order = (Key("code", str),)

    def get_queryset(self) -> Any:
        credentials = credentials_of(self.request)
        if _reaches_all(credentials) and {"outlets", "region"}.isdisjoint(self.request.query_params):
            return EveryOutlet()
        return Outlet.objects.visible().reached_by(credentials).values_list(*Brief._fields, named=True)

    def prepare(self, page: Any) -> Any:
        phones = phones_for(credentials_of(self.request), getattr(self.request, "phones", None))
        levels = levels_of({outlet.pk: outlet.state == Outlet.State.OPEN for outlet in page}, phones)
        return [Shelves(outlet.pk, outlet.code, outlet.state, levels[outlet.pk]) for outlet in page]


def _reaches_all(credentials: Credentials | None) -> bool:
    return credentials is not None and not credentials.outlets and not credentials.regions


def reaches(credentials: Credentials | None, outlet: int) -> bool:
    """Whether credentials reach an outlet. One query where they are restricted."""
    return _reaches_all(credentials) or Outlet.objects.filter(pk=outlet).reached_by(credentials).exists()


@extend_schema(tags=["stock"], summary="Stock of an outlet")
class OutletStock(DetailDoor):
    scope = "stock:read"
    serializer_class = ShelvesResource

    def find(self, code: str) -> Shelves:
        credentials = credentials_of(self.request)
        shelves = shelves_at(code, phones_for(credentials))
        if shelves is None or shelves.state == Outlet.State.CLOSED:
            outlet = find_outlet(code, timezone.now())[0]
            shelves = Shelves(outlet.pk, outlet.code, outlet.state, [])
        if not reaches(credentials, shelves.key):
            raise NotHere(_("We have no shop with this code."))
        return shelves
