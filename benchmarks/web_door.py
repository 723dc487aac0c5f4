"""
What a reservation costs through the web door, beside a Django view that does nothing but the least SQL.

Requests go through the whole product as a web server hands them on, middleware included, without a network. Counted are
milliseconds of processor time, the program's and its PostgreSQL backend's together; all ways take turns within each
round. It runs on a database of its own, made for it.
"""

from __future__ import annotations

import io
import re
from itertools import count
from typing import Any
from urllib.parse import urlencode

from django.core.handlers.wsgi import WSGIHandler
from django.http import HttpRequest, HttpResponse
from django.test import override_settings
from django.urls import path
from django.views.decorators.csrf import csrf_exempt

from benchmarks.orders import FLOOR_TABLES, ONE_STATEMENT, measure
from config import urls

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

_numbers = count(10**11)
_mobiles = count(13_900_000_000)
_addresses = count(1)


@csrf_exempt
def floor(request: HttpRequest) -> HttpResponse:
    """Promise one phone and write an order that says so: nothing is checked, nobody is told."""
    from django.db import connection

    form = request.POST
    parameters = [form["outlet"], form["phone"], str(next(_numbers)), form["name"], form["mobile"]]
    with connection.cursor() as cursor:
        cursor.execute(ONE_STATEMENT, parameters)
    return HttpResponse("done")


urlpatterns = [path("floor/", floor), *urls.urlpatterns]


class Browser:
    """Sends requests to a handler, keeps its cookies, and comes from an address of its own."""

    def __init__(self, handler: WSGIHandler) -> None:
        self.handler = handler
        self.cookies: dict[str, str] = {}
        number = next(_addresses)
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
        with override_settings(ROOT_URLCONF="benchmarks.web_door", ALLOWED_HOSTS=["*"]):
            return _table(_measure())
    finally:
        connection.creation.destroy_test_db(name, verbosity=0)


def _measure() -> dict[str, float]:
    from django.core.signals import request_finished, request_started
    from django.db import close_old_connections, connection

    from tests.factories import create_outlet, create_phone, create_stock

    # The backend whose time is counted must stay the same.
    request_started.disconnect(close_old_connections)
    request_finished.disconnect(close_old_connections)
    product = WSGIHandler()
    with override_settings(MIDDLEWARE=PLAIN_MIDDLEWARE):
        plain = WSGIHandler()
    phone = create_phone()
    shelves = [create_stock(outlet=create_outlet(), phone=phone, on_hand=90_000) for _ in range(OUTLETS)]
    with connection.cursor() as cursor:
        cursor.execute(FLOOR_TABLES)
        cursor.execute("VACUUM ANALYZE")
        cursor.execute("SELECT pg_backend_pid()")
        (backend,) = cursor.fetchone()
    turns = count()

    def form(code: str, **more: str) -> dict[str, Any]:
        who = {"name": "王小明", "mobile": str(next(_mobiles)), "language": "zh-hans", "consent": "on"}
        return {"p": phone.slug, "outlet": code, "total": phone.price_fen, **who, **more}

    def hidden(text: str, name: str) -> str:
        found = re.search(rf'name="{name}" value="([^"]+)"', text)
        if not found:
            raise SystemExit(f"The form has no {name}.")
        return found[1]

    def expect(answer: tuple[int, str, str], status: int) -> tuple[int, str, str]:
        if answer[0] != status:
            raise SystemExit(f"Expected {status}, got {answer[0]}: {answer[1][:500]}")
        return answer

    ready = Browser(product)
    address = f"/checkout/?p={phone.slug}&outlet={shelves[0].outlet.code}"
    token = hidden(expect(ready.get(address), 200)[1], "csrfmiddlewaretoken")

    def floor_post() -> None:
        shelf = shelves[next(turns) % OUTLETS]
        who = {"outlet": shelf.outlet_id, "phone": shelf.phone_id, "name": "王小明", "mobile": str(next(_mobiles))}
        expect(Browser(plain).post("/floor/", who), 200)

    def post() -> None:
        code = shelves[next(turns) % OUTLETS].outlet.code
        browser = Browser(product)
        browser.cookies = {"csrftoken": ready.cookies["csrftoken"]}
        key = f"{next(_numbers):032x}"
        expect(browser.post("/checkout/", form(code, form_key=key, csrfmiddlewaretoken=token)), 302)

    def whole() -> None:
        browser = Browser(product)
        code = shelves[next(turns) % OUTLETS].outlet.code
        expect(browser.get(f"/checkout/?p={phone.slug}&lat=38.03&lng=114.14"), 200)
        text = expect(browser.get(f"/checkout/?p={phone.slug}&outlet={code}"), 200)[1]
        keys = {name: hidden(text, name) for name in ("form_key", "csrfmiddlewaretoken")}
        there = expect(browser.post("/checkout/", form(code, **keys)), 302)[2]
        expect(browser.get(there), 200)

    return measure({FLOOR: floor_post, POST: post, WHOLE: whole}, backend)


def _table(costs: dict[str, float]) -> str:
    lines = ["| a reservation through the web door | ms | floor / ms | goal |", "|---|---|---|---|"]
    goals = {FLOOR: "", POST: f"floor / ms at least {POST_GOAL}", WHOLE: f"at most {WHOLE_GOAL_MS:.0f} ms"}
    for name, cost in costs.items():
        is_missed = (name == POST and costs[FLOOR] / cost < POST_GOAL) or (name == WHOLE and cost > WHOLE_GOAL_MS)
        mark = "**" if is_missed else ""
        lines.append(f"| {name} | {mark}{cost:.2f}{mark} | {mark}{costs[FLOOR] / cost:.2f}{mark} | {goals[name]} |")
    return "\n".join(lines) + "\n"
