"""The feed against the ledger: what a crowd does to shelves is told shelf by shelf as the ledger has it, once."""

from __future__ import annotations

import random
import threading
from itertools import pairwise
from typing import Any

import pytest
from django.db import transaction
from django.utils import timezone

from events.feed import kept
from stores import stock
from stores.counts import apply_count
from stores.models import StockLevel, StockMovement
from stores.refusals import StockRefusal
from tests.crowd import at_once
from tests.factories import act, create_outlet, create_phone, create_stock
from tests.feed import Told, read_feed

pytestmark = pytest.mark.django_db(transaction=True)


def test_a_crowd_at_the_shelves_is_told_as_the_ledger_has_it() -> None:
    phones = [create_phone() for _number in range(2)]
    levels = [create_stock(outlet=create_outlet(), phone=phones[0], on_hand=6) for _number in range(2)]
    levels += [create_stock(outlet=level.outlet, phone=phones[1], on_hand=6) for level in levels]
    outlets = sorted({level.outlet_id for level in levels})
    read_feed()
    begin, begun = kept().end, dict(StockLevel.objects.values_list("pk", "seq"))
    over = threading.Event()

    def deal() -> None:
        dice = random.Random()
        for _deed in range(15):
            try:
                with transaction.atomic():
                    # Sometimes at both outlets, in the order of all deeds.
                    for outlet in sorted(dice.sample(outlets, dice.choice([1, 1, 2]))):
                        wanted = {phone.pk: 1 for phone in dice.sample(phones, dice.choice([1, 2]))}
                        dice.choice([stock.reserve, stock.reserve, stock.release])(outlet, wanted, act())
            except StockRefusal:
                pass

    def count() -> None:
        for number in (9, 3, 7):
            apply_count(outlets[0], {phone.pk: number for phone in phones}, timezone.now(), act())

    def read() -> list[Told]:
        place, told = begin, []
        while True:
            is_last = over.is_set()
            found = read_feed(place, most=5)
            told += found
            if found:
                place = found[-1].place
            elif is_last:
                return told

    def work() -> None:
        try:
            assert at_once([deal] * 4 + [count]) == [None] * 5
        finally:
            over.set()

    done, first, second = at_once([work, read, read])
    assert done is None
    assert first == second == read_feed(begin)
    for level in levels:
        told = [event.data[str(level.phone_id)] for event in first if _is_of(event, level)]
        assert told == available_by_the_ledger(level, begun[level.pk])
    assert sum(len(event.data) for event in first) > 20


def _is_of(event: Told, level: StockLevel) -> bool:
    return event.type == "stock.changed" and event.outlet_id == level.outlet_id and str(level.phone_id) in event.data


def available_by_the_ledger(level: StockLevel, since: int) -> list[int]:
    """Return what could be promised after each line from `since` on that changed it."""
    lines: Any = StockMovement.objects.filter(outlet=level.outlet_id, phone=level.phone_id, seq__gte=since)
    after = [max(line.on_hand - line.reserved, 0) for line in lines.order_by("seq")]
    return [now for before, now in pairwise(after) if now != before]
