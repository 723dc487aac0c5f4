"""The sample data: complete, plausible, the same on every machine, and loaded once."""

from collections import Counter
from hashlib import sha256

from stores.loading.chance import pick
from stores.loading.demo_stock import SIZES, opening_stock
from stores.models import Outlet
from tests.site import Demo

# Hash of every outlet's code, phone's slug and number on hand, in order. It changes only with the data or the rule.
SHELVES = "1fc04a1105d258a68a4605d621d92436ce5b84ecba32a56244d45e52c1d71c37"

LEVELS = """
    SELECT outlet.code, phone.slug, level.on_hand FROM stores_stocklevel AS level
    JOIN stores_outlet AS outlet ON outlet.id = level.outlet_id JOIN catalog_phone AS phone ON phone.id = level.phone_id
    ORDER BY outlet.code COLLATE "C", phone.slug COLLATE "C"
"""
# Shelves whose level is not the sum of their lines.
UNEXPLAINED = """
    SELECT FROM stores_stocklevel AS level FULL JOIN (
        SELECT outlet_id, phone_id, sum(change_on_hand) AS on_hand, sum(change_reserved) AS reserved
        FROM stores_stockmovement GROUP BY outlet_id, phone_id
    ) AS line USING (outlet_id, phone_id)
    WHERE (level.on_hand, level.reserved) IS DISTINCT FROM (line.on_hand, line.reserved)
"""
# Phones of which the country's figure is not the number of open outlets that have one.
MISCOUNTED = """
    SELECT FROM stores_regionstock AS told FULL JOIN (
        SELECT phone_id, count(*) AS outlets_with FROM stores_stocklevel AS level
        JOIN stores_outlet AS outlet ON outlet.id = level.outlet_id
        WHERE outlet.state = 'open' AND level.on_hand - level.reserved - level.safety_stock > 0 GROUP BY phone_id
    ) AS counted USING (phone_id)
    WHERE told.region_id IS NULL AND told.outlets_with IS DISTINCT FROM counted.outlets_with
"""


def fingerprint(rows: list[tuple[str, str, int]]) -> str:
    return sha256("\n".join(f"{code} {slug} {on_hand}" for code, slug, on_hand in rows).encode()).hexdigest()


def test_loads_everything_and_a_second_time_nothing(demo: Demo) -> None:
    assert demo.said.splitlines() == [
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

    assert demo.rows("SELECT count(*) FROM catalog_phone") == [(14,)]
    states = demo.rows("SELECT state, count(*) FROM stores_outlet GROUP BY state")
    assert dict(states) == {"open": 14_946, "suspended": 40, "planned": 14}
    provinces = "SELECT sum(outlet_count) FROM stores_region WHERE level = 1"
    assert demo.rows(provinces) == [(15_000,)]
    rows = demo.rows(LEVELS)
    assert len(rows) == 210_000
    assert fingerprint(rows) == SHELVES
    assert demo.rows(UNEXPLAINED) == []
    assert demo.rows(MISCOUNTED) == []

    second = demo.load_again().splitlines()
    assert [line for line in second if " 0 new, 0 changed" in line] == second[:4]
    assert second[4:7] == ["Closed periods: 0 new.", "Stock: 0 shelves opened.", "People: 0 new."]
    assert demo.rows(LEVELS) == rows
    assert demo.rows("SELECT count(*) FROM stores_closedperiod") == [(17_208,)]


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
