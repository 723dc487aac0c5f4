"""What the doors remember of their callers."""

from django.db import models


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
        constraints = [models.CheckConstraint(condition=models.Q(calls__gt=0), name="callcount_begins_with_one")]

    def __str__(self) -> str:
        return f"{self.calls} until {self.ends_at}"
