"""The customers' pages: ready and made anew, at 10 and at 15,000 outlets, beside their floors."""

from __future__ import annotations

import json
from contextlib import ExitStack
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from tempfile import TemporaryDirectory

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
    TOWN_PINYIN,
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


READY_GOAL = 1.0
PAGES = [
    Page("home", "/", "299", "14 phones", 0.8),
    Page("list", "/phones/", "299", "14 phones", 0.8),
    Page("phone", "/phones/uniscope-y401/", "299", "14 phones", 0.8),
    Page("outlet", f"/outlets/{OUTLET}/", TOWN_NAME, "same SQL", 0.7),
    Page("region", f"/regions/{COUNTY}/", COUNTY_NAME, "same SQL", 0.7),
    Page("finder, by name", f"/outlets/?q={TOWN_PINYIN}", TOWN_NAME, "same SQL", 0.7),
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
        "| page, made anew | few outlets, ms | many, ms | growth (goal at most 1.05, but for nearest) |",
        "| --- | ---: | ---: | ---: |",
    ]
    for page in PAGES:
        few, many = small.made[page.name], large.made[page.name]
        growth = ratio(many, few)
        lines.append(f"| {page.name} | {few.typical:.3f} | {many.typical:.3f} | {growth:.2f} |")
    return "\n".join(lines) + "\n"


def judged(value: float, goal: float) -> str:
    return f"{value:.2f}" if value >= goal else f"**{value:.2f}**"


def ask(server: Server, path: str, word: str) -> None:
    """Get a page and check that it is the whole and right one."""
    status, headers, body = server.get(path)
    coding = headers.get("content-encoding")
    if coding == "br":
        body = brotli.decompress(body)
    elif coding == "zstd":
        body = zstd.decompress(body)
    if status != 200 or word.encode() not in body or (coding and not body.rstrip().endswith(b"</html>")):
        raise AssertionError(f"{path} answered {status}: {body[:300]!r}")
