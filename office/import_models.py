"""Files of outlets that head office has sent, each kept as it came."""

from __future__ import annotations

from django.db import models
from django.db.models import Q

from stores.models import Person


class OutletImport(models.Model):
    """One file: looked at as often as one likes, applied once. Its content is never changed."""

    person = models.ForeignKey(Person, models.PROTECT, related_name="+")
    file_name = models.CharField(max_length=120)
    content = models.BinaryField()
    uploaded_at = models.DateTimeField(auto_now_add=True)
    applied_at = models.DateTimeField(null=True)
    # What became of it, in words, once it was applied.
    outcome = models.CharField(max_length=200, blank=True)

    class Meta:
        ordering = ["-id"]
        constraints = [
            models.CheckConstraint(
                condition=Q(applied_at=None, outcome="") | (Q(applied_at__isnull=False) & ~Q(outcome="")),
                name="outletimport_tells_what_became_of_it",
            ),
        ]

    def __str__(self) -> str:
        return f"{self.pk} {self.file_name}"
