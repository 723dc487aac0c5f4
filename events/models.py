"""
The outbox: what happened that a partner may see, and the ticks that put it in order for readers.

The scheme is that of PgQ (Skype's queue for PostgreSQL). A number that is drawn inside a transaction cannot be a place
in the feed: whoever has read up to 8 would never see 7, whose transaction was still running. So an event only notes its
transaction, and a tick keeps a snapshot: the events of a tick are those that the snapshot before did not see and its
own does. Each event has one tick for ever, however long its transaction ran, and nobody waits for anybody.

Within a tick events are in order of `id`, which is drawn while the row that changed is locked. Of two changes that
wait for each other the second draws a higher number, and no snapshot sees it without the first: so what happened to one
shelf, order or outlet is told as it happened.
"""

from __future__ import annotations

from django.db import models
from django.db.models import Func
from django.db.models.functions import Now

from events.fields import SnapshotField, TransactionField


class Type(models.TextChoices):
    """What can happen. The first word says about what, and which scope a reader needs."""

    PHONE_ADDED = "phone.added"
    PHONE_CHANGED = "phone.changed"
    PRICE_CHANGED = "price.changed"
    OUTLET_ADDED = "outlet.added"
    OUTLET_CHANGED = "outlet.changed"
    OUTLET_OPENED = "outlet.opened"
    OUTLET_SUSPENDED = "outlet.suspended"
    OUTLET_CLOSED = "outlet.closed"
    STOCK_CHANGED = "stock.changed"
    ORDER_PLACED = "order.placed"
    ORDER_READY = "order.ready"
    ORDER_COLLECTED = "order.collected"
    ORDER_CANCELLED = "order.cancelled"
    ORDER_DECLINED = "order.declined"
    ORDER_EXPIRED = "order.expired"
    ORDER_MOVED = "order.moved"
    ORDER_EXTENDED = "order.extended"
    TRANSFER_REQUESTED = "transfer.requested"
    TRANSFER_APPROVED = "transfer.approved"
    TRANSFER_SENT = "transfer.sent"
    TRANSFER_RECEIVED = "transfer.received"
    TRANSFER_CANCELLED = "transfer.cancelled"


class Event(models.Model):
    """
    One thing that happened. Never changed, and forgotten only by `events.retention`.

    This floor knows neither outlets nor phones: `outlet_id` and `phone_id` are their keys, null where it is about none.
    No personal data in `data`.
    """

    # The only index: it finds the events of a tick, and new ones go to its end.
    pk = models.CompositePrimaryKey("xid", "id")
    xid = TransactionField(db_default=Func(function="pg_current_xact_id"), editable=False)
    # GENERATED ALWAYS: nobody chooses a number (migration 0002).
    id = models.BigIntegerField(editable=False)
    # One of Type: a domain (migration 0004).
    type = models.CharField(max_length=20)
    outlet_id = models.BigIntegerField(null=True)
    phone_id = models.SmallIntegerField(null=True)
    data = models.JSONField()
    happened_at = models.DateTimeField(db_default=Func(function="clock_timestamp"))

    def __str__(self) -> str:
        return f"{self.type} #{self.id}"


class Tick(models.Model):
    """
    The events that `until` sees and `since`, the snapshot of the tick before, does not.

    Made by the function `events_make_tick` alone, one after the other (migration 0002).
    """

    number = models.BigIntegerField(primary_key=True)
    since = SnapshotField(editable=False)
    until = SnapshotField(editable=False)
    made_at = models.DateTimeField(db_default=Now())

    def __str__(self) -> str:
        return f"{self.number} of {self.made_at}"
