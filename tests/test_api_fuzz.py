"""Whatever a program sends to the API, the answer is one that the schema knows; never a 500."""

from __future__ import annotations

from typing import Any
from urllib.parse import quote_from_bytes

import pytest
from django.test import Client
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from api.models import CallCount
from api.schema import schema
from catalog.catalogue import Catalogue
from partners.keys import issue_key
from partners.models import Partner
from stores.search import index_places
from tests.api_schema import check, operations
from tests.factories import create_outlet, create_region, create_stock
from tests.test_fuzz import NUMBERS, RAW, WORDS

pytestmark = pytest.mark.django_db

GOOD = [
    "uniscope-y401",
    "130121100-01",
    "130000",
    "130121100",
    "38,114",
    "yunos",
    "county",
    "parent",
    "slug",
    "code",
    "town",
    "2",
    " ",
]
CURSORS = [
    "WzJd",
    "W10",
    "WyIwIl0",
    "WzEuNSwiMCJd",
    "WzEsIjAiXQ",
    "e30",
    "W1tbW1tbW1tb",
    "WyJcdWQ4MDAiXQ",
    "WzFlOTk5XQ",
]
PARAMETERS = sorted(
    {part["name"] for method, _path, told in operations() if method == "GET" for part in told.get("parameters", ())}
)
values = st.one_of(
    st.sampled_from([*GOOD, *CURSORS, *NUMBERS, *WORDS]).map(str.encode),
    st.lists(st.sampled_from([*GOOD, *NUMBERS]), max_size=3).map(",".join).map(str.encode),
    st.sampled_from(RAW),
    st.binary(max_size=12),
    st.text(max_size=20).map(lambda text: text.encode("utf-8", "surrogatepass")),
)
queries = st.lists(st.tuples(st.sampled_from([*PARAMETERS, "unknown", "", "format"]), values), max_size=5)
headers = st.fixed_dictionaries(
    {},
    optional={
        "HTTP_ACCEPT": st.sampled_from(["", "*/*", "application/json", "text/html", "a/b;q=x", "\xff", ",;,", "*"]),
        "HTTP_ACCEPT_LANGUAGE": st.sampled_from(["xx", "zh;q=9", "," * 500, "\xff\xfe", "en-" + "a" * 600, "en"]),
        "HTTP_ACCEPT_ENCODING": st.sampled_from(["br;q=x", "gzip", "*", "\xff", "identity;q=0"]),
        "HTTP_IF_NONE_MATCH": st.sampled_from(["*", '"', 'W/"', '"a", "b', "\xff"]),
        "HTTP_AUTHORIZATION": st.sampled_from(["", "Bearer", "Bearer x", "Basic x", "\xff", "KEY", "KEY", "KEY"]),
        "CONTENT_TYPE": st.sampled_from(
            ["application/json", "text/plain", "x", "multipart/form-data; boundary=x", "\xff"]
        ),
        "HTTP_X_HTTP_METHOD_OVERRIDE": st.just("DELETE"),
    },
)
methods = st.sampled_from(["GET"] * 8 + ["HEAD", "OPTIONS", "POST", "PUT", "PATCH", "DELETE", "TRACE", "BREW"])


@pytest.fixture
def key(catalogue: Catalogue) -> str:
    create_region("130121100", name_en="Fengning Town", name_pinyin="Fengning Zhen", pinyin_initials="fn")
    outlet = create_outlet(code="130121100-01")
    create_stock(outlet=outlet, phone=catalogue.phones[0])
    index_places()
    return issue_key(Partner.objects.create(name="ERP"), ["catalog:read", "stores:read", "stock:read"])


@settings(max_examples=400, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    path=st.sampled_from(sorted(schema()["paths"])),
    code=values,
    query=queries,
    more=headers,
    method=methods,
    body=st.binary(max_size=20),
)
def test_nothing_that_is_sent_breaks_the_contract(
    client: Client, key: str, path: str, code: bytes, query: Any, more: dict[str, str], method: str, body: bytes
) -> None:
    CallCount.objects.all().delete()
    named = path.replace("{code}", quote_from_bytes(code, safe=""))
    text = "&".join(f"{name}={quote_from_bytes(value)}" for name, value in query)
    if more.get("HTTP_AUTHORIZATION") == "KEY":
        more = more | {"HTTP_AUTHORIZATION": f"Bearer {key}"}
    response = client.generic(method, f"{named}?{text}", body, **more)
    assert response.status_code < 500
    if (
        method == "GET"
        and "get" in schema()["paths"][path]
        and response.status_code != 304
        and not response.has_header("Content-Encoding")
    ):
        # An address that no door has is answered without counting.
        if response.status_code == 404 and "RateLimit" not in response:
            assert response["Content-Type"] == "application/problem+json"
        else:
            check(path, response)
