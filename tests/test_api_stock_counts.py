"""Partners send counts of shelves: a few, or of the whole country, in one of three formats, and again if they like."""

from __future__ import annotations

import gzip
import json
import tracemalloc
from collections.abc import Iterator
from datetime import datetime, timedelta
from io import BytesIO
from typing import Any
from uuid import uuid4

import pytest
from django.db import connection
from django.test import Client
from django.utils import timezone
from django_q.models import OrmQ
from hypothesis import given
from hypothesis import strategies as st

from catalog.catalogue import Catalogue
from catalog.loading.report import Problem
from partners import counts, counts_api, uploads
from partners.count_lines import MEDIA_TYPES, CountLines
from partners.keys import issue_key
from partners.models import CountRefusal, Partner, StockCount, StockCountPart
from stores import counts as stock_counts
from stores.hours import SHANGHAI
from stores.loading.csvfile import PlainLines
from stores.models import Outlet, StockLevel, StockMovement
from tests.api_schema import check
from tests.books import assert_books_add_up
from tests.factories import create_outlet, create_region, create_stock
from tests.test_api_problems import problem

pytestmark = pytest.mark.django_db

COUNTS = "/api/v1/stock-counts"
MOMENT: dict[str, datetime] = {}
JSON, NDJSON, CSV = MEDIA_TYPES.values()


@pytest.fixture(autouse=True)
def just_now(monkeypatch: pytest.MonkeyPatch) -> None:
    """Let counts be of the next minute, which is after whatever the test has put on the shelves."""
    monkeypatch.setitem(MOMENT, "now", timezone.now() + timedelta(minutes=1))


@pytest.fixture
def shops(catalogue: Catalogue) -> list[Outlet]:
    """Two shops in two counties, each with five of the first phone."""
    made = [create_outlet(code=f"{code}-01", town=create_region(code)) for code in ("130121100", "130122100")]
    for outlet in made:
        create_stock(outlet=outlet, phone=catalogue.phones[0], on_hand=5)
    return made


@pytest.fixture
def partner() -> Partner:
    return Partner.objects.create(name="ERP")


@pytest.fixture
def key(partner: Partner, shops: list[Outlet]) -> str:
    return issue_key(partner, ["stock:write"], calls_per_minute=10_000)


def moment(**later: int) -> str:
    return (MOMENT["now"] + timedelta(**later)).isoformat()


def line(on_hand: Any = 7, **values: Any) -> dict[str, Any]:
    known = {"outlet": "130121100-01", "phone": "uniscope-y401", "on_hand": on_hand, "counted_at": moment()}
    return known | values


def written(lines: list[Any], media_type: str) -> bytes:
    """Write the lines as a program would."""
    if media_type == JSON:
        return json.dumps(lines).encode()
    if media_type == NDJSON:
        return "\n".join(map(json.dumps, lines)).encode()
    names = ("outlet", "phone", "on_hand", "counted_at")
    return "\n".join([",".join(names), *(",".join(str(each[name]) for name in names) for each in lines)]).encode()


def send(key: str, data: Any, media_type: str = JSON, query: str = "", once: str = "", **headers: str) -> Any:
    headers |= {"Authorization": f"Bearer {key}", "Idempotency-Key": once or str(uuid4())}
    data = data if isinstance(data, bytes) else written(data, media_type)
    response = Client().post(COUNTS + query, data, content_type=media_type, headers=headers)
    check(COUNTS, response, "POST")
    return response


def read(key: str, address: str, path: str = "{code}") -> Any:
    response = Client().get(address, headers={"Authorization": f"Bearer {key}"})
    check(f"{COUNTS}/{path}", response)
    return response


def on_hand(outlet: str = "130121100-01", phone: str = "uniscope-y401") -> int | None:
    return StockLevel.objects.filter(outlet__code=outlet, phone__slug=phone).values_list("on_hand", flat=True).first()


@pytest.mark.parametrize("media_type", MEDIA_TYPES.values())
@pytest.mark.parametrize("packed", [False, True])
def test_a_few_counts_are_written_at_once(key: str, media_type: str, packed: bool) -> None:
    lines = [line(7), line(5, outlet="130122100-01"), line(3, phone="ctyon-y402")]
    data = written(lines, media_type)
    response = (
        send(key, gzip.compress(data), media_type, **{"Content-Encoding": "gzip"})
        if packed
        else send(key, data, media_type)
    )
    told = response.json()
    assert response.status_code == 200
    assert (told["state"], told["lines"], told["written"]) == ("done", 3, 3)
    assert (told["opened"], told["changed"], told["unchanged"], told["refused"]) == (1, 1, 1, 0)
    assert (on_hand(), on_hand(phone="ctyon-y402")) == (7, 3)
    counted = StockMovement.objects.filter(kind="counted").get()
    assert counted.actor == f"partner:{Partner.objects.get().pk}"
    assert read(key, response["Location"]).json() == told
    assert_books_add_up()


def test_each_refused_line_says_why(key: str) -> None:
    lines = [
        line(7), line(outlet="999999999-99"), line(phone="none"), line(-1), line("7"), line(counted_at="soon"),
        line(counted_at=moment(days=1)), line(colour="red"), [], line(8), line(None), line(10**6),
        line(outlet=""), line(outlet="a\nb"), line(phone="\ud800"),
    ]  # fmt: skip
    told = send(key, lines).json()
    refused = {(each["line"], each["field"]) for each in told["refusals"]}
    # Some of them are of a shelf that the first line counts, too.
    assert {number for number, _field in refused} == set(range(2, 16))
    assert refused >= {
        (2, "outlet"), (3, "phone"), (4, "on_hand"), (5, "on_hand"), (6, "counted_at"), (7, "counted_at"),
        (8, "colour"), (9, ""), (10, "phone"), (11, "on_hand"), (12, "on_hand"), (13, "outlet"), (14, "outlet"),
        (15, "phone"),
    }  # fmt: skip
    assert all(each["reason"] for each in told["refusals"])
    assert (told["lines"], told["refused"], told["changed"]) == (15, 14, 1)
    assert on_hand() == 7
    address = f"{COUNTS}/{told['id']}/refusals?limit=5"
    paged = []
    while address:
        page = read(key, address, "{code}/refusals").json()
        paged += page["results"]
        address = page["next"]
    assert paged == told["refusals"]


def test_all_or_nothing_is_nothing_where_a_line_is_refused(key: str) -> None:
    told = send(key, [line(7), line(1, phone="none")], query="?mode=all-or-nothing").json()
    assert (told["is_applied"], told["refused"], told["changed"]) == (False, 1, 0)
    assert on_hand() == 5
    told = send(key, [line(7)], query="?mode=all-or-nothing").json()
    assert (told["is_applied"], told["changed"], on_hand()) == (True, 1, 7)


def test_an_older_count_never_replaces_a_newer_one_and_the_same_again_is_nothing_new(key: str) -> None:
    first = send(key, [line(7)]).json()
    again = send(key, [line(7)]).json()
    older = send(key, [line(2, counted_at=moment(hours=-1))]).json()
    assert (first["changed"], again["changed"], again["unchanged"]) == (1, 0, 1)
    assert (older["changed"], older["outdated"], older["refused"]) == (0, 1, 0)
    assert [each["field"] for each in older["refusals"]] == ["counted_at"]
    assert on_hand() == 7
    assert StockMovement.objects.filter(kind="counted").count() == 1


def test_when_a_shelf_was_counted_is_told_in_utc(key: str, partner: Partner) -> None:
    send(key, [line(7, counted_at=MOMENT["now"].astimezone(SHANGHAI).isoformat())])
    headers = {"Authorization": f"Bearer {issue_key(partner, ['stock:read'])}"}
    one = Client().get("/api/v1/outlets/130121100-01/stock", headers=headers).json()
    many = Client().get("/api/v1/stock", headers=headers).json()["results"]
    assert [level["counted_at"] for level in one["levels"]] == [moment().replace("+00:00", "Z")]
    assert many[0] == one


def test_what_moved_since_the_count_is_added_to_it(key: str, shops: list[Outlet], catalogue: Catalogue) -> None:
    send(key, [line(7, counted_at=moment(days=-1))])
    # The five of the factory came after the count was taken.
    assert on_hand() == 12
    assert_books_add_up()


@pytest.mark.parametrize(
    ("reach", "reached"),
    [
        ({"outlets": ["130122100-01"]}, [2]),
        ({"regions": ["130122"]}, [2]),
        ({"regions": ["130000"]}, [1, 2, 3]),
        ({"phones": ["ctyon-y402"]}, [3]),
        ({"outlets": ["130121100-01"], "phones": ["uniscope-y401"]}, [1]),
    ],
)
def test_a_key_counts_where_it_reaches(
    partner: Partner, shops: list[Outlet], reach: dict[str, Any], reached: list[int]
) -> None:
    narrow = issue_key(partner, ["stock:write"], **reach)
    told = send(narrow, [line(7), line(7, outlet="130122100-01"), line(7, phone="ctyon-y402")]).json()
    assert {each["line"] for each in told["refusals"]} == {1, 2, 3} - set(reached)
    assert told["changed"] + told["opened"] == len(reached)


@pytest.mark.parametrize(
    ("data", "media_type", "name"),
    [
        (b"{", JSON, "malformed-body"),
        (b" ", JSON, "malformed-body"),
        (b"{}", JSON, "malformed-body"),
        (b"[{}", JSON, "malformed-body"),
        (b"[{},]", JSON, "malformed-body"),
        (b"[] []", JSON, "malformed-body"),
        (b"[" * 50_000, JSON, "malformed-body"),
        (b'["\xff"]', JSON, "malformed-body"),
        (gzip.compress(b"[]", mtime=0)[:-9], JSON, "malformed-body"),
        (b"\x1f\x8bx", CSV, "malformed-body"),
        (b"x" * 30_000, NDJSON, "malformed-body"),
        (b"[]", "application/xml", "unsupported-media-type"),
    ],
)
def test_a_body_that_is_none_changes_nothing(key: str, data: bytes, media_type: str, name: str) -> None:
    problem(send(key, data, media_type), name)
    assert not StockCount.objects.exists()
    assert on_hand() == 5


@pytest.mark.parametrize(("query", "wrong"), [("?mode=some", "mode"), ("?fields=id", "fields"), ("?mode=", "mode")])
def test_each_wrong_parameter_is_named(key: str, query: str, wrong: str) -> None:
    told = problem(send(key, [line()], query=query), "invalid-input")
    assert [error["parameter"] for error in told["errors"]] == [wrong]


def test_where_an_array_breaks_is_said(key: str) -> None:
    told = send(key, b'[{"outlet": "1"}, {"outlet": "2"}, {"outlet": }]', **{"Accept-Language": "en"}).json()
    assert told["detail"].endswith("it cannot be read behind element 2.")


def test_a_file_without_its_columns_is_refused(key: str) -> None:
    told = send(key, b"shop,phone\n1,2\n", CSV).json()
    assert {each["field"] for each in told["refusals"]} == {"shop", "outlet", "on_hand"}
    assert not told["is_applied"]


def test_a_bomb_is_not_unpacked(key: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(uploads, "MOST_PLAIN_BYTES", 1_000_000)
    bomb = gzip.compress(b" " * 50_000_000)
    # What the first call loads is no matter of the bomb.
    send(key, b"[]")
    tracemalloc.start()
    problem(send(key, bomb), "content-too-large")
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert len(bomb) < 100_000
    assert peak < 5_000_000
    monkeypatch.setattr(uploads, "MOST_BYTES", 1_000)
    problem(send(key, b" " * 1_001), "content-too-large")
    problem(send(key, b"[]", **{"Content-Encoding": "br"}), "unsupported-media-type")
    problem(send(key, b"[]", **{"Transfer-Encoding": "chunked"}), "length-required")


@pytest.fixture
def everything_is_large(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(counts_api, "AT_ONCE_BYTES", 10)


@pytest.mark.usefixtures("everything_is_large")
def test_many_counts_are_taken_in_and_written_by_a_worker(
    key: str, monkeypatch: pytest.MonkeyPatch, partner: Partner
) -> None:
    monkeypatch.setattr(counts, "PART_BYTES", 50)
    lines = [line(7), line(9, outlet="130122100-01"), line(phone="none")]
    response = send(key, lines, once="one")
    assert response.status_code == 202
    assert (response.json()["state"], response.json()["written"]) == ("waiting", 0)
    assert send(key, lines, once="one").json() == response.json()
    assert on_hand() == 5
    [queued] = OrmQ.objects.all()
    assert queued.func() == "partners.counts.deal_with_waiting"
    assert counts.deal_with_waiting() == 1
    told = read(key, response["Location"]).json()
    assert (told["state"], told["changed"], told["refused"], told["written"]) == ("done", 2, 1, 3)
    assert (on_hand(), on_hand("130122100-01")) == (7, 9)
    assert not StockCountPart.objects.exists()
    assert counts.deal_with_waiting() == 0
    stranger = issue_key(Partner.objects.create(name="Stranger"), ["stock:write"])
    problem(read(stranger, response["Location"]), "not-found")
    problem(read(stranger, response["Location"] + "/refusals", "{code}/refusals"), "not-found")
    assert_books_add_up()


def test_it_is_told_how_far_it_is_also_where_few_shelves_differ(
    key: str, catalogue: Catalogue, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(stock_counts, "SHELVES_AT_ONCE_TOGETHER", 1)
    seen: list[int] = []

    def look(execute: Any, sql: str, params: Any, many: bool, context: Any) -> Any:
        outcome = execute(sql, params, many, context)
        if sql.startswith("UPDATE") and "partners_stockcount" in sql:
            seen.append(StockCount.objects.values_list("written", flat=True).get())
        return outcome

    found = []
    for number in range(9):
        level = create_stock(phone=catalogue.phones[0], on_hand=5)
        found.append(line(7 if number % 3 == 1 else 5, outlet=level.outlet.code))
    with connection.execute_wrapper(look):
        told = send(key, found).json()
    assert (told["lines"], told["written"], told["changed"]) == (9, 9, 3)
    # Those that are as counted come along with those that differ, which are three steps.
    assert seen == sorted(seen)
    assert len({*seen} - {0, 9}) >= 2


@pytest.mark.usefixtures("everything_is_large")
def test_what_turns_out_to_be_broken_fails_and_says_why(key: str) -> None:
    response = send(key, b'[{"outlet":"130121100-01","phone":"uniscope-y401","on_hand":7}', JSON)
    assert counts.deal_with_waiting() == 1
    told = read(key, response["Location"]).json()
    assert (told["state"], told["is_applied"], len(told["refusals"])) == ("failed", False, 1)
    assert on_hand() == 5


@pytest.mark.usefixtures("everything_is_large")
def test_what_fails_again_and_again_is_given_up(key: str, monkeypatch: pytest.MonkeyPatch) -> None:
    def fail(*_args: Any, **_options: Any) -> None:
        raise ZeroDivisionError

    monkeypatch.setattr(counts, "apply_staged_counts", fail)
    response = send(key, [line(7)])
    for _attempt in range(counts.MOST_ATTEMPTS):
        assert read(key, response["Location"]).json()["ended_at"] is None
        counts.deal_with_waiting()
    assert read(key, response["Location"]).json()["state"] == "failed"


def test_there_is_an_end_to_lines(key: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("partners.count_lines.MOST_LINES", 3)
    assert send(key, [line(phone=f"p{number}") for number in range(3)]).status_code == 200
    for media_type in MEDIA_TYPES.values():
        told = problem(send(key, [line(phone=f"p{number}") for number in range(4)], media_type), "malformed-body")
        assert "3" in told["detail"]


def test_reports_are_forgotten_after_a_while(key: str, time_machine: Any) -> None:
    send(key, [line(7), line(phone="none")])
    assert counts.forget_old_counts() == 0
    time_machine.move_to(timezone.now() + counts.KEPT + timedelta(days=1))
    assert counts.forget_old_counts() == 1
    assert not CountRefusal.objects.exists()


texts = st.text(max_size=5) | st.sampled_from(["130121100-01", "é", "\\", '"', "]"])
values = st.recursive(st.none() | st.booleans() | st.integers() | texts, lambda inner: st.lists(inner, max_size=3))


@given(st.lists(values, max_size=30), st.integers(1, 40))
def test_an_array_is_read_the_same_in_whatever_pieces_it_comes(elements: list[Any], size: int) -> None:
    class Pieces(BytesIO):
        def read(self, _size: int | None = -1) -> bytes:
            return super().read(size)

    lines = CountLines(Pieces(json.dumps(elements, ensure_ascii=False).encode("utf-8", "replace")), JSON)
    read = list(lines)
    assert not lines.broken
    assert lines.number == len(elements)
    assert all(isinstance(each, Problem) for each in read[1:])


PLAIN = {"outlet": "130121100-01", "phone": "uniscope-y401", "on_hand": 7, "counted_at": "2026-11-22T01:30:00Z"}
CELLS = st.sampled_from(["x", "", "a b", "a,b", "a\n", "x\r", "é", "\\", '"', "}", "},{", "\ud800"])
OBJECTS = st.fixed_dictionaries(
    {"outlet": CELLS, "phone": CELLS, "on_hand": st.integers() | st.booleans() | st.floats()},
    optional={"counted_at": CELLS | st.none(), "colour": CELLS},
)
# Also what would be right if the end of a line were none, or if there were as many objects as lines.
SHORT = '{"outlet":"x","phone":"y","on_hand":1}'
TWICE = '{"outlet":"x","phone":"y","on_hand":1,"on_hand":2}'
TEXTS = st.sampled_from([
    json.dumps(PLAIN), SHORT, TWICE, '{"outlet":"x","phone":"y","on_hand":1,"on\\u005fhand":2}', f"{SHORT},{SHORT}",
    f'{SHORT},{{"outlet":"x"', '"phone":"y","on_hand":1}', '{"outlet":"x}', '{x","phone":"y","on_hand":1}', "", "{}",
    "[]", "7", "}",
])  # fmt: skip


def read_in_pieces(data: bytes, media_type: str, size: int) -> tuple[list[Any], str, int]:
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("stores.loading.csvfile.CHUNK_BYTES", size)
        lines = CountLines(BytesIO(data), media_type)
        found = [each.lines() if isinstance(each, PlainLines) else [each] for each in lines]
    return [line for each in found for line in each], lines.broken, lines.number


@given(st.lists(st.just(json.dumps(PLAIN)) | OBJECTS.map(json.dumps) | TEXTS, max_size=9), st.sampled_from([50, 500]))
def test_lines_are_read_the_same_one_by_one_and_many_at_once(lines: list[str], size: int) -> None:
    for media_type, body in {JSON: f"[{','.join(lines)}]", NDJSON: "\n".join(lines)}.items():
        many_at_once = read_in_pieces(body.encode(), media_type, size)
        with pytest.MonkeyPatch.context() as patch:
            patch.setattr("partners.count_lines.plain_lines", lambda first, block: None)
            assert read_in_pieces(body.encode(), media_type, size) == many_at_once


@pytest.mark.parametrize("media_type", [JSON, NDJSON])
@pytest.mark.parametrize("lines", [[TWICE] * 3, [SHORT, TWICE, SHORT], [TWICE]])
def test_a_field_that_is_there_twice_is_refused(media_type: str, lines: list[str]) -> None:
    body = f"[{','.join(lines)}]" if media_type == JSON else "\n".join(lines)
    found, broken, _number = read_in_pieces(body.encode(), media_type, 500)
    assert not broken
    refused = {each.line: (each.column, each.reason) for each in found if isinstance(each, Problem)}
    told = ("on_hand", "出现了不止一次")
    assert refused == {number: told for number, line in enumerate(lines, 1) if line == TWICE}


@pytest.mark.parametrize("media_type", MEDIA_TYPES.values())
def test_plain_lines_are_read_many_at_once(media_type: str) -> None:
    found = list(CountLines(BytesIO(written([PLAIN] * 3_000, media_type)), media_type))
    assert sum(len(each.rows) for each in found if isinstance(each, PlainLines)) > 1_500


def test_memory_is_flat_however_many_lines_there_are() -> None:
    def body() -> Iterator[bytes]:
        yield b"["
        for number in range(60_000):
            yield (b"," if number else b"") + json.dumps({"outlet": "x", "phone": "y", "on_hand": number}).encode()
        yield b"]"

    data = BytesIO(b"".join(body()))
    tracemalloc.start()
    lines = CountLines(data, JSON)
    for _some in lines:
        pass
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert lines.number == 60_000
    assert peak < 1_000_000
