"""Brands, tiers and phones. All of it is small reference data, read far more often than written."""

from __future__ import annotations

from decimal import Decimal
from functools import cached_property

from django.contrib.postgres.fields import ArrayField
from django.db import models
from django.db.models import F, Q
from django.urls import reverse
from django.utils.translation import gettext_lazy as _

from catalog.bilingual import is_english, local_text, speaks_english
from catalog.price_models import Price, PriceTold, SaleWindow, SaleWindowPrice
from catalog.prices import Offer, offers_at
from catalog.provenance import Provenance

__all__ = [
    "Brand",
    "CatalogueVersion",
    "Colour",
    "Generation",
    "Phone",
    "PreinstalledApp",
    "Price",
    "PriceTold",
    "Provenance",
    "SaleWindow",
    "SaleWindowPrice",
    "Tier",
    "is_english",
    "local_text",
    "speaks_english",
]


class Brand(models.Model):
    """Who makes a phone."""

    slug = models.SlugField(max_length=40, unique=True)
    name_zh = models.CharField(max_length=40)
    name_en = models.CharField(max_length=40)

    class Meta:
        ordering = ["slug"]

    def __str__(self) -> str:
        return self.name

    @property
    def name(self) -> str:
        return local_text(self.name_zh, self.name_en)


class Tier(models.Model):
    """A family of phones and, in plain words, what it gives a first-time buyer."""

    slug = models.SlugField(max_length=40, unique=True)
    position = models.PositiveSmallIntegerField(unique=True)
    name_zh = models.CharField(max_length=40)
    name_en = models.CharField(max_length=60)
    summary_zh = models.CharField(max_length=200)
    summary_en = models.CharField(max_length=300)
    explanation_zh = models.TextField()
    explanation_en = models.TextField()

    class Meta:
        ordering = ["position"]

    def __str__(self) -> str:
        return self.name

    @property
    def name(self) -> str:
        return local_text(self.name_zh, self.name_en)

    @property
    def summary(self) -> str:
        return local_text(self.summary_zh, self.summary_en)

    @property
    def explanation(self) -> str:
        return local_text(self.explanation_zh, self.explanation_en)


class Generation(models.TextChoices):
    """The fastest mobile network that a phone can use."""

    G3 = "3G", "3G"
    G4 = "4G", "4G"


class PhoneQuerySet(models.QuerySet["Phone"]):
    def listed(self) -> PhoneQuerySet:
        """Leave out discontinued phones, which keep their page but are in no list."""
        return self.filter(is_discontinued=False)


class Phone(models.Model):
    """
    One catalogue model (SKU).

    `provenance` maps the name of a field to `reported` or `illustrative`; every specification has its mark. What it
    costs is told by `offer`: in the catalogue in memory of the moment that the catalogue is of, elsewhere of now, by
    one query.
    """

    slug = models.SlugField(max_length=60, unique=True)
    position = models.PositiveSmallIntegerField(unique=True)
    brand = models.ForeignKey(Brand, models.PROTECT, related_name="phones")
    tier = models.ForeignKey(Tier, models.PROTECT, related_name="phones")
    model = models.CharField(max_length=40)
    name_zh = models.CharField(max_length=80)
    name_en = models.CharField(max_length=80)
    description_zh = models.TextField()
    description_en = models.TextField()
    is_discontinued = models.BooleanField(default=False)

    os_name = models.CharField(max_length=40)
    os_version = models.CharField(max_length=20)
    screen_inches = models.DecimalField(max_digits=3, decimal_places=1)
    screen_width_px = models.PositiveSmallIntegerField()
    screen_height_px = models.PositiveSmallIntegerField()
    body_width_mm = models.DecimalField(max_digits=4, decimal_places=1)
    body_height_mm = models.DecimalField(max_digits=4, decimal_places=1)
    body_depth_mm = models.DecimalField(max_digits=3, decimal_places=1)
    weight_g = models.PositiveSmallIntegerField()
    cpu_cores = models.PositiveSmallIntegerField()
    cpu_ghz = models.DecimalField(max_digits=3, decimal_places=2)
    ram_mb = models.PositiveIntegerField()
    storage_gb = models.PositiveSmallIntegerField()
    memory_card_max_gb = models.PositiveSmallIntegerField(help_text=_("0: no slot for a memory card"))
    camera_back_mp = models.DecimalField(max_digits=4, decimal_places=1)
    camera_front_mp = models.DecimalField(max_digits=4, decimal_places=1)
    battery_mah = models.PositiveIntegerField()
    dual_sim = models.BooleanField()
    generation = models.CharField(max_length=2, choices=Generation)
    network_modes = ArrayField(models.CharField(max_length=40))
    network_bands = ArrayField(models.CharField(max_length=60))
    box_zh = ArrayField(models.CharField(max_length=40))
    box_en = ArrayField(models.CharField(max_length=60))

    provenance = models.JSONField()

    objects = PhoneQuerySet.as_manager()

    class Meta:
        ordering = ["position"]
        constraints = [
            models.CheckConstraint(
                condition=Q(screen_inches__range=(Decimal("1.5"), Decimal("9"))),
                name="phone_screen_is_sensible",
            ),
            models.CheckConstraint(
                condition=Q(screen_width_px__range=(120, 4000), screen_height_px__range=(120, 6000)),
                name="phone_pixels_are_sensible",
            ),
            models.CheckConstraint(
                condition=Q(
                    body_width_mm__range=(30, 120),
                    body_height_mm__range=(60, 220),
                    body_depth_mm__range=(4, 30),
                ),
                name="phone_body_is_sensible",
            ),
            models.CheckConstraint(condition=Q(body_height_mm__gt=F("body_width_mm")), name="phone_stands_upright"),
            models.CheckConstraint(condition=Q(weight_g__range=(40, 600)), name="phone_weight_is_sensible"),
            models.CheckConstraint(
                condition=Q(cpu_cores__range=(1, 16), cpu_ghz__range=(Decimal("0.1"), Decimal("5"))),
                name="phone_processor_is_sensible",
            ),
            models.CheckConstraint(
                condition=Q(ram_mb__range=(64, 65536), storage_gb__range=(1, 4096), memory_card_max_gb__lte=4096),
                name="phone_memory_is_sensible",
            ),
            models.CheckConstraint(
                condition=Q(camera_back_mp__range=(0, 200), camera_front_mp__range=(0, 200)),
                name="phone_cameras_are_sensible",
            ),
            models.CheckConstraint(condition=Q(battery_mah__range=(300, 20000)), name="phone_battery_is_sensible"),
            models.CheckConstraint(condition=Q(generation__in=Generation.values), name="phone_generation_is_known"),
        ]

    def __str__(self) -> str:
        return self.name

    def get_absolute_url(self) -> str:
        return reverse("catalog:phone", args=[self.slug])

    @property
    def name(self) -> str:
        return local_text(self.name_zh, self.name_en)

    @property
    def description(self) -> str:
        return local_text(self.description_zh, self.description_en)

    @property
    def box(self) -> list[str]:
        return self.box_en if speaks_english() else self.box_zh

    @cached_property
    def offer(self) -> Offer:
        return offers_at()[self.pk]

    @property
    def marks(self) -> dict[str, str]:
        """`provenance` and the mark of the ordinary price, if it has one."""
        mark = self.offer.provenance
        return self.provenance | {"price_fen": mark} if mark else self.provenance

    @property
    def price_fen(self) -> int:
        return self.offer.price_fen

    @property
    def price_yuan(self) -> Decimal:
        return Decimal(self.price_fen) / 100


class Colour(models.Model):
    """A colour that a phone is sold in; the first one is the one that its drawing shows."""

    phone = models.ForeignKey(Phone, models.CASCADE, related_name="colours")
    position = models.PositiveSmallIntegerField()
    name_zh = models.CharField(max_length=20)
    name_en = models.CharField(max_length=30)
    rgb = models.CharField(max_length=7, help_text=_("as #RRGGBB"))

    class Meta:
        ordering = ["phone", "position"]
        constraints = [
            models.UniqueConstraint(fields=["phone", "position"], name="colour_has_its_own_position"),
            models.CheckConstraint(condition=Q(rgb__regex=r"^#[0-9A-F]{6}$"), name="colour_is_rgb"),
        ]

    def __str__(self) -> str:
        return self.name

    @property
    def name(self) -> str:
        return local_text(self.name_zh, self.name_en)


class PreinstalledApp(models.Model):
    """An application that is on the phone when it is bought."""

    phone = models.ForeignKey(Phone, models.CASCADE, related_name="preinstalled_apps")
    position = models.PositiveSmallIntegerField()
    name_zh = models.CharField(max_length=40)
    name_en = models.CharField(max_length=60)
    provenance = models.CharField(max_length=12, choices=Provenance)

    class Meta:
        ordering = ["phone", "position"]
        constraints = [
            models.UniqueConstraint(fields=["phone", "position"], name="app_has_its_own_position"),
            models.CheckConstraint(condition=Q(provenance__in=Provenance.values), name="app_provenance_is_known"),
        ]

    def __str__(self) -> str:
        return self.name

    @property
    def name(self) -> str:
        return local_text(self.name_zh, self.name_en)


class CatalogueVersion(models.Model):
    """
    One row: a number that rises whenever something in the catalogue changes.

    Triggers on the tables above raise it in the transaction of the change, so whoever keeps ready pages or a copy of
    the catalogue in memory compares one number to know whether they are still true.
    """

    number = models.BigIntegerField()

    class Meta:
        constraints = [models.CheckConstraint(condition=Q(pk=1), name="catalogueversion_is_one_row")]

    def __str__(self) -> str:
        return str(self.number)
