"""When the clerks of an outlet were last at the desk."""

from django.db import models


class DeskSeen(models.Model):
    """A table of its own: it is written every minute or so, and what customers ask of the outlet is not."""

    outlet = models.OneToOneField("stores.Outlet", models.CASCADE, primary_key=True, related_name="desk_seen")
    seen_at = models.DateTimeField(db_index=True)

    def __str__(self) -> str:
        return f"{self.outlet_id}: {self.seen_at}"
