"""The orders of the country: found by state, way, outlet and day, page by page, and no customer among them."""

from __future__ import annotations

import csv
import io
from datetime import timedelta
from typing import Any

import pytest
from django.test import Client
from django.utils import timezone

from office import order_list
from office.models import OfficeRole, TrailEntry
from orders.models import Channel, Order
from tests.office import office_client
from tests.order_factories import create_order, create_shelf

ADDRESS = "/en/admin/orders/"


@pytest.fixture
def support(db: None) -> Client:
    return office_client(OfficeRole.SUPPORT)


def shown(answer: Any) -> list[str]:
    return [order.number for order in answer.context["orders"]]


def placed(ago: timedelta, **values: Any) -> Order:
    """An order of the past, at an outlet of its own."""
    return create_order(placed_at=timezone.now() - ago, **values)


def test_page_by_page_every_order_comes_once_the_newest_first(
    support: Client, monkeypatch: pytest.MonkeyPatch, django_assert_max_num_queries: Any
) -> None:
    monkeypatch.setattr(order_list, "LINES", 2)
    # Two of the same instant stand on either side of a page's end.
    moment = timezone.now() - timedelta(hours=2)
    made = [create_order(placed_at=moment + timedelta(minutes=minutes)) for minutes in (0, 1, 1, 2, 3)]
    wanted = [order.number for order in sorted(made, key=lambda order: (order.placed_at, order.number), reverse=True)]

    found, address = [], ADDRESS
    while address:
        support.get(address)
        with django_assert_max_num_queries(7):
            page = support.get(address)
        found += shown(page)
        address = f"{ADDRESS}?{page.context['earlier']}" if page.context["earlier"] else ""

    assert found == wanted


def test_orders_are_found_by_what_is_known_of_them(support: Client) -> None:
    shelf = create_shelf(on_hand=5)
    by_phone = create_order(shelf, channel=Channel.HOTLINE)
    declined = create_order(shelf, state="declined")
    old, older = placed(timedelta(days=9)), placed(timedelta(days=40))
    today = timezone.localdate()

    def asked(**query: Any) -> set[str]:
        return set(shown(support.get(ADDRESS, query)))

    assert "orders of the last 31 days." in support.get(ADDRESS).text
    assert asked() == {by_phone.number, declined.number, old.number}
    assert asked(state="declined") == {declined.number}
    assert asked(state="open") == {by_phone.number, old.number}
    assert asked(channel="hotline") == {by_phone.number}
    assert asked(outlet=shelf.outlet.code) == {by_phone.number, declined.number}
    assert asked(first=today) == {by_phone.number, declined.number}
    assert asked(last=today - timedelta(days=1), state="placed") == {old.number, older.number}
    assert asked(outlet=older.outlet.code) == {older.number}
    assert asked(before="999999999999") == asked(before="x") == asked()


@pytest.mark.parametrize(
    ("query", "says"),
    [
        ({"outlet": "999999999-99"}, "No outlet has this code."),
        ({"first": "30.2.2026"}, "Enter a valid date."),
        ({"last": "9999-12-31"}, "Ensure this value is less than or equal to"),
        ({"state": "lost"}, "Select a valid choice."),
        ({"outlet": "\0"}, "Null characters are not allowed."),
    ],
)
def test_a_filter_that_makes_no_sense_is_told_apart_from_no_orders(
    support: Client, query: dict[str, str], says: str
) -> None:
    create_order()
    for address in (ADDRESS, f"{ADDRESS}export/"):
        page = support.get(address, query)
        assert page.status_code == 400
        assert says in page.text
        assert "No orders." not in page.text


def test_customers_are_masked_in_list_and_file_and_who_took_it_is_on_record(support: Client) -> None:
    order, other = create_order(), placed(timedelta(days=3))

    page = support.get(ADDRESS)
    answer = support.get(f"{ADDRESS}export/", {"first": timezone.localdate()})
    text = b"".join(answer.streaming_content).decode("utf-8-sig")

    assert answer.streaming
    (head, line) = csv.reader(io.StringIO(text))
    assert dict(zip(head, line, strict=True))["Order"] == order.number
    for written in (page.text, text):
        assert order.masked_mobile in written
        assert order.masked_name in written
        assert order.mobile.removeprefix("+86") not in written
        assert order.name not in written
        assert order.pickup_code not in written
    assert other.number not in text
    entry = TrailEntry.objects.get(deed="exported", thing="orders_order")
    assert entry.changes == {"query": f"first={timezone.localdate()}"}
