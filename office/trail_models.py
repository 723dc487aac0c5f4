"""The audit trail of head office."""

from __future__ import annotations

from django.db import models
from django.db.models import Q
from django.db.models.functions import Now
from django.utils.translation import gettext_lazy as _

from stores.actors import PATTERN as ACTOR


class TrailEntry(models.Model):
    """
    One administrative change of one row, or something else that head office answers for. Never changed.

    Triggers on the tables that head office keeps write it (migration 0002), so that bulk changes, imports, commands and
    plain SQL leave their entries, too. `thing` is the table and `key` its row's; `name` is what the row is known by (a
    code, a slug, a username), for rows that belong to another one the key of that. `changes` maps a column to what it
    was and what it is; what is secret is "***" in both.
    """

    class Deed(models.TextChoices):
        INSERT = "insert", _("added")
        UPDATE = "update", _("changed")
        DELETE = "delete", _("removed")
        SHOWN = "shown", _("had personal data shown")
        EXPORTED = "exported", _("exported a list")
        IMPORTED = "imported", _("imported a file")
        RETRIED = "retried", _("had a failed job tried again")

    happened_at = models.DateTimeField(db_default=Now())
    actor = models.CharField(max_length=60)
    deed = models.CharField(max_length=8, choices=Deed)
    thing = models.CharField(max_length=63)
    key = models.CharField(max_length=40)
    name = models.CharField(max_length=160, blank=True)
    changes = models.JSONField()

    class Meta:
        ordering = ["-id"]
        indexes = [
            models.Index(fields=["thing", "key", "-id"], name="trail_of_a_row"),
            models.Index(fields=["name", "-id"], name="trail_of_a_name"),
            models.Index(fields=["actor", "-id"], name="trail_of_an_actor"),
        ]
        constraints = [models.CheckConstraint(condition=Q(actor__regex=ACTOR), name="trail_says_who")]

    def __str__(self) -> str:
        return f"{self.happened_at:%Y-%m-%d %H:%M} {self.actor} {self.deed} {self.thing} {self.name or self.key}"
