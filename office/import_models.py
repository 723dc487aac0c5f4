"""Files of outlets that head office has sent, each kept as it came."""

from __future__ import annotations

from django.db import models
from django.db.models import Q
from django.utils.translation import gettext as _

from stores.models import Person


class OutletImport(models.Model):
    """One file: looked at as often as one likes, applied once. Its content is never changed."""

    person = models.ForeignKey(Person, models.PROTECT, related_name="+")
    file_name = models.CharField(max_length=120)
    content = models.BinaryField()
    uploaded_at = models.DateTimeField(auto_now_add=True)
    # Who wants it applied as it was shown under `fingerprint`, until that is done or refused; told in `language`.
    asked_at = models.DateTimeField(null=True)
    asked_by = models.ForeignKey(Person, models.PROTECT, null=True, related_name="+")
    fingerprint = models.CharField(max_length=64, blank=True)
    language = models.CharField(max_length=7, blank=True)
    attempts = models.PositiveSmallIntegerField(default=0)
    # The step of applying it that has begun, from 1; see `office.import_queue.STEPS`.
    step = models.PositiveSmallIntegerField(default=0)
    applied_at = models.DateTimeField(null=True)
    # What became of it, in words: once it was applied, and where nothing came of it the last time.
    outcome = models.CharField(max_length=200, blank=True)
    refusal = models.CharField(max_length=200, blank=True)

    class Meta:
        ordering = ["-id"]
        constraints = [
            models.CheckConstraint(
                condition=Q(applied_at=None, outcome="") | (Q(applied_at__isnull=False) & ~Q(outcome="")),
                name="outletimport_tells_what_became_of_it",
            ),
            models.CheckConstraint(
                condition=Q(asked_at=None, asked_by=None)
                | Q(asked_at__isnull=False, asked_by__isnull=False, fingerprint__regex="^[0-9a-f]{64}$"),
                name="outletimport_is_applied_for_somebody_as_it_was_shown",
            ),
            models.CheckConstraint(
                condition=Q(asked_at=None) | Q(applied_at=None), name="outletimport_is_applied_once"
            ),
        ]

    def __str__(self) -> str:
        return f"{self.pk} {self.file_name}"

    @property
    def what_became_of_it(self) -> str:
        return self.outcome or (_("is being applied") if self.asked_at else _("not applied"))
