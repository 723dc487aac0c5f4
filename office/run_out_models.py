"""What will run out: what each shelf is expected to need, and what is proposed to be done about it."""

from __future__ import annotations

from django.db import models
from django.db.models import F, Q
from django.utils.translation import gettext_lazy as _

from catalog.models import Phone
from stores.actors import PATTERN as ACTOR


class Forecast(models.Model):
    """
    What one phone of one outlet is expected to need, as of one moment. Derived data, made anew every night.

    `rate` is how many are wanted a day, `expected` how many in the days to come, `enough` how many suffice nine times
    in ten. Shelves that had none of the phone for weeks have no row.
    """

    pk = models.CompositePrimaryKey("outlet", "phone")
    outlet = models.ForeignKey("stores.Outlet", models.CASCADE, related_name="+", db_index=False, db_constraint=False)
    phone = models.ForeignKey(Phone, models.CASCADE, related_name="+", db_index=False, db_constraint=False)
    county_code = models.CharField(max_length=6)
    on_hand = models.IntegerField()
    promised = models.IntegerField()
    coming = models.IntegerField(help_text=_("on its way here, or agreed to be"))
    sold = models.IntegerField(help_text=_("in the days that were looked at"))
    days_in_stock = models.IntegerField()
    rate = models.FloatField()
    expected = models.FloatField()
    enough = models.IntegerField()
    as_of = models.DateTimeField()

    def __str__(self) -> str:
        return f"{self.outlet_id} {self.phone_id}: {self.rate:.2f} a day"


class Proposal(models.Model):
    """
    Something that would keep a shelf from running out: phones from another outlet of the county, or from the supplier.

    Those that nobody accepted are made anew every night; those that somebody did stay, with the transfer they became.
    """

    class Kind(models.TextChoices):
        TRANSFER = "transfer", _("transfer")
        SUPPLY = "supply", _("order to the supplier")

    kind = models.CharField(max_length=8, choices=Kind)
    receiver = models.ForeignKey("stores.Outlet", models.CASCADE, related_name="+")
    sender = models.ForeignKey("stores.Outlet", models.CASCADE, null=True, related_name="+", db_index=False)
    phone = models.ForeignKey(Phone, models.CASCADE, related_name="+", db_index=False)
    county_code = models.CharField(max_length=6)
    quantity = models.PositiveIntegerField()
    # For how many days the receiver's stock lasts; what runs out first is proposed first.
    cover_days = models.FloatField()
    distance_km = models.FloatField(null=True)
    made_at = models.DateTimeField()
    accepted_at = models.DateTimeField(null=True)
    accepted_by = models.CharField(max_length=60, blank=True)
    transfer = models.OneToOneField("stores.Transfer", models.PROTECT, null=True, related_name="+")

    class Meta:
        ordering = ["cover_days", "pk"]
        indexes = [
            models.Index("county_code", "cover_days", name="proposal_open", condition=Q(accepted_at=None)),
            models.Index(
                "county_code", "accepted_at", name="proposal_accepted", condition=Q(accepted_at__isnull=False)
            ),
        ]
        constraints = [
            models.UniqueConstraint(
                fields=["receiver", "phone", "sender"], condition=Q(accepted_at=None), nulls_distinct=False,
                name="proposal_open_once",
            ),
            models.CheckConstraint(condition=Q(quantity__gte=1), name="proposal_is_about_something"),
            models.CheckConstraint(
                condition=Q(kind="transfer", sender__isnull=False, distance_km__isnull=False)
                | Q(kind="supply", sender=None, distance_km=None, transfer=None),
                name="proposal_of_a_transfer_has_a_sender",
            ),
            models.CheckConstraint(condition=~Q(sender=F("receiver")), name="proposal_is_between_two_outlets"),
            models.CheckConstraint(
                condition=Q(accepted_at=None, accepted_by="", transfer=None)
                | Q(accepted_at__isnull=False, accepted_by__regex=ACTOR)
                & (Q(kind="supply") | Q(transfer__isnull=False)),
                name="proposal_accepted_by_somebody_is_carried_out",
            ),
        ]  # fmt: skip

    def __str__(self) -> str:
        return f"{self.kind} of {self.quantity} to {self.receiver_id}"
