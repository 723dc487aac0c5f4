"""Who calls the API: partners, and the keys that they hold; the models of what they send come from their own file."""

from __future__ import annotations

from datetime import datetime

from django.contrib.postgres.fields import ArrayField
from django.db import models
from django.db.models import Q

from api.credentials import SCOPES
from orders import numbers
from orders.record_models import order_key, outlet_key
from partners.count_models import CountRefusal, StockCount, StockCountPart
from partners.webhook_models import Delivery, Webhook

__all__ = [
    "ApiKey",
    "CountRefusal",
    "Delivery",
    "Partner",
    "PartnerOrder",
    "StockCount",
    "StockCountPart",
    "Webhook",
]

PREFIX_LENGTH = 12
# What a key may call a minute with each of its scopes, unless said otherwise.
USUAL_CALLS = 600

LONGEST_REFERENCE = 64


class Partner(models.Model):
    """An organisation whose systems call the API."""

    name = models.CharField(max_length=80, unique=True)
    created_at = models.DateTimeField(auto_now_add=True)

    class Meta:
        ordering = ["name"]
        constraints = [models.CheckConstraint(condition=~Q(name=""), name="partner_has_a_name")]

    def __str__(self) -> str:
        return self.name


def is_good(moment: datetime, expires_at: datetime | None, revoked_at: datetime | None) -> bool:
    """Whether a key opens anything at `moment`."""
    return revoked_at is None and (expires_at is None or moment < expires_at)


class ApiKey(models.Model):
    """
    One key of a partner. Only a hash of the secret is kept; `prefix` is the part that may be shown.

    A partner may hold several, so a new one can be in use before the old one ends. Empty lists restrict nothing.
    """

    partner = models.ForeignKey(Partner, models.PROTECT, related_name="keys")
    prefix = models.CharField(max_length=PREFIX_LENGTH, unique=True)
    secret_hash = models.CharField(max_length=64)
    scopes = ArrayField(models.CharField(max_length=20))
    outlets = ArrayField(models.CharField(max_length=20), default=list)
    regions = ArrayField(models.CharField(max_length=9), default=list)
    phones = ArrayField(models.CharField(max_length=60), default=list)
    calls_per_minute = models.PositiveIntegerField(default=USUAL_CALLS)
    created_at = models.DateTimeField(auto_now_add=True)
    expires_at = models.DateTimeField(null=True)
    revoked_at = models.DateTimeField(null=True)
    last_used_at = models.DateTimeField(null=True)

    class Meta:
        ordering = ["partner", "created_at"]
        constraints = [
            models.CheckConstraint(condition=Q(secret_hash__regex="^[0-9a-f]{64}$"), name="apikey_secret_is_hashed"),  # noqa: S106
            models.CheckConstraint(condition=Q(prefix__regex=rf"^[a-z0-9]{{{PREFIX_LENGTH}}}$"), name="apikey_prefix"),
            models.CheckConstraint(
                condition=Q(scopes__contained_by=list(SCOPES), scopes__len__gt=0), name="apikey_scopes_are_known"
            ),
            models.CheckConstraint(condition=Q(calls_per_minute__gt=0), name="apikey_may_call"),
        ]

    def __str__(self) -> str:
        return f"{self.partner_id} {self.prefix}"

    def is_good(self, moment: datetime) -> bool:
        return is_good(moment, self.expires_at, self.revoked_at)


class PartnerOrder(models.Model):
    """That an order was placed by a partner, and what the partner calls it. Never changed."""

    pk = models.CompositePrimaryKey("outlet", "number")
    outlet = outlet_key()
    number = models.CharField(max_length=numbers.DIGITS)
    partner = models.ForeignKey(Partner, models.PROTECT, related_name="+", db_index=False)
    reference = models.CharField(max_length=LONGEST_REFERENCE)
    placed_at = models.DateTimeField()
    order = order_key("partner_orders")

    class Meta:
        indexes = [models.Index("partner", "placed_at", "number", name="partnerorder_by_time")]
        constraints = [
            models.UniqueConstraint(fields=["partner", "reference"], name="partnerorder_reference_is_its_own"),
            models.CheckConstraint(condition=~Q(reference=""), name="partnerorder_has_a_reference"),
        ]

    def __str__(self) -> str:
        return f"{self.number} {self.reference}"
