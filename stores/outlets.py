"""What changes an outlet itself: whether it trades, and where it stands."""

from __future__ import annotations

from collections.abc import Iterable

from django.db import connection, transaction

from stores.models import Outlet


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


def change_state(outlet_id: int, state: Outlet.State) -> None:
    """Open, suspend or close an outlet; from then on its stock can be promised or cannot."""
    with transaction.atomic():
        lock_shelves([outlet_id])
        Outlet.objects.filter(pk=outlet_id).update(state=state)
