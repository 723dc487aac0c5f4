"""Ready pages: what is answered without being made again, for how long, to whom, and in how much memory."""

import gzip
import json
import math
import subprocess
import sys
import threading
import time
from datetime import UTC, datetime, timedelta

import brotli
import pytest
from django.conf import settings
from django.db import OperationalError, connection
from django.http import HttpResponse
from django.test import Client
from hypothesis import given
from hypothesis import strategies as st

from catalog import catalogue
from catalog.catalogue import Edition, version_and_clock
from catalog.models import Brand
from config import ready
from config.ready import Codings, ReadyPage, Shelf, codings_for
from config.squeeze import zstd
from tests.factories import create_phone, create_window

pytestmark = [pytest.mark.django_db, pytest.mark.urls("tests.ready_site")]


ADD_A_BRAND_IN_ANOTHER_PROCESS = """
import json, psycopg2, sys
with psycopg2.connect(**json.loads(sys.argv[1])) as connection, connection.cursor() as cursor:
    cursor.execute("INSERT INTO catalog_brand (slug, name_zh, name_en) VALUES ('b', '牌', 'Brand')")
"""


class Clock:
    """Stands in for the module `time` where ready pages and the catalogue look at it, and for the database's clock."""

    def __init__(self) -> None:
        self.now = 1000.0
        # Later than whatever a test begins with, however slow the machine is.
        self.began_at = datetime.now(UTC) + timedelta(minutes=10)

    def monotonic(self) -> float:
        return self.now

    def version_and_clock(self) -> tuple[int, datetime]:
        return version_and_clock()[0], self.began_at + timedelta(seconds=self.now - 1000.0)


@pytest.fixture
def clock(monkeypatch: pytest.MonkeyPatch) -> Clock:
    stopped = Clock()
    monkeypatch.setattr(ready, "time", stopped)
    monkeypatch.setattr(catalogue, "time", stopped)
    monkeypatch.setattr(catalogue, "version_and_clock", stopped.version_and_clock)
    return stopped


def change_the_catalogue() -> None:
    Brand.objects.create(slug=f"brand-{Brand.objects.count()}", name_zh="牌", name_en="Brand")


def body(client: Client, address: str, **headers: str) -> bytes:
    return client.get(address, headers=headers).content


def test_the_second_visitor_gets_the_same_bytes(client: Client) -> None:
    assert body(client, "/catalogue/") == body(client, "/catalogue/")


@pytest.mark.parametrize("comes_first", ["head", "get"])
def test_head_tells_what_get_would_whether_the_page_is_ready_or_not(client: Client, comes_first: str) -> None:
    if comes_first == "head":
        head, page = client.head("/catalogue/"), client.get("/catalogue/")
    else:
        page, head = client.get("/catalogue/"), client.head("/catalogue/")
    assert page.content
    assert head.content == b""
    assert head["ETag"] == page["ETag"]
    assert head["Content-Length"] == page["Content-Length"]


@pytest.mark.usefixtures("held_memory")
def test_no_query_is_needed_for_a_ready_page(client: Client, django_assert_num_queries) -> None:
    client.get("/catalogue/")
    with django_assert_num_queries(0):
        client.get("/catalogue/")


def test_each_coding_holds_the_same_page(client: Client) -> None:
    plain = body(client, "/catalogue/")
    assert gzip.decompress(body(client, "/catalogue/", accept_encoding="gzip, deflate")) == plain
    assert brotli.decompress(body(client, "/catalogue/", accept_encoding="gzip, deflate, br")) == plain
    response = client.get("/catalogue/", headers={"accept-encoding": "gzip, deflate, br, zstd"})
    assert response["Content-Encoding"] == "zstd"
    assert zstd.decompress(response.content) == plain
    personal = client.get("/catalogue/", headers={"accept-encoding": "gzip, br, zstd", "cookie": "my_outlet=x"})
    assert personal["Content-Encoding"] == "br"
    assert int(response["Content-Length"]) == len(response.content) < len(plain)
    assert "accept-encoding" in response["Vary"].lower()


def test_a_page_asked_for_often_is_squeezed_harder(client: Client) -> None:
    quick = body(client, "/catalogue/", accept_encoding="br")
    for _ in range(ready.THOROUGH_AFTER):
        thorough = body(client, "/catalogue/", accept_encoding="br")
    assert brotli.decompress(thorough) == brotli.decompress(quick)
    assert thorough != quick
    # Who was served by the quicker coding so far gets the smaller one, too.
    assert body(client, "/catalogue/", accept_encoding="gzip, br, zstd") == thorough


def test_who_has_the_page_is_told_so_in_every_coding(client: Client) -> None:
    first = client.get("/catalogue/", headers={"accept-encoding": "br"})
    for coding in ("br", "gzip", "identity"):
        again = client.get("/catalogue/", headers={"if-none-match": first["ETag"], "accept-encoding": coding})
        assert again.status_code == 304
        assert again.content == b""
        assert again["ETag"] == first["ETag"]
        assert "Cache-Control" in again.headers
        assert "Vary" in again.headers
    assert client.get("/catalogue/", headers={"if-none-match": '"other"'}).status_code == 200


def test_the_first_asker_may_bring_a_tag(client: Client) -> None:
    tag = client.get("/catalogue/")["ETag"]
    ready.shelf.clear()
    assert client.get("/catalogue/", headers={"if-none-match": f'"x", {tag}'}).status_code == 200  # another text by now
    tag = client.get("/catalogue/")["ETag"]
    assert client.get("/catalogue/", headers={"if-none-match": f'"x", {tag}'}).status_code == 304


def test_a_page_of_the_catalogue_stays_until_the_catalogue_changes(client: Client, clock: Clock) -> None:
    before = client.get("/catalogue/")
    clock.now += 3600
    same = client.get("/catalogue/")
    assert same.content == before.content
    assert "Age" not in same.headers
    change_the_catalogue()
    clock.now += catalogue.VERSION_IS_FRESH
    assert client.get("/catalogue/").content != before.content


def test_a_page_of_stock_is_kept_for_its_seconds_and_says_its_age(client: Client, clock: Clock) -> None:
    before = client.get("/stock/")
    clock.now += 9.5
    same = client.get("/stock/")
    assert same.content == before.content
    assert same["Age"] == "10"
    clock.now += 0.5
    assert client.get("/stock/").content != before.content


def test_a_page_of_stock_goes_with_the_catalogue_too(client: Client, clock: Clock) -> None:
    before = body(client, "/stock/")
    change_the_catalogue()
    clock.now += 1
    assert body(client, "/stock/") != before


@pytest.mark.django_db(transaction=True)
def test_a_commit_of_another_process_is_seen_within_a_second(client: Client) -> None:
    before = body(client, "/catalogue/")
    parameters = connection.get_connection_params()
    plain = {key: parameters[key] for key in ("dbname", "user", "host", "port", "password") if parameters.get(key)}
    subprocess.run([sys.executable, "-c", ADD_A_BRAND_IN_ANOTHER_PROCESS, json.dumps(plain)], check=True)
    committed = time.monotonic()
    while body(client, "/catalogue/") == before:
        assert time.monotonic() - committed < catalogue.VERSION_IS_FRESH + 0.2
        time.sleep(0.02)


def test_other_cookies_do_not_matter_but_my_outlet_does(client: Client) -> None:
    before = body(client, "/catalogue/")
    assert body(client, "/catalogue/", cookie="_ga=1; theme=dark") == before
    mine = client.get("/catalogue/", headers={"cookie": "_ga=1; my_outlet=130826100-01"})
    assert mine.content != before
    assert mine["Cache-Control"] == "private, max-age=60"
    assert "Cookie" in mine["Vary"]
    assert body(client, "/catalogue/") == before


@pytest.mark.parametrize("address", ["/undeclared/", "/cookie/", "/missing/", "/nowhere/"])
def test_what_is_not_declared_keepable_is_made_anew(client: Client, address: str) -> None:
    client.get(address)
    client.get(address)
    assert len(ready.shelf) == 0
    if address != "/cookie/":
        assert client.get(address)["Cache-Control"] == "private, no-cache"


def test_a_post_is_never_answered_from_the_shelf(client: Client) -> None:
    before = body(client, "/catalogue/")
    refused = client.post("/catalogue/")
    assert refused.status_code == 405
    assert refused["Allow"] == "GET, HEAD, OPTIONS"
    assert body(client, "/catalogue/") == before


def test_options_says_what_may_be_asked(client: Client) -> None:
    answer = client.options("/catalogue/")
    assert answer.status_code == 204
    assert answer["Allow"] == "GET, HEAD, OPTIONS"


def test_hosts_and_queries_have_their_own_pages(client: Client) -> None:
    pages = {
        body(client, "/catalogue/"),
        body(client, "/catalogue/", host="a.example"),
        body(client, "/catalogue/?a=1"),
    }
    assert len(pages) == 3


def test_a_query_gets_its_place_when_it_is_asked_again(client: Client) -> None:
    first, second, third = (body(client, "/catalogue/?brand=tcl") for _ in range(3))
    assert first != second
    assert second == third


def test_a_flood_of_queries_leaves_the_shelf_alone(client: Client) -> None:
    home = body(client, "/catalogue/")
    for number in range(50):
        client.get(f"/catalogue/?x={number}")
    assert len(ready.shelf) == 1
    assert body(client, "/catalogue/") == home


def test_ready_pages_outlive_a_silent_database(client: Client, monkeypatch: pytest.MonkeyPatch) -> None:
    before = body(client, "/catalogue/")

    monkeypatch.setattr(catalogue, "version_and_clock", _silent)
    catalogue.forget_catalogue()
    assert body(client, "/catalogue/") == before


def page_of(size: int) -> ReadyPage:
    response = HttpResponse(b"x" * size)
    response["Cache-Control"] = "public, max-age=60"
    return ReadyPage(response, good_for=60, edition=Edition(1, datetime.now(UTC)), made_at=0.0, ends_at=math.inf)


@given(st.lists(st.tuples(st.integers(0, 20), st.integers(0, 30_000)), max_size=60))
def test_the_shelf_never_holds_more_than_its_bytes(deeds: list[tuple[int, int]]) -> None:
    shelf = Shelf(max_bytes=100_000)
    for number, size in deeds:
        shelf.put(("http", "h", f"/{number}/", ""), page_of(size))
        assert shelf.bytes == sum(page.size for page in shelf._pages.values()) <= shelf.max_bytes


def test_the_page_not_asked_for_longest_leaves_first() -> None:
    shelf = Shelf(max_bytes=3 * page_of(1000).size)
    address = [("http", "h", f"/{number}/", "") for number in range(4)]
    for number in range(3):
        shelf.put(address[number], page_of(1000))
    shelf.take(address[0])
    shelf.put(address[3], page_of(1000))
    assert [shelf.take(each) is not None for each in address] == [True, False, True, True]


def test_threads_may_share_the_shelf() -> None:
    shelf = Shelf(max_bytes=20_000)
    failures: list[BaseException] = []
    start = threading.Barrier(4)

    def work(seed: int) -> None:
        start.wait()
        try:
            for step in range(2000):
                address = ("http", "h", f"/{(step * seed) % 17}/", "")
                page = shelf.take(address)
                if page is None:
                    shelf.put(address, page_of(500))
                else:
                    page.answer(codings_for("br, zstd" if step % 2 else "gzip"), 1.0)
        except BaseException as failure:
            failures.append(failure)

    threads = [threading.Thread(target=work, args=(seed,)) for seed in (1, 3, 5, 7)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert not failures
    assert shelf.bytes == sum(page.size for page in shelf._pages.values()) <= 20_000


@pytest.mark.parametrize(
    ("header", "small", "quick"),
    [
        ("", "identity", "identity"),
        ("gzip, deflate, br, zstd", "br", "zstd"),
        ("gzip, zstd;q=0", "gzip", "gzip"),
        ("gzip;q=1.0, br;q=0", "gzip", "gzip"),
        ("BR", "br", "br"),
        ("gzip; q=0.5", "gzip", "gzip"),
        ("identity, *;q=0", "identity", "identity"),
        ("br;q=nonsense, gzip", "gzip", "gzip"),
        ("deflate", "identity", "identity"),
    ],
)
def test_the_coding_follows_what_the_client_accepts(header: str, small: str, quick: str) -> None:
    assert codings_for(header) == Codings(small, quick)


@given(st.text(max_size=200))
def test_any_accept_encoding_has_an_answer(header: str) -> None:
    small, quick = codings_for(header)
    assert small in ("br", "gzip", "identity")
    assert quick in (small, "zstd")


def test_ready_pages_stand_where_they_must() -> None:
    assert settings.MIDDLEWARE[:5] == [
        "config.health.Health",
        "config.compression.Compression",
        "config.conditional.ConditionalGet",
        "config.programs.Programs",
        "config.ready.ReadyPages",
    ]


# Prices that change by the clock


def until(seconds: float) -> None:
    """Let a price of a phone end in so many seconds by the clock of the database."""
    phone = create_phone(price_fen=29900)
    ends_at = catalogue.version_and_clock()[1] + timedelta(seconds=seconds)
    create_window({phone: 24900}, ends_at=ends_at)


def max_age(response: HttpResponse) -> int:
    return int(response["Cache-Control"].partition("max-age=")[2])


@pytest.mark.parametrize("address", ["/catalogue/", "/stock/"])
def test_nobody_keeps_a_page_past_the_second_in_which_a_price_changes(
    client: Client, clock: Clock, address: str
) -> None:
    until(8.9)
    first = client.get(address)
    assert max_age(first) == 8
    for later in (0.4, 2.2, 1.7):
        clock.now += later
        kept = client.get(address)
        assert kept.content == first.content
        # What a cache adds to the age by itself begins when it gets the page.
        assert max_age(kept) - int(kept.get("Age", 0)) <= 8.9 - (clock.now - 1000.0)


@pytest.mark.parametrize("address", ["/catalogue/", "/stock/"])
def test_a_ready_page_goes_at_the_edge_of_a_price(client: Client, clock: Clock, address: str) -> None:
    until(4)
    before = client.get(address)
    clock.now += 3.9
    assert client.get(address).content == before.content
    clock.now += 0.2
    after = client.get(address)
    assert after.content != before.content
    assert after["ETag"] != before["ETag"]
    assert client.get(address, headers={"if-none-match": before["ETag"]}).status_code == 200


def test_a_page_made_for_one_visitor_is_kept_no_longer_either(client: Client, clock: Clock) -> None:
    until(6.9)
    mine = client.get("/catalogue/", headers={"cookie": "my_outlet=x"})
    assert mine["Cache-Control"].startswith("private, max-age=")
    assert max_age(mine) == 6


def test_in_the_last_second_of_a_price_nobody_keeps_it(client: Client, clock: Clock) -> None:
    until(0.9)
    assert max_age(client.get("/catalogue/")) == 0
    assert max_age(client.get("/stock/")) == 0


def test_a_silent_database_does_not_prolong_a_price(
    client: Client, clock: Clock, monkeypatch: pytest.MonkeyPatch
) -> None:
    until(30)
    before = body(client, "/catalogue/")
    monkeypatch.setattr(catalogue, "version_and_clock", _silent)
    clock.now += 29
    assert body(client, "/catalogue/") == before
    clock.now += 1.1
    with pytest.raises(OperationalError):
        client.get("/catalogue/")


def _silent() -> None:
    raise OperationalError
