"""Loading the region tree and the weekly hours, which outlets need before them."""

import io
import json
from datetime import time
from pathlib import Path
from typing import Any

import pytest
from django.core.management import call_command
from django.utils import translation

from catalog.loading.report import Report
from stores.loading.csvfile import read_csv
from stores.loading.regions import load_regions
from stores.loading.timetables import load_timetables
from stores.models import Region, Timetable, TimetableHours

DATA = Path(__file__).parent.parent / "stores" / "data"
HEADER = "code,level,parent_code,name_zh,name_pinyin,name_en,pinyin_initials,outlet_count,latitude,longitude"
TREE = [
    "130000,1,,河北省,Hebei Sheng,Hebei,hb,985,38.04139,114.47861",
    "130800,2,130000,承德市,Chengde Shi,Chengde,cd,60,40.9519,117.95883",
    "130826,3,130800,丰宁满族自治县,Fengning Manzu Zizhixian,Fengning County,fn,9,41.20481,116.64326",
    "130826100,4,130826,大阁镇,Dage Zhen,Dage Town,dg,1,41.2,116.6",
]

pytestmark = pytest.mark.django_db


def load(*rows: str, apply: bool = True) -> Report:
    return load_regions(read_csv(io.BytesIO("\n".join([HEADER, *rows]).encode())), apply=apply)


def test_stores_the_tree() -> None:
    assert (load(*TREE).new, load(*TREE).unchanged) == (4, 4)

    town = Region.objects.get(code="130826100")
    assert town.parent == Region.objects.get(code="130826")
    assert (town.level, town.name_zh, town.name_en, town.pinyin_initials) == (4, "大阁镇", "Dage Town", "dg")
    assert (town.latitude, town.longitude) == (41.2, 116.6)
    assert town.outlet_count == 0, "counted from outlets, not believed"


def test_dry_run_writes_nothing() -> None:
    assert load(*TREE, apply=False).new == 4
    assert not Region.objects.exists()


def test_parents_may_be_stored_already() -> None:
    load(*TREE[:3])

    report = load(TREE[3])

    assert (report.new, report.problems) == (1, [])


@pytest.mark.parametrize(
    ("row", "column", "reason"),
    [
        ("1308261,4,130826,镇,Zhen,Town,z,,,", "code", "must be six or nine digits"),
        (",4,130826,镇,Zhen,Town,z,,,", "code", "is empty"),
        ("130826,3,130800,县,Xian,County,x,,,", "code", "is already on line 4"),
        ("130826101,3,130826,镇,Zhen,Town,z,,,", "level", "does not suit the code 130826101"),
        ("130826101,5,130826,镇,Zhen,Town,z,,,", "level", "must be 1, 2, 3 or 4"),
        ("140000,1,130000,山西省,Shanxi,Shanxi,sx,,,", "parent_code", "must be empty for a province"),
        ("130826101,4,,镇,Zhen,Town,z,,,", "parent_code", "is empty, but only a province has no parent"),
        ("130827101,4,130827,镇,Zhen,Town,z,,,", "parent_code", "130827 is no known region"),
        ("130826101,4,130800,镇,Zhen,Town,z,,,", "parent_code", "130800 is not the region just above"),
        ("130927101,4,130826,镇,Zhen,Town,z,,,", "parent_code", "130826 is not the region just above"),
        ("130826101,4,130826,,Zhen,Town,z,,,", "name_zh", "is empty"),
        ("130826101,4,130826,镇,Zhen,Town,Z,,,", "pinyin_initials", "must be small letters from a to z"),
        ("130826101,4,130826,镇,Zhen,Town,z,,91,0", "latitude", "must be degrees"),
        ("130826101,4,130826,镇,Zhen,Town,z,,40,", "longitude", "latitude and longitude go together"),
    ],
)
def test_names_line_column_and_reason(row: str, column: str, reason: str) -> None:
    with translation.override("en"):
        report = load(*TREE, row)

    assert any(
        (problem.line, problem.column) == (6, column) and problem.reason.startswith(reason)
        for problem in report.problems
    ), report.problems
    assert {problem.line for problem in report.problems} == {6}
    assert not Region.objects.exists()


def timetable(**values: Any) -> bytes:
    hours = {"mon tue": ["08:30-12:00", "14:00-17:30"], "sun": ["09:00-12:00"]}
    return json.dumps(
        {"timetables": [{"slug": "short", "name_zh": "短", "name_en": "Short", "hours": hours} | values]}
    ).encode()


def test_stores_weekly_hours() -> None:
    assert load_timetables(timetable(), apply=False).new == 1
    assert not Timetable.objects.exists()
    assert load_timetables(timetable(), apply=True).new == 1
    assert load_timetables(timetable(), apply=True).unchanged == 1
    assert load_timetables(timetable(name_en="Brief"), apply=True).changed == 1

    assert list(TimetableHours.objects.values_list("timetable__name_en", "weekday", "opens", "closes")) == [
        ("Brief", 0, time(8, 30), time(12)),
        ("Brief", 0, time(14), time(17, 30)),
        ("Brief", 1, time(8, 30), time(12)),
        ("Brief", 1, time(14), time(17, 30)),
        ("Brief", 6, time(9), time(12)),
    ]


@pytest.mark.parametrize(
    ("values", "said"),
    [
        ({"hours": {"mon": ["8-12"]}}, "timetables[0].hours.mon: has to be a time like 08:30-12:00, but is “8-12”"),
        ({"hours": {"mon": [8]}}, "timetables[0].hours.mon: has to be a time like 08:30-12:00, but is “8”"),
        ({"hours": {"mon": ["12:00-08:00"]}}, "timetables[0].hours.mon: closes before it opens: 12:00-08:00"),
        ({"hours": {"monday": ["08:00-12:00"]}}, "timetables[0].hours.monday: no weekday is called “monday”"),
        (
            {"hours": {"mon": ["08:00-12:00"], "sun mon": ["11:00-13:00"]}},
            "timetables[0].hours.mon: opens again at 11:00 before it has closed",
        ),
        ({"hours": []}, "timetables[0].hours: has to be an object with named values"),
        ({"name_zh": "短" * 61}, "timetables[0].name_zh: Ensure this value has at most 60 characters (it has 61)."),
    ],
)
def test_refuses_impossible_hours(values: dict[str, Any], said: str) -> None:
    with translation.override("en"):
        report = load_timetables(timetable(**values), apply=True)

        assert [str(problem) for problem in report.problems] == [said]
    assert not Timetable.objects.exists()


def test_commands_load_the_files_that_they_are_given() -> None:
    for command, file in (("load_regions", "regions.csv"), ("load_timetables", "timetables.json")):
        call_command(command, DATA / file, "--apply", stdout=io.StringIO())

    assert Region.objects.count() == 16_913
    assert Timetable.objects.filter(slug="every-day").exists()
