"""Single phones with their numbers, goods on the way between outlets, and promises that a shelf cannot keep."""

from __future__ import annotations

from django.db import models
from django.db.models import F, Q
from django.utils.translation import gettext_lazy as _

from stores.actors import PATTERN as ACTOR


class Handset(models.Model):
    """
    One physical phone, from its receipt on. The head of its own chain of events, as StockLevel is of the ledger.

    `outlet` is where it stands or, once it has left, the outlet that it left. Only `stores.handsets` writes it.
    """

    class State(models.TextChoices):
        ON_SHELF = "on_shelf", _("on the shelf")
        SOLD = "sold", _("sold")
        IN_TRANSIT = "in_transit", _("on its way to another outlet")
        WRITTEN_OFF = "written_off", _("written off")

    # Its newest event, and so a line of the ledger, holds phone and outlet.
    phone = models.ForeignKey(
        "catalog.Phone", models.PROTECT, related_name="handsets", db_index=False, db_constraint=False
    )
    outlet = models.ForeignKey(
        "stores.Outlet", models.PROTECT, related_name="handsets", db_index=False, db_constraint=False
    )
    state = models.CharField(max_length=11, choices=State)
    seq = models.IntegerField()

    class Meta:
        indexes = [models.Index(fields=["outlet", "phone"], name="handset_on_shelf", condition=Q(state="on_shelf"))]

    def __str__(self) -> str:
        return f"{self.pk} {self.state}"


class HandsetNumber(models.Model):
    """
    An IMEI (15 digits) or MEID (14 hexadecimal digits) of a handset; a phone for two SIM cards has two.

    A table of its own, because a number is unique across the country, whichever outlet the phone is at.
    """

    number = models.CharField(max_length=15, primary_key=True)
    handset = models.ForeignKey(Handset, models.PROTECT, related_name="numbers", db_index=False)
    slot = models.PositiveSmallIntegerField()

    class Meta:
        ordering = ["handset", "slot"]
        constraints = [
            models.UniqueConstraint(fields=["handset", "slot"], name="handsetnumber_once_a_slot"),
            models.CheckConstraint(condition=Q(slot__in=[1, 2]), name="handsetnumber_is_one_of_two"),
        ]

    def __str__(self) -> str:
        return self.number


class HandsetEvent(models.Model):
    """One thing that happened to a handset, and the line of the ledger that it was part of. Never changed."""

    pk = models.CompositePrimaryKey("handset", "seq")
    handset = models.ForeignKey(Handset, models.PROTECT, related_name="events", db_index=False, db_constraint=False)
    seq = models.IntegerField()
    kind = models.CharField(max_length=12)
    state = models.CharField(max_length=11, choices=Handset.State)
    outlet = models.ForeignKey("stores.Outlet", models.PROTECT, related_name="+", db_index=False, db_constraint=False)
    phone = models.ForeignKey("catalog.Phone", models.PROTECT, related_name="+", db_index=False, db_constraint=False)
    line_seq = models.BigIntegerField()
    prev_seq = models.IntegerField(null=True)
    prev_state = models.CharField(max_length=11, null=True)  # noqa: DJ001  (null with the rest of the link)
    prev_outlet_id = models.BigIntegerField(null=True)
    created_at = models.DateTimeField()

    class Meta:
        ordering = ["handset", "seq"]
        constraints = [
            models.UniqueConstraint(fields=["handset", "seq", "state", "outlet", "phone"], name="handsetevent_link"),
            # Finds the units of a line, too.
            models.UniqueConstraint(fields=["outlet", "phone", "line_seq", "handset"], name="handsetevent_once_a_line"),
        ]

    def __str__(self) -> str:
        return f"{self.handset_id} #{self.seq} {self.kind}"


class Shortfall(models.Model):
    """
    More of a phone is promised at an outlet than stands on its shelf: `missing` so many.

    Open while `closed_at` is null; closed by whatever brings shelf and promises together again.
    """

    # A key to the stock level holds both. One to the outlet would be asked for while the shelf is locked, and whoever
    # opens or closes an outlet locks in the other order.
    outlet = models.ForeignKey(
        "stores.Outlet", models.PROTECT, related_name="shortfalls", db_index=False, db_constraint=False
    )
    phone = models.ForeignKey(
        "catalog.Phone", models.PROTECT, related_name="shortfalls", db_index=False, db_constraint=False
    )
    missing = models.PositiveIntegerField()
    opened_at = models.DateTimeField()
    closed_at = models.DateTimeField(null=True)

    class Meta:
        ordering = ["opened_at"]
        constraints = [
            models.UniqueConstraint(
                fields=["outlet", "phone"], condition=Q(closed_at__isnull=True), name="shortfall_open_once"
            ),
            models.CheckConstraint(
                condition=Q(closed_at__isnull=True, missing__gt=0) | Q(closed_at__gte=F("opened_at"), missing=0),
                name="shortfall_is_open_while_something_is_missing",
            ),
        ]

    def __str__(self) -> str:
        return f"{self.outlet_id} {self.phone_id}: {self.missing}"


class Transfer(models.Model):
    """Goods on their way between two outlets. What was sent and not yet received stands on neither shelf."""

    class State(models.TextChoices):
        REQUESTED = "requested", _("requested")
        APPROVED = "approved", _("agreed to")
        SENT = "sent", _("on its way")
        RECEIVED = "received", _("received")
        CANCELLED = "cancelled", _("cancelled")

    sender = models.ForeignKey("stores.Outlet", models.PROTECT, related_name="transfers_out")
    receiver = models.ForeignKey("stores.Outlet", models.PROTECT, related_name="transfers_in")
    state = models.CharField(max_length=9, choices=State, default=State.REQUESTED)
    requested_by = models.CharField(max_length=60)
    requested_at = models.DateTimeField()
    request_key = models.CharField(max_length=60)
    approved_by = models.CharField(max_length=60, blank=True)
    approved_at = models.DateTimeField(null=True)
    sent_by = models.CharField(max_length=60, blank=True)
    sent_at = models.DateTimeField(null=True)
    send_key = models.CharField(max_length=60, blank=True)
    ended_at = models.DateTimeField(null=True)
    ended_by = models.CharField(max_length=60, blank=True)
    end_key = models.CharField(max_length=60, blank=True)
    end_reason = models.CharField(max_length=200, blank=True)

    class Meta:
        ordering = ["requested_at"]
        constraints = [
            models.UniqueConstraint(fields=["receiver", "request_key"], name="transfer_requested_once"),
            models.CheckConstraint(condition=~Q(sender=F("receiver")), name="transfer_is_between_two_outlets"),
            models.CheckConstraint(
                condition=Q(state="requested", approved_at__isnull=True, sent_at__isnull=True, ended_at__isnull=True)
                | Q(state="approved", approved_at__isnull=False, sent_at__isnull=True, ended_at__isnull=True)
                | Q(state="sent", sent_at__isnull=False, ended_at__isnull=True)
                | Q(state="received", sent_at__isnull=False, ended_at__isnull=False)
                | Q(state="cancelled", ended_at__isnull=False),
                name="transfer_times_suit_its_state",
            ),
            models.CheckConstraint(condition=Q(requested_by__regex=ACTOR), name="transfer_was_asked_for_by_somebody"),
            models.CheckConstraint(
                condition=Q(approved_at__isnull=True, approved_by="")
                | Q(approved_at__isnull=False, approved_by__regex=ACTOR),
                name="transfer_was_agreed_to_by_somebody",
            ),
        ]

    def __str__(self) -> str:
        return f"{self.pk}: {self.sender_id} to {self.receiver_id}, {self.state}"

    @property
    def reference(self) -> str:
        """How the ledger names this transfer."""
        return f"transfer:{self.pk}"


class TransferLine(models.Model):
    """How many of one phone were asked for, sent, and arrived whole or damaged; the rest was lost."""

    pk = models.CompositePrimaryKey("transfer", "phone")
    transfer = models.ForeignKey(Transfer, models.PROTECT, related_name="lines", db_index=False)
    phone = models.ForeignKey("catalog.Phone", models.PROTECT, related_name="+", db_index=False)
    requested = models.PositiveIntegerField()
    sent = models.PositiveIntegerField(null=True)
    received = models.PositiveIntegerField(null=True)
    damaged = models.PositiveIntegerField(null=True)

    class Meta:
        ordering = ["transfer", "phone"]
        constraints = [
            models.CheckConstraint(
                condition=Q(received__isnull=True, damaged__isnull=True) | Q(sent__gte=F("received") + F("damaged")),
                name="transferline_receives_no_more_than_was_sent",
            ),
        ]

    def __str__(self) -> str:
        return f"{self.transfer_id}: {self.phone_id}"

    @property
    def lost(self) -> int:
        """How many were sent and did not arrive at all; 0 while they are on their way."""
        if self.received is None or self.damaged is None:
            return 0
        return (self.sent or 0) - self.received - self.damaged
