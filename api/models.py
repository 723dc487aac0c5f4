"""What the doors remember of their callers."""

from django.db import models
from django.db.models import Q


class CallCount(models.Model):
    """
    How often one caller called one door since its window began.

    `key` is a keyed hash of door and caller, so that the table tells nothing about people. The table is unlogged: after
    a crash it is empty, which only lets everybody begin anew, and counting costs no write to disk.
    """

    key = models.UUIDField(primary_key=True)
    calls = models.PositiveIntegerField()
    ends_at = models.DateTimeField()

    class Meta:
        constraints = [models.CheckConstraint(condition=Q(calls__gt=0), name="callcount_begins_with_one")]

    def __str__(self) -> str:
        return f"{self.calls} until {self.ends_at}"


class IdempotencyKey(models.Model):
    """
    What was answered to the request that `client` (the prefix of its credentials) sent under `key`.

    Kept for a day by `api.idempotency`, which alone writes it.
    """

    pk = models.CompositePrimaryKey("client", "key")
    client = models.CharField(max_length=40)
    key = models.CharField(max_length=255)
    fingerprint = models.BinaryField(max_length=32)
    status = models.PositiveSmallIntegerField()
    headers = models.JSONField()
    body = models.BinaryField()
    created_at = models.DateTimeField(db_index=True)

    class Meta:
        constraints = [
            models.CheckConstraint(condition=~Q(client="") & ~Q(key=""), name="idempotencykey_is_somebodys"),
            models.CheckConstraint(
                condition=Q(status__gte=200, status__lt=500), name="idempotencykey_holds_no_failure_of_ours"
            ),
        ]

    def __str__(self) -> str:
        return f"{self.client} {self.key}"
