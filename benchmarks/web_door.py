"""
What a reservation costs through the web door, beside a Django view that does nothing but the least SQL.

Requests go through the whole product as a web server hands them on, middleware included, without a network. Counted are
milliseconds of processor time, the program's and its PostgreSQL backend's together; all ways take turns within each
round. It runs on a database of its own, made for it.
"""

from __future__ import annotations

import io
import random
import re
from collections.abc import Callable
from itertools import count
from typing import Any, NamedTuple
from urllib.parse import urlencode

from django.core.handlers.wsgi import WSGIHandler
from django.test import override_settings

from benchmarks.orders import FLOOR_TABLES, measure, settle

OUTLETS = 40
# What the table promises: the share of the floor that a POST reaches, milliseconds of a whole reservation.
POST_GOAL, WHOLE_GOAL_MS = 0.5, 5.0
FLOOR, POST, WHOLE = "floor: a plain view, one statement", "POST of the form", "whole reservation, four requests"

# Those of a new Django project that need no table.
PLAIN_MIDDLEWARE = [
    "django.middleware.security.SecurityMiddleware",
    "django.middleware.common.CommonMiddleware",
    "django.middleware.csrf.CsrfViewMiddleware",
    "django.middleware.clickjacking.XFrameOptionsMiddleware",
]


class Browser:
    """Sends requests to a handler, keeps its cookies, and comes from an address of its own, made from `number`."""

    def __init__(self, handler: WSGIHandler, number: int) -> None:
        self.handler = handler
        self.cookies: dict[str, str] = {}
        self.address = f"10.{number >> 16 & 255}.{number >> 8 & 255}.{number & 255}"

    def get(self, address: str) -> tuple[int, str, str]:
        path_info, _, query = address.partition("?")
        return self._ask("GET", path_info, query, b"")

    def post(self, address: str, form: dict[str, Any]) -> tuple[int, str, str]:
        return self._ask("POST", address, "", urlencode(form).encode())

    def _ask(self, method: str, path_info: str, query: str, body: bytes) -> tuple[int, str, str]:
        """Return status, body and where it redirects to."""
        environ = {
            "REQUEST_METHOD": method,
            "PATH_INFO": path_info,
            "QUERY_STRING": query,
            "SERVER_NAME": "localhost",
            "SERVER_PORT": "80",
            "SERVER_PROTOCOL": "HTTP/1.1",
            "HTTP_HOST": "localhost",
            "HTTP_ACCEPT_ENCODING": "identity",
            "HTTP_COOKIE": "; ".join(f"{name}={value}" for name, value in self.cookies.items()),
            "REMOTE_ADDR": self.address,
            "CONTENT_TYPE": "application/x-www-form-urlencoded",
            "CONTENT_LENGTH": str(len(body)),
            "wsgi.url_scheme": "http",
            "wsgi.input": io.BytesIO(body),
            "wsgi.errors": io.StringIO(),
        }
        answer: dict[str, Any] = {}
        parts = self.handler(environ, lambda status, headers: answer.update(status=status, headers=headers))
        text = b"".join(parts).decode()
        parts.close()
        for name, value in answer["headers"]:
            if name == "Set-Cookie":
                key, _, rest = value.partition("=")
                self.cookies[key.strip()] = rest.partition(";")[0]
        return int(answer["status"].split()[0]), text, dict(answer["headers"]).get("Location", "")


def run() -> str:
    """Return the table of what a reservation costs at the web door."""
    from django.db import connection

    name = connection.settings_dict["NAME"]
    connection.creation.create_test_db(verbosity=0, autoclobber=True)
    try:
        with override_settings(ROOT_URLCONF="benchmarks.web_door_urls", ALLOWED_HOSTS=["*"]):
            return _table(_measure())
    finally:
        connection.creation.destroy_test_db(name, verbosity=0)


class Shelf(NamedTuple):
    """Plenty of one phone at one outlet, as a customer meets it."""

    outlet_id: int
    code: str
    phone_id: int
    slug: str
    price_fen: int


def shelves_of(outlets: int) -> list[Shelf]:
    """Write so many outlets that have a phone, and return their shelves."""
    from catalog.catalogue import forget_catalogue
    from tests.factories import create_outlet, create_phone, create_stock

    # What is in memory may be of the database that was measured before.
    forget_catalogue()
    phone = create_phone()
    levels = [create_stock(outlet=create_outlet(), phone=phone, on_hand=900_000) for _ in range(outlets)]
    return [Shelf(level.outlet_id, level.outlet.code, phone.pk, phone.slug, phone.price_fen) for level in levels]


class Customers:
    """Customers who reserve one phone each, and those of a view that does nothing but the least SQL."""

    def __init__(self, shelves: list[Shelf], number: int = 0) -> None:
        """`number` tells the customers of one process from those of another."""
        from django.core.signals import request_finished, request_started
        from django.db import close_old_connections

        # The backend whose time is counted must stay the same.
        request_started.disconnect(close_old_connections)
        request_finished.disconnect(close_old_connections)
        self.shelves = shelves
        self.dice = random.Random(number)  # noqa: S311
        self.mobiles = count(13_900_000_000 + number * 10**7)
        self.addresses = count(1 + number * 10**6)
        self.numbers = count(10**11 + number * 10**9 + 10**8)
        self.product = WSGIHandler()
        with override_settings(MIDDLEWARE=PLAIN_MIDDLEWARE):
            self.plain = WSGIHandler()
        self.ready = self.browser(self.product)
        page = _expect(self.ready.get(f"/checkout/?p={shelves[0].slug}&outlet={shelves[0].code}"), 200)
        self.token = _hidden(page[1], "csrfmiddlewaretoken")

    def ways(self) -> dict[str, Callable[[], object]]:
        return {FLOOR: self.floor, POST: self.post, WHOLE: self.whole}

    def browser(self, handler: WSGIHandler) -> Browser:
        return Browser(handler, next(self.addresses))

    def shelf(self) -> Shelf:
        return self.dice.choice(self.shelves)

    def mobile(self) -> str:
        return f"+86{next(self.mobiles)}"

    def floor(self) -> None:
        shelf = self.shelf()
        number = next(self.numbers)
        who = {"number": number, "name": "王小明", "mobile": self.mobile()}
        answer = self.browser(self.plain).post("/floor/", {"outlet": shelf.outlet_id, "phone": shelf.phone_id, **who})
        _expect(answer, 200)

    def post(self) -> None:
        browser = self.browser(self.product)
        browser.cookies = {"csrftoken": self.ready.cookies["csrftoken"]}
        keys = {"form_key": f"{next(self.numbers):032x}", "csrfmiddlewaretoken": self.token}
        _expect(browser.post("/checkout/", self._form(self.shelf(), **keys)), 302)

    def whole(self) -> None:
        browser, shelf = self.browser(self.product), self.shelf()
        _expect(browser.get(f"/checkout/?p={shelf.slug}&lat=38.03&lng=114.14"), 200)
        text = _expect(browser.get(f"/checkout/?p={shelf.slug}&outlet={shelf.code}"), 200)[1]
        keys = {name: _hidden(text, name) for name in ("form_key", "csrfmiddlewaretoken")}
        there = _expect(browser.post("/checkout/", self._form(shelf, **keys)), 302)[2]
        _expect(browser.get(there), 200)

    def _form(self, shelf: Shelf, **keys: str) -> dict[str, Any]:
        who = {"name": "王小明", "mobile": self.mobile(), "language": "zh-hans", "consent": "on"}
        return {"p": shelf.slug, "outlet": shelf.code, "total": shelf.price_fen, **who, **keys}


def _hidden(text: str, name: str) -> str:
    found = re.search(rf'name="{name}" value="([^"]+)"', text)
    if not found:
        raise SystemExit(f"The form has no {name}.")
    return found[1]


def _expect(answer: tuple[int, str, str], status: int) -> tuple[int, str, str]:
    if answer[0] != status:
        raise SystemExit(f"Expected {status}, got {answer[0]}: {answer[1][:500]}")
    return answer


def _measure() -> dict[str, float]:
    from django.db import connection

    customers = Customers(shelves_of(OUTLETS))
    with connection.cursor() as cursor:
        cursor.execute(FLOOR_TABLES)
        cursor.execute("SELECT pg_backend_pid()")
        (backend,) = cursor.fetchone()
    settle(customers.post)
    return measure(customers.ways(), backend)


def _table(costs: dict[str, float]) -> str:
    lines = ["| a reservation through the web door | ms | floor / ms | goal |", "|---|---|---|---|"]
    goals = {FLOOR: "", POST: f"floor / ms at least {POST_GOAL}", WHOLE: f"at most {WHOLE_GOAL_MS:.0f} ms"}
    for name, cost in costs.items():
        is_missed = (name == POST and costs[FLOOR] / cost < POST_GOAL) or (name == WHOLE and cost > WHOLE_GOAL_MS)
        mark = "**" if is_missed else ""
        lines.append(f"| {name} | {mark}{cost:.2f}{mark} | {mark}{costs[FLOOR] / cost:.2f}{mark} | {goals[name]} |")
    return "\n".join(lines) + "\n"
