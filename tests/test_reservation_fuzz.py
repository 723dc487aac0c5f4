"""Whatever is sent to the forms of a reservation, the answer is a page, no 500, and no order that nobody asked for."""

from __future__ import annotations

from typing import Any

import pytest
from django.test import Client
from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st

from orders.models import Order
from tests.factories import create_outlet, create_phone, create_stock
from tests.test_fuzz import NUMBERS, OUTLETS, SLUGS, WORDS, relaxed

pytestmark = pytest.mark.django_db

NUMBER = "107579630694"
ADDRESSES = ["/basket/", "/checkout/", "/orders/", f"/orders/{NUMBER}/cancel/", f"/orders/{NUMBER}/extend/"]
ADDRESSES += [f"/orders/{NUMBER}/move/", f"/orders/{NUMBER}/forget/", f"/orders/{NUMBER}/", "/demo/messages/"]
FIELDS = ["p", "phone", "quantity", "outlet", "total", "form_key", "name", "mobile", "language", "consent", "basket"]
FIELDS += ["number", "last_four", "csrfmiddlewaretoken", "", "p[]"]
values = st.one_of(
    st.sampled_from([*NUMBERS, *WORDS, *SLUGS, *OUTLETS, "13800138000", NUMBER, "on", "en", "f" * 32]),
    st.sampled_from([f"{SLUGS[0]}:{number}" for number in NUMBERS]),
    st.text(max_size=40),
)
bodies = st.dictionaries(st.sampled_from(FIELDS), values | st.lists(values, max_size=3), max_size=9)
headers = st.fixed_dictionaries(
    {},
    optional={
        "CONTENT_TYPE": st.sampled_from(["application/json", "text/plain", "multipart/form-data", ""]),
        "HTTP_ORIGIN": st.sampled_from(["null", "http://evil.example", "http://[", "\xff"]),
        "HTTP_SEC_FETCH_SITE": st.sampled_from(["cross-site", "same-origin", "?"]),
        "HTTP_X_FORWARDED_FOR": st.sampled_from(["1.2.3.4", "x", "," * 500]),
        "REMOTE_ADDR": st.sampled_from(["", "::1", "not an address", "10.0.0.1"]),
    },
)


@pytest.fixture
def shop(db: None) -> None:
    phones = [create_phone(slug=slug) for slug in SLUGS]
    outlet = create_outlet(code=OUTLETS[0])
    for phone in phones:
        create_stock(outlet=outlet, phone=phone)


@relaxed
@given(address=st.sampled_from(ADDRESSES), prefix=st.sampled_from(["", "/en", "/large"]), body=bodies, environ=headers)
@example("/orders/", "", {"number": NUMBER, "last_four": "8000"}, {"REMOTE_ADDR": "not an address"})
@example("/checkout/", "", {"p": SLUGS[0], "outlet": OUTLETS[0], "name": "\x00", "mobile": "\x00"}, {})
@example("/checkout/", "", {"p": [SLUGS[0]] * 30, "outlet": OUTLETS[0], "mobile": "1" * 5000, "total": "9" * 5000}, {})
def test_no_form_breaks_a_page(shop: None, address: str, prefix: str, body: dict[str, Any], environ: Any) -> None:
    client = Client()
    if "CONTENT_TYPE" in environ:
        answer = client.generic("POST", prefix + address, repr(body).encode("utf-8", "replace"), **environ)
    else:
        answer = client.post(prefix + address, body, **environ)
    assert answer.status_code < 500
    if answer.status_code >= 400 and answer.headers.get("Content-Type", "").startswith("text/html"):
        assert b"<h1" in answer.content
    assert not Order.objects.exists()


@settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(cookie=st.text(alphabet=st.characters(min_codepoint=33, max_codepoint=255), max_size=600))
def test_no_cookie_breaks_a_page(shop: None, cookie: str) -> None:
    client = Client()
    for name in ("basket", "orders", "form", "my_outlet"):
        client.cookies[name] = cookie
    for address in ("/basket/", f"/checkout/?p={SLUGS[0]}", f"/orders/{NUMBER}/", "/orders/"):
        assert client.get(address).status_code == 200
