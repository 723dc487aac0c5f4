"""What waits at an outlet today: orders to set aside, orders that will lapse, and what is wrong with the shelves."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any, ClassVar

from django.conf import settings
from django.db.models import Case, Count, F, Min, OuterRef, Q, Subquery, Sum, When
from django.db.models.functions import Coalesce
from django.utils.functional import cached_property

from catalog.catalogue import current_catalogue
from catalog.models import Phone
from orders.models import Order, OrderLine, State
from stores import handsets
from stores.durations import duration_in_words
from stores.models import Outlet, Shortfall, StockLevel, Transfer
from stores.querysets import OutletQuerySet

# A ready order is shown when it lapses within this time: today or tomorrow.
LAPSES_SOON = timedelta(hours=24)
# More open orders than any outlet has shelves for.
MOST_ORDERS = 500


@dataclass(frozen=True)
class OpenOrder:
    """An order that waits at the outlet, with its lines (phone, how many), seen at `now`."""

    order: Order
    lines: list[OrderLine]
    now: datetime

    @property
    def waited(self) -> str:
        return duration_in_words(self.now - self.order.placed_at)

    @property
    def is_late(self) -> bool:
        """Whether it should have been set aside by now."""
        return self.now - self.order.placed_at > timedelta(hours=settings.SET_ASIDE_HOURS)

    @property
    def kept_for(self) -> str:
        return duration_in_words(self.order.held_until - self.now)

    @property
    def lapses_soon(self) -> bool:
        return self.order.held_until - self.now <= LAPSES_SOON


@dataclass(frozen=True)
class Shelf:
    """A phone of which too few are there: `missing` for what is promised, or `to_order` to have enough again."""

    phone: Phone
    on_hand: int
    reserved: int
    missing: int = 0
    to_order: int = 0


@dataclass(frozen=True)
class OnTheWay:
    """A transfer to or from the outlet that is not over."""

    transfer: Transfer
    other: Outlet
    is_incoming: bool
    units: int
    since: str

    @property
    def is_asked_of_us(self) -> bool:
        """Whether another outlet waits for an answer."""
        return not self.is_incoming and self.transfer.state == Transfer.State.REQUESTED


@dataclass(frozen=True)
class Today:
    """All of it, seen at one moment."""

    placed: list[OpenOrder]
    ready: list[OpenOrder]
    shortfalls: list[Shelf]
    low: list[Shelf]
    # Phones of which so many handsets are on record and not there: only scanning tells which.
    to_scan: list[tuple[Phone, int]]
    transfers: list[OnTheWay]
    # More than this nobody reads; how many more there are is told.
    most: ClassVar[int] = 30

    @cached_property
    def lapsing(self) -> list[OpenOrder]:
        """The ready orders that lapse soon, the next one first."""
        return sorted(
            (each for each in self.ready if each.lapses_soon), key=lambda each: (each.order.held_until, each.order.pk)
        )


def today_at(outlet: Outlet, now: datetime) -> Today:
    """Return what waits at `outlet`. Six queries, whatever waits."""
    orders = _open_orders(outlet, now)
    return Today(
        placed=[each for each in orders if each.order.state == State.PLACED],
        ready=[each for each in orders if each.order.state == State.READY],
        shortfalls=shortfalls_at(outlet),
        low=_low(outlet),
        to_scan=_to_scan(outlet),
        transfers=_transfers(outlet, now),
    )


def _open_orders(outlet: Outlet, now: datetime) -> list[OpenOrder]:
    orders = list(Order.objects.open().at(outlet).order_by("placed_at", "number")[:MOST_ORDERS])
    lines: dict[str, list[OrderLine]] = {order.number: [] for order in orders}
    for line in OrderLine.objects.filter(outlet=outlet, number__in=lines).order_by("position"):
        lines[line.number].append(line)
    return [OpenOrder(order, lines[order.number], now) for order in orders]


def shortfalls_at(outlet: Outlet, phone_ids: Iterable[int] | None = None) -> list[Shelf]:
    """Return the shelves of `outlet`, or those of some phones, of which more is promised than is there. One query."""
    level = StockLevel.objects.filter(outlet=outlet, phone=OuterRef("phone"))
    rows = Shortfall.objects.filter(outlet=outlet, closed_at=None).order_by("opened_at")
    if phone_ids is not None:
        rows = rows.filter(phone__in=phone_ids)
    phones = current_catalogue().by_id
    return [
        Shelf(phones[phone_id], on_hand, reserved, missing=missing)
        for phone_id, missing, on_hand, reserved in rows.values_list(
            "phone_id", "missing", Subquery(level.values("on_hand")), Subquery(level.values("reserved"))
        )
        if phone_id in phones
    ]


def _low(outlet: Outlet) -> list[Shelf]:
    low: Any = StockLevel.objects.filter(outlet=outlet).low()
    phones = current_catalogue().by_id
    return [
        Shelf(phones[phone_id], on_hand, reserved, to_order=to_order)
        for phone_id, on_hand, reserved, to_order in low.order_by("-to_order", "phone").values_list(
            "phone_id", "on_hand", "reserved", "to_order"
        )
        if phone_id in phones and not phones[phone_id].is_discontinued
    ]


def _to_scan(outlet: Outlet) -> list[tuple[Phone, int]]:
    phones = current_catalogue().by_id
    return [(phones[phone_id], unseen) for phone_id, unseen in sorted(handsets.unseen(outlet.pk).items())]


def _transfers(outlet: Outlet, now: datetime) -> list[OnTheWay]:
    going_on = Q(state__in=[Transfer.State.REQUESTED, Transfer.State.APPROVED, Transfer.State.SENT])
    transfers = Transfer.objects.filter(going_on, Q(sender=outlet) | Q(receiver=outlet))
    transfers = transfers.select_related("sender", "receiver").order_by("requested_at", "pk")
    units = Case(When(state=Transfer.State.SENT, then=Coalesce("lines__sent", 0)), default="lines__requested")
    return [
        OnTheWay(
            transfer,
            transfer.sender if transfer.receiver_id == outlet.pk else transfer.receiver,
            transfer.receiver_id == outlet.pk,
            transfer.units,
            duration_in_words(now - (transfer.sent_at or transfer.requested_at)),
        )
        for transfer in transfers.annotate(units=Sum(units))
    ]


def with_work(outlets: OutletQuerySet, now: datetime) -> OutletQuerySet:
    """
    Annotate outlets with what waits there: silent outlets first, then those that have waited longest.

    `to_set_aside`, `waiting_since` (of the oldest), `lapsing`, `short`: numbers of orders, orders and phones.
    """
    of_outlet = Order.objects.filter(outlet=OuterRef("pk")).order_by().values("outlet")
    placed = of_outlet.filter(state=State.PLACED)
    lapsing = of_outlet.filter(state=State.READY, held_until__lte=now + LAPSES_SOON)
    short = Shortfall.objects.filter(outlet=OuterRef("pk"), closed_at=None).order_by().values("outlet")
    return outlets.annotate(
        to_set_aside=Coalesce(Subquery(placed.values(found=Count("*"))), 0),
        waiting_since=Subquery(placed.values(found=Min("placed_at"))),
        lapsing=Coalesce(Subquery(lapsing.values(found=Count("*"))), 0),
        short=Coalesce(Subquery(short.values(found=Count("*"))), 0),
    ).order_by("-call_first", F("waiting_since").asc(nulls_last=True), "-short", "-lapsing", "code")
