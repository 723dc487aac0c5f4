"""Counts that partners have sent: what came, how far it is, and which lines were refused and why."""

from __future__ import annotations

from uuid import uuid4

from django.db import models
from django.db.models import Q


class StockCount(models.Model):
    """One upload of counts. Only `partners.counts` changes it."""

    class State(models.TextChoices):
        WAITING = "waiting"
        RUNNING = "running"
        DONE = "done"
        FAILED = "failed"

    class Mode(models.TextChoices):
        PARTIAL = "partial"
        ALL_OR_NOTHING = "all-or-nothing"

    id = models.UUIDField(primary_key=True, default=uuid4)
    partner = models.ForeignKey("partners.Partner", models.PROTECT, related_name="+")
    # Where it came by: what the key reaches is asked when the lines are read.
    api_key = models.ForeignKey("partners.ApiKey", models.PROTECT, related_name="+", db_index=False)
    state = models.CharField(max_length=7, choices=State)
    mode = models.CharField(max_length=14, choices=Mode)
    media_type = models.CharField(max_length=30)
    language = models.CharField(max_length=7)
    received_at = models.DateTimeField()
    ended_at = models.DateTimeField(null=True)
    # How often it was begun, since a worker may be killed.
    attempts = models.PositiveSmallIntegerField(default=0)
    is_applied = models.BooleanField(default=False)
    # Lines that were read, and of those how many were dealt with so far, and how.
    lines = models.PositiveIntegerField(default=0)
    written = models.PositiveIntegerField(default=0)
    opened = models.PositiveIntegerField(default=0)
    changed = models.PositiveIntegerField(default=0)
    unchanged = models.PositiveIntegerField(default=0)
    outdated = models.PositiveIntegerField(default=0)
    refused = models.PositiveIntegerField(default=0)

    class Meta:
        ordering = ["received_at"]
        indexes = [
            models.Index("received_at", name="stockcount_to_do", condition=Q(state__in=["waiting", "running"])),
            models.Index("ended_at", name="stockcount_to_forget", condition=Q(ended_at__isnull=False)),
        ]
        constraints = [
            models.CheckConstraint(
                condition=Q(state__in=["waiting", "running"], ended_at=None)
                | Q(state__in=["done", "failed"], ended_at__isnull=False),
                name="stockcount_end_has_its_moment",
            ),
            models.CheckConstraint(
                condition=Q(mode__in=["partial", "all-or-nothing"]), name="stockcount_mode_is_known"
            ),
        ]

    def __str__(self) -> str:
        return str(self.id)


class StockCountPart(models.Model):
    """A piece of an upload as it came, kept until the upload is dealt with."""

    pk = models.CompositePrimaryKey("count", "seq")
    count = models.ForeignKey(StockCount, models.CASCADE, related_name="parts", db_index=False)
    seq = models.PositiveIntegerField()
    data = models.BinaryField()

    class Meta:
        ordering = ["seq"]

    def __str__(self) -> str:
        return f"{self.count_id} {self.seq}"


class CountRefusal(models.Model):
    """Why a line of an upload was left out. A line may have several reasons."""

    pk = models.CompositePrimaryKey("count", "seq")
    count = models.ForeignKey(StockCount, models.CASCADE, related_name="refusals", db_index=False)
    seq = models.PositiveIntegerField()
    line = models.PositiveIntegerField()
    field = models.CharField(max_length=60)
    reason = models.TextField()

    class Meta:
        ordering = ["seq"]

    def __str__(self) -> str:
        return f"{self.count_id} {self.line} {self.field}"
