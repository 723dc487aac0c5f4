"""The customer's name and number stay in the order: not in addresses, cookies, kept pages, logs or other pages."""

from __future__ import annotations

import logging

import pytest
from django.conf import settings
from django.contrib.sessions.models import Session
from django.db import connection
from django.http import HttpResponse
from django.test import Client

from config import ready
from orders.models import Order
from tests.order_factories import create_shelf
from tests.test_reserve import form_of

pytestmark = pytest.mark.django_db

NAME = "欧阳春花"
DIGITS = "13912345678"
# The number in the ways in which it could leak; the last four digits alone may be typed, but are never sent back.
SECRETS = [NAME, DIGITS, "139 1234 5678", "12345678", NAME.encode().hex(), "%E6%AC%A7%E9%98%B3"]


def leaks(text: str) -> list[str]:
    return [secret for secret in SECRETS if secret in text]


def test_nothing_of_the_customer_leaves_the_order(caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.DEBUG)
    client, shelf = Client(), create_shelf(on_hand=1)
    form = form_of(shelf, name=NAME, mobile=DIGITS)
    answers: list[HttpResponse] = [client.post("/checkout/", form), client.post("/checkout/", form)]
    order = Order.objects.get()
    here = f"/orders/{order.number}/"
    answers += [client.get(here), client.get(f"/en{here}move/"), client.get(f"{here}calendar.ics")]
    answers += [client.post("/orders/", {"number": order.number, "last_four": DIGITS[-4:]})]
    answers += [client.post("/orders/", {"number": order.number, "last_four": "0000"})]
    answers += [client.post(f"{here}extend/"), client.post(f"{here}extend/"), client.post(f"{here}cancel/")]
    answers += [client.post(f"{here}move/", {"outlet": "x"}), client.get("/orders/"), client.get("/demo/messages/")]
    answers += [client.get("/"), client.get(f"/phones/{shelf.phone.slug}/"), client.get("/basket/")]
    assert all(answer.status_code < 500 for answer in answers)
    for answer in answers:
        assert not leaks(answer.content.decode()), answer.request
        assert not leaks(str(answer.headers) + answer.cookies.output()), answer.request
        assert not leaks(answer.request["PATH_INFO"] + answer.request["QUERY_STRING"])
    assert not leaks("\n".join(client.cookies[name].value for name in client.cookies))
    assert not leaks("\n".join(record.getMessage() + str(record.args) for record in caplog.records))
    for page in ready.shelf._pages.values():
        assert not leaks(page.bodies["identity"].decode())


def test_a_form_that_comes_back_is_shown_to_nobody_else(caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.DEBUG)
    shelf = create_shelf(on_hand=1, reserved=1)
    form = form_of(shelf, name=NAME, mobile=DIGITS)
    client = Client()
    for changes in ({}, {"consent": ""}, {"total": "1"}, {"mobile": DIGITS + "0"}):
        answer = client.post("/checkout/", form | changes)
        # Nothing typed is lost, so it is in the page, and the page is in no cache.
        assert NAME in answer.content.decode()
        assert answer["Cache-Control"] == "no-store, private"
        assert not leaks(str(answer.headers) + answer.cookies.output())
    assert len(ready.shelf) == 0
    assert not leaks("\n".join(record.getMessage() + str(record.args) for record in caplog.records))


def test_no_table_but_the_orders_knows_the_customer() -> None:
    Client().post("/checkout/", form_of(create_shelf(), name=NAME, mobile=DIGITS))
    with connection.cursor() as cursor:
        tables = [table for table in connection.introspection.table_names(cursor) if table != "orders_order"]
        for table in tables:
            cursor.execute(f'SELECT string_agg(row::text, chr(10)) FROM "{table}" AS row')
            assert not leaks(cursor.fetchone()[0] or ""), table


def test_no_session_is_kept_of_a_customer() -> None:
    client = Client()
    client.get(client.post("/checkout/", form_of(create_shelf(), name=NAME, mobile=DIGITS))["Location"])
    assert settings.SESSION_COOKIE_NAME not in client.cookies
    assert not Session.objects.exists()
