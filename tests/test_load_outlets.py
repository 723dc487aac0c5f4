"""Loading outlets from a file: what is written, what is refused and where, and that a second time changes nothing."""

import csv
import gzip
import io
import tracemalloc
from collections.abc import Iterator
from pathlib import Path

import pytest
from django.core.management import CommandError, call_command
from django.db import connection, transaction
from django.forms.models import model_to_dict
from django.test.utils import CaptureQueriesContext
from django.utils import translation
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from catalog.loading.report import Report
from stores.loading.csvfile import LONGEST_LINE_BYTES, Line, read_csv
from stores.loading.outlets import load_outlets
from stores.loading.regions import load_regions
from stores.loading.timetables import load_timetables
from stores.models import Outlet, Region, Timetable

DATA = Path(__file__).parent.parent / "stores" / "data"
SAMPLE = (DATA / "outlets_sample.csv").read_bytes()
HEADER, *ROWS = csv.reader(io.StringIO(SAMPLE.decode()))


def sample_regions() -> bytes:
    """The lines of regions.csv that the sample's outlets lie in."""
    wanted = {row[HEADER.index(f"{level}_code")] for row in ROWS for level in ("province", "city", "county", "town")}
    header, *rows = csv.reader(io.StringIO((DATA / "regions.csv").read_text()))
    return as_csv(header, [row for row in rows if row[0] in wanted])


def as_csv(header: list[str], rows: list[list[str]]) -> bytes:
    out = io.StringIO()
    csv.writer(out, lineterminator="\n").writerows([header, *rows])
    return out.getvalue().encode()


SAMPLE_REGIONS = sample_regions()
TIMETABLES = (DATA / "timetables.json").read_bytes()


@pytest.fixture
def country(db: None) -> None:
    """The regions and timetables that the sample needs."""
    assert load_regions(read_csv(io.BytesIO(SAMPLE_REGIONS)), apply=True).is_applied
    assert load_timetables(TIMETABLES, apply=True).is_applied


def load(content: bytes = SAMPLE, *, apply: bool = True) -> Report:
    return load_outlets(read_csv(io.BytesIO(content)), apply=apply)


def with_cells(line: int = 2, **cells: str) -> bytes:
    """The sample with some cells of one line (as an editor counts: 2 is the first outlet) replaced."""
    header = HEADER + [column for column in cells if column not in HEADER]
    rows = [row + [""] * (len(header) - len(HEADER)) for row in ROWS]
    for column, cell in cells.items():
        rows[line - 2][header.index(column)] = cell
    return as_csv(header, rows)


def counts(report: Report) -> tuple[int, int, int, int]:
    return report.new, report.changed, report.unchanged, report.refused


@pytest.mark.usefixtures("country")
class TestWhatIsWritten:
    def test_writes_every_value_of_a_row(self) -> None:
        assert counts(load()) == (90, 0, 0, 0)

        row = dict(zip(HEADER, ROWS[0], strict=True))
        outlet = Outlet.objects.get(code=row["code"])
        assert model_to_dict(outlet, exclude=["id", "position"]) == {
            "code": "130121100-01",
            "name_zh": "井陉县微水镇营业厅",
            "name_en": "Weishui Town Store, Jingxing County",
            "town": "130121100",
            "address_zh": "河北省石家庄市井陉县微水镇会里社区",
            "address_en": "Weishui Town, Jingxing County, Shijiazhuang, Hebei",
            "telephone": "",
            "latitude": 38.03361,
            "longitude": 114.13668,
            "coordinate_source": "town",
            "coordinate_accuracy_km": 2,
            "geonames_id": 1791608,
            "state": "open",
            "call_first": False,
            "timetable": outlet.timetable_id,
        }
        assert outlet.timetable.slug == "every-day"

    def test_dry_run_counts_and_writes_nothing(self) -> None:
        report = load(apply=False)

        assert counts(report) == (90, 0, 0, 0)
        assert not report.is_applied
        assert not Outlet.objects.exists()

    def test_second_time_changes_nothing(self) -> None:
        load()
        before = list(Outlet.objects.values())

        assert counts(load()) == (0, 0, 90, 0)
        assert list(Outlet.objects.values()) == before

    def test_counts_and_writes_what_changed(self) -> None:
        load()

        assert counts(load(with_cells(name_zh="微水镇新营业厅", state="suspended"))) == (0, 1, 89, 0)
        outlet = Outlet.objects.get(code=ROWS[0][0])
        assert (outlet.name_zh, outlet.state) == ("微水镇新营业厅", "suspended")

    def test_shelves_are_locked_before_their_outlet_changes_state(self) -> None:
        """The other order could end in a deadlock with customers: see stores.outlets."""
        load()

        with CaptureQueriesContext(connection) as queries:
            load(with_cells(state="suspended"))

        asked = [query["sql"] for query in queries]
        outlet = Outlet.objects.get(code=ROWS[0][0])
        locked = next(n for n, sql in enumerate(asked) if "FOR UPDATE" in sql and f"ARRAY[{outlet.pk}]" in sql)
        changed = next(n for n, sql in enumerate(asked) if "UPDATE stores_outlet" in sql)
        assert locked < changed

    def test_a_file_without_state_and_timetable_leaves_those_that_are_stored(self) -> None:
        load(with_cells(state="suspended", timetable="market-town"))

        assert counts(load()) == (0, 0, 90, 0)
        outlet = Outlet.objects.get(code=ROWS[0][0])
        assert (outlet.state, outlet.timetable.slug) == ("suspended", "market-town")

    def test_outlets_that_the_file_leaves_out_stay(self) -> None:
        load()

        assert counts(load(as_csv(HEADER, ROWS[:1]))) == (0, 0, 1, 0)
        assert Outlet.objects.count() == 90

    def test_regions_know_how_many_outlets_they_have(self) -> None:
        load(with_cells(state="closed"))

        by_level = {
            level: sum(Region.objects.filter(level=level).values_list("outlet_count", flat=True))
            for level in Region.Level
        }
        assert by_level == dict.fromkeys(Region.Level, 89)
        assert Region.objects.get(code=ROWS[0][HEADER.index("town_code")]).outlet_count == 0

    @pytest.mark.parametrize(
        "content",
        [
            b"\xef\xbb\xbf" + SAMPLE,
            SAMPLE.replace(b"\n", b"\r\n"),
            SAMPLE.rstrip(b"\n"),
            SAMPLE + b"\n\n",
            gzip.compress(SAMPLE),
            SAMPLE.replace(b"130121100-01,", b" 130121100-01 ,"),
        ],
        ids=["byte order mark", "CRLF", "no last LF", "empty lines", "gzip", "spaces"],
    )
    def test_accepts_what_spreadsheets_write(self, content: bytes) -> None:
        load()

        assert counts(load(content)) == (0, 0, 90, 0)


# A bad cell in the third line of the file, and the beginning of what is said about it.
BAD_CELLS = [
    ({"code": ""}, "code", "is empty"),
    ({"code": "130121104"}, "code", "must be nine digits, a hyphen and two digits like 130826100-01"),
    ({"code": "１３０１２１１０４-01"}, "code", "must be nine digits"),
    ({"code": "130121105-01"}, "code", "must begin with the code of its town, 130121104"),
    ({"code": "130121100-01", "town_code": "130121100"}, "code", "is already on line 2"),
    ({"town_code": "130121999", "code": "130121999-01"}, "town_code", "no town with the code “130121999” is known"),
    ({"town_code": "130121", "code": "130121104-01"}, "town_code", "no town with the code “130121” is known"),
    ({"county_code": "130122"}, "county_code", "the town lies in another one: 130121"),
    ({"province_code": "140000"}, "province_code", "the town lies in another one: 130000"),
    ({"name_zh": "  "}, "name_zh", "is empty"),
    ({"name_zh": "营" * 81}, "name_zh", "has 81 characters, 80 are the limit"),
    ({"address_en": "x" * 301}, "address_en", "has 301 characters, 300 are the limit"),
    ({"telephone": "1" * 21}, "telephone", "has 21 characters, 20 are the limit"),
    ({"latitude": "90.1"}, "latitude", "must be degrees from -90 to 90, but is “90.1”"),
    ({"latitude": "38,09"}, "latitude", "must be degrees"),
    ({"latitude": "NaN"}, "latitude", "must be degrees"),
    ({"latitude": "1e1"}, "latitude", "must be degrees"),
    ({"longitude": "-181"}, "longitude", "must be degrees from -180 to 180"),
    ({"longitude": "Infinity"}, "longitude", "must be degrees"),
    ({"coordinate_source": "guess"}, "coordinate_source", "must be one of town, village, county_seat, county_offset"),
    ({"coordinate_accuracy_km": "-1"}, "coordinate_accuracy_km", "must be whole kilometres from 0 to 999"),
    ({"coordinate_accuracy_km": "2.5"}, "coordinate_accuracy_km", "must be whole kilometres"),
    ({"geonames_id": "9" * 10}, "geonames_id", "must be a number of up to nine digits"),
    ({"state": "shut"}, "state", "must be one of planned, open, suspended, closed, but is “shut”"),
    ({"timetable": "never"}, "timetable", "no timetable is called “never”"),
    ({"name_zh": "井陉\x00县"}, "name_zh", "holds a control character (U+0000)"),
    ({"name_zh": "井陉\t县"}, "name_zh", "holds a control character (U+0009)"),
    ({"name_zh": "井陉\x7f县"}, "name_zh", "holds a control character (U+007F)"),
    ({"name_en": "Jing\u202exing"}, "name_en", "holds a control character (U+202E)"),
]

# What happens to the whole file, where that is said, and the beginning of what is said.
BAD_FILES = [
    (b"", 1, "", "the file is empty"),
    (b"\n\n", 1, "", "the file is empty"),
    (SAMPLE.replace(b"latitude,", b"", 1), 1, "latitude", "is missing"),
    (SAMPLE.replace(b"telephone", b"phone", 1), 1, "phone", "is not a column of this file (number 27)"),
    (SAMPLE.replace(b"telephone", b"code", 1), 1, "code", "is there twice"),
    (SAMPLE.replace(b",", b";"), 1, "code", "is missing"),
    (SAMPLE.decode().encode("utf-16"), 1, "code", "is missing"),
    (
        SAMPLE.replace("南峪镇营业厅".encode(), "南峪镇营业厅".encode("gbk")),
        3,
        "name_zh",
        "is not valid UTF-8 (byte C4)",
    ),
    (SAMPLE.replace(b"130121104-01,", b"130121104-01,,", 1), 3, "", "has 28 cells, the header has 27"),
    (SAMPLE.replace(b"130121104-01,", b"130121104-01 ", 1), 3, "", "has 26 cells, the header has 27"),
    (SAMPLE.replace(b"130121104-01,", b'"130121104-01,', 1), 3, "", "a quotation mark is opened and not closed"),
    (SAMPLE.replace(b"130121104-01,", b'"130121"104-01,', 1), 3, "", "a quotation mark stands where none may be"),
    (SAMPLE.replace(b"130121104-01,", b"130121104-01\r,", 1), 3, "", "has a carriage return in the middle"),
    (SAMPLE.replace(b"130121104-01", b"1" * LONGEST_LINE_BYTES, 1), 3, "", "is longer than 20000 bytes"),
    (b"\x00" * 100_000, 1, "", "is longer than 20000 bytes"),
    (gzip.compress(SAMPLE)[:-5], 92, "", "the compressed file breaks off or is damaged here"),
    (gzip.compress(SAMPLE)[:3000] + b"\xff" * 500, None, "", "the compressed file breaks off or is damaged here"),
    (gzip.compress(SAMPLE)[:2], 1, "", "the compressed file breaks off or is damaged here"),
]


@pytest.mark.usefixtures("country")
class TestWhatIsRefused:
    @pytest.mark.parametrize(("cells", "column", "reason"), BAD_CELLS, ids=[f"{c}: {r}" for _, c, r in BAD_CELLS])
    def test_names_line_column_and_reason_of_a_bad_cell(self, cells: dict[str, str], column: str, reason: str) -> None:
        with translation.override("en"):
            report = load(with_cells(3, **cells))

        (problem,) = report.problems
        assert (problem.line, problem.column) == (3, column)
        assert problem.reason.startswith(reason)
        assert counts(report) == (89, 0, 0, 1)
        assert not Outlet.objects.exists()

    @pytest.mark.parametrize(("content", "line", "column", "reason"), BAD_FILES, ids=[r for *_, r in BAD_FILES])
    def test_names_the_place_where_a_file_is_no_table(
        self, content: bytes, line: int | None, column: str, reason: str
    ) -> None:
        with translation.override("en"):
            report = load(content)

        problem = next(one for one in report.problems if one.column == column and one.reason.startswith(reason))
        assert line is None or problem.line == line
        assert not report.is_applied
        assert not Outlet.objects.exists()

    def test_says_everything_that_is_wrong_at_once(self) -> None:
        rows = [list(row) for row in ROWS]
        rows[0][HEADER.index("latitude")] = "north"
        rows[0][HEADER.index("coordinate_source")] = "guess"
        rows[7][0] = "x"
        rows[88].append("too much")

        report = load(as_csv(HEADER, rows))

        assert [(problem.line, problem.column) for problem in report.problems] == [
            (2, "coordinate_source"),
            (2, "latitude"),
            (9, "code"),
            (90, ""),
        ]
        assert counts(report) == (87, 0, 0, 3)

    def test_one_bad_line_keeps_all_others_out(self) -> None:
        load(as_csv(HEADER, ROWS[:10]))
        before = list(Outlet.objects.values())

        report = load(with_cells(80, latitude="91"))

        assert counts(report) == (79, 0, 10, 1)
        assert list(Outlet.objects.values()) == before

    def test_without_timetables_says_what_to_load(self) -> None:
        Timetable.objects.all().delete()

        with translation.override("en"):
            said = [str(problem) for problem in load(as_csv(HEADER, ROWS[:1])).problems]

        assert said == [
            "line 2, column timetable: a new outlet that names none has the timetable “every-day”, "
            "and that one is not loaded"
        ]

    def test_speaks_chinese_by_default(self) -> None:
        (problem,) = load(with_cells(3, latitude="91")).problems

        assert str(problem) == "第 3 行，latitude 列：应为 -90 到 90 的度数，而不是“91”"


@pytest.mark.usefixtures("country")
class TestTheCommand:
    def run(self, tmp_path: Path, content: bytes, *arguments: str) -> str:
        file = tmp_path / "outlets.csv"
        file.write_bytes(content)
        out = io.StringIO()
        call_command("load_outlets", file, *arguments, stdout=out, stderr=out)
        return out.getvalue()

    def test_is_a_dry_run_unless_told_to_apply(self, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setenv("LC_ALL", "C.UTF-8")

        assert self.run(tmp_path, SAMPLE).splitlines() == [
            "90 rows: 90 new, 0 changed, 0 unchanged, 0 refused.",
            "This was a dry run: nothing was written. Add --apply to write.",
        ]
        assert not Outlet.objects.exists()
        assert self.run(tmp_path, SAMPLE, "--apply") == "90 rows: 90 new, 0 changed, 0 unchanged, 0 refused.\n"
        assert Outlet.objects.count() == 90

    @pytest.mark.parametrize("arguments", [(), ("--apply",)])
    def test_fails_when_a_line_is_refused(self, tmp_path: Path, arguments: tuple[str, ...]) -> None:
        with pytest.raises(CommandError):
            self.run(tmp_path, with_cells(3, latitude="91"), *arguments)
        assert not Outlet.objects.exists()

    def test_fails_with_one_line_when_there_is_no_file(self, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setenv("LC_ALL", "C.UTF-8")

        with pytest.raises(CommandError, match=r"nowhere\.csv cannot be read: No such file or directory"):
            call_command("load_outlets", tmp_path / "nowhere.csv")
        with pytest.raises(CommandError, match="cannot be read: Is a directory"):
            call_command("load_outlets", tmp_path)

    def test_speaks_the_language_of_the_terminal(self, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setenv("LC_ALL", "zh_CN.UTF-8")

        assert self.run(tmp_path, SAMPLE, "--apply") == "共 90 行：新增 90，变更 0，未变 0，拒收 0。\n"


@st.composite
def spoiled_files(draw: st.DrawFn) -> bytes:
    """The first lines of the sample with a few pieces of bytes replaced, some of them compressed and cut."""
    content = bytearray(b"\n".join(SAMPLE.split(b"\n")[:6]) + b"\n")
    pieces = st.one_of(
        st.binary(max_size=4), st.sampled_from([b'"', b",", b"\n", b"\r", b"\x00", b"\\N", b"\t", b"\xff"])
    )
    for _ in range(draw(st.integers(1, 4))):
        start = draw(st.integers(0, len(content)))
        content[start : start + draw(st.integers(0, 3))] = draw(pieces)
    if draw(st.booleans()):
        return bytes(content)
    compressed = gzip.compress(bytes(content), mtime=0)
    return compressed[: draw(st.integers(2, len(compressed)))]


@settings(max_examples=150, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(content=spoiled_files())
def test_whatever_the_bytes_are_the_answer_is_a_report(country: None, content: bytes) -> None:
    with transaction.atomic():
        report = load(content)
        stored = Outlet.objects.count()
        transaction.set_rollback(True)

    assert report.is_applied == (not report.problems)
    assert stored == (report.new if report.is_applied else 0)
    assert all(problem.line >= 1 and problem.reason for problem in report.problems)


def test_memory_stays_flat(country: None) -> None:
    """Ten times the lines take no more memory: nothing is collected on the way to the database."""

    def peak(lines: int) -> int:
        tracemalloc.start()
        load_outlets(many_lines(lines), apply=False)
        _now, peak = tracemalloc.get_traced_memory()
        tracemalloc.stop()
        return peak

    peak(100)
    assert peak(9_000) < peak(900) * 1.2 + 10_000


def many_lines(count: int) -> Iterator[Line]:
    """Up to 9,000 outlets in the towns of the sample."""
    yield Line(1, HEADER)
    for number in range(count):
        row = list(ROWS[number % len(ROWS)])
        row[0] = f"{row[HEADER.index('town_code')]}-{number // len(ROWS):02}"
        yield Line(number + 2, row)
