"""Opening outlets by the hundred: a table is sent, looked at, put right, and applied exactly as it was shown."""

from __future__ import annotations

import csv
import gzip
import io
import zipfile
from collections.abc import Iterable
from typing import Any
from unittest.mock import ANY

import openpyxl
import pytest
from django.core.files.uploadedfile import SimpleUploadedFile
from django.db import IntegrityError, connection
from django.test import Client

from catalog.csv_answers import csv_lines
from catalog.loading.report import Problem
from office import import_queue, imports, spreadsheets
from office.models import OfficeRole, OutletImport, TrailEntry
from office.spreadsheets import read_table, write_xlsx
from stores.loading.csvfile import Line
from stores.maps import draw_maps
from stores.models import Outlet, Region
from stores.search import find_places
from tests.crowd import at_once
from tests.desk import create_person
from tests.factories import create_outlet, create_region, create_timetable
from tests.office import office_client

HEAD = (
    "code", "town_code", "name_zh", "name_en", "address_zh", "address_en", "latitude", "longitude",
    "coordinate_source", "coordinate_accuracy_km",
)  # fmt: skip
TOWN = "130121100"


@pytest.fixture(autouse=True)
def places(db: None) -> None:
    create_region(TOWN)
    create_timetable(slug="every-day")


def row(number: int, **values: str) -> list[str]:
    usual = {
        "code": f"{TOWN}-{number:02d}", "town_code": TOWN, "name_zh": f"新店{number}", "name_en": f"New store {number}",
        "address_zh": "某村", "address_en": "Some village", "latitude": str(38 + number / 1000), "longitude": "114.1",
        "coordinate_source": "town", "coordinate_accuracy_km": "2",
    }  # fmt: skip
    return [str((usual | values)[name]) for name in HEAD]


def as_csv(rows: Iterable[Iterable[str]]) -> bytes:
    file = io.StringIO()
    csv.writer(file).writerows([HEAD, *rows])
    return file.getvalue().encode()


def as_xlsx(rows: Iterable[Iterable[str]]) -> bytes:
    return write_xlsx([HEAD, *rows])


def send(client: Client, content: bytes, name: str = "outlets.csv") -> str:
    """Send a file; return the address of its page."""
    answer = client.post("/en/admin/import/", {"file": SimpleUploadedFile(name, content)})
    assert answer.status_code == 302, answer.text
    return answer["Location"]


def apply(client: Client, address: str, fingerprint: str | None = None) -> str:
    """Have a file applied, as it is shown now or under another fingerprint; return the page until the worker came."""
    if fingerprint is None:
        fingerprint = client.get(address).context["fingerprint"]
    page = client.post(f"{address}apply/", {"fingerprint": fingerprint}, follow=True).text
    import_queue.apply_waiting()
    return page


def as_excel_in_china_saves(rows: Iterable[Iterable[str]]) -> bytes:
    return as_csv(rows).decode().encode("gb18030")


@pytest.mark.parametrize("write", [as_csv, as_xlsx, as_excel_in_china_saves])
def test_a_table_is_shown_then_applied(write) -> None:
    client = office_client(OfficeRole.NETWORK)
    address = send(client, write([row(number) for number in range(1, 31)]), "三十家店")

    page = client.get(address)
    assert "30 rows: 30 new" in page.text
    assert "New outlets in red: 30" in page.text
    assert "<svg" in page.text
    assert not Outlet.objects.exists()

    assert "It is about to begin." in apply(client, address)

    assert Outlet.objects.count() == 30
    assert "30 rows: 30 new" in OutletImport.objects.get().outcome
    assert [hit.code for hit in find_places("新店7")] == [f"{TOWN}-07"]
    done = TrailEntry.objects.filter(deed="imported").get()
    assert (done.name, done.changes) == ("三十家店", {"new": 30, "changed": 0})
    assert done.actor.startswith("person:")
    assert TrailEntry.objects.filter(thing="stores_outlet", deed="insert", actor=done.actor).count() == 30


def test_a_file_that_is_damaged_utf_8_is_not_taken_for_another_encoding(db: None) -> None:
    good = as_csv([row(number) for number in range(1, 4)])
    assert spreadsheets.encoding_of(io.BytesIO(good)) == "utf-8"
    damaged = good.replace("新店2".encode(), b"\xe6\x96" + "店2".encode())

    seen = imports.look_at(imports.keep_file(create_person(), "x", io.BytesIO(damaged)))

    assert [(problem.line, problem.column) for problem in seen.report.problems] == [(3, "name_zh")]
    gone = gzip.compress(good)[:-9]
    assert spreadsheets.encoding_of(io.BytesIO(gone)) == "utf-8"


def test_the_map_is_that_of_the_smallest_region_that_has_one(db: None) -> None:
    create_outlet(town=create_region(TOWN), latitude=38.0, longitude=114.0)
    create_outlet(town=create_region("130423100"), latitude=36.0, longitude=115.0)
    create_outlet(town=create_region("540102001"), latitude=29.6, longitude=91.1)
    draw_maps()

    def around(*codes: str) -> str:
        region = imports.region_around(codes)
        return region.code if region else ""

    assert around(f"{TOWN}-07", f"{TOWN}-08") == TOWN[:6]
    assert around(f"{TOWN}-07", "130123104-01") == "130100"
    assert around(f"{TOWN}-07", "130423100-09") == "130000"
    assert around(f"{TOWN}-07", "540102001-01") == ""
    page = office_client(OfficeRole.NETWORK).get(send(office_client(OfficeRole.NETWORK), as_csv([row(7)])))
    assert page.context["where"] == Region.objects.get(pk=TOWN[:6]).name_en
    assert len(page.context["dots"]) == 1


def test_everything_that_is_wrong_is_said_by_line_and_column(db: None) -> None:
    wrong = [
        row(1),
        row(2, latitude="91"),
        row(3, town_code="999999999", code="999999999-01"),
        row(4, name_zh=""),
        row(1),
        row(6, coordinate_source="guess"),
    ]
    for write in (as_csv, as_xlsx):
        seen = imports.look_at(imports.keep_file(create_person(), "x", io.BytesIO(write(wrong))))
        found = {(problem.line, problem.column) for problem in seen.report.problems}
        assert found == {(3, "latitude"), (4, "town_code"), (5, "name_zh"), (6, "code"), (7, "coordinate_source")}
        assert not seen.new


def test_a_file_with_errors_is_not_applied(db: None) -> None:
    client = office_client(OfficeRole.NETWORK)
    address = send(client, as_csv([row(1), row(2, latitude="x")]))
    page = client.get(address)

    assert "Apply exactly this" not in page.text
    apply(client, address)

    assert not Outlet.objects.exists()
    assert "the file has to be right as a whole" in client.get(address).text


def test_what_was_changed_meanwhile_is_not_applied(db: None) -> None:
    client = office_client(OfficeRole.NETWORK)
    first = send(client, as_csv([row(1)]))
    second = send(client, as_csv([row(1, name_zh="别名")]))
    shown = client.get(second).context["fingerprint"]
    apply(client, first)

    apply(client, second, shown)

    assert "were changed after it was shown" in client.get(second).text
    assert Outlet.objects.get().name_zh == "新店1"
    # Looked at again, it can be applied.
    apply(client, second)
    assert Outlet.objects.get().name_zh == "别名"


def test_a_file_is_applied_once(db: None) -> None:
    client = office_client(OfficeRole.NETWORK)
    address = send(client, as_csv([row(1)]))
    fingerprint = client.get(address).context["fingerprint"]
    apply(client, address)

    assert "was applied already" in client.post(f"{address}apply/", {"fingerprint": fingerprint}, follow=True).text
    assert import_queue.apply_waiting() == 0


FRAGMENT = {"X-Fragment": "yes"}


@pytest.mark.django_db(transaction=True)
def test_it_is_seen_how_far_it_is_and_a_run_that_was_broken_off_is_begun_anew(monkeypatch: pytest.MonkeyPatch) -> None:
    client = office_client(OfficeRole.NETWORK)
    address = send(client, as_csv([row(1), row(2)]))
    assert "→" not in apply_but_break_off(client, address, monkeypatch, after=0)

    assert OutletImport.objects.get().attempts == 1
    assert "Step 3 of 6" in apply_but_break_off(client, address, monkeypatch, after=3)
    assert not Outlet.objects.exists()
    assert OutletImport.objects.get().asked_at is not None

    assert import_queue.apply_waiting() == 1
    assert client.get(address, headers=FRAGMENT).status_code == 205
    assert "2 rows: 2 new" in client.get(address).text
    assert OutletImport.objects.get().step == len(import_queue.STEPS)
    assert import_queue.apply_waiting() == 0


def apply_but_break_off(client: Client, address: str, monkeypatch: pytest.MonkeyPatch, *, after: int) -> str:
    """Have the worker break off when so many steps have begun; return what the page's script would see by then."""
    seen = []

    def break_off(number: int, fingerprint: str, on_step: Any) -> None:
        for _ in range(after):
            on_step()
        seen.append(client.get(address, headers=FRAGMENT).text)
        raise RuntimeError("broken off")

    with monkeypatch.context() as patch:
        patch.setattr(import_queue, "apply", break_off)
        if OutletImport.objects.get().asked_at:
            import_queue.apply_waiting()
        else:
            apply(client, address)
    return seen[0]


def test_what_fails_again_and_again_is_given_back_with_the_reason(monkeypatch: pytest.MonkeyPatch) -> None:
    client = office_client(OfficeRole.NETWORK)
    address = send(client, as_csv([row(1)]))
    apply_but_break_off(client, address, monkeypatch, after=0)
    for _ in range(import_queue.MOST_ATTEMPTS - 1):
        apply_but_break_off(client, address, monkeypatch, after=0)

    page = client.get(address).text
    assert "It could not be written, and nothing was." in page
    assert "Apply exactly this" in page


@pytest.mark.django_db(transaction=True)
def test_two_workers_and_a_double_click_apply_a_file_once() -> None:
    client = office_client(OfficeRole.NETWORK)
    address = send(client, as_csv([row(1)]))
    fingerprint = client.get(address).context["fingerprint"]
    for _ in range(2):
        client.post(f"{address}apply/", {"fingerprint": fingerprint})

    assert sum(at_once([import_queue.apply_waiting] * 4)) == 1
    assert TrailEntry.objects.filter(deed="imported").count() == 1
    assert OutletImport.objects.get().refusal == ""


IMPORT = "UPDATE office_outletimport SET asked_at = now(), "
ATTACKS = {
    "outletimport_is_applied_for_somebody_as_it_was_shown": IMPORT + "fingerprint = repeat('0', 64)",
    "outletimport_is_applied_for_somebody_as_it_was_shown (no fingerprint)": IMPORT + "asked_by_id = person_id",
    "outletimport_is_applied_once": IMPORT
    + "asked_by_id = person_id, fingerprint = repeat('0', 64), applied_at = now(), outcome = 'done'",
}


@pytest.mark.parametrize("attack", ATTACKS)
def test_the_database_refuses(attack: str) -> None:
    imports.keep_file(create_person(), "x", io.BytesIO(b"x"))
    with pytest.raises(IntegrityError) as refusal, connection.cursor() as cursor:
        cursor.execute(ATTACKS[attack])
    assert refusal.value.__cause__.diag.constraint_name == attack.partition(" ")[0]


@pytest.mark.parametrize("fingerprint", ["", "0" * 64])
def test_what_nobody_saw_is_not_applied(db: None, fingerprint: str) -> None:
    client = office_client(OfficeRole.NETWORK)
    apply(client, send(client, as_csv([row(1)])), fingerprint)

    assert not Outlet.objects.exists()


def test_files_that_are_none_are_refused_in_words(db: None, monkeypatch: pytest.MonkeyPatch) -> None:
    client = office_client(OfficeRole.NETWORK)
    monkeypatch.setattr(imports, "MOST_BYTES", 2**20)

    assert "Please choose a file." in client.post("/en/admin/import/").text
    assert (
        "larger than 1 MB"
        in client.post("/en/admin/import/", {"file": SimpleUploadedFile("x", b"x" * (2**20 + 1))}).text
    )
    for content in (b"\x00\xff\xfe", b"PK\x03\x04 and no archive", b"a,b\n1,2\n", "编号\n1".encode("gbk")):
        page = client.get(send(client, content))
        assert "to be put right first" in page.text, content


def test_a_bomb_is_not_unpacked(db: None) -> None:
    bomb = io.BytesIO()
    with zipfile.ZipFile(bomb, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("xl/worksheets/sheet1.xml", b"0" * (spreadsheets.MOST_UNPACKED_BYTES + 1))
    bomb.seek(0)

    assert len(bomb.getvalue()) < 100_000
    assert list(read_table(bomb)) == [Problem(1, "", ANY)]


def test_entities_are_not_unfolded(db: None) -> None:
    """A billion laughs: a few lines of XML that grow without end (CWE-776)."""
    laughs = b'<!DOCTYPE x [<!ENTITY a "ha"><!ENTITY b "&a;&a;&a;">]><worksheet>&b;</worksheet>'
    good = zipfile.ZipFile(io.BytesIO(as_xlsx([row(1)])))
    bad = io.BytesIO()
    with zipfile.ZipFile(bad, "w") as archive:
        for file in good.infolist():
            archive.writestr(file, laughs if "sheet1" in file.filename else good.read(file))
    bad.seek(0)

    assert list(read_table(bad)) == [Problem(1, "", ANY)]


def test_a_table_ends_somewhere(db: None, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(spreadsheets, "MOST_LINES", 3)

    *lines, last = read_table(io.BytesIO(as_csv([row(number) for number in range(9)])))

    assert [line.number for line in lines if isinstance(line, Line)] == [1, 2, 3]
    assert isinstance(last, Problem)


def test_numbers_of_a_spreadsheet_are_read_as_they_look(db: None) -> None:
    book = openpyxl.Workbook()
    book.active.append(["town_code", "latitude", "name_zh", "state"])
    book.active.append([130121100, 38.5, "店", None])
    file = io.BytesIO()
    book.save(file)
    file.seek(0)

    assert list(read_table(file))[1] == Line(2, ["130121100", "38.5", "店", ""])


@pytest.mark.parametrize("kind", ["csv", "xlsx"])
def test_the_empty_table_can_be_filled_in(db: None, kind: str) -> None:
    client = office_client(OfficeRole.NETWORK)
    answer = client.get(f"/admin/import/outlets.{kind}")
    [head] = read_table(io.BytesIO(answer.content))

    assert isinstance(head, Line)
    assert set(HEAD) <= set(head.cells)
    assert "attachment" in answer["Content-Disposition"]
    assert client.get("/admin/import/outlets.pdf").status_code == 404


def test_a_list_is_taken_as_it_was_searched_and_harms_no_spreadsheet(db: None) -> None:
    client = office_client(OfficeRole.NETWORK)
    address = send(client, as_csv([row(1, name_en="=cmd()"), row(2)]))
    apply(client, address)

    answer = client.get(f"/en/admin/stores/outlet/export/?q={TOWN}-01")
    rows = list(csv.reader(io.StringIO(b"".join(answer.streaming_content).decode("utf-8-sig"))))

    assert answer.streaming
    assert rows[0][:2] == ["code", "name in Chinese"]
    assert [row[:3] for row in rows[1:]] == [[f"{TOWN}-01", "新店1", "'=cmd()"]]
    assert rows[1][4] == "open"
    assert TrailEntry.objects.filter(deed="exported", thing="stores_outlet").get().actor.startswith("person:")


def test_formulas_are_made_harmless() -> None:
    written = "".join(csv_lines([["=1+1", "+86", "@x", "-1", -1, "a=1"]]))

    assert written == "\ufeff'=1+1,'+86,'@x,'-1,-1,a=1\r\n"
