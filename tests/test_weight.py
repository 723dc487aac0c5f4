"""Every page fits in the first flight of a connection: bytes as sent, and the number of requests."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Any

import pytest
from playwright.sync_api import Browser

from tests.all_pages import MODES, Page, customer_pages
from tests.databases import ROOT
from tests.site import Site

DOCUMENT = ROOT / "docs" / "weight.md"
# By so much of it a page's weight may differ from what is written down: hours, dates and numbers of orders change.
VARIES = 0.03
FIRST_VIEW_BYTES = 14_600
FIRST_VIEW_REQUESTS = 3
NEXT_PAGE_BYTES = 8_000
# Chromium counts the headers in.
MOST_HEADER_BYTES = 1_200


# Modes by turns, because a browser takes its time; by plain requests every page is weighed in every mode.
TURNS = list(MODES)
# How many browsers wait at the same time for what a page may still fetch.
AT_ONCE = 8
CODINGS = ("br", "gzip", "gzip, deflate, br, zstd")
FETCHED = re.compile(
    rb"<(?:link(?=[^>]*rel=\"?(?:stylesheet|icon|preload))|img|script|source)\b[^>]*(?:src|href)=\"(/[^\"]+)"
)


@dataclass(frozen=True)
class Weight:
    """One page in one mode: bytes of everything it fetches, in the coding that makes it heaviest; headers apart."""

    page: Page
    mode: str
    sent: int
    headers: int
    plain: int
    requests: int


@dataclass(frozen=True)
class Seen:
    """The same as Chromium has it: with an empty cache, and coming from another page of the site."""

    page: Page
    mode: str
    first: int
    requests: int
    next: int


@pytest.fixture(scope="module")
def pages(site: Site) -> list[Page]:
    return customer_pages(site)


@pytest.fixture(scope="module")
def weights(site: Site, pages: list[Page], request: pytest.FixtureRequest) -> list[Weight]:
    found = [weigh(site, page, mode) for page in pages for mode in MODES]
    table = table_of(found)
    print("\n" + table)
    if request.config.getoption("--write-docs"):
        DOCUMENT.write_text(table)
    return found


def weigh(site: Site, page: Page, mode: str) -> Weight:
    address, cookie = page.address(mode), site.cookie_of(page.outlet)
    answer, plain = site.get(address, host=host_of(site), cookie=cookie)
    assert answer.status == page.status, f"{address} answered {answer.status}"
    parts = sorted({part.decode() for part in FETCHED.findall(plain)})
    sizes = [sizes_of(site, [address, *parts], coding, cookie) for coding in CODINGS]
    sent, headers = max(sizes)
    return Weight(page, mode, sent, headers, len(plain), 1 + len(parts))


def host_of(site: Site) -> str:
    """Return a name for the site that no other test asks at: what is asked for often is squeezed smaller."""
    return f"weigh.now:{site.port}"


def sizes_of(site: Site, addresses: list[str], coding: str, cookie: str) -> tuple[int, int]:
    """Return the bytes of bodies and of headers."""
    bodies = headers = 0
    for address in addresses:
        answer, body = site.get(address, host=host_of(site), accept_encoding=coding, cookie=cookie)
        assert answer.getheader("Content-Encoding"), address
        bodies += len(body)
        headers += len(str(answer.headers))
    return bodies, headers


@pytest.fixture(scope="module")
def seen(site: Site, pages: list[Page], browser: Browser) -> list[Seen]:
    visitors = [Visitor(site, browser) for _ in range(AT_ONCE)]
    found = []
    turns = [(page, TURNS[number % len(TURNS)]) for number, page in enumerate(pages)]
    for begin in range(0, len(turns), AT_ONCE):
        visits = list(zip(visitors, turns[begin : begin + AT_ONCE], strict=False))
        for visitor, (page, mode) in visits:
            visitor.come(page, mode)
        found += [visitor.weigh() for visitor, _turn in visits]
    for visitor in visitors:
        visitor.context.close()
    return found


class Visitor:
    """
    Somebody with a browser of their own, who comes to each page as if for the first time.

    Several come before the first page is weighed, as each page is waited for a while.
    """

    def __init__(self, site: Site, browser: Browser) -> None:
        self.site = site
        self.context = browser.new_context(viewport={"width": 360, "height": 640})
        self.tab = self.context.new_page()
        self.network = self.context.new_cdp_session(self.tab)
        self.network.send("Network.enable")
        self.sizes: dict[str, int] = {}
        self.started: list[str] = []
        self.network.on("Network.requestWillBeSent", self._start)
        self.network.on("Network.loadingFinished", self._finish)

    def _start(self, event: dict[str, Any]) -> None:
        if not event["request"]["url"].startswith("data:"):
            self.started.append(event["requestId"])

    def _finish(self, event: dict[str, Any]) -> None:
        self.sizes[event["requestId"]] = int(event["encodedDataLength"])

    def come(self, page: Page, mode: str) -> None:
        self.page, self.mode = page, mode
        self.tab.goto("about:blank")
        self.network.send("Storage.clearDataForOrigin", {"origin": self.site.url, "storageTypes": "all"})
        self.network.send("Network.clearBrowserCache")
        if page.outlet:
            self.context.add_cookies([self.site.browser_cookie(page.outlet)])
        self.started.clear()
        self._go(page.address(mode))

    def weigh(self) -> Seen:
        """Weigh what was fetched at first, and what is fetched for the page by who comes from another one."""
        # Also what a script asks for once the page is there.
        self.tab.wait_for_load_state("networkidle")
        requests = len(self.started)
        self.network.send("Network.clearBrowserCache")
        self._go(MODES[self.mode] + ("phones/" if self.page.path == "/" else ""))
        before = len(self.started)
        self._go(self.page.address(self.mode))
        while not self.sizes.keys() >= set(self.started[before:]) or len(self.started) < before + requests:
            self.tab.wait_for_timeout(20)
        return Seen(self.page, self.mode, self._sum(0, requests), requests, self._sum(before, len(self.started)))

    def _go(self, address: str) -> None:
        self.tab.goto(self.site.url + address, wait_until="load")

    def _sum(self, first: int, end: int) -> int:
        return sum(self.sizes.get(request, 0) for request in self.started[first:end])


def table_of(weights: list[Weight]) -> str:
    """Return the table in Markdown: for each page the mode that weighs most."""
    heaviest: dict[str, Weight] = {}
    for weight in weights:
        kept = heaviest.get(weight.page.name)
        if kept is None or weight.sent > kept.sent:
            heaviest[weight.page.name] = weight
    lines = [
        "# Weight of every page",
        "",
        "Bytes as sent of all that the first view needs, in the mode and coding (gzip, brotli, zstd) of each page",
        "that weigh most. Style and pictures are inside the page, so a next page weighs the same.",
        f"Limits: {FIRST_VIEW_BYTES:,} bytes, headers included, and {FIRST_VIEW_REQUESTS} requests for a first view;",
        f"{NEXT_PAGE_BYTES:,} bytes for a next page.",
        "Written by `script/test tests/test_weight.py --write-docs`.",
        "",
        "| page | mode | bytes as sent | headers | plain HTML | requests |",
        "| --- | --- | ---: | ---: | ---: | ---: |",
    ]
    lines += [
        f"| {w.page.name} | {w.mode} | {w.sent:,} | {w.headers:,} | {w.plain:,} | {w.requests} |"
        for w in heaviest.values()
    ]
    return "\n".join(lines) + "\n"


def numbers_of(table: str) -> dict[str, tuple[int, int]]:
    """Return bytes as sent and requests of each page by its name, as such a table has them."""
    rows = re.findall(r"^\| ([^|]+) \| [^|]+ \| ([\d,]+) \|[^|]+\|[^|]+\| (\d+) \|$", table, re.MULTILINE)
    return {name: (int(sent.replace(",", "")), int(requests)) for name, sent, requests in rows}


def test_the_document_says_what_is_so(weights: list[Weight]) -> None:
    written, found = numbers_of(DOCUMENT.read_text()), numbers_of(table_of(weights))
    assert found
    assert written.keys() == found.keys(), "write docs/weight.md anew, it says how"
    stale = [
        f"{name}: {written[name]} is {(sent, requests)}"
        for name, (sent, requests) in found.items()
        if requests != written[name][1] or abs(sent - written[name][0]) > sent * VARIES
    ]
    assert not stale, "write docs/weight.md anew, it says how"


def test_every_first_view_is_light(weights: list[Weight]) -> None:
    assert not [
        each for each in weights if each.sent + each.headers > FIRST_VIEW_BYTES or each.requests > FIRST_VIEW_REQUESTS
    ]


def test_every_next_page_is_light(weights: list[Weight]) -> None:
    assert not [weight for weight in weights if weight.sent > NEXT_PAGE_BYTES]


def test_chromium_finds_them_as_light(weights: list[Weight], seen: list[Seen]) -> None:
    heavy = [each for each in seen if each.first > FIRST_VIEW_BYTES or each.requests > FIRST_VIEW_REQUESTS]
    heavy += [each for each in seen if each.next > NEXT_PAGE_BYTES + MOST_HEADER_BYTES]
    assert not heavy
    assert all(each.first > 1000 for each in seen), "Chromium counted nothing"


def test_the_worst_case_is_among_them(weights: list[Weight], site: Site) -> None:
    (outlets,) = site.rows("SELECT max(outlet_count) FROM stores_region WHERE level = 1")[0]
    assert outlets >= 1000
    assert "region, province" in {weight.page.name for weight in weights}


def test_scripts_are_small(site: Site) -> None:
    for page in customer_pages(site):
        _, body = site.get(page.address("zh"), cookie=site.cookie_of(page.outlet))
        scripts = re.findall(rb"<script(?! type=\"application/ld)[^>]*>(.*?)</script>", body, re.DOTALL)
        assert sum(map(len, scripts)) <= 3000
