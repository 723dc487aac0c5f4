"""
Past sales, orders and deliveries of the sample, for reports to have something to show.

Each shelf is played through day by day: customers come, buy what is there or order it, and leave without a phone where
there is none; once a week what has run low is delivered. The same on every machine, from the names and the days.
"""

from __future__ import annotations

import heapq
import random
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from datetime import date, timedelta
from math import exp
from typing import NamedTuple

from office.sample_demand import rate, weight
from orders import numbers, pickup_codes
from stores.loading.demo_stock import size_of

DAY, HOUR = 86_400, 3_600
OPENS, CLOSES = 8.5 * HOUR, 18 * HOUR
ORDERED = 0.25
# How orders end, of a hundred; the rest are collected.
DECLINED, CANCELLED, EXPIRED = 0.05, 0.06, 0.07
RETURNED = 0.02
# A delivery fills a shelf that is down to so much of its room; now and then the van does not come.
LOW, NO_VAN = 0.35, 0.1
# An order is over after so many days at most; in the last ones before today people come at once.
LONGEST_ORDER = 6
# Coprime to the number of an outlet's numbers, so that none comes twice.
STEP = 7_919
NAMES = tuple("王李张刘陈杨赵黄周吴徐孙胡朱高林何郭马罗")
GIVEN = tuple("伟芳娜敏静丽强磊军洋勇艳杰娟涛明超霞平刚")


class Line(NamedTuple):
    """A line of the ledger to be: seconds after the first midnight, shelf, and what happened."""

    at: float
    phone_id: int
    kind: str
    on_hand: int
    reserved: int
    reference: str
    key: str
    reason: str = ""


class PastOrder(NamedTuple):
    """An order that is over. Moments are seconds after the first midnight; `ready` None: it never was."""

    number: str
    phone_id: int
    name: str
    mobile: str
    placed: float
    ready: float | None
    ended: float
    state: str


class Carried(NamedTuple):
    """A phone that an outlet carries: its rank by price, what is there at first, and how much there is room for."""

    phone_id: int
    rank: int
    on_hand: int
    room: int


@dataclass
class OutletPast:
    """One outlet whose past is played through. `first` is the first of `days` days."""

    pk: int
    code: str
    first: date
    days: int
    lines: list[Line] = field(default_factory=list)
    orders: list[PastOrder] = field(default_factory=list)

    def __post_init__(self) -> None:
        self.chance = random.Random(f"{self.code} {self.first}")  # noqa: S311 - the same in every run
        self.weights = [weight(self.first + timedelta(days=day)) for day in range(self.days)]
        self.slowness = 0.7 + 9 * self.chance.random() ** 2  # hours until an order is set aside, on average
        self._next_number = self.chance.randrange(numbers.NUMBERS_OF_AN_OUTLET)
        self._codes: set[str] = set()

    def play(self, shelves: Sequence[Carried]) -> None:
        """Fill `lines` and `orders` with what happened to these shelves."""
        size, vans = size_of(self.code), list(self._vans())
        for shelf in shelves:
            self._play(shelf, list(self._customers(rate(size, shelf.rank, self.code))), vans)

    def _vans(self) -> Iterator[float]:
        weekday = self.chance.randrange(7)
        for day in range(self.days):
            if (self.first + timedelta(days=day)).weekday() == weekday and self.chance.random() > NO_VAN:
                yield day * DAY + OPENS + self.chance.random() * 2 * HOUR

    def _customers(self, a_day: float) -> Iterator[float]:
        for day in self.chance.choices(
            range(self.days), self.weights, k=_poisson(self.chance, a_day * sum(self.weights))
        ):
            yield day * DAY + OPENS + self.chance.random() * (CLOSES - OPENS)

    def _play(self, shelf: Carried, customers: list[float], vans: list[float]) -> None:
        on_hand, reserved = shelf.on_hand, 0
        # Moment, a number that tells two apart, what happens, and to which order.
        events: list[tuple[float, int, str, PastOrder | None]] = [
            (at, place, "wanted", None) for place, at in enumerate(customers)
        ]
        events += [(at, len(customers) + place, "van", None) for place, at in enumerate(vans)]
        heapq.heapify(events)
        place = len(events)
        while events:
            at, _place, kind, order = heapq.heappop(events)
            place += 1
            if kind == "van":
                if on_hand <= shelf.room * LOW:
                    self._write(at, shelf, "received", shelf.room - on_hand, 0, "delivery:sample")
                    on_hand = shelf.room
            elif kind == "returned":
                self._write(at, shelf, "returned", 1, 0)
                on_hand += 1
            elif kind == "over" and order:
                taken = self._end(shelf, order, on_hand)
                on_hand, reserved = on_hand - taken, reserved - 1
            elif on_hand > reserved:
                if self.chance.random() < ORDERED and (new := self._order(shelf, at)):
                    reserved += 1
                    heapq.heappush(events, (new.ended, place, "over", new))
                else:
                    self._write(at, shelf, "walk_in_sale", -1, 0)
                    on_hand -= 1
                    back = at + DAY * self.chance.randint(1, 6)
                    if self.chance.random() < RETURNED and back < self.days * DAY:
                        heapq.heappush(events, (back, place, "returned", None))

    def _order(self, shelf: Carried, at: float) -> PastOrder | None:
        """Place an order and decide what becomes of it; None where the past is too short for that."""
        chance, last = self.chance, self.days * DAY - (DAY - CLOSES)
        ready: float | None = _at_counter(at + chance.expovariate(1 / self.slowness) * HOUR)
        fate = chance.random()
        if at > (self.days - LONGEST_ORDER) * DAY:
            fate = 1.0
        if fate < DECLINED:
            state, ready, ended = "declined", None, ready
        elif fate < DECLINED + CANCELLED:
            state, ready, ended = "cancelled", None, at + chance.uniform(0.2, 20) * HOUR
        elif fate < DECLINED + CANCELLED + EXPIRED:
            state, ended = "expired", (ready or at) + 3 * DAY
        else:
            state, ended = "collected", _at_counter((ready or at) + chance.uniform(0.5, 40) * HOUR)
            if ready and ended > last:
                ended = ready + chance.random() * (last - ready)
        if (ready or 0) >= last or ended is None or ended > last:
            return None
        number = self._number()
        name = chance.choice(NAMES) + chance.choice(GIVEN)
        # No number of a Chinese network begins so: nobody can be called by mistake.
        mobile = f"+861000{chance.randrange(10**7):07d}"
        order = PastOrder(number, shelf.phone_id, name, mobile, at, ready, ended, state)
        self.orders.append(order)
        reference = f"order:{number}"
        self.lines.append(Line(at, shelf.phone_id, "reserved", 0, 1, reference, f"{reference}:placed"))
        return order

    def _end(self, shelf: Carried, order: PastOrder, on_hand: int) -> int:
        """Write how an order ended; return how many left the shelf by it."""
        reference = f"order:{order.number}"
        key = f"{reference}:{order.state}"
        if order.state == "collected":
            self.lines.append(Line(order.ended, shelf.phone_id, "handed_over", -1, -1, reference, key))
            return 1
        self.lines.append(Line(order.ended, shelf.phone_id, "released", 0, -1, reference, key))
        if order.state == "declined" and on_hand:
            missing = Line(
                order.ended, shelf.phone_id, "adjusted", -1, 0, reference, f"{reference}:missing", "not found"
            )
            self.lines.append(missing)
            return 1
        return 0

    def _write(self, at: float, shelf: Carried, kind: str, on_hand: int, reserved: int, reference: str = "") -> None:
        self.lines.append(Line(at, shelf.phone_id, kind, on_hand, reserved, reference, f"past:{len(self.lines)}"))

    def _number(self) -> str:
        while True:
            self._next_number = (self._next_number + STEP) % numbers.NUMBERS_OF_AN_OUTLET
            number = numbers.number_of(self._next_number, self.pk)
            # Two orders that are open at once may not have the same code, and these are all open for an instant.
            if (code := pickup_codes.derive_code(number)) not in self._codes:
                self._codes.add(code)
                return number


def _at_counter(at: float) -> float:
    """Return the same moment, or where the shop is closed then, one of the next morning."""
    day, second = divmod(at, DAY)
    if OPENS <= second < CLOSES:
        return at
    return (day + (second >= CLOSES)) * DAY + OPENS + second % HOUR


def _poisson(chance: random.Random, mean: float) -> int:
    """Draw how often something happens that happens so often on average: Knuth's way, in steps that never underflow."""
    count = 0
    while mean > 0:
        limit, product = exp(-min(mean, 30.0)), chance.random()
        while product > limit:
            count += 1
            product *= chance.random()
        mean -= 30.0
    return count
