"""What a phone costs at a moment: the rule beside a plain model of it, and what the database refuses to rewrite."""

from __future__ import annotations

import time
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from django.core.exceptions import ValidationError
from django.db import IntegrityError, connection, transaction
from django.db.models.functions import Now
from django.utils import timezone, translation
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from catalog import catalogue as catalogue_in_memory
from catalog.catalogue import current_catalogue, version_and_clock
from catalog.models import Phone, Price, SaleWindow, SaleWindowPrice
from catalog.prices import offers_at, set_price
from tests.factories import change_price, create_phone, create_window, wait_until

pytestmark = pytest.mark.django_db

# A long future, in hours: few moments, so that edges meet.
HOURS = st.integers(1, 12)
FEN = st.integers(1, 6).map(lambda yuan: yuan * 100)
PRICES = st.dictionaries(HOURS, FEN, max_size=4)
WINDOWS = st.lists(st.tuples(HOURS, st.integers(1, 6), FEN), max_size=5)


def cost(first: int, prices: dict[int, int], windows: list[tuple[int, int, int]], hour: float) -> tuple[int, int]:
    """What it costs and what it ordinarily costs, said as plainly as can be."""
    begun = [start for start in prices if start <= hour]
    ordinary = prices[max(begun)] if begun else first
    sales = [price for start, length, price in windows if start <= hour < start + length]
    return min([ordinary, *sales]), ordinary


@settings(max_examples=60, suppress_health_check=list(HealthCheck), deadline=None)
@given(FEN, PRICES, WINDOWS, st.integers(0, 40).map(lambda halves: halves / 2))
def test_the_rule_is_that_of_the_model_at_every_moment(
    db: Any, first: int, prices: dict[int, int], windows: list[tuple[int, int, int]], hour: float
) -> None:
    with transaction.atomic():
        phone, start = create_phone(price_fen=first), timezone.now() + timedelta(days=1)

        def at(hours: float) -> datetime:
            return start + timedelta(hours=hours)

        for hours, price in prices.items():
            set_price(phone.pk, price, valid_from=at(hours))
        for begins, length, price in windows:
            create_window({phone: price}, starts_at=at(begins), ends_at=at(begins + length))

        offer = offers_at(at(hour))[phone.pk]
        price, ordinary = cost(first, prices, windows, hour)
        assert (offer.price_fen, offer.ordinary_fen) == (price, ordinary)
        assert (offer.sale is not None) == (price < ordinary)
        later = [half / 2 for half in range(int(hour * 2) + 1, 80)]
        change = next((hours for hours in later if cost(first, prices, windows, hours)[0] != price), None)
        assert offer.valid_until == (None if change is None else at(change))
        transaction.set_rollback(True)


def test_of_windows_with_one_price_the_one_that_ends_last_counts() -> None:
    phone, now = create_phone(), timezone.now()
    create_window({phone: 19900}, ends_at=now + timedelta(hours=1))
    long = create_window({phone: 19900}, ends_at=now + timedelta(hours=2))

    offer = offers_at()[phone.pk]

    assert offer.sale is not None
    assert (offer.sale.window_id, offer.valid_until) == (long.pk, long.ends_at)


def test_a_phone_outside_the_catalogue_knows_what_it_costs() -> None:
    phone = create_phone(price_fen=29900)
    create_window({phone: 24900})

    assert Phone.objects.get(pk=phone.pk).price_fen == 24900


def test_a_price_of_the_future_begins_by_the_clock_of_the_database() -> None:
    phone = create_phone(price_fen=29900)
    _, clock = version_and_clock()
    set_price(phone.pk, 31900, valid_from=clock + timedelta(seconds=1.2))
    assert current_catalogue().by_id[phone.pk].price_fen == 29900
    assert current_catalogue().by_id[phone.pk].offer.valid_until == clock + timedelta(seconds=1.2)

    deadline = time.monotonic() + 5
    while current_catalogue().by_id[phone.pk].price_fen == 29900:
        assert time.monotonic() < deadline
        time.sleep(0.02)

    assert version_and_clock()[1] >= clock + timedelta(seconds=1.2)


def test_no_query_is_needed_until_a_price_changes(monkeypatch: pytest.MonkeyPatch, django_assert_num_queries) -> None:
    monkeypatch.setattr(catalogue_in_memory, "VERSION_IS_FRESH", 3600)
    phone = create_phone()
    ends_at = version_and_clock()[1] + timedelta(seconds=2)
    create_window({phone: 100}, ends_at=ends_at)
    assert current_catalogue().by_id[phone.pk].price_fen == 100

    with django_assert_num_queries(0):
        current_catalogue()
    wait_until(ends_at)

    assert current_catalogue().by_id[phone.pk].price_fen == 29900


def test_changes_of_prices_raise_the_version() -> None:
    seen = [version_and_clock()[0]]
    phone = create_phone()
    change_price(phone, 100)
    seen.append(version_and_clock()[0])
    window = create_window({phone: 50})
    seen.append(version_and_clock()[0])
    SaleWindow.objects.filter(pk=window.pk).update(ends_at=timezone.now() + timedelta(hours=1))
    seen.append(version_and_clock()[0])

    assert sorted(set(seen)) == seen


def test_windows_that_are_open_together_are_found() -> None:
    now = timezone.now() + timedelta(days=1)
    first = create_window({create_phone(): 100}, starts_at=now, ends_at=now + timedelta(hours=2))
    second = create_window({create_phone(): 100}, starts_at=now + timedelta(hours=1), ends_at=now + timedelta(hours=3))
    create_window({create_phone(): 100}, starts_at=now + timedelta(hours=2), ends_at=now + timedelta(hours=3))

    assert list(SaleWindow.objects.overlapping(first)) == [second]


def test_a_window_price_that_saves_nothing_is_refused_with_its_reason() -> None:
    phone = create_phone(price_fen=29900)
    price = SaleWindowPrice(window=create_window({}), phone=phone, price_fen=29900)

    with translation.override("en"):
        with pytest.raises(ValidationError) as refusal:
            price.full_clean()
        # In words only now: the text is lazy.
        assert refusal.value.message_dict == {
            "price_fen": ["This is not below the ordinary price at the start of the window."]
        }


# Direct SQL against what must hold. Rows of the past are made with the guards asleep.

ATTACKS = {
    "price_is_positive": "INSERT INTO catalog_price (phone_id, price_fen, provenance) VALUES (%(phone)s, 0, '')",
    "price_provenance_is_known": """INSERT INTO catalog_price (phone_id, price_fen, provenance, valid_from)
        VALUES (%(phone)s, 1, 'guessed', now() + interval '1 h')""",
    "price_has_its_own_moment": """INSERT INTO catalog_price (phone_id, price_fen, provenance, valid_from)
        SELECT phone_id, 5, '', valid_from FROM catalog_price WHERE id = %(future)s""",
    "price_begins_now_or_later": """INSERT INTO catalog_price (phone_id, price_fen, provenance, valid_from)
        VALUES (%(phone)s, 5, '', now() - interval '1 s')""",
    "price_is_not_rewritten": "UPDATE catalog_price SET price_fen = 5 WHERE id = %(past)s",
    "price_is_not_rewritten (moved into the past)": """UPDATE catalog_price SET valid_from = now() - interval '1 s'
        WHERE id = %(future)s""",
    "price_is_kept": "DELETE FROM catalog_price WHERE id = %(past)s",
    "salewindow_ends_after_it_starts": """UPDATE catalog_salewindow SET ends_at = starts_at WHERE id = %(planned)s""",
    "salewindow_limit_is_positive": "UPDATE catalog_salewindow SET limit_per_customer = 0 WHERE id = %(planned)s",
    "salewindow_begins_now_or_later": """INSERT INTO catalog_salewindow
        (name_zh, name_en, starts_at, ends_at, limit_per_customer)
        VALUES ('', '', now() - interval '1 s', now() + interval '1 h', 1)""",
    "salewindow_is_not_rewritten": "UPDATE catalog_salewindow SET limit_per_customer = 9 WHERE id = %(begun)s",
    "salewindow_is_not_rewritten (begins later)": """UPDATE catalog_salewindow SET starts_at = now()
        WHERE id = %(begun)s""",
    "salewindow_is_not_rewritten (ends later)": """UPDATE catalog_salewindow SET ends_at = ends_at + interval '1 s'
        WHERE id = %(begun)s""",
    "salewindow_is_not_rewritten (ended in the past)": """UPDATE catalog_salewindow
        SET ends_at = now() - interval '1 s' WHERE id = %(begun)s""",
    "salewindow_is_not_rewritten (began in the past)": """UPDATE catalog_salewindow
        SET starts_at = now() - interval '1 s' WHERE id = %(planned)s""",
    "salewindow_is_kept": "DELETE FROM catalog_salewindow WHERE id = %(begun)s",
    "salewindowprice_is_positive": "UPDATE catalog_salewindowprice SET price_fen = 0 WHERE window_id = %(planned)s",
    "salewindowprice_quota_is_positive": """UPDATE catalog_salewindowprice SET quota_per_outlet = 0
        WHERE window_id = %(planned)s""",
    "salewindowprice_once_a_phone": """INSERT INTO catalog_salewindowprice (window_id, phone_id, price_fen)
        VALUES (%(planned)s, %(phone)s, 5)""",
    "salewindowprice_is_settled_when_it_begins": """UPDATE catalog_salewindowprice SET price_fen = 5
        WHERE window_id = %(begun)s""",
    "salewindowprice_is_settled_when_it_begins (taken away)": """DELETE FROM catalog_salewindowprice
        WHERE window_id = %(begun)s""",
    "salewindowprice_is_settled_when_it_begins (added)": """INSERT INTO catalog_salewindowprice
        (window_id, phone_id, price_fen) VALUES (%(begun)s, %(other)s, 5)""",
    "salewindowprice_is_settled_when_it_begins (moved in)": """UPDATE catalog_salewindowprice
        SET window_id = %(begun)s, phone_id = %(other)s WHERE window_id = %(planned)s""",
}


def a_past() -> dict[str, int]:
    """A phone with a price of yesterday and one of tomorrow; a window that is open and one that is planned."""
    phone, other, now = create_phone(), create_phone(), timezone.now()
    yesterday, tomorrow = now - timedelta(days=1), now + timedelta(days=1)
    begun, planned = create_window({phone: 100}), create_window({phone: 100}, starts_at=tomorrow)
    set_price(phone.pk, 30000, valid_from=tomorrow)
    with connection.cursor() as cursor:
        cursor.execute("SET CONSTRAINTS ALL IMMEDIATE")
        cursor.execute(
            "ALTER TABLE catalog_price DISABLE TRIGGER USER; ALTER TABLE catalog_salewindow DISABLE TRIGGER USER"
        )
        cursor.execute("UPDATE catalog_price SET valid_from = %s WHERE valid_from <= now()", [yesterday])
        cursor.execute("UPDATE catalog_salewindow SET starts_at = %s WHERE id = %s", [yesterday, begun.pk])
        cursor.execute(
            "ALTER TABLE catalog_price ENABLE TRIGGER USER; ALTER TABLE catalog_salewindow ENABLE TRIGGER USER"
        )
    prices = Price.objects.filter(phone=phone).order_by("valid_from")
    return {
        "phone": phone.pk, "other": other.pk, "past": prices[0].pk, "future": prices[1].pk,
        "begun": begun.pk, "planned": planned.pk,
    }  # fmt: skip


@pytest.mark.parametrize("attack", ATTACKS)
def test_the_database_refuses(attack: str) -> None:
    rows = a_past()
    with pytest.raises(IntegrityError) as refusal, transaction.atomic(), connection.cursor() as cursor:
        cursor.execute(ATTACKS[attack], rows)
    assert refusal.value.__cause__.diag.constraint_name == attack.partition(" ")[0]


def test_a_window_that_has_begun_can_be_ended_now() -> None:
    begun = SaleWindow.objects.get(pk=a_past()["begun"])

    SaleWindow.objects.filter(pk=begun.pk).update(ends_at=Now())

    assert all(offer.sale is None for offer in offers_at().values())


def test_no_phone_is_without_a_price() -> None:
    phone = create_phone()
    phone.pk, phone.slug, phone.position = None, "without-a-price", 30_000
    phone.save(force_insert=True)

    with pytest.raises(IntegrityError, match="has no price"), transaction.atomic(), connection.cursor() as cursor:
        cursor.execute("SET CONSTRAINTS ALL IMMEDIATE")
    phone.delete()


def test_the_past_is_told_as_it_was() -> None:
    rows = a_past()
    now = datetime.now(UTC)

    then, later = offers_at(now - timedelta(hours=20)), offers_at(now + timedelta(days=1, hours=1))

    assert (then[rows["phone"]].price_fen, then[rows["phone"]].ordinary_fen) == (100, 29900)
    assert rows["other"] in then
    assert later[rows["phone"]].ordinary_fen == 30000
    assert rows["phone"] not in offers_at(now - timedelta(days=2))
