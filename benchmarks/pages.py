"""
The customers' pages: ready and made anew, at 10 and at 15,000 outlets, beside their floors.

What a page costs with few and with many outlets is compared for equal work: but for the nearest, of which ten outlets
have no twenty, a page must have as many lines with the one as with the other.
"""

from __future__ import annotations

import json
from contextlib import ExitStack
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from tempfile import TemporaryDirectory
from urllib.parse import quote

import brotli  # type: ignore[import-untyped]

try:
    from compression import zstd
except ImportError:  # before Python 3.14
    from backports import zstd

from benchmarks.databases import (
    COUNTY,
    COUNTY_NAME,
    OUTLET,
    POINT,
    TOWN_NAME,
    Database,
    few_outlets,
    whole_country,
)
from benchmarks.meter import Server, postgres_cpu_seconds
from benchmarks.rounds import Subject, measure, ratio


@dataclass(frozen=True)
class Page:
    """One page to measure. `goal` is the least ratio of its floor when it is made anew; `word` is in every answer."""

    name: str
    path: str
    word: str
    floor: str
    goal: float

    @property
    def tells_the_nearest(self) -> bool:
        return POINT in self.path


READY_GOAL = 1.0
GROWTH_GOAL = 1.05
PAGES = [
    Page("home", "/", "299", "14 phones", 0.8),
    Page("list", "/phones/", "299", "14 phones", 0.8),
    Page("phone", "/phones/uniscope-y401/", "299", "14 phones", 0.8),
    Page("outlet", f"/outlets/{OUTLET}/", TOWN_NAME, "same SQL", 0.7),
    Page("region", f"/regions/{COUNTY}/", COUNTY_NAME, "same SQL", 0.7),
    Page("finder, by name", f"/outlets/?q={quote(COUNTY_NAME)}", COUNTY_NAME, "same SQL", 0.7),
    Page("finder, nearest", f"/outlets/?{POINT}", TOWN_NAME, "same SQL", 0.7),
    Page("finder, nearest with a phone", f"/outlets/?{POINT}&phone=uniscope-y401", COUNTY_NAME, "same SQL", 0.7),
]


def run() -> str:
    """Measure everything; return the tables in Markdown."""
    with ExitStack() as stack:
        small = Bench(stack, few_outlets())
        large = Bench(stack, whole_country())
        measure([*small.subjects(), *large.subjects()])
        return "\n".join([large.table(), growth_table(small, large)])


class Bench:
    """The servers over one database, and what is measured on them."""

    def __init__(self, stack: ExitStack, database: Database) -> None:
        self.database = database
        folder = Path(stack.enter_context(TemporaryDirectory()))
        statements = folder / "statements.json"
        statements.write_text(json.dumps(database.statements({page.name: page.path for page in PAGES})))
        self.product = Server("config.settings", database.url)
        self.made_anew = Server("benchmarks.made_anew_settings", database.url)
        self.floor = Server("benchmarks.floor_settings", database.url, FLOOR_STATEMENTS=str(statements))
        for server in (self.product, self.made_anew, self.floor):
            stack.callback(server.stop)
        self.bare = self._subject("bare view", self.floor, "/bare/", "bare")
        self.phones = self._subject("14 phones", self.floor, "/phones/", "uniscope-y401")
        self.same_sql = {
            page.name: self._subject(f"same SQL, {page.name}", self.floor, f"/sql/{page.name}/", "end of rows")
            for page in PAGES
            if page.floor == "same SQL"
        }
        self.ready = {page.name: self._subject("ready", self.product, page.path, page.word) for page in PAGES}
        self.made = {page.name: self._subject("made", self.made_anew, page.path, page.word) for page in PAGES}

    def subjects(self) -> list[Subject]:
        return [self.bare, self.phones, *self.same_sql.values(), *self.ready.values(), *self.made.values()]

    def _subject(self, name: str, server: Server, path: str, word: str) -> Subject:
        cpu_seconds = lambda: server.cpu_seconds() + postgres_cpu_seconds()  # noqa: E731
        return Subject(name, partial(ask, server, path.replace(" ", "%20"), word), cpu_seconds)

    def lines(self, page: Page) -> int:
        """Return how many lines of lists a page has: shops, phones, regions."""
        return ask(self.made_anew, page.path, page.word).count(b"<li>")

    def table(self) -> str:
        lines = [
            f"## Pages at {self.database.outlets:,} outlets",
            "",
            f"Floors: bare view {self.bare.typical:.3f} ms, 14 phones by `values_list` {self.phones.typical:.3f} ms.",
            "",
            "| page | ready, ms | ratio to bare view (goal 1.0) | made anew, ms | floor, ms | ratio (goal) |",
            "| --- | ---: | ---: | ---: | ---: | ---: |",
        ]
        for page in PAGES:
            ready, made = self.ready[page.name], self.made[page.name]
            floor = self.same_sql.get(page.name, self.phones)
            cells = [page.name, f"{ready.typical:.3f}", judged(ratio(self.bare, ready), READY_GOAL)]
            cells += [f"{made.typical:.3f}", f"{floor.typical:.3f}"]
            cells += [f"{judged(ratio(floor, made), page.goal)} ({page.goal})"]
            lines.append(f"| {' | '.join(cells)} |")
        return "\n".join(lines) + "\n"


def growth_table(small: Bench, large: Bench) -> str:
    lines = [
        f"## From {small.database.outlets:,} outlets to {large.database.outlets:,}",
        "",
        f"| page, made anew | lines | few outlets, ms | many, ms | growth (at most {GROWTH_GOAL}, but for nearest) |",
        "| --- | ---: | ---: | ---: | ---: |",
    ]
    for page in PAGES:
        few, many = small.made[page.name], large.made[page.name]
        growth, shown = ratio(many, few), (small.lines(page), large.lines(page))
        if len(set(shown)) > 1 and not page.tells_the_nearest:
            raise AssertionError(f"{page.path} has {shown} lines: what it costs with few and many cannot be compared")
        told = f"**{growth:.2f}**" if growth > GROWTH_GOAL and not page.tells_the_nearest else f"{growth:.2f}"
        lines.append(f"| {page.name} | {shown[0]}, {shown[1]} | {few.typical:.3f} | {many.typical:.3f} | {told} |")
    return "\n".join(lines) + "\n"


def judged(value: float, goal: float) -> str:
    return f"{value:.2f}" if value >= goal else f"**{value:.2f}**"


def ask(server: Server, path: str, word: str) -> bytes:
    """Get a page, check that it is the whole and right one, and return it."""
    status, headers, body = server.get(path)
    coding = headers.get("content-encoding")
    if coding == "br":
        body = brotli.decompress(body)
    elif coding == "zstd":
        body = zstd.decompress(body)
    if status != 200 or word.encode() not in body or (coding and not body.rstrip().endswith(b"</html>")):
        raise AssertionError(f"{path} answered {status}: {body[:300]!r}")
    return body
