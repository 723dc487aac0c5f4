"""A unit's life: one box finds phones and orders, and a line of time says what became of them."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
from django.db import connection
from django.test import Client

from office.models import OfficeRole, TrailEntry
from orders import lifecycle, walk_in
from orders.models import Order, Payment
from stores import stock, transfers
from stores.models import StockLevel
from tests.factories import act, create_outlet, create_unit
from tests.office import office_client
from tests.order_factories import create_order, create_shelf


@pytest.fixture
def support(db: None) -> Client:
    return office_client(OfficeRole.SUPPORT)


def find(client: Client, text: str) -> Any:
    return client.post("/en/admin/find/", {"q": text}, follow=True)


def sold(shelf: StockLevel) -> tuple[Order, str]:
    """An order that was collected with a scanned phone; and the phone's number."""
    unit = create_unit()
    stock.receive(shelf.outlet_id, {shelf.phone_id: 1}, act(), {shelf.phone_id: [unit]})
    order = create_order(shelf, state="ready")
    lifecycle.collect(
        order, "person:7", method=Payment.Method.CASH, amount_fen=order.due_fen, units={shelf.phone_id: [unit]}
    )
    return order, unit[0]


def test_a_phone_from_receipt_to_its_second_sale(support: Client) -> None:
    shelf, there = create_shelf(on_hand=0), create_outlet()
    order, number = sold(shelf)
    unit = (number,)
    stock.return_unit(shelf.outlet_id, shelf.phone_id, unit, act(reason="wrong colour"))
    coming = transfers.request(shelf.outlet_id, there.pk, {shelf.phone_id: 1}, act())
    transfers.approve(coming.pk, act())
    transfers.send(coming.pk, {shelf.phone_id: 1}, act(), {shelf.phone_id: [unit]})

    page = find(support, number)
    happened = [moment.what for moment in page.context["life"].moments]

    assert happened == ["received", "handed over", "returned", "sent to another outlet"]
    assert order.spoken_number in page.text
    assert "wrong colour" in page.text
    assert "on its way to another outlet" in page.text


def test_an_order_with_its_messages_payment_and_phone(support: Client) -> None:
    order, number = sold(create_shelf(on_hand=0))

    page = find(support, order.spoken_number)
    happened = [moment.what for moment in page.context["life"].moments]

    assert happened[0] == "placed"
    assert {"set aside", "handed over", "paid: cash"} <= set(happened)
    assert number in page.text


def test_customers_are_masked_until_somebody_who_may_asks_and_that_is_on_record(support: Client) -> None:
    order = create_order(create_shelf(on_hand=3))
    national = order.mobile.removeprefix("+86")
    address = f"/en/admin/orders/{order.number}/"
    for page in (support.get(address), find(support, national[-4:]), find(support, national)):
        assert order.masked_mobile in page.text
        assert order.mobile not in page.text

    shown = support.post(f"{address}customer/")

    assert order.mobile in shown.text
    entry = TrailEntry.objects.get(deed="shown")
    assert (entry.key, entry.actor.startswith("person:"), entry.changes) == (order.number, True, {})
    assert order.mobile not in support.get(address).text
    assert office_client(OfficeRole.AUDITOR).post(f"{address}customer/").status_code == 403
    assert TrailEntry.objects.filter(deed="shown").count() == 1


@pytest.mark.parametrize("text", ["", "x", "12345", "0000", "350000000000000", "999999999999", "999999999-99", "\0"])
def test_what_is_not_on_record_is_said_so(support: Client, text: str) -> None:
    assert "Nothing on record fits." in find(support, text).text


def test_an_outlets_books(support: Client, django_assert_max_num_queries: Callable[..., Any]) -> None:
    shelf = create_shelf(on_hand=9)
    order, *_others = (create_order(shelf) for _ in range(4))

    page = find(support, shelf.outlet.code)
    with django_assert_max_num_queries(8):
        support.get(f"/en/admin/outlets/{shelf.outlet.code}/books/")
    ledger = support.get(f"/en/admin/outlets/{shelf.outlet.code}/books/{shelf.phone.slug}/")

    assert order.spoken_number in page.text
    assert "reserved" in ledger.text


@pytest.mark.parametrize(
    "path", ["units/350000000000006/", "orders/999999999999/", "outlets/999999999-99/books/", "units/x/"]
)
def test_there_is_no_page_of_what_is_not_there(support: Client, path: str) -> None:
    assert support.get(f"/admin/{path}").status_code == 404


def test_a_long_life_costs_no_more_queries(support: Client, django_assert_max_num_queries: Callable[..., Any]) -> None:
    shelf = create_shelf(on_hand=0)
    _order, number = sold(shelf)
    for _ in range(3):
        stock.return_unit(shelf.outlet_id, shelf.phone_id, (number,), act())
        paid = {"method": Payment.Method.CASH, "amount_fen": shelf.phone.price_fen}
        walk_in.sell(shelf.outlet_id, shelf.phone, (number,), act(), **paid)
        support.get(f"/admin/units/{number}/")
        with django_assert_max_num_queries(16):
            support.get(f"/admin/units/{number}/")


def test_the_last_four_digits_are_looked_up_by_an_index(db: None) -> None:
    with connection.cursor() as cursor:
        # Of a table that was empty when it was looked at last, any plan is good: only those by an index and in order,
        # and not the one that goes through all orders of the country in theirs.
        cursor.execute("SET LOCAL enable_seqscan = off; SET LOCAL enable_sort = off; DROP INDEX order_by_placed")
        query, parameters = Order.objects.with_last_four("8000").order_by("-placed_at")[:100].query.sql_with_params()
        cursor.execute(f"EXPLAIN {query}", parameters)
        plan = "\n".join(line for (line,) in cursor.fetchall())

    assert "order_by_last_four" in plan
    # In its order: or all orders that ever ended in these digits would be read for the newest hundred.
    assert "Sort" not in plan
