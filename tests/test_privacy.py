"""Customers are known as long as needed, told what is known, and forgotten."""

import io
import json
from datetime import timedelta

import pytest
from django.core.management import CommandError, call_command
from django.db import connection
from django.utils import timezone

from orders import lifecycle
from orders.models import Order
from orders.privacy import erase_customer, erase_old_customers, export_customer
from orders.refusals import OrderRefused
from tests.crowd import at_once
from tests.order_factories import CUSTOMER, MOBILE, create_order, create_shelf

AFTER = timedelta(days=180)


def everything_stored() -> str:
    """Return all rows of all tables as text."""
    rows = []
    with connection.cursor() as cursor:
        for table in connection.introspection.table_names(cursor):
            cursor.execute(f'SELECT t::text FROM "{table}" t')
            rows += [row for (row,) in cursor.fetchall()]
    return "\n".join(rows)


@pytest.mark.django_db
def test_is_erased_when_the_time_has_come_and_not_before():
    ended, still_open = create_order(state="collected"), create_order()
    ended.refresh_from_db()

    assert erase_old_customers(now=ended.ended_at + AFTER - timedelta(seconds=1)) == 0
    assert erase_old_customers(now=ended.ended_at + AFTER) == 1
    assert erase_old_customers(now=ended.ended_at + AFTER) == 0

    erased = Order.objects.get(pk=ended.pk)
    assert (erased.name, erased.mobile, erased.state) == ("", "", "collected")
    assert Order.objects.get(pk=still_open.pk).mobile == still_open.mobile


@pytest.mark.django_db
def test_after_erasure_no_table_knows_the_customer():
    shelf = create_shelf()
    order = create_order(shelf, name="欧阳娜娜", mobile=MOBILE, state="ready")
    lifecycle.cancel(order, CUSTOMER, "changed my mind")
    stored = everything_stored()
    assert MOBILE[3:] in stored
    assert "欧阳娜娜" in stored

    erase_old_customers(now=timezone.now() + AFTER)

    stored = everything_stored()
    assert MOBILE[3:] not in stored
    assert "欧阳" not in stored


@pytest.mark.django_db
def test_only_the_order_itself_holds_name_and_number():
    create_order(name="欧阳娜娜", mobile=MOBILE)

    assert everything_stored().count(MOBILE[3:]) == 1
    assert everything_stored().count("欧阳娜娜") == 1


@pytest.mark.django_db(transaction=True)
def test_two_workers_erase_everything_once():
    shelf = create_shelf(on_hand=50)
    for _ in range(20):
        create_order(shelf, state="cancelled")
    now = timezone.now() + AFTER + timedelta(seconds=1)

    assert sum(at_once([lambda: erase_old_customers(now=now)] * 3)) == 20


@pytest.mark.django_db
def test_large_numbers_are_erased_in_parts(monkeypatch, django_assert_num_queries):
    monkeypatch.setattr("orders.privacy.AT_ONCE", 2)
    shelf = create_shelf(on_hand=50)
    for _ in range(5):
        create_order(shelf, state="cancelled")

    # Three parts, and what customers have used of sale windows that are over.
    with django_assert_num_queries(4):
        assert erase_old_customers(now=timezone.now() + AFTER + timedelta(seconds=1)) == 5


@pytest.mark.django_db
def test_export_tells_all_that_is_known(django_assert_max_num_queries):
    shelf = create_shelf()
    order = create_order(shelf, mobile=MOBILE, state="cancelled")
    create_order(shelf, mobile=MOBILE)
    create_order(shelf)

    with django_assert_max_num_queries(4):
        known = export_customer(MOBILE)

    assert json.loads(json.dumps(known))["mobile"] == MOBILE
    assert known["orders"][0]["number"] == order.number
    assert len(known["orders"]) == 2
    assert known["orders"][0]["history"][-1]["what"] == "cancelled"


@pytest.mark.django_db
def test_erasure_on_request_waits_for_open_orders():
    order = create_order(mobile=MOBILE)

    with pytest.raises(OrderRefused) as refusal:
        erase_customer(MOBILE)
    assert refusal.value.data["numbers"] == [order.number]

    lifecycle.cancel(order, CUSTOMER)
    assert erase_customer(MOBILE) == 1
    assert export_customer(MOBILE)["orders"] == []


@pytest.mark.django_db
def test_the_commands_ask_for_the_number_instead_of_taking_it_as_an_argument(monkeypatch):
    create_order(mobile=MOBILE, state="cancelled")
    monkeypatch.setattr("sys.stdin", io.StringIO("138 0013 8000\n138 0013 8000\n12\n"))
    out = io.StringIO()

    call_command("export_customer", stdout=out)
    call_command("erase_customer", stdout=out)

    assert '"orders": [' in out.getvalue()
    assert "Erased from 1 orders." in out.getvalue()
    with pytest.raises(CommandError):
        call_command("export_customer", stdout=out)
