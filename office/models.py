"""Head office: who belongs to it as what; audit trail, imports and reports come along from their own files."""

from __future__ import annotations

from django.db import models
from django.db.models import Q
from django.utils.translation import gettext_lazy as _

from office.import_models import OutletImport
from office.report_models import OutletDay, RegionDay, RollupDay
from office.run_out_models import Forecast, Proposal
from office.trail_models import TrailEntry
from stores.models import Person

__all__ = [
    "Forecast",
    "Membership",
    "OfficeRole",
    "OutletDay",
    "OutletImport",
    "Proposal",
    "RegionDay",
    "RollupDay",
    "TrailEntry",
]


class OfficeRole(models.TextChoices):
    """What somebody in head office looks after."""

    CATALOGUE = "catalogue", _("catalogue")
    NETWORK = "network", _("network of outlets")
    SUPPORT = "support", _("support")
    AUDITOR = "auditor", _("auditor")


class Membership(models.Model):
    """Somebody belongs to head office in one role; who has several roles may do what any of them may."""

    person = models.ForeignKey(Person, models.PROTECT, related_name="office_memberships")
    role = models.CharField(max_length=9, choices=OfficeRole)
    since = models.DateTimeField(auto_now_add=True)

    class Meta:
        ordering = ["person", "role"]
        constraints = [
            models.UniqueConstraint(fields=["person", "role"], name="membership_once_in_a_role"),
            models.CheckConstraint(
                condition=Q(role__in=["catalogue", "network", "support", "auditor"]), name="membership_role_is_known"
            ),
        ]

    def __str__(self) -> str:
        return f"{self.person_id} {self.role}"
