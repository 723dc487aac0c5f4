"""The sample data: complete, plausible, the same on every machine, and loaded once."""

import io
from collections import Counter
from hashlib import sha256

import pytest
from django.core.management import call_command
from django.db import connection
from django.db.models import Sum

from catalog.models import Phone
from stores.loading.chance import pick
from stores.loading.demo_stock import SIZES, opening_stock
from stores.models import ClosedPeriod, Outlet, Region, RegionStock, StockLevel, StockMovement

# Hash of every outlet's code, phone's slug and number on hand, in order. It changes only with the data or the rule.
SHELVES = "1fc04a1105d258a68a4605d621d92436ce5b84ecba32a56244d45e52c1d71c37"

LEVELS = """
    SELECT outlet.code, phone.slug, level.on_hand FROM stores_stocklevel AS level
    JOIN stores_outlet AS outlet ON outlet.id = level.outlet_id JOIN catalog_phone AS phone ON phone.id = level.phone_id
    ORDER BY outlet.code COLLATE "C", phone.slug COLLATE "C"
"""


def load_demo() -> str:
    out = io.StringIO()
    call_command("load_demo", stdout=out)
    return out.getvalue()


def shelves() -> list[tuple[str, str, int]]:
    with connection.cursor() as cursor:
        cursor.execute(LEVELS)
        return cursor.fetchall()


def fingerprint(rows: list[tuple[str, str, int]]) -> str:
    return sha256("\n".join(f"{code} {slug} {on_hand}" for code, slug, on_hand in rows).encode()).hexdigest()


def explained_by_the_ledger() -> bool:
    """Whether the sums of all lines are the levels, shelf by shelf."""
    sums = StockMovement.objects.values_list("outlet", "phone").annotate(
        on_hand=Sum("change_on_hand"), reserved=Sum("change_reserved")
    )
    levels = StockLevel.objects.values_list("outlet", "phone", "on_hand", "reserved")
    return set(sums) == set(levels)


def test_loads_everything_and_a_second_time_nothing(db: None, monkeypatch: pytest.MonkeyPatch) -> None:
    """One test, because loading takes seconds."""
    monkeypatch.setenv("LC_ALL", "C.UTF-8")
    assert load_demo().splitlines() == [
        "Phones: 22 rows: 22 new, 0 changed, 0 unchanged, 0 refused.",
        "Timetables: 7 rows: 7 new, 0 changed, 0 unchanged, 0 refused.",
        "Regions: 16913 rows: 16913 new, 0 changed, 0 unchanged, 0 refused.",
        "Outlets: 15000 rows: 15000 new, 0 changed, 0 unchanged, 0 refused.",
        "Closed periods: 17208 new.",
        "Stock: 210000 shelves opened.",
        "People: 4 new.",
        "This is sample data: the places are real, the shops, their hours and their stock are made up, "
        "and so are most values of the phones.",
    ]

    assert Phone.objects.count() == 14
    assert Counter(Outlet.objects.values_list("state", flat=True)) == {"open": 14_946, "suspended": 40, "planned": 14}
    assert sum(Region.objects.filter(level=1).values_list("outlet_count", flat=True)) == 15_000
    assert StockLevel.objects.count() == 210_000
    rows = shelves()
    assert fingerprint(rows) == SHELVES
    assert explained_by_the_ledger()
    available = {
        phone: sum(1 for level in StockLevel.objects.filter(phone=phone, outlet__state="open") if level.available)
        for phone in [Phone.objects.first(), Phone.objects.last()]
    }
    told = {one.phone: one.outlets_with for one in RegionStock.objects.filter(region=None, phone__in=available)}
    assert told == available

    second = load_demo().splitlines()
    assert [line for line in second if " 0 new, 0 changed" in line] == second[:4]
    assert second[4:7] == ["Closed periods: 0 new.", "Stock: 0 shelves opened.", "People: 0 new."]
    assert shelves() == rows
    assert ClosedPeriod.objects.count() == 17_208


SLUGS = [f"phone-{number}" for number in range(14)]
CODES = [f"{town}-01" for town in range(130_121_100, 130_123_100)]
COUNTRY = {code: dict(opening_stock(code, Outlet.State.OPEN, SLUGS)) for code in CODES}


def test_every_outlet_has_a_level_for_every_phone() -> None:
    assert all(list(shelf) == SLUGS for shelf in COUNTRY.values())


def test_some_phones_are_sold_out_and_some_are_the_last_one() -> None:
    amounts = Counter(on_hand for shelf in COUNTRY.values() for on_hand in shelf.values())
    total = amounts.total()
    assert 0.30 < amounts[0] / total < 0.50
    assert 0.03 < amounts[1] / total < 0.12
    assert max(amounts) <= 36


def test_the_cheaper_a_phone_the_more_outlets_have_it() -> None:
    having = [sum(shelf[slug] > 0 for shelf in COUNTRY.values()) for slug in SLUGS]
    assert having[0] > having[6] > having[13] > len(CODES) / 5


def test_small_outlets_never_carry_the_dearest() -> None:
    small = [shelf for code, shelf in COUNTRY.items() if pick(SIZES, code, "size") is SIZES[0][0]]
    assert 0.50 < len(small) / len(COUNTRY) < 0.60
    assert not any(shelf[slug] for shelf in small for slug in SLUGS[-2:])
    assert any(shelf[SLUGS[-3]] for shelf in small)


def test_a_planned_outlet_has_an_empty_shelf() -> None:
    assert not any(on_hand for code in CODES[:50] for _slug, on_hand in opening_stock(code, "planned", SLUGS))
