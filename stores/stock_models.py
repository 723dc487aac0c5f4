"""What stands on the shelves of the outlets, and the ledger that explains it."""

from __future__ import annotations

from datetime import datetime
from functools import cached_property

from django.contrib.postgres.fields import ArrayField
from django.contrib.postgres.indexes import GistIndex
from django.core.validators import MinValueValidator
from django.db import models
from django.db.models import ExpressionWrapper, F, Func, OuterRef, Q, Subquery
from django.db.models.functions import Least
from django.db.models.lookups import GreaterThanOrEqual
from django.utils.translation import gettext_lazy as _

from catalog.models import Phone
from stores.geography import CubeField


class StockLevelQuerySet(models.QuerySet["StockLevel"]):
    def low(self) -> StockLevelQuerySet:
        """Keep the shelves that are at or below their reorder point, with `to_order`: how many bring them above it."""
        unpromised = F("on_hand") - F("reserved")
        low = self.filter(reorder_point__gt=0, reorder_point__gte=unpromised)
        return low.annotate(to_order=F("reorder_point") - unpromised + 1)

    def with_counted_at(self) -> StockLevelQuerySet:
        """Annotate each shelf with `counted_at`: when it was last counted, null if never."""
        place = Func(F("phones"), OuterRef("phone"), function="array_position", output_field=models.IntegerField())
        counts = LastCounts.objects.filter(outlet=OuterRef("outlet"))
        return self.annotate(counted_at=Subquery(counts.values(time=_Element("counted_at", place))))


class _Element(Func):
    """One time of an array of times, by its place."""

    template = "(%(expressions)s]"
    arg_joiner = ")["
    arity = 2
    output_field = models.DateTimeField()


class StockLevel(models.Model):
    """
    How many of one phone an outlet holds, and how many of those are promised.

    The head of its ledger: the database holds it to the newest StockMovement of its shelf, which says the same, when
    the statement that wrote it is done. Only `stores.ledger` writes it. Whether and where the outlet trades is copied
    here (a foreign key that cascades keeps the copy true), so that a reservation asks this row alone and one index
    finds the nearest stock.
    """

    pk = models.CompositePrimaryKey("outlet", "phone")
    outlet = models.ForeignKey("stores.Outlet", models.PROTECT, related_name="stock_levels", db_index=False)
    phone = models.ForeignKey(Phone, models.PROTECT, related_name="stock_levels", db_index=False)
    seq = models.BigIntegerField()
    on_hand = models.IntegerField()
    reserved = models.IntegerField()
    safety_stock = models.SmallIntegerField(default=0, validators=[MinValueValidator(0)])
    reorder_point = models.SmallIntegerField(
        default=0, help_text=_("0: the outlet does not keep this phone"), validators=[MinValueValidator(0)]
    )
    moved_at = models.DateTimeField(help_text=_("when the newest line of its ledger was written"))
    outlet_trades = models.BooleanField()
    county_code = models.CharField(max_length=6)
    position = CubeField()
    is_available = models.GeneratedField(
        expression=ExpressionWrapper(
            Q(outlet_trades=True, on_hand__gt=F("reserved") + F("safety_stock")), models.BooleanField()
        ),
        output_field=models.BooleanField(),
        db_persist=True,
    )

    objects = StockLevelQuerySet.as_manager()

    class Meta:
        indexes = [
            # Changes only when availability does, so most reservations leave every index alone.
            GistIndex("phone", "position", name="stocklevel_nearest", condition=Q(is_available=True)),
        ]
        constraints = [
            # Not reserved <= on_hand: a count of the shelf may find less than was promised, and the shelf is right.
            # One check of all, since PostgreSQL reads each anew for every statement.
            models.CheckConstraint(
                condition=GreaterThanOrEqual(
                    Least("on_hand", "reserved", "safety_stock", "reorder_point", output_field=models.IntegerField()), 0
                ),
                name="stocklevel_is_not_negative",
            ),
        ]

    def __str__(self) -> str:
        return f"{self.outlet_id} {self.phone_id}: {self.on_hand} - {self.reserved}"

    @property
    def available(self) -> int:
        """What the outlet can promise; the same rule as `stores.querysets.AVAILABLE`."""
        return max(self.on_hand - self.reserved - self.safety_stock, 0)

    @cached_property
    def counted_at(self) -> datetime | None:
        """When the shelf was last counted, None if never. One query, unless `with_counted_at` has asked before."""
        return StockLevel.objects.with_counted_at().get(pk=self.pk).__dict__["counted_at"]


class LastCounts(models.Model):
    """
    When the shelves of an outlet were last counted: `counted_at` has the time of each of `phones` (keys), in turn.

    Nearly all shelves of a count are found as they were; so that their stock levels can be left alone, the times of
    an outlet are one row. They only move on. Counts of one outlet wait for each other here: whoever counts locks this
    row before any stock level.
    """

    outlet = models.OneToOneField("stores.Outlet", models.PROTECT, primary_key=True, related_name="last_counts")
    phones = ArrayField(models.SmallIntegerField())
    counted_at = ArrayField(models.DateTimeField())

    def __str__(self) -> str:
        return f"{self.outlet_id}: {len(self.phones)} phones counted"


class StockMovement(models.Model):
    """
    One line of the ledger: what changed on a shelf, what stands there since, who did it and why. Never changed.

    Lines of one outlet and phone are numbered by `seq`; the database holds each to the one before and to the level that
    it moves, in the same statement.
    """

    class Kind(models.TextChoices):
        OPENING = "opening", _("opening stock")
        RECEIVED = "received", _("received")
        RESERVED = "reserved", _("reserved")
        RELEASED = "released", _("released")
        HANDED_OVER = "handed_over", _("handed over")
        WALK_IN_SALE = "walk_in_sale", _("sold at the counter")
        RETURNED = "returned", _("returned")
        DAMAGED = "damaged", _("damaged")
        ADJUSTED = "adjusted", _("adjusted")
        COUNTED = "counted", _("counted")
        TRANSFER_OUT = "transfer_out", _("sent to another outlet")
        TRANSFER_IN = "transfer_in", _("received from another outlet")

    pk = models.CompositePrimaryKey("outlet", "phone", "seq")
    # The chain leads back to a stock level, whose own keys hold outlet and phone: once is enough, and quicker.
    outlet = models.ForeignKey("stores.Outlet", models.PROTECT, related_name="+", db_index=False, db_constraint=False)
    phone = models.ForeignKey(Phone, models.PROTECT, related_name="+", db_index=False, db_constraint=False)
    seq = models.BigIntegerField()
    kind = models.CharField(max_length=12, choices=Kind)
    change_on_hand = models.IntegerField()
    change_reserved = models.IntegerField()
    on_hand = models.IntegerField()
    reserved = models.IntegerField()
    reference = models.CharField(max_length=60, blank=True)
    actor = models.CharField(max_length=60)
    reason = models.CharField(max_length=200, blank=True)
    # Once is once: an operation's lines are numbered from 1, so a key can serve one operation of an outlet only.
    # Null for counts in bulk: they are harmless to repeat, since times of count only move on.
    operation_key = models.CharField(max_length=60, null=True)  # noqa: DJ001 - no key is none, and in no index
    operation_line = models.SmallIntegerField(null=True)
    # What a count found on the shelf, and when; movements after that moment are in the change.
    counted = models.IntegerField(null=True)
    counted_at = models.DateTimeField(null=True)
    created_at = models.DateTimeField()

    class Meta:
        ordering = ["outlet", "phone", "seq"]
        constraints = [
            models.UniqueConstraint(
                fields=["outlet", "operation_key", "operation_line"],
                name="stockmovement_operation_once",
                condition=Q(operation_key__isnull=False),
            ),
            # PostgreSQL reads every check anew for every statement. What a line says is that of its level, which has
            # one; what ties it to the one before and to its level, which need a key, and a count to its time, is asked
            # by the doors and by a trigger once a statement (migrations 0032 and 0033). Kind and actor are domains
            # (0027).
        ]

    def __str__(self) -> str:
        return f"{self.outlet_id} {self.phone_id} #{self.seq} {self.kind}"


class RegionStock(models.Model):
    """What all open outlets of one region (null: of the country) have of one phone, added up."""

    region = models.ForeignKey("stores.Region", models.CASCADE, null=True, related_name="stock")
    phone = models.ForeignKey(Phone, models.CASCADE, related_name="+", db_index=False)
    outlets_with = models.PositiveIntegerField(help_text=_("outlets that can promise at least one"))
    on_hand = models.PositiveIntegerField()
    reserved = models.PositiveIntegerField()
    available = models.PositiveIntegerField()

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["region", "phone"], name="regionstock_once_a_phone", nulls_distinct=False),
        ]

    def __str__(self) -> str:
        return f"{self.region_id} {self.phone_id}: {self.available}"


class RegionStockChange(models.Model):
    """
    What a change of a shelf means for the totals of its county, until `stores.totals` folds it into RegionStock.

    Rows are only ever added and folded away, so no two callers wait for each other over a total.
    """

    county_code = models.CharField(max_length=6)
    # It is the phone of a stock level, whose own key holds it.
    phone = models.ForeignKey(Phone, models.CASCADE, related_name="+", db_index=False, db_constraint=False)
    outlets_with = models.IntegerField()
    on_hand = models.IntegerField()
    reserved = models.IntegerField()
    available = models.IntegerField()

    def __str__(self) -> str:
        return f"{self.county_code} {self.phone_id}: {self.available:+}"
