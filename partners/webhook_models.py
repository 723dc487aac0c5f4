"""Webhooks: where partners want to be told, and each thing that was or is to be told there."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from typing import NamedTuple

from django.contrib.postgres.fields import ArrayField
from django.db import models
from django.db.models import Q

CODE_LENGTH = 16
LONGEST_URL = 500
# The type of a delivery that only tries whether it arrives.
PING = "webhook.ping"


class Reach(NamedTuple):
    """How far the key reached that made a webhook: no farther does the webhook tell."""

    partner_id: int
    scopes: Sequence[str]
    outlets: Sequence[str]
    regions: Sequence[str]
    phones: Sequence[str]


class Webhook(models.Model):
    """
    An address of a partner that changes are delivered to.

    `types` and `outlets` are what was asked for, empty for all; the columns `reach_...` are what the key that made it
    was allowed. Secrets are derived from the salts with WEBHOOK_KEY; no table holds them. What comes after the place
    (`tick`, `event_id`) of the feed is not yet among the deliveries.
    """

    class State(models.TextChoices):
        ACTIVE = "active"
        DISABLED = "disabled"

    class Reason(models.TextChoices):
        """Why it was disabled."""

        ASKED = "asked"
        FAILING = "failing"
        GONE = "gone"
        EVENTS_FORGOTTEN = "events_forgotten"

    partner = models.ForeignKey("partners.Partner", models.PROTECT, related_name="webhooks")
    code = models.CharField(max_length=CODE_LENGTH, unique=True)
    url = models.CharField(max_length=LONGEST_URL)
    types = ArrayField(models.CharField(max_length=20), default=list)
    outlets = ArrayField(models.CharField(max_length=20), default=list)
    reach_scopes = ArrayField(models.CharField(max_length=20))
    reach_outlets = ArrayField(models.CharField(max_length=20), default=list)
    reach_regions = ArrayField(models.CharField(max_length=9), default=list)
    reach_phones = ArrayField(models.CharField(max_length=60), default=list)
    state = models.CharField(max_length=8, choices=State, default=State.ACTIVE)
    disabled_at = models.DateTimeField(null=True)
    disabled_because = models.CharField(max_length=20, blank=True)
    salt = models.CharField(max_length=32)
    old_salt = models.CharField(max_length=32, blank=True)
    old_secret_until = models.DateTimeField(null=True)
    tick = models.BigIntegerField()
    event_id = models.BigIntegerField()
    # A replay tells again what was told in the rounds before.
    round = models.PositiveIntegerField(default=0)
    # Attempts that failed one after the other, how long the last one took, and until when it is left alone.
    failures = models.PositiveIntegerField(default=0)
    last_ms = models.PositiveIntegerField(default=0)
    rest_until = models.DateTimeField(null=True)
    created_at = models.DateTimeField(auto_now_add=True)

    class Meta:
        ordering = ["code"]
        constraints = [
            models.CheckConstraint(condition=Q(url__regex=r"^https?://\S+$"), name="webhook_goes_somewhere"),
            models.CheckConstraint(
                condition=Q(state="active", disabled_at=None, disabled_because="")
                | Q(state="disabled", disabled_at__isnull=False) & ~Q(disabled_because=""),
                name="webhook_says_why_it_is_disabled",
            ),
            models.CheckConstraint(
                condition=Q(old_salt="", old_secret_until=None) | ~Q(old_salt="") & Q(old_secret_until__isnull=False),
                name="webhook_old_secret_has_an_end",
            ),
        ]

    def __str__(self) -> str:
        return f"{self.code} to {self.url}"

    @property
    def reach(self) -> Reach:
        return Reach(self.partner_id, self.reach_scopes, self.reach_outlets, self.reach_regions, self.reach_phones)


class Delivery(models.Model):
    """
    One event for one webhook, as it is sent; `body` stays the same however often it is tried.

    Of one outlet (0: of none) the next is only tried when the one before has arrived. A ping has the tick 0.
    """

    class State(models.TextChoices):
        WAITING = "waiting"
        DELIVERED = "delivered"
        FAILED = "failed"

    webhook = models.ForeignKey(Webhook, models.CASCADE, related_name="deliveries", db_index=False)
    round = models.PositiveIntegerField()
    tick = models.BigIntegerField()
    event_id = models.BigIntegerField()
    outlet_id = models.BigIntegerField()
    type = models.CharField(max_length=20)
    body = models.TextField()
    state = models.CharField(max_length=9, choices=State, default=State.WAITING)
    attempts = models.PositiveIntegerField(default=0)
    created_at = models.DateTimeField()
    next_attempt_at = models.DateTimeField()
    # Somebody is trying until then, unless they were killed.
    claimed_until = models.DateTimeField(null=True)
    first_attempt_at = models.DateTimeField(null=True)
    last_attempt_at = models.DateTimeField(null=True)
    delivered_at = models.DateTimeField(null=True)
    status = models.PositiveSmallIntegerField(null=True)
    error = models.CharField(max_length=60, blank=True)
    duration_ms = models.PositiveIntegerField(null=True)

    class Meta:
        ordering = ["id"]
        indexes = [
            models.Index(
                fields=["webhook", "outlet_id", "tick", "event_id"],
                name="delivery_waiting",
                condition=Q(state="waiting"),
            ),
            models.Index(fields=["webhook", "id"], name="delivery_of_webhook"),
            models.Index(fields=["created_at"], name="delivery_by_age"),
        ]
        constraints = [
            models.UniqueConstraint(fields=["webhook", "round", "tick", "event_id"], name="delivery_once_a_round"),
            models.CheckConstraint(
                condition=Q(state__in=["waiting", "failed"], delivered_at=None)
                | Q(state="delivered", delivered_at__isnull=False),
                name="delivery_has_its_moment",
            ),
        ]

    def __str__(self) -> str:
        return f"{self.webhook_id} {self.tick}-{self.event_id} {self.state}"

    @property
    def comes_again_at(self) -> datetime | None:
        """When it is tried next; None where it is not."""
        return self.next_attempt_at if self.state == self.State.WAITING else None

    @property
    def message_id(self) -> str:
        """The header `webhook-id`: the name of the event, the same at each attempt and replay."""
        return f"{self.tick}-{self.event_id}"
