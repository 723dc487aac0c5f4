"""What changes an outlet itself: whether it trades, and where it stands."""

from __future__ import annotations

from collections.abc import Callable, Iterable

from django.db import connection, transaction
from django_q.tasks import async_task

from stores.maps import draw_maps
from stores.models import Outlet
from stores.regions import recount_outlets
from stores.search import index_places
from stores.totals import refresh_region_stock

# Columns that neither maps nor lists nor the finder are made of.
_UNSEEN = frozenset({"address_zh", "address_en", "telephone", "timetable"})


def lock_shelves(outlet_ids: Iterable[int]) -> None:
    """
    Lock the stock levels of these outlets until the transaction ends, in the order of all deeds.

    To be called before state, town or place of an outlet change: its stock levels carry a copy, and writing that in
    another order could end in a deadlock with customers.
    """
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT FROM stores_stocklevel WHERE outlet_id = ANY(%s) ORDER BY outlet_id, phone_id FOR UPDATE",
            [list(outlet_ids)],
        )


def save_outlet(outlet: Outlet, changed: Iterable[str] = ()) -> None:
    """Store a new outlet, or one of which the fields `changed` are new, with all that follows from it."""
    with transaction.atomic():
        if outlet.pk:
            lock_shelves([outlet.pk])
        outlet.save()
        if not _UNSEEN.issuperset(changed):
            async_task("stores.outlets.follow_changes")


# What is derived from all outlets: counts of regions, what finds them, totals, maps.
_FOLLOWING: tuple[Callable[[], object], ...] = (recount_outlets, index_places, refresh_region_stock, draw_maps)


def follow_changes(on_step: Callable[[], object] = lambda: None) -> None:
    """Bring up to date what is derived from all outlets; `on_step` is called as each of the four steps begins."""
    for follow in _FOLLOWING:
        on_step()
        follow()


def change_state(outlet_id: int, state: Outlet.State) -> None:
    """Open, suspend or close an outlet; from then on its stock can be promised or cannot."""
    with transaction.atomic():
        lock_shelves([outlet_id])
        Outlet.objects.filter(pk=outlet_id).update(state=state)
        async_task("stores.outlets.follow_changes")
