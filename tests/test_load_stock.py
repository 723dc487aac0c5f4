"""Loading counts of shelves from a file: what the ledger gets, what is refused, and what an older count does."""

import gzip
import io
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from django.core.management import CommandError, call_command
from django.utils import timezone, translation
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from catalog.loading.report import Report
from stores import totals
from stores.loading.csvfile import PlainLines, read_csv, read_csv_blocks
from stores.loading.stock import load_stock
from stores.models import Outlet, RegionStock, StockLevel, StockMovement
from tests.factories import create_outlet, create_phone

pytestmark = pytest.mark.django_db


@pytest.fixture
def outlet() -> Outlet:
    create_phone(slug="cheap")
    create_phone(slug="dear")
    return create_outlet()


def load(outlet: Outlet, *rows: str, header: str = "outlet,phone,on_hand", apply: bool = True) -> Report:
    content = "\n".join([header, *(row.replace("HERE", outlet.code) for row in rows)])
    return load_stock(read_csv(io.BytesIO(content.encode())), actor="system:test", apply=apply)


def counts(report: Report) -> tuple[int, int, int, int]:
    return report.new, report.changed, report.unchanged, report.refused


def on_hand() -> dict[str, int]:
    return dict(StockLevel.objects.values_list("phone__slug", "on_hand"))


def test_opens_shelves_and_says_so_in_the_ledger(outlet: Outlet) -> None:
    assert counts(load(outlet, "HERE,cheap,5", "HERE,dear,0")) == (2, 0, 0, 0)

    assert on_hand() == {"cheap": 5, "dear": 0}
    lines = StockMovement.objects.values_list("kind", "change_on_hand", "actor").order_by("phone")
    assert list(lines) == [("opening", 5, "system:test"), ("opening", 0, "system:test")]
    country = RegionStock.objects.get(region=None, phone__slug="cheap")
    assert (country.outlets_with, country.on_hand, country.available) == (1, 5, 5)


def test_dry_run_writes_nothing(outlet: Outlet) -> None:
    assert counts(load(outlet, "HERE,cheap,5", apply=False)) == (1, 0, 0, 0)
    assert not StockLevel.objects.exists()
    assert not StockMovement.objects.exists()


def test_second_time_changes_no_shelf(outlet: Outlet) -> None:
    load(outlet, "HERE,cheap,5", "HERE,dear,1")

    assert counts(load(outlet, "HERE,cheap,5", "HERE,dear,1", apply=False)) == (0, 0, 2, 0)
    assert counts(load(outlet, "HERE,cheap,5", "HERE,dear,1")) == (0, 0, 2, 0)
    assert StockMovement.objects.count() == 2


def test_writes_what_differs(outlet: Outlet) -> None:
    load(outlet, "HERE,cheap,5", "HERE,dear,1")

    assert counts(load(outlet, "HERE,cheap,3", "HERE,dear,1", apply=False)) == (0, 1, 1, 0)
    assert counts(load(outlet, "HERE,cheap,3", "HERE,dear,1")) == (0, 1, 1, 0)
    assert on_hand() == {"cheap": 3, "dear": 1}
    line = StockMovement.objects.get(kind="counted")
    assert (line.change_on_hand, line.on_hand, line.actor) == (-2, 3, "system:test")


def test_an_older_count_changes_nothing(outlet: Outlet) -> None:
    load(outlet, "HERE,cheap,5")
    yesterday = (timezone.now() - timedelta(days=1)).isoformat()

    for apply in (False, True):
        report = load(outlet, f"HERE,cheap,3,{yesterday}", header="outlet,phone,on_hand,counted_at", apply=apply)
        assert counts(report) == (0, 0, 1, 0)
    assert on_hand() == {"cheap": 5}


@pytest.mark.parametrize(
    ("written", "meant"),
    [
        ("2026-01-31T09:30:15Z", datetime(2026, 1, 31, 9, 30, 15, tzinfo=UTC)),
        ("2026-01-31T09:30+08:00", datetime(2026, 1, 31, 1, 30, tzinfo=UTC)),
        ("2026-01-31 09:30", datetime(2026, 1, 31, 1, 30, tzinfo=UTC)),
        ("2024-02-29T00:00:00.5-03:30", datetime(2024, 2, 29, 3, 30, 0, 500_000, tzinfo=UTC)),
    ],
)
def test_reads_when_it_was_counted(outlet: Outlet, written: str, meant: datetime) -> None:
    load(outlet, f"HERE,cheap,5,{written}", header="outlet,phone,on_hand,counted_at")

    assert StockLevel.objects.get().counted_at == meant


@pytest.mark.parametrize(
    ("row", "column", "reason"),
    [
        ("999999999-99,cheap,5,", "outlet", "no outlet has the code “999999999-99”"),
        (",cheap,5,", "outlet", "is empty"),
        ("HERE,brick,5,", "phone", "no phone is called “brick”"),
        ("HERE,cheap,5,", "phone", "this outlet's count of this phone is already on line 2"),
        ("HERE,dear,-1,", "on_hand", "must be a whole number from 0 to 99999, but is “-1”"),
        ("HERE,dear,2.0,", "on_hand", "must be a whole number"),
        ("HERE,dear,100000,", "on_hand", "must be a whole number"),
        ("HERE,dear," + "9" * 40 + ",", "on_hand", "must be a whole number"),
        ("HERE,dear,,", "on_hand", "is empty"),
        ("HERE,dear,5,2026-02-30T09:30Z", "counted_at", "must be a time like 2026-11-22T09:30+08:00"),
        ("HERE,dear,5,2025-02-29 09:30", "counted_at", "must be a time"),
        ("HERE,dear,5,2026-01-01T24:00Z", "counted_at", "must be a time"),
        ("HERE,dear,5,yesterday", "counted_at", "must be a time"),
        ("HERE,dear,5,2099-01-01T09:30Z", "counted_at", "2099-01-01T09:30Z lies in the future"),
        ("HERE,dear", "", "has 2 cells, the header has 4"),
    ],
)
def test_names_line_column_and_reason(outlet: Outlet, row: str, column: str, reason: str) -> None:
    with translation.override("en"):
        report = load(outlet, "HERE,cheap,5,", row, header="outlet,phone,on_hand,counted_at")

    (problem,) = report.problems
    assert (problem.line, problem.column) == (3, column)
    assert problem.reason.startswith(reason)
    assert counts(report) == (1, 0, 0, 1)
    assert not StockLevel.objects.exists()


CELLS = st.text(st.characters(codec="utf-8", exclude_characters=',"\r\n'), max_size=12) | st.from_regex(
    r"20[0-9]{2}-[0-3][0-9]-[0-9]{2}[T ][0-9]{2}:[0-6][0-9](:[0-6][0-9])?(Z|[+-][01][0-9]:[0-9]{2})?", fullmatch=True
)


@settings(max_examples=150, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(on_hand=CELLS | st.integers().map(str), counted_at=CELLS)
def test_whatever_stands_in_a_cell_the_answer_is_a_report(outlet: Outlet, on_hand: str, counted_at: str) -> None:
    row = f"HERE,cheap,{on_hand},{counted_at}"
    report = load(outlet, row, header="outlet,phone,on_hand,counted_at", apply=False)

    assert report.rows == 1
    assert report.refused == bool(report.problems)
    assert {(problem.line, problem.column) for problem in report.problems} <= {(2, "on_hand"), (2, "counted_at")}


@given(
    st.lists(
        st.lists(st.sampled_from(["", "HERE", "7", "a b", '"', '"a,b"', "\\", "é", "\t"]), min_size=1, max_size=3)
    ),
    st.sampled_from(["\n", "\r\n", "\n\n"]),
    st.integers(1, 30),
)
def test_lines_are_read_the_same_one_by_one_and_many_at_once(lines: list[list[str]], end: str, size: int) -> None:
    content = end.join(map(",".join, lines)).encode()
    # The first piece of a file is read line by line.
    one_by_one = list(read_csv(io.BytesIO(content)))
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("stores.loading.csvfile.CHUNK_BYTES", size)
        assert list(read_csv(io.BytesIO(content))) == one_by_one


@pytest.mark.parametrize("header", ["outlet,phone,on_hand", "on_hand,outlet,phone"])
def test_of_many_lines_at_once_each_has_its_own_number(
    outlet: Outlet, header: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("stores.loading.csvfile.CHUNK_BYTES", 60)
    cells = {"outlet": outlet.code, "phone": "cheap", "on_hand": "5"}
    lines = [cells, {"phone": "none"}, cells, {"on_hand": "-1"}, {"phone": "two words"}, {"phone": "dear"}]
    rows = [",".join((cells | line)[name] for name in header.split(",")) for line in lines]
    content = "\n".join([header, *rows]).encode()
    found = list(read_csv_blocks(io.BytesIO(content)))
    assert sum(len(each.rows) for each in found if isinstance(each, PlainLines)) >= 3

    report = load_stock(found, actor="system:test", apply=False)

    assert counts(report) == (2, 0, 0, 4)
    wrong = [(problem.line, problem.column) for problem in report.problems]
    assert wrong == [(3, "phone"), (4, "phone"), (5, "on_hand"), (5, "phone"), (6, "phone")]


def test_command_loads_the_file_that_it_is_given(outlet: Outlet, tmp_path: Path) -> None:
    file = tmp_path / "stock.csv.gz"
    file.write_bytes(gzip.compress(f"outlet,phone,on_hand\n{outlet.code},cheap,7\n".encode()))

    call_command("load_stock", file, stdout=io.StringIO())
    assert not StockLevel.objects.exists()
    call_command("load_stock", file, "--apply", stdout=io.StringIO())
    assert on_hand() == {"cheap": 7}
    assert StockMovement.objects.get().actor == "system:load_stock"

    file.write_bytes(b"outlet,phone,on_hand\nnowhere,cheap,7\n")
    with pytest.raises(CommandError):
        call_command("load_stock", file, "--apply", stdout=io.StringIO(), stderr=io.StringIO())


def test_totals_are_those_of_the_shelves(outlet: Outlet) -> None:
    load(outlet, "HERE,cheap,5", "HERE,dear,1")
    load(outlet, "HERE,cheap,2")
    told = list(RegionStock.objects.order_by("region", "phone").values_list("region", "phone", "available"))

    totals.refresh_region_stock()

    assert list(RegionStock.objects.order_by("region", "phone").values_list("region", "phone", "available")) == told
