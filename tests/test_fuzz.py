"""Whatever is typed into an address or sent along with it, the answer is a page that says what is wrong, no 500."""

from __future__ import annotations

import socket
from contextlib import closing
from urllib.parse import quote_from_bytes

import pytest
from django.test import Client
from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st

from stores.models import Outlet
from tests.all_pages import MODES
from tests.factories import create_outlet, create_phone, create_stock
from tests.site import Site

pytestmark = pytest.mark.django_db

SLUGS = ["uniscope-y401", "tcl-t553"]
OUTLETS = ["130121100-01", "130121100-02"]
REGIONS = ["130000", "130100", "130121", "130121100"]
KEYS = ["p", "q", "lat", "lng", "phone", "page", "tier", "brand", "price", "screen", "battery", "network", "dual_sim"]
KEYS += ["sort", "4g", "sim", "next", "region", "outlet", "k", "unknown", "p[]", ""]

# Bytes as they stand in a request line: well-formed or not.
NUMBERS = ["0", "-1", "1", "2", "999999999999999999999", "1e999", "nan", "inf", "-inf", "91", "181", "41.2", "1_000"]
NUMBERS += ["٣", "²", "１", "0x10", "1,5", " 7 "]
WORDS = [
    "fengning",
    "fn",
    "丰宁",
    "zzzz",
    "'; DROP TABLE x; --",
    "<script>alert(1)</script>",
    "{{ 7 }}",
    "%",
    "_",
    "\\",
    "../..",
]
# Bytes of a refusal, plain: its style is most of them, and what it says is short.
HEAVIEST_REFUSAL = 15_000
WORDS += ["x" * 10_000, "长" * 3_000, "\x00", "a\x00b", "\n", "\u202e", "\ufeff", "😀", "ſ", "İ"]
RAW = [b"\xff\xfe", b"\xe4\xb8", b"%", b"%zz", b"%u4e30", b"\x80abc", b"\xed\xa0\x80"]
values = st.one_of(
    st.sampled_from([*NUMBERS, *WORDS, *SLUGS, *OUTLETS, *REGIONS]).map(str.encode),
    st.sampled_from(RAW),
    st.text(max_size=30).map(lambda text: text.encode("utf-8", "surrogatepass")),
    st.binary(max_size=12),
    st.floats(width=32).map(lambda number: str(number).encode()),
)
names = st.one_of(
    st.sampled_from([*SLUGS, *OUTLETS, *REGIONS, "130121100-99", "990000", "000000000"]).map(str.encode),
    values,
)
SHAPES = [
    "/",
    "/phones/",
    "/phones/NAME/",
    "/phones/NAME",
    "/compare/",
    "/outlets/",
    "/outlets/NAME/",
    "/regions/NAME/",
]
SHAPES += ["/credits/", "/NAME/", "/NAME", "/outlets/NAME/choose/", "/robots.txt", "/sitemap.xml", "/sitemaps/NAME.xml"]
SHAPES += ["/basket/", "/checkout/", "/orders/", "/orders/NAME/", "/orders/NAME/move/", "/orders/NAME/cancel/"]
SHAPES += ["/orders/107579630694/", "/orders/107579630694/calendar.ics", "/orders/NAME/forget/", "/demo/messages/"]
SHAPES += ["//", "/large", "/large/large/", "/en/en/", "/en", "/large/en", "/static/NAME"]
queries = st.lists(st.tuples(st.sampled_from(KEYS).map(str.encode), values), max_size=6)
headers = st.fixed_dictionaries(
    {},
    optional={
        "HTTP_HOST": st.sampled_from(
            ["", "a b", "[::1", "example.com:99999", "ex\xe4mple", "x" * 300, "localhost:80", "/"]
        ),
        "HTTP_ACCEPT_ENCODING": st.sampled_from(["br;q=x", "gzip;q=-1", "*", "\xff", "br;q=x," * 2000, "identity;q=0"]),
        "HTTP_ACCEPT_LANGUAGE": st.sampled_from(["xx", "zh-Hans;q=9", "," * 500, "\xff\xfe", "en-" + "a" * 600]),
        "HTTP_IF_NONE_MATCH": st.sampled_from(["*", '"', 'W/"', '"a", "b', "\xff", '"x",' * 2000]),
        "HTTP_IF_MODIFIED_SINCE": st.sampled_from(["yesterday", "Thu, 99 Foo 99999 99:99:99 GMT", "\x00"]),
        "HTTP_COOKIE": st.sampled_from(
            [
                "my_outlet=130121100-01",
                "my_outlet=130121100-01:1abcde:forged",
                "my_outlet=" + "x" * 20_000,
                "my_outlet=\x00\xff",
                "my_outlet=",
                "=;;=; my_outlet",
                "my_outlet=%00; my_outlet=b",
                'my_outlet="\\777"',
                "basket=tcl-t553:2; orders=107579630694; form=x",
                "basket=" + "x" * 20_000 + "; orders=\x00; form=",
            ]
        ),
        "HTTP_REFERER": st.sampled_from(["\xff", "http://[", "//", "javascript:alert(1)"]),
        "HTTP_RANGE": st.just("bytes=0-0,1-"),
    },
)
METHODS = ["GET", "GET", "GET", "HEAD", "OPTIONS", "POST", "PUT", "DELETE", "PATCH", "TRACE", "BREW"]


@pytest.fixture
def shop(db: None) -> None:
    """A little of everything that the addresses name."""
    phones = [create_phone(slug=slug) for slug in SLUGS]
    for code, state in zip(OUTLETS, (Outlet.State.OPEN, Outlet.State.CLOSED), strict=True):
        outlet = create_outlet(code=code, state=state)
        for phone in phones:
            create_stock(outlet=outlet, phone=phone)


def ask(client: Client, method: str, path: bytes, query: bytes, **environ: str) -> tuple[int, bytes]:
    """Send a request as a web server would hand it on; check what must hold for every answer."""
    environ = {"PATH_INFO": path.decode("latin-1"), "QUERY_STRING": query.decode("latin-1")} | environ
    answer = client.generic(method, "/", **environ)
    body = b"".join(answer) if answer.streaming else answer.content
    where = f"{method} {path!r}?{query!r} {environ}"
    assert answer.status_code < 500, where
    assert "Cache-Control" in answer.headers, where
    if answer.status_code == 405:
        assert answer["Allow"], where
    if (
        answer.headers.get("Content-Type", "").startswith("text/html")
        and method != "HEAD"
        and answer.status_code not in (204, 304)
    ):
        if answer.status_code >= 400:
            assert b"<main" in body, where
            assert b"<h1" in body, where
        assert b"<script>alert(1)" not in body, where
    return answer.status_code, body


relaxed = settings(max_examples=200, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])


@relaxed
@given(
    method=st.sampled_from(METHODS),
    mode=st.sampled_from([*MODES.values()]),
    shape=st.sampled_from(SHAPES),
    name=names,
    query=queries,
    environ=headers,
)
@example("GET", "/", "/outlets/", b"", [(b"q", b"\x00")], {})
@example("GET", "/", "/outlets/", b"", [(b"q", b"x" * 10_000)], {})
@example("GET", "/", "/outlets/", b"", [(b"lat", b"nan"), (b"lng", b"0")], {})
@example("GET", "/", "/outlets/", b"", [(b"q", b"fn"), (b"page", b"x")], {})
@example("GET", "/", "/outlets/", b"", [(b"q", b"fn"), (b"page", b"99999999999999999999")], {})
@example("GET", "/large/en/", "/regions/NAME/", b"\x00", [], {})
@example("GET", "/", "/", b"", [], {"HTTP_HOST": "a b"})
@example("GET", "/", "/phones/NAME/", b"nowhere", [], {"HTTP_HOST": "a b"})
def test_no_request_breaks_a_page(
    shop: None,
    client: Client,
    method: str,
    mode: str,
    shape: str,
    name: bytes,
    query: list[tuple[bytes, bytes]],
    environ: dict[str, str],
) -> None:
    client.raise_request_exception = True
    path = mode.encode() + shape.encode().replace(b"NAME", name).removeprefix(b"/")
    encoded = b"&".join(key + b"=" + quote_from_bytes(value).encode() for key, value in query)
    ask(client, method, path, encoded, **environ)


@relaxed
@given(path=st.binary(max_size=40), query=st.binary(max_size=60))
def test_no_bytes_break_a_page(shop: None, client: Client, path: bytes, query: bytes) -> None:
    ask(client, "GET", b"/" + path, query)


@pytest.mark.parametrize("mode", MODES.values())
@pytest.mark.parametrize(
    ("path", "query", "status"),
    [
        ("phones/nothing/", "", 404),
        ("phones/uniscope-y4O1/", "", 404),
        ("regions/990000/", "", 404),
        ("outlets/130121100-99/", "", 404),
        ("outlets/nothing/", "", 404),
        ("outlets/130121100-02/", "", 410),
        ("outlets/", "lat=abc&lng=114", 400),
        ("outlets/", "lat=91&lng=114", 400),
        ("outlets/", "lat=41", 400),
        ("outlets/", "q=" + "x" * 10_000, 400),
        ("outlets/", "q=%00", 400),
        ("outlets/", "q=fn&page=0", 400),
        ("outlets/", "q=fn&page=x", 400),
        ("phones/", "tier=none", 400),
        ("phones/", "sort=upside-down", 400),
        ("compare/", "p=nothing&p=uniscope-y401", 404),
        ("nowhere/", "", 404),
    ],
)
def test_says_what_is_wrong_in_the_language_of_the_address(
    shop: None, client: Client, mode: str, path: str, query: str, status: int
) -> None:
    found, body = ask(client, "GET", (mode + path).encode(), query.encode())
    text = body.decode()
    assert found == status
    assert f'lang="{"en" if "/en/" in mode else "zh-Hans"}"' in text
    main = text.partition("<main")[2].partition("</main>")[0]
    assert "<a " in main, "no way on"
    assert len(body) < HEAVIEST_REFUSAL, "what was asked for weighs on the answer"


@pytest.mark.parametrize("method", ["POST", "PUT", "DELETE", "PATCH"])
@pytest.mark.parametrize("path", ["/", "/phones/", "/phones/uniscope-y401/", "/compare/", "/outlets/", "/credits/"])
def test_pages_are_only_read(shop: None, method: str, path: str) -> None:
    answer = Client(enforce_csrf_checks=True).generic(method, path)
    assert answer.status_code == 405
    assert answer["Allow"] == "GET, HEAD, OPTIONS"
    assert b"<main" in answer.content


@pytest.mark.parametrize("method", ["PUT", "DELETE", "PATCH", "TRACE", "BREW"])
@pytest.mark.parametrize(
    ("path", "allowed"),
    [
        ("/en/checkout/", "GET, HEAD, OPTIONS, POST"),
        ("/orders/", "GET, HEAD, OPTIONS, POST"),
        ("/desk/sign-in/", "GET, HEAD, OPTIONS, POST"),
        ("/admin/stores/outlet/", "GET, HEAD, OPTIONS, POST"),
        ("/outlets/130121100-01/choose/", "POST"),
        ("/robots.txt", "GET, HEAD, OPTIONS"),
        ("/api/v1/schema/", "GET, HEAD, OPTIONS"),
    ],
)
def test_forms_are_sent_by_post_alone(shop: None, method: str, path: str, allowed: str) -> None:
    answer = Client(enforce_csrf_checks=True).generic(method, path)
    assert (answer.status_code, answer.headers.get("Allow")) == (405, allowed)


@pytest.mark.parametrize(
    "path", ["/", "/en/phones/", "/phones/uniscope-y401/", "/outlets/130121100-01/", "/regions/130000/"]
)
def test_head_and_options(shop: None, client: Client, path: str) -> None:
    page, head, options = client.get(path), client.head(path), client.options(path)
    assert (page.status_code, head.status_code, options.status_code) == (200, 200, 204)
    assert head.content == b""
    assert head["Content-Type"] == page["Content-Type"]
    assert options["Allow"] == "GET, HEAD, OPTIONS"


RAW_REQUESTS = {
    "NUL in the path": b"GET /outlets/%00/ HTTP/1.1\r\nHost: localhost\r\n\r\n",
    "broken UTF-8": b"GET /regions/%ff%fe/?q=%e4%b8 HTTP/1.1\r\nHost: localhost\r\n\r\n",
    "no host": b"GET / HTTP/1.0\r\n\r\n",
    "odd host": b"GET / HTTP/1.1\r\nHost: a_b..c\r\n\r\n",
    "bytes in headers": b"GET / HTTP/1.1\r\nHost: localhost\r\nCookie: my_outlet=\xff\xfe\r\nETag: \xff\r\n\r\n",
    "long path": b"GET /" + b"x" * 9000 + b" HTTP/1.1\r\nHost: localhost\r\n\r\n",
    "long cookie": b"GET / HTTP/1.1\r\nHost: localhost\r\nCookie: my_outlet=" + b"x" * 9000 + b"\r\n\r\n",
    "whole address": b"GET http://localhost/phones/ HTTP/1.1\r\nHost: localhost\r\n\r\n",
    "strange method": b"BREW / HTTP/1.1\r\nHost: localhost\r\n\r\n",
    "no request at all": b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03\r\n\r\n",
    "body that was not asked for": b"GET / HTTP/1.1\r\nHost: localhost\r\nContent-Length: 5\r\n\r\nhello",
    "unknown length": b"POST / HTTP/1.1\r\nHost: localhost\r\nContent-Length: x\r\n\r\n",
}


@pytest.mark.parametrize("request_bytes", RAW_REQUESTS.values(), ids=RAW_REQUESTS)
def test_the_web_server_stands_odd_requests(site: Site, request_bytes: bytes) -> None:
    with closing(socket.create_connection(("127.0.0.1", site.port), timeout=10)) as connection:
        connection.sendall(request_bytes)
        answer = connection.recv(65_536)
    # A server may hang up on what is no HTTP.
    assert not answer or int(answer.split(None, 2)[1]) < 500
    assert site.get("/")[0].status == 200
