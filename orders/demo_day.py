"""
A day at the counter of the demo's two outlets, so that whoever signs in finds work: orders in every state, goods on
their way, a promise that cannot be kept, shelves that run low, handsets with numbers, sales.

All of it goes through the rules of the trade. Names and numbers are made up; what happens is the same in every demo.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime, timedelta
from itertools import count

from django.conf import settings
from django.db import transaction
from django.utils import timezone
from stdnum import luhn

from catalog.catalogue import current_catalogue
from catalog.models import Phone
from orders import lifecycle, walk_in
from orders.checkout import place_order
from orders.doors import CUSTOMER
from orders.models import Channel, Order, Payment
from stores import counts, stock, transfers
from stores.ledger import Act
from stores.loading.demo_people import PEOPLE, demo_outlets
from stores.models import Outlet, Person, StockLevel
from stores.unit_numbers import Unit

# The first six digits name no maker's phone; minutes since 1970 make the numbers of each day others.
MADE_UP = "990000"
NAMES = ("王秀英", "李建国", "张桂兰", "刘玉梅", "陈志强", "赵春花", "孙德福", "周美玲", "吴立新", "郑小红")
DELIVERED = 6


class Day:
    """The day at one outlet: who works there, and what its keys, mobile numbers and IMEIs are made from."""

    def __init__(self, outlet: Outlet, clerk: Person, now: datetime) -> None:
        self.outlet, self.actor, self.now = outlet, clerk.actor, now
        self._minute = int(now.timestamp()) // 60 % 1_000_000
        self._number = count(1 + 50 * (outlet.pk % 2))

    def act(self, reason: str = "") -> Act:
        return Act(f"demo:{self._minute}:{next(self._number)}", self.actor, reason=reason)

    def unit(self) -> Unit:
        digits = f"{MADE_UP}{self._minute:06d}{next(self._number):02d}"
        return (digits + luhn.calc_check_digit(digits),)

    def receive(self, phone: Phone, quantity: int = DELIVERED) -> list[Unit]:
        """Let a delivery come, each phone with its number."""
        units = [self.unit() for _ in range(quantity)]
        delivery = self.act()._replace(reference=f"delivery:FN-{self.now:%m%d}")
        stock.receive(self.outlet.pk, {phone.pk: quantity}, delivery, {phone.pk: units})
        return units

    def order(self, phone: Phone, quantity: int = 1, *, hours_ago: float, channel: Channel = Channel.WEB) -> Order:
        number = next(self._number)
        return place_order(
            outlet=self.outlet,
            lines={phone.pk: quantity},
            name=NAMES[number % len(NAMES)],
            mobile=f"1390000{self.outlet.pk % 100:02d}{number:02d}",
            language="zh-hans",
            form_key=f"demo:{self._minute}:{number}",
            channel=channel,
            actor=CUSTOMER if channel == Channel.WEB else self.actor,
            placed_at=self.now - timedelta(hours=hours_ago),
        )

    def ready(self, phone: Phone, *, hours_left: float) -> Order:
        """Let an order have been set aside, so long ago that it is kept for `hours_left` more."""
        since = settings.HOLD_HOURS_READY - hours_left
        order = self.order(phone, hours_ago=since + 1)
        return lifecycle.set_ready(order, self.actor, now=self.now - timedelta(hours=since))

    def hand_over(self, phone: Phone, unit: Unit) -> None:
        order = self.ready(phone, hours_left=settings.HOLD_HOURS_READY - 3)
        lifecycle.collect(
            order, self.actor, method=Payment.Method.CASH, amount_fen=order.due_fen, units={phone.pk: [unit]}
        )

    def sell(self, phone: Phone, unit: Unit, method: Payment.Method) -> None:
        price_fen = walk_in.price_at(self.outlet.pk, phone.pk).price_fen
        walk_in.sell(self.outlet.pk, phone, unit, self.act(), method=method, amount_fen=price_fen)

    def run_low(self, phones: Sequence[Phone]) -> None:
        """Have the outlet want a few more of these phones than it has."""
        stock.receive(self.outlet.pk, {phone.pk: 1 for phone in phones}, self.act())
        for level in StockLevel.objects.filter(outlet=self.outlet, phone__in=phones):
            StockLevel.objects.filter(pk=level.pk).update(reorder_point=max(level.on_hand - level.reserved, 0) + 2)


@transaction.atomic
def play(now: datetime | None = None) -> int:
    """
    Let the day happen at the demo's outlets; return at how many: none where this is no demo, or where orders wait.
    """
    now = now or timezone.now()
    outlets = demo_outlets() if settings.DEMO else []
    if len(outlets) < 2 or Order.objects.open().filter(outlet__in=outlets).exists():
        return 0
    clerks = {name: Person.objects.get(username=name) for name in (PEOPLE[0].username, PEOPLE[1].username)}
    here, there = (Day(outlet, clerk, now) for outlet, clerk in zip(outlets, clerks.values(), strict=True))
    phones = current_catalogue().listed
    _at_the_counter(here, phones)
    _next_door(there, phones)
    _between(here, there, phones)
    return len(outlets)


def _at_the_counter(here: Day, phones: Sequence[Phone]) -> None:
    units = {phone.pk: here.receive(phone) for phone in phones[:3]}
    first, second, third = phones[:3]
    here.order(first, hours_ago=settings.SET_ASIDE_HOURS + 2)
    here.order(second, hours_ago=5)
    here.order(first, hours_ago=2, channel=Channel.HOTLINE)
    here.order(third, 2, hours_ago=0.4)
    here.ready(second, hours_left=3)
    here.ready(third, hours_left=20)
    here.ready(first, hours_left=60)
    here.hand_over(first, units[first.pk].pop())
    lifecycle.cancel(here.order(second, hours_ago=6), CUSTOMER)
    for phone, method in ((first, "cash"), (second, "wechat"), (third, "alipay")):
        here.sell(phone, units[phone.pk].pop(), Payment.Method(method))
    broken = here.act("屏幕摔裂")
    stock.write_off(here.outlet.pk, {second.pk: 1}, broken, {second.pk: [units[second.pk].pop()]})
    # Two are promised, and one is found when the shelf is counted.
    short = phones[5]
    stock.receive(here.outlet.pk, {short.pk: 2}, here.act())
    here.order(short, 2, hours_ago=1)
    counts.apply_count(here.outlet.pk, {short.pk: 1}, timezone.now(), here.act())
    lost = phones[4]
    stock.receive(here.outlet.pk, {lost.pk: 2}, here.act())
    lifecycle.decline(here.order(lost, hours_ago=3), here.actor, "货架上找不到")
    here.run_low(phones[6:8])


def _next_door(there: Day, phones: Sequence[Phone]) -> None:
    units = there.receive(phones[0])
    there.order(phones[0], hours_ago=1.5)
    there.ready(phones[0], hours_left=10)
    there.sell(phones[0], units.pop(), Payment.Method.CASH)


def _between(here: Day, there: Day, phones: Sequence[Phone]) -> None:
    """One transfer is on its way, one is asked of us, and one we have asked for."""
    phone, wanted = phones[1], phones[2]
    units = there.receive(phone, 3)
    coming = transfers.request(there.outlet.pk, here.outlet.pk, {phone.pk: 3}, here.act())
    transfers.approve(coming.pk, there.act())
    transfers.send(coming.pk, {phone.pk: 3}, there.act(), {phone.pk: units})
    transfers.request(here.outlet.pk, there.outlet.pk, {wanted.pk: 2, phone.pk: 1}, there.act())
    transfers.request(there.outlet.pk, here.outlet.pk, {phones[0].pk: 2}, here.act())
