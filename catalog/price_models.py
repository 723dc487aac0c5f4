"""
What phones cost: ordinary prices with their history, and sale windows.

What was valid once is never rewritten: guards in migration 0005_price_rule refuse changes to the past.
"""

from __future__ import annotations

from django.core.exceptions import ValidationError
from django.core.validators import MinValueValidator
from django.db import models
from django.db.models import F, Q
from django.db.models.functions import Now
from django.utils import timezone
from django.utils.translation import gettext_lazy as _

from catalog.bilingual import local_text
from catalog.prices import offers_at
from catalog.provenance import Provenance


class Price(models.Model):
    """
    The ordinary price of a phone from a moment on, until the next one begins.

    `provenance` is the mark of a price that came with sample data; head office's own prices have none.
    """

    # More of them come together than there are phones.
    id = models.AutoField(primary_key=True)
    phone = models.ForeignKey("catalog.Phone", models.PROTECT, related_name="prices")
    price_fen = models.PositiveIntegerField(_("price in fen"), validators=[MinValueValidator(1)])
    valid_from = models.DateTimeField(_("valid from"), db_default=Now())
    provenance = models.CharField(max_length=12, choices=Provenance, blank=True)
    set_at = models.DateTimeField(db_default=Now(), editable=False)

    class Meta:
        ordering = ["phone", "-valid_from"]
        constraints = [
            models.CheckConstraint(condition=Q(price_fen__gt=0), name="price_is_positive"),
            models.CheckConstraint(
                condition=Q(provenance__in=["", *Provenance.values]), name="price_provenance_is_known"
            ),
            models.UniqueConstraint(
                fields=["phone", "valid_from"],
                name="price_has_its_own_moment",
                violation_error_message=_("This phone has a price from that moment already."),
            ),
        ]

    def __str__(self) -> str:
        return f"{self.phone} {self.price_fen // 100}"

    @property
    def has_begun(self) -> bool:
        return self.valid_from <= timezone.now()


class SaleWindowQuerySet(models.QuerySet["SaleWindow"]):
    def overlapping(self, window: SaleWindow) -> SaleWindowQuerySet:
        """Other windows that are open at some moment of `window`. Several may be: the lowest price wins."""
        others = self.exclude(pk=window.pk) if window.pk else self
        return others.filter(starts_at__lt=window.ends_at, ends_at__gt=window.starts_at)


class SaleWindow(models.Model):
    """
    A period with prices of its own (Singles' Day): from `starts_at` on, and no longer at `ends_at`.

    One mobile number may have `limit_per_customer` phones at the prices of the window, whatever the channel and shop.
    """

    name_zh = models.CharField(_("name in Chinese"), max_length=40)
    name_en = models.CharField(_("name in English"), max_length=60)
    starts_at = models.DateTimeField(_("begins"))
    ends_at = models.DateTimeField(_("ends"))
    limit_per_customer = models.PositiveSmallIntegerField(
        _("most phones per mobile number"), default=1, validators=[MinValueValidator(1)]
    )

    objects = SaleWindowQuerySet.as_manager()

    class Meta:
        ordering = ["-starts_at", "-pk"]
        constraints = [
            models.CheckConstraint(
                condition=Q(ends_at__gt=F("starts_at")),
                name="salewindow_ends_after_it_starts",
                violation_error_message=_("A sale window ends after it begins."),
            ),
            models.CheckConstraint(condition=Q(limit_per_customer__gte=1), name="salewindow_limit_is_positive"),
        ]

    def __str__(self) -> str:
        return local_text(self.name_zh, self.name_en)

    @property
    def has_begun(self) -> bool:
        return self.starts_at <= timezone.now()

    @property
    def has_ended(self) -> bool:
        return self.ends_at <= timezone.now()


class SaleWindowPrice(models.Model):
    """What a phone costs in a sale window, and how many of it one outlet may give at that price (empty: all it has)."""

    id = models.AutoField(primary_key=True)
    window = models.ForeignKey(SaleWindow, models.CASCADE, related_name="prices")
    phone = models.ForeignKey("catalog.Phone", models.PROTECT, related_name="window_prices")
    price_fen = models.PositiveIntegerField(_("price in fen"), validators=[MinValueValidator(1)])
    quota_per_outlet = models.PositiveIntegerField(
        _("most phones per shop"), null=True, blank=True, validators=[MinValueValidator(1)]
    )

    class Meta:
        ordering = ["window", "phone"]
        constraints = [
            models.UniqueConstraint(
                fields=["window", "phone"],
                name="salewindowprice_once_a_phone",
                violation_error_message=_("This phone has a price in this window already."),
            ),
            models.CheckConstraint(condition=Q(price_fen__gt=0), name="salewindowprice_is_positive"),
            models.CheckConstraint(
                condition=Q(quota_per_outlet=None) | Q(quota_per_outlet__gte=1),
                name="salewindowprice_quota_is_positive",
            ),
        ]

    def __str__(self) -> str:
        return str(self.phone)

    def clean(self) -> None:
        """Refuse a price that saves nobody anything when the window begins."""
        # The window may be new, too.
        window: SaleWindow | None = self._state.fields_cache.get("window") or (self.window_id and self.window) or None
        if not (window and window.starts_at and self.phone_id and self.price_fen):
            return
        ordinary = offers_at(window.starts_at).get(self.phone_id)
        if ordinary is None or self.price_fen >= ordinary.ordinary_fen:
            raise ValidationError({"price_fen": _("This is not below the ordinary price at the start of the window.")})


class PriceTold(models.Model):
    """What partners were told last of a phone's price; see `catalog.price_events`."""

    phone = models.OneToOneField("catalog.Phone", models.CASCADE, primary_key=True, related_name="+")
    price_fen = models.PositiveIntegerField()
    ordinary_fen = models.PositiveIntegerField()
    told_at = models.DateTimeField()

    def __str__(self) -> str:
        return f"{self.phone_id} {self.price_fen}"
