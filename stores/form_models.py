"""Forms of the desk that were carried out."""

from __future__ import annotations

from django.db import models
from django.db.models import Q

from stores.actors import PATTERN as ACTOR


class DoneForm(models.Model):
    """
    A form that was sent and carried out at an outlet: `said` is what its sender was told, `address` where it led.

    The row is written in the transaction of the deed, so both are there or neither is. It is kept as long as anybody
    could still send the form again.
    """

    pk = models.CompositePrimaryKey("outlet", "form_key")
    outlet = models.ForeignKey("stores.Outlet", models.CASCADE, related_name="+", db_index=False)
    form_key = models.CharField(max_length=32)
    actor = models.CharField(max_length=60)
    said = models.CharField(max_length=300, blank=True)
    address = models.CharField(max_length=200, blank=True)
    done_at = models.DateTimeField(db_index=True)

    class Meta:
        constraints = [
            models.CheckConstraint(condition=Q(form_key__regex="^[0-9a-f]{32}$"), name="doneform_key_is_well_formed"),
            models.CheckConstraint(condition=Q(actor__regex=ACTOR), name="doneform_says_who"),
        ]

    def __str__(self) -> str:
        return f"{self.outlet_id}: {self.form_key}"
