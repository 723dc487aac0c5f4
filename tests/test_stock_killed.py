"""A connection that dies in the middle of a deed leaves all of it or nothing, and the deed can be repeated."""

from contextlib import nullcontext
from functools import partial

import pytest
from django.db import connection
from django.utils import timezone

from orders.audit import CHECKS as OF_ORDERS
from stores import boxes, stock, stocktakes, totals, transfers
from stores.audit import all_disagreements
from stores.counts import apply_count, apply_staged_counts
from stores.models import Box, StockLevel, Transfer
from stores.outlets import change_state
from stores.refusals import StockRefusal
from stores.transfers import Arrival
from tests.books import assert_books_add_up
from tests.factories import act, create_outlet, create_phone, create_stock, create_unit
from tests.killer import Killer, dies, everything

pytestmark = pytest.mark.django_db(transaction=True)

CLERK = "person:test"


class Scene:
    """Two phones at one outlet, units known and sold; every deed has something to do."""

    def __init__(self):
        self.shop, self.other = create_outlet(), create_outlet()
        self.outlet = self.shop.pk
        self.phones = [create_stock(outlet=self.shop, on_hand=9, reserved=2).phone_id for _ in range(2)]
        self.phone, self.second = self.phones
        self.new = create_phone().pk
        self.two = dict.fromkeys(self.phones, 2)
        self.units = {phone: [create_unit(second=True), create_unit()] for phone in self.phones}
        stock.receive(self.outlet, self.two, act(), self.units)
        self.sold = create_unit()
        stock.sell(self.outlet, {self.phone: [self.sold]}, act())

    def transfer(self, state, units=None):
        """Two of each phone are on their way, or about to be; `units` (phone: units) travel by their numbers."""
        transfer = transfers.request(self.outlet, self.other.pk, self.two, act())
        if state != Transfer.State.REQUESTED:
            transfers.approve(transfer.pk, act())
        if state == Transfer.State.SENT:
            transfers.send(transfer.pk, self.two, act(), units)
        return transfer.pk

    def known(self):
        """Two phones more on the shelf, by number."""
        units = [create_unit() for _ in range(2)]
        stock.receive(self.outlet, {self.phone: 2}, act(), {self.phone: units})
        return units

    def delivery(self):
        """A box that is being filled; it is the outlet's one and the same as long as it is open."""
        box = boxes.open_delivery(self.outlet, "LS-7", CLERK)
        if box.phone_id is None:
            boxes.choose_phone(box.pk, self.phone, has_pairs=True)
        return box.pk

    def full_box(self, purpose):
        """A box with two of each phone, as the transfer says."""
        transfer = Transfer.objects.get(pk=self.transfer("approved" if purpose == "sending" else "sent"))
        box = boxes.open_transfer(transfer, purpose, CLERK).pk
        boxes.count_all(box)
        return box

    def booking(self, box):
        return partial(boxes.book, box, Box.objects.get(pk=box).version)

    def stocktake(self):
        return stocktakes.begin(self.shop, CLERK)


def by(deed, *arguments):
    """A deed that is told the actor alone."""
    return lambda act: deed(*arguments, act.actor)


def alone(deed, *arguments):
    """A deed that is not told who does it."""
    return lambda act: deed(*arguments)


def short(scene, units):
    arrivals = {scene.phone: Arrival(1, whole_units=units[:1]), scene.second: Arrival(0, damaged=1)}
    return partial(transfers.receive, scene.transfer("sent", {scene.phone: units}), arrivals)


def found_so(scene):
    """What a stocktake found: one phone of those known is missing, and two more of the other are there."""
    stocktakes.scan(scene.stocktake(), scene.units[scene.phone][0][0], None, CLERK)
    there = StockLevel.objects.get(outlet=scene.outlet, phone=scene.second).on_hand
    stocktakes.count(scene.stocktake(), {scene.second: there + 2}, CLERK, "key")
    seen = {each.phone.pk: each.change for each in stocktakes.differences(scene.stocktake())}
    return by(stocktakes.book, scene.stocktake(), dict.fromkeys(seen, "found so"), seen)


BEGAN = timezone.now()
UNIT = ("490154203237518", "A0000000002329")
# In the order in which they are done: each finds what those before it have left, and is given its Act.
COUNTER = {
    "reserve one": lambda s: partial(stock.reserve, s.outlet, {s.phone: 1}),
    "reserve several": lambda s: partial(stock.reserve, s.outlet, s.two),
    "release": lambda s: partial(stock.release, s.outlet, dict.fromkeys(s.phones, 1)),
    "sell": lambda s: partial(stock.sell, s.outlet, {s.phone: [UNIT], s.second: s.units[s.second][:1]}),
    "hand over": lambda s: partial(stock.hand_over, s.outlet, s.units | {s.second: s.units[s.second][1:]}),
    "return": lambda s: partial(stock.return_unit, s.other.pk, s.phone, s.sold),
}
SHELF = {
    "write off what was promised": lambda s: partial(
        stock.write_off, s.outlet, dict.fromkeys(s.phones, 9), units=s.units
    ),
    "receive": lambda s: partial(stock.receive, s.outlet, {s.phone: 2, s.new: 3}, units={s.new: [UNIT]}),
    "adjust": lambda s: partial(stock.adjust, s.outlet, {s.phone: -1, s.second: 1}),
    "count": lambda s: partial(apply_count, s.outlet, {s.phone: 1, s.second: 9, create_phone().pk: 2}, BEGAN),
}
TRANSFER = {
    "ask": lambda s: partial(transfers.request, s.outlet, s.other.pk, s.two),
    "agree": lambda s: partial(transfers.approve, s.transfer("requested")),
    "call off what was agreed": lambda s: partial(transfers.cancel, s.transfer("approved")),
    "send": lambda s: partial(transfers.send, s.transfer("approved"), s.two, units={s.phone: s.units[s.phone]}),
    "call off what was sent": lambda s: partial(transfers.cancel, s.transfer("sent", {s.second: s.units[s.second]})),
    "receive in full": lambda s: partial(
        transfers.receive, s.transfer("sent", {s.second: s.units[s.second]}), dict.fromkeys(s.phones, Arrival(2))
    ),
    "receive short and damaged": lambda s: short(s, s.known()),
}
BOX = {
    "open a box": lambda s: by(boxes.open_delivery, s.outlet, "LS-7"),
    "say which phone": lambda s: alone(partial(boxes.choose_phone, s.delivery(), s.phone, has_pairs=True)),
    "scan into it": lambda s: alone(boxes.scan, s.delivery(), UNIT[0]),
    "scan its second number": lambda s: alone(boxes.scan, s.delivery(), UNIT[1]),
    "undo": lambda s: alone(boxes.undo, s.delivery(), 2),
    "count into it": lambda s: alone(boxes.count, s.delivery(), s.new, 4),
    "book a delivery": lambda s: by(s.booking(s.delivery())),
    "throw it away": lambda s: by(boxes.drop, s.delivery()),
    "book what is sent": lambda s: by(s.booking(s.full_box("sending"))),
    "book what arrived": lambda s: by(s.booking(s.full_box("arriving"))),
}
STOCKTAKE = {
    "begin": lambda s: by(stocktakes.begin, s.shop),
    "count a shelf": lambda s: alone(stocktakes.count, s.stocktake(), {s.phone: 4}, CLERK, "a key"),
    "scan a shelf": lambda s: by(stocktakes.scan, s.stocktake(), s.units[s.phone][1][0], None),
    "throw the count away": lambda s: by(stocktakes.drop, s.stocktake()),
    "book the count": found_so,
}
COUNTRY = {
    "add up anew": lambda s: alone(totals.refresh_region_stock),
    "suspend the outlet": lambda s: alone(change_state, s.outlet, "suspended"),
    "take notes into the totals": lambda s: alone(totals.fold),
}
PLACES = {
    "counter": COUNTER, "shelf": SHELF, "transfer": TRANSFER, "box": BOX, "stocktake": STOCKTAKE, "country": COUNTRY,
}  # fmt: skip
# What the desk's forms know by keys of their own: by itself it is refused when it comes again, or noted once more.
REFUSED_AGAIN = {"scan into it", "scan its second number", "scan a shelf", "throw the count away", "book the count"}
NOTED_AGAIN = {"say which phone", "count into it"}


@pytest.mark.parametrize("deeds", PLACES.values(), ids=PLACES.keys())
def test_all_or_nothing(held_memory, deeds):
    scene = Scene()
    held_memory()
    for name, made_for in deeds.items():
        deed, key = made_for(scene), act(reason="so it is")
        before, at = everything(), 1
        # Killed at the first moment, the second, ...; the first time that nobody is killed, the deed is done.
        while dies(partial(deed, key), Killer(at)):
            assert everything() == before, f"{name}: killed at moment {at}"
            at += 1

        after = everything()
        assert after != before, name
        if name not in NOTED_AGAIN:
            with pytest.raises(StockRefusal) if name in REFUSED_AGAIN else nullcontext():
                deed(key)
            assert everything() == after, name
    assert_books_add_up()
    assert [each for each in all_disagreements() if each.check not in {check.name for check in OF_ORDERS}] == []


def count_in_bulk(rows):
    with connection.cursor() as cursor:
        cursor.execute(
            "CREATE TEMPORARY TABLE staged (outlet_id int, phone_id smallint, on_hand int, counted_at timestamptz)"
        )
        cursor.executemany("INSERT INTO staged VALUES (%s, %s, %s, %s)", rows)
        summary = apply_staged_counts(cursor, table="staged", actor="partner:erp", reference="count:bulk", opening=True)
        cursor.execute("DROP TABLE staged")
        return summary


FOUND = (7, 1, 5, 2)


def outlet_to_count(phones):
    """Return what is found at a new outlet: more, fewer than are promised, as many as are known, a phone it had not."""
    outlet = create_outlet()
    for phone, reserved in zip(phones[:3], (0, 4, 0), strict=True):
        create_stock(outlet=outlet, phone=phone, on_hand=5, reserved=reserved)
    return [(outlet.pk, phone.pk, on_hand, timezone.now()) for phone, on_hand in zip(phones, FOUND, strict=True)]


def books_of(rows):
    asked = (
        "t::text FROM stores_stocklevel t", "t::text FROM stores_stockmovement t", "t::text FROM stores_shortfall t",
        "t::text FROM events_event t",
        # An empty row is made to be locked, and says nothing.
        "t::text FROM (SELECT * FROM stores_lastcounts WHERE phones <> '{}') t",
    )  # fmt: skip
    with connection.cursor() as cursor:
        books = []
        for table in asked:
            cursor.execute(f"SELECT {table} WHERE outlet_id = %s ORDER BY 1", [rows[0][0]])
            books.append(cursor.fetchall())
        return books


def test_a_count_in_bulk_is_whole_by_its_batches(monkeypatch):
    """Killed at each moment in turn: a batch, here an outlet, was written or was not; sent again, it is harmless."""
    monkeypatch.setattr("stores.counts.SHELVES_AT_ONCE", 1)
    phones = [create_phone() for _ in FOUND]
    at, numbers_written, counts, killed = 1, set(), [], True
    while killed:
        counts = counts or [outlet_to_count(phones) for _ in range(2)]
        rows = counts[0] + counts[1]
        before = [books_of(each) for each in counts]
        killed = dies(partial(count_in_bulk, rows), Killer(at))
        after = [books_of(each) for each in counts]
        if after != before:
            again = count_in_bulk(rows)

            written = 0
            for each, old, left in zip(counts, before, after, strict=True):
                found = StockLevel.objects.filter(outlet=each[0][0]).order_by("phone").values_list("on_hand", flat=True)
                assert tuple(found) == FOUND
                if left != old:
                    # It had been written as a whole, for nothing of it was written now.
                    assert left == books_of(each), f"killed at moment {at}"
                    written += 1
            assert (again.refused, again.changed, again.opened) == (4 * written, 4 - 2 * written, 2 - written)
            numbers_written.add(written)
            counts = []
        at += 1
    assert numbers_written == {1, 2}
    assert_books_add_up()
