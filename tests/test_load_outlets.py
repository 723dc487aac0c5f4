"""Loading outlets from a file: what is written, what is refused and where, and that a second time changes nothing."""

import csv
import gzip
import io
from pathlib import Path

import pytest
from django.forms.models import model_to_dict

from catalog.loading.report import Report
from stores.loading.csvfile import read_csv
from stores.loading.outlets import load_outlets
from stores.loading.regions import load_regions
from stores.loading.timetables import load_timetables
from stores.models import Outlet, Region

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
