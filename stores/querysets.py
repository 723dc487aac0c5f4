"""What is asked about outlets, in the words of the trade."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from django.contrib.postgres.expressions import ArraySubquery
from django.db import models
from django.db.models import ExpressionWrapper, F, OuterRef, Q, Subquery, Value
from django.db.models.functions import Cast, Coalesce, Greatest, JSONObject

from api.prepared import IsAnyOf
from stores.geography import Chord, Point, SpherePoint

if TYPE_CHECKING:
    from api.credentials import Credentials
    from stores.models import Region

# The one expression for what an outlet can promise of a phone. (SQL has its twin in `stores.ledger`.)
AVAILABLE = Greatest(F("on_hand") - F("reserved") - F("safety_stock"), 0)
# A town's code has so many digits.
TOWN_DIGITS = 9


def digits_of(region: str) -> str:
    """Return the digits of a region's code that the codes of all towns inside it begin with."""
    # Zeros at the end of a code above the town name nothing.
    return region if len(region) == 9 else region[:2] + region[2:].removesuffix("00").removesuffix("00")


class OutletQuerySet(models.QuerySet[Any]):
    """Outlets. Indexes serve `nearest` after `open()` or `having()`, and `in_region`."""

    def open(self) -> OutletQuerySet:
        """Keep the outlets that do business; what time it is does not matter here."""
        return self.filter(state="open")

    def visible(self) -> OutletQuerySet:
        """Leave out outlets that are closed for good; they keep their page but are in no list."""
        return self.filter(state__in=["planned", "open", "suspended"])

    def in_region(self, region: Region) -> OutletQuerySet:
        """Keep the outlets inside `region`, whatever its level: those in towns whose code begins with its digits."""
        return self.with_prefix(region.prefix)

    def with_prefix(self, digits: str) -> OutletQuerySet:
        """Keep the outlets in towns whose code begins with `digits`."""
        return self.between(*towns_of(digits))

    def between(self, first: Any, last: Any) -> OutletQuerySet:
        """
        Keep the outlets in towns whose code is `first` or `last` or between them.

        Unlike for a pattern, PostgreSQL finds these by index before it knows the codes, see `api.prepared`.
        """
        return self.filter(town__gte=first, town__lte=last)

    def reached_by(self, credentials: Credentials | None) -> OutletQuerySet:
        """Keep the outlets that a partner's credentials reach; none of them without credentials."""
        if credentials is None:
            return self.none()
        if not credentials.outlets and not credentials.regions:
            return self
        reached = Q(code__in=credentials.outlets)
        for region in credentials.regions:
            reached |= Q(town__code__startswith=digits_of(region))
        return self.filter(reached)

    def named(self, text: str) -> OutletQuerySet:
        """Keep the outlets whose code begins with `text`, or whose name has it. For few outlets: no index serves it."""
        return self.filter(Q(code__startswith=text) | Q(name_zh__icontains=text) | Q(name_en__icontains=text))

    def nearest(self, point: Point | tuple[Any, Any]) -> OutletQuerySet:
        """
        Order by great-circle distance from `point`, nearest first, exactly, also across the poles and the date line.

        Each outlet has `chord`, the straight line to `point` in earth radii (see `geography.distance_km`).
        """
        latitude, longitude = (_expression(angle, models.FloatField()) for angle in point)
        return self._measured_from(SpherePoint(latitude, longitude))

    def having(self, *phones: Any) -> OutletQuerySet:
        """
        Keep the outlets that can promise at least one of each of `phones` (Phone objects or their keys).

        The stock of the first phone knows where it is, and one index holds it by phone and place: the nearest are
        found without passing those that have none. So name the rarest first. The other phones are asked of each
        outlet in turn by primary key, not joined, so that the search ends at the twentieth that has them all.
        """
        first, *others = phones
        having = self.filter(stock_levels__phone=_as_in_index(first), stock_levels__is_available=True)
        having = having.alias(stocked_at=F("stock_levels__position"))
        for phone in others:
            held = self._stock().filter(phone=_key(phone)).values("is_available")
            having = having.filter(Subquery(held, output_field=models.BooleanField()))
        chord = self.query.annotations.get("chord")
        return having._measured_from(chord.get_source_expressions()[1]) if chord else having

    def able_to_hand_over(self, wanted: Mapping[Any, Any]) -> OutletQuerySet:
        """Keep the outlets that can promise all of `wanted` (a phone's key: how many). Name the rarest phone first."""
        able = self.having(*wanted)
        for phone, quantity in wanted.items():
            if quantity != 1:
                enough = Q(on_hand__gte=F("reserved") + F("safety_stock") + quantity)
                held = self._stock().filter(phone=phone).values(enough=ExpressionWrapper(enough, models.BooleanField()))
                able = able.filter(Subquery(held, output_field=models.BooleanField()))
        return able

    def _measured_from(self, here: Any) -> OutletQuerySet:
        # The copy of the position that the index in use is made of.
        place = "stocked_at" if "stocked_at" in self.query.annotations else "position"
        return self.annotate(chord=Chord(F(place), here)).order_by("chord")

    def with_stock_of(self, phone: Any) -> OutletQuerySet:
        """Annotate each outlet with `available`: how many of `phone` it can promise."""
        stock = self._stock().filter(phone=_key(phone)).values(promised=AVAILABLE)
        return self.annotate(available=Coalesce(Subquery(stock), 0))

    def with_shelf(self, phones: Any) -> OutletQuerySet:
        """Annotate each outlet with `shelf`: what it can promise of each of `phones` (an array of keys), as objects."""
        levels = self._stock().filter(IsAnyOf("phone", phones)).order_by("phone")
        return self.annotate(shelf=ArraySubquery(levels.values(level=JSONObject(phone="phone", available=AVAILABLE))))

    def with_phones(self) -> OutletQuerySet:
        """Annotate each outlet with `phones`: the keys of those of which it can promise at least one."""
        return self.annotate(phones=ArraySubquery(self._stock().filter(is_available=True).values("phone")))

    def with_closures(self, today: Any) -> OutletQuerySet:
        """
        Annotate each outlet with `closures`: its closed periods as plain objects.

        Those that are over by `today` (a date) are left out.
        """
        periods = self.model._meta.get_field("closed_periods").related_model.objects
        return self.annotate(closures=coming_closures(periods, "pk", today))

    def _stock(self) -> models.QuerySet[Any]:
        # By way of the relation, because the models import this file.
        levels = self.model._meta.get_field("stock_levels").related_model
        return levels.objects.filter(outlet=OuterRef("pk"))


def towns_of(digits: str) -> tuple[str, str]:
    """Return the first and the last code that a town can have whose code begins with `digits`."""
    return digits.ljust(TOWN_DIGITS, "0"), digits.ljust(TOWN_DIGITS, "9")


def coming_closures(periods: Any, outlet: str, today: Any) -> ArraySubquery:
    """Return those of `periods` that are of the row's `outlet` (a column) and not over by `today`, as plain objects."""
    coming = periods.filter(outlet=OuterRef(outlet), last_day__gte=today).order_by("first_day")
    fields = ("first_day", "last_day", "reason_zh", "reason_en")
    return ArraySubquery(coming.values(period=JSONObject(**{name: name for name in fields})))


def _expression(value: Any, field: models.Field) -> Any:
    return value if hasattr(value, "resolve_expression") else Value(value, field)


def _as_in_index(phone: Any) -> Cast:
    # GiST compares with values of its own type alone; any other integer would be a filter behind the index.
    return Cast(_key(phone), models.SmallIntegerField())


def _key(phone: Any) -> Any:
    return getattr(phone, "pk", phone)
