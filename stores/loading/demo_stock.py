"""
The opening stock of the sample: made up, but the way a country of small shops looks.

Every outlet has a level for every phone. Of a hundred outlets 55 are small, 33 middling and 12 large. The dearer a
phone, the fewer of the smaller outlets carry it, and small ones never carry the dearest two. What is carried is sold
out now and then; of the rest there are from one up to what the outlet has room for, and half as many again of the
cheapest five, which sell best. An outlet that is only planned has an empty shelf.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from datetime import timedelta

from django.db import connection, transaction
from django.db.models import Count
from django.utils import timezone

from catalog.models import Phone
from catalog.prices import offers_at
from stores.counts import apply_staged_counts
from stores.loading.chance import pick, shares
from stores.loading.copying import copy_row, copy_rows
from stores.models import Outlet

BEST_SELLERS = 5


@dataclass(frozen=True)
class Size:
    """How a shop of one size fills its shelf."""

    # The likelihood that it carries the cheapest phone, and how much that falls with each dearer one.
    carries: float
    falls: float
    # How many of the dearest it never has.
    never: int
    # The most of one phone that it has room for.
    room: int

    def has_room_for(self, rank: int, code: str, slugs: Sequence[str]) -> bool:
        """Whether the shop of this code carries the phone of this rank, from the cheapest to the dearest."""
        carried, *_ = shares(3, code, slugs[rank])
        return carried < self.carries - self.falls * rank and rank < len(slugs) - self.never

    def room_for(self, rank: int) -> int:
        return self.room * 3 // 2 if rank < BEST_SELLERS else self.room


SIZES = (
    (Size(carries=0.96, falls=0.055, never=2, room=5), 0.55),
    (Size(carries=0.98, falls=0.025, never=0, room=10), 0.33),
    (Size(carries=1.00, falls=0.005, never=0, room=24), 0.12),
)
SOLD_OUT = 0.14
# When the ledgers of the sample begin, before now: a past can be made up after that (`manage.py load_history`).
LONG_AGO = timedelta(days=400)


def opening_stock(code: str, state: str, slugs: Sequence[str]) -> Iterator[tuple[str, int]]:
    """Yield each phone's slug and how many of it an outlet has. `slugs` go from the cheapest phone to the dearest."""
    size = size_of(code)
    for rank, slug in enumerate(slugs):
        _carried, sold_out, amount = shares(3, code, slug)
        if state == Outlet.State.PLANNED or not size.has_room_for(rank, code, slugs) or sold_out < SOLD_OUT:
            yield slug, 0
        else:
            yield slug, 1 + int(amount * size.room_for(rank))


def size_of(code: str) -> Size:
    """Return how large the shop of this code is."""
    return pick(SIZES, code, "size")


@transaction.atomic
def stock_the_shelves() -> int:
    """Open every shelf (outlet and phone) that has no ledger yet with the sample's stock; return how many they were."""
    offers = offers_at()
    phones = sorted(
        Phone.objects.values_list("slug", "pk"), key=lambda phone: (offers[phone[1]].ordinary_fen, phone[0])
    )
    outlets = list(
        Outlet.objects.annotate(shelves=Count("stock_levels"))
        .filter(shelves__lt=len(phones))
        .order_by("pk")
        .values_list("pk", "code", "state")
    )
    with connection.cursor() as cursor:
        cursor.execute("CREATE TEMP TABLE staged_stock (outlet_id bigint, phone_id smallint, on_hand integer)")
        copy_rows(cursor, "staged_stock", _shelves(outlets, phones))
        cursor.execute(
            """
            CREATE TEMP TABLE staged_counts AS
            SELECT outlet_id, phone_id, staged.on_hand, now() AS counted_at
            FROM staged_stock AS staged LEFT JOIN stores_stocklevel AS level USING (outlet_id, phone_id)
            WHERE level.outlet_id IS NULL
            """
        )
        summary = apply_staged_counts(
            cursor,
            table="staged_counts",
            actor="system:load_demo",
            reference="count:load_demo",
            opening=True,
            opened_at=timezone.now() - LONG_AGO,
        )
        cursor.execute("DROP TABLE staged_stock, staged_counts")
    return summary.opened


def _shelves(outlets: Iterable[tuple[int, str, str]], phones: Sequence[tuple[str, int]]) -> Iterator[str]:
    ids = dict(phones)
    for outlet_id, code, state in outlets:
        for slug, on_hand in opening_stock(code, state, list(ids)):
            yield copy_row(outlet_id, ids[slug], on_hand)
