"""What customers read on their phones: right facts, two languages, at most two parts."""

import csv
import gzip
import re
from datetime import UTC, datetime

import pytest
from django.conf import settings
from hypothesis import given
from hypothesis import strategies as st

from orders.messages.segments import GSM7, GSM7_TWICE, count_segments
from orders.messages.texts import TEMPLATES, render
from orders.models import Message, Order
from stores.models import Outlet
from tests.factories import create_outlet
from tests.order_factories import create_order, create_shelf, request_for

LANGUAGES = ["zh-hans", "en"]
KINDS = Message.Kind.values


@pytest.mark.parametrize(
    ("text", "segments"),
    [
        ("", 1), ("a" * 160, 1), ("a" * 161, 2), ("a" * 306, 2), ("a" * 307, 3), ("€" * 80, 1), ("€" * 81, 2),
        ("村" * 70, 1), ("村" * 71, 2), ("村" * 134, 2), ("村" * 135, 3), ("a" * 69 + "村", 1), ("a" * 70 + "村", 2),
        ("𠮷" * 35, 1), ("𠮷" * 36, 2),
    ],
)  # fmt: skip
def test_parts_are_counted_as_carriers_do(text: str, segments: int):
    assert count_segments(text) == segments


@given(st.text(alphabet=sorted(GSM7 | GSM7_TWICE)), st.text(alphabet="村铺取货码", min_size=1))
def test_one_chinese_character_makes_all_of_them_dear(plain: str, chinese: str):
    assert count_segments(plain + chinese) >= count_segments(plain)


def longest_names(column: str, count: int = 40) -> list[str]:
    with gzip.open(settings.BASE_DIR / "stores" / "data" / "outlets.csv.gz", "rt", encoding="utf-8") as file:
        names = {row[column] for row in csv.DictReader(file)}
    return sorted(names, key=len, reverse=True)[:count]


@pytest.mark.django_db
@pytest.mark.parametrize("language", LANGUAGES)
def test_two_parts_are_enough_for_the_longest_names(catalogue, language: str):
    phones = sorted(catalogue.listed, key=lambda phone: len(phone.name_zh) + len(phone.name_en))[-3:]
    chinese, english = longest_names("name_zh"), longest_names("name_en")
    # As long as the columns allow, too.
    worst_zh, worst_en = "村" * 80, "Store " * 26
    home, *others = [create_outlet(name_zh=worst_zh, name_en=worst_en) for _ in range(3)]
    for outlet in (home, *others):
        shelves = [create_shelf(outlet, phone=phone) for phone in phones]
    order = Order.objects.get(pk=create_order_of(home, shelves, language).pk)

    for name_zh, name_en in [*zip(chinese, english, strict=True), (worst_zh, worst_en)]:
        order.outlet = Outlet(pk=home.pk, name_zh=name_zh, name_en=name_en, latitude=30, longitude=110)
        for kind in KINDS:
            for order.state in ("placed", "ready"):
                text = render(kind, order)
                assert 1 <= text.segments <= 2, text.words
                assert count_segments(text.words) == text.segments


def create_order_of(outlet: Outlet, shelves: list, language: str) -> Order:
    from orders.checkout import place_order

    lines = {shelf.phone_id: 1 for shelf in shelves}
    return place_order(**request_for(shelves[0], lines=lines, outlet=outlet, language=language))


@pytest.mark.django_db
@pytest.mark.parametrize("language", LANGUAGES)
@pytest.mark.parametrize("kind", KINDS)
def test_every_text_is_whole(kind: str, language: str):
    order = create_order(language=language)

    text = render(kind, order)

    assert not re.search(r"%\(|%[sd]|\{|\bNone\b", text.words)
    assert text.words.startswith("【村铺】" if language == "zh-hans" else "Cunpu: ")
    assert (max(text.words) >= "一") == (language == "zh-hans")
    assert order.mobile[3:] not in text.words
    assert order.name not in text.words
    assert text.template == f"{kind}{'_placed' * (kind == 'reminder')}.{language}"


@pytest.mark.django_db
def test_says_where_when_and_how_much():
    order = create_order(quantity=2)
    order.held_until = datetime(2026, 11, 11, 10, 5, tzinfo=UTC)

    words = render("placed", order).words

    for fact in (order.outlet.name_zh, order.pickup_code, order.number, "11月11日18:05", "598元"):
        assert fact in words


@pytest.mark.django_db
def test_a_declined_order_names_the_nearest_outlets_that_have_it():
    shelf = create_shelf()
    near = create_shelf(create_outlet(name_zh="近处店", latitude=38.1), phone=shelf.phone)
    create_shelf(create_outlet(name_zh="远处店", latitude=41.0), phone=shelf.phone)
    create_shelf(create_outlet(name_zh="没货店", latitude=38.04), phone=shelf.phone, on_hand=0)
    create_shelf(create_outlet(name_zh="关门店", latitude=38.04, state="closed"), phone=shelf.phone)
    order = create_order(shelf, state="declined")

    words = render("declined", order).words

    assert "近处店、远处店" in words
    assert near.outlet.name_zh in words
    assert f"/orders/{order.number}/?k=" in words


def test_every_kind_has_a_text():
    assert set(KINDS) <= set(TEMPLATES)
