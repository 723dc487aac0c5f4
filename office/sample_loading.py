"""Writing the past of the sample (`office.sample_history`) into ledger and orders, for all outlets at once."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Iterator, Sequence
from datetime import date, datetime, timedelta
from tempfile import SpooledTemporaryFile
from typing import Any, NamedTuple

from django.db import connection, transaction
from django.db.models import Exists, OuterRef
from django.utils import timezone

from catalog.catalogue import current_catalogue
from catalog.models import Phone
from office.sample_history import Carried, OutletPast
from orders import past as orders_past
from orders import pickup_codes
from stores import ledger_past
from stores.hours import SHANGHAI
from stores.loading.copying import copy_row, copy_rows
from stores.loading.demo_stock import size_of
from stores.models import Outlet, StockLevel

IN_MEMORY = 20_000_000
# The ledgers of the sample begin not long enough ago for more.
MOST_DAYS = 366

_LINES = """
CREATE TEMPORARY TABLE past_lines (
    outlet_id bigint, phone_id smallint, place integer, created_at timestamptz, kind text, change_on_hand integer,
    change_reserved integer, reference text, actor text, reason text, operation_key text) ON COMMIT DROP
"""
_ORDERS = f"CREATE TEMPORARY TABLE past_orders ({orders_past.COLUMNS}) ON COMMIT DROP"
# Only orders whose promise is in the ledger: a shelf that moved this very minute got no past.
_KEPT = """
DELETE FROM past_orders p WHERE NOT EXISTS (
    SELECT FROM stores_stockmovement m WHERE m.outlet_id = p.outlet_id
        AND m.operation_key = 'order:' || p.number || ':placed' AND m.operation_line = p.phone_id)
"""
# So that the lines of a day are found, without waiting for the database to look after its tables.
_BY_TIME = "SELECT brin_summarize_new_values('stockmovement_by_time'), brin_summarize_new_values('orderchange_by_time')"


class Written(NamedTuple):
    """How many lines of the ledger, and how many orders."""

    lines: int
    orders: int


@transaction.atomic
def load_history(days: int, *, prefix: str = "", progress: Any = iter) -> Written:
    """
    Give outlets where nothing has moved for `days` a past that ends yesterday evening; return how much it is.

    Only those in the region whose code begins with `prefix`. `progress` wraps what is gone through. All or nothing.
    Raises ValueError unless there are 1 to MOST_DAYS days.
    """
    if not 1 <= days <= MOST_DAYS:
        raise ValueError(f"between 1 and {MOST_DAYS} days")
    first = timezone.localdate() - timedelta(days=days)
    phones = sorted(current_catalogue().listed, key=lambda phone: (phone.price_fen, phone.slug))
    outlets = _outlets(prefix, first)
    with connection.cursor() as cursor, SpooledTemporaryFile(IN_MEMORY) as orders:
        cursor.execute(_LINES)
        cursor.execute(_ORDERS)
        copy_rows(cursor, "past_lines", _rows(progress(outlets), phones, first, days, orders))
        orders.seek(0)
        cursor.copy_expert("COPY past_orders FROM STDIN", orders)
        lines = ledger_past.write_past(cursor, "past_lines")
        cursor.execute(_KEPT)
        written = orders_past.write_past(cursor, "past_orders")
        cursor.execute("DROP TABLE past_lines, past_orders")
        cursor.execute(_BY_TIME)
    return Written(lines, written)


def _outlets(prefix: str, first: date) -> list[tuple[int, str, dict[int, int]]]:
    """Return key, code and stock (phone id: on hand) of the outlets where nothing has moved since `first`."""
    moved = StockLevel.objects.filter(outlet=OuterRef("outlet"), moved_at__gte=_moment(first, 0))
    levels = StockLevel.objects.filter(
        ~Exists(moved),
        outlet__state__in=[Outlet.State.OPEN, Outlet.State.SUSPENDED],
        outlet__town__code__startswith=prefix,
    )
    stock: dict[tuple[int, str], dict[int, int]] = defaultdict(dict)
    rows = levels.order_by("outlet_id", "phone_id").values_list("outlet_id", "outlet__code", "phone_id", "on_hand")
    for outlet_id, code, phone_id, on_hand in rows.iterator(chunk_size=10_000):
        stock[outlet_id, code][phone_id] = on_hand
    return [(outlet_id, code, shelves) for (outlet_id, code), shelves in stock.items()]


def _rows(
    outlets: Iterable[tuple[int, str, dict[int, int]]], phones: Sequence[Phone], first: date, days: int, orders: Any
) -> Iterator[str]:
    """Yield the lines of each outlet's past for COPY, and put its orders into the file `orders`."""
    slugs, prices = [phone.slug for phone in phones], {phone.pk: phone.price_fen for phone in phones}
    for outlet_id, code, stock in outlets:
        past = OutletPast(outlet_id, code, first, days)
        size = size_of(code)
        past.play(
            [
                Carried(phone.pk, rank, stock[phone.pk], size.room_for(rank))
                for rank, phone in enumerate(phones)
                if phone.pk in stock and size.has_room_for(rank, code, slugs)
            ]
        )
        for place, line in enumerate(past.lines):
            yield copy_row(
                outlet_id, line.phone_id, place, _moment(first, line.at), line.kind, line.on_hand, line.reserved,
                line.reference, orders_past.ACTOR, line.reason, line.key,
            )  # fmt: skip
        for order in past.orders:
            fingerprint = pickup_codes.fingerprint(outlet_id, pickup_codes.derive_code(order.number))
            row = copy_row(
                outlet_id, order.number, order.phone_id, prices[order.phone_id], order.name, order.mobile,
                f"past:{order.number}", f"\\x{fingerprint.hex()}", _moment(first, order.placed),
                None if order.ready is None else _moment(first, order.ready), _moment(first, order.ended), order.state,
            )  # fmt: skip
            orders.write(row.encode())


def _moment(first: date, seconds: float) -> datetime:
    # Shanghai knows no summer time, so seconds after midnight are the time of the clock.
    return datetime(first.year, first.month, first.day, tzinfo=SHANGHAI) + timedelta(seconds=round(seconds, 3))
