"""Whatever head office lists can be taken as a file: by those who read the list, as it is masked there, row by row."""

from __future__ import annotations

import csv
import io
import re
from collections.abc import Iterator
from contextlib import contextmanager
from html import unescape
from typing import Any
from urllib.parse import urljoin, urlsplit

import pytest
from django.db.models import Model
from django.db.models.signals import post_init
from django.test import Client
from django.urls import resolve, reverse
from django.utils import timezone

from catalog.csv_answers import DANGEROUS, MARK
from office import list_files
from office.models import OfficeRole, OutletImport, Proposal, TrailEntry
from orders.models import Message, Order
from partners.models import Partner
from stores import stock
from stores.models import Outlet, Person, StockLevel, StockMovement
from tests.factories import act, create_outlet, create_window
from tests.office import office_client
from tests.order_factories import create_order, create_shelf
from tests.test_office_permissions import model_doors, own_doors, shelf
from tests.test_reports import addresses as report_addresses

__all__ = ["shelf"]

FILE = re.compile(r'href="([^"]*(?:export|csv|proposed|problems)/[^"]*)"')
FORMULA = "=1+1"


@pytest.fixture
def everything(shelf: StockLevel) -> StockLevel:
    """Something for every list to tell of, with names that a spreadsheet would take for formulas."""
    Outlet.objects.update(name_zh=FORMULA, name_en=FORMULA)
    Partner.objects.update(name=FORMULA)
    OutletImport.objects.update(file_name=FORMULA)
    Person.objects.update(name=FORMULA)
    create_window({shelf.phone: 24900}, name_zh=FORMULA, name_en=FORMULA)
    Message.objects.update(state="given_up", error=FORMULA)
    Proposal.objects.create(
        kind=Proposal.Kind.SUPPLY, phone=shelf.phone, quantity=2, receiver=shelf.outlet, cover_days=1,
        county_code=shelf.outlet.town_id[:6], made_at=timezone.now(),
    )  # fmt: skip
    return shelf


@pytest.fixture
def everybody(db: None) -> Client:
    """Somebody with every role."""
    return office_client(*OfficeRole)


def lists(client: Client, shelf: StockLevel) -> Iterator[tuple[str, str]]:
    """Yield address and text of every page of head office and reports that lists something."""
    asked = [door.address for door in [*own_doors(shelf), *model_doors()] if door.reading]
    # The first page is the way to the lists.
    asked.remove(reverse("admin:index"))
    asked += [address.removeprefix("/en") for name, address in report_addresses().items() if "file" not in name]
    for address in dict.fromkeys(asked):
        answer = client.get(address)
        if answer.status_code == 200 and not answer.streaming:
            text = answer.content.decode(errors="replace")
            if "<table" in text or 'class="rows' in text:
                yield address, text


def taken(client: Client, address: str) -> list[list[str]]:
    """Return the rows of a file."""
    answer = client.get(address)
    assert answer.status_code == 200, address
    assert answer["Content-Type"].startswith("text/csv"), address
    assert answer.streaming, address
    return list(csv.reader(io.StringIO(b"".join(answer.streaming_content).decode().removeprefix(MARK))))


def reading_of(address: str) -> Any:
    """Return what one must be allowed to do to read this address, nothing for those of Django's admin."""
    rule = getattr(resolve(urlsplit(address).path).func, "office_rule", None)
    return rule and (rule.reading, rule.is_report)


def test_every_list_can_be_taken_masked_and_without_formulas(everything: StockLevel, everybody: Client) -> None:
    order = Order.objects.get()
    readers: dict[str, set[Any]] = {}
    found = dict(lists(everybody, everything))
    for page, text in found.items():
        links = [urljoin(page, unescape(link)) for link in FILE.findall(text)]
        assert len(links) >= text.count("<table"), f"{page} shows more than can be taken"
        for link in links:
            rows = taken(everybody, link)
            readers.setdefault(link.partition("?")[0], set()).add(reading_of(page))
            assert len(rows) > 1 or "/reports/" in page, link
            cells = [cell for row in rows for cell in row]
            assert not {"True", "False", "None"} & set(cells), link
            assert not [cell for cell in cells if cell.startswith(DANGEROUS) and not re.fullmatch(r"-\d+", cell)], link
            for secret in (order.name, order.mobile.removeprefix("+86"), order.pickup_code):
                assert secret not in " ".join(cells), link
    for file, pages in readers.items():
        # Those of Django's admin are walked by tests/test_office_permissions.py.
        assert pages == {None} or reading_of(file) in pages, f"{file} is for others than its list"
    assert len(found) >= 27


def test_orders_that_were_found_by_a_number_can_be_taken_and_the_number_stands_nowhere(everybody: Client) -> None:
    order, _other = create_order(), create_order()
    page = everybody.post(reverse("office:find"), {"q": order.mobile[-4:]})
    assert reverse("office:found_file") in page.text

    answer = everybody.post(reverse("office:found_file"), {"q": order.mobile[-4:]})

    text = b"".join(answer.streaming_content).decode()
    assert [line.partition(",")[0] for line in text.splitlines()[1:]] == [order.number]
    assert order.mobile.removeprefix("+86") not in text
    entry = TrailEntry.objects.get(deed="exported")
    assert (entry.thing, entry.changes) == ("orders_order", {})


@pytest.mark.parametrize("name", ["ledger", "orders", "outlets", "trail"])
def test_rows_go_out_as_they_come(everybody: Client, monkeypatch: pytest.MonkeyPatch, name: str) -> None:
    """However long a list is, some of its rows are in memory at a time."""
    monkeypatch.setattr(list_files, "ROWS_AT_ONCE", 2)
    shelf = create_shelf(on_hand=1)
    for _ in range(9):
        stock.receive(shelf.outlet_id, {shelf.phone_id: 1}, act())
        create_order(shelf)
        create_outlet()
    address, model = {
        "ledger": (reverse("office:ledger_file", args=[shelf.outlet.code, shelf.phone.slug]), StockMovement),
        "orders": (reverse("office:orders_file"), Order),
        "outlets": (reverse("admin:stores_outlet_export"), Outlet),
        "trail": (reverse("office:trail_file"), TrailEntry),
    }[name]
    with counted(model) as made:
        lines = iter(everybody.get(address).streaming_content)  # type: ignore[attr-defined]
        mark, _heading, first = next(lines), next(lines), next(lines)
        at_first = len(made)
        rest = list(lines)

    assert mark.decode() == MARK
    assert first
    assert at_first <= 4
    assert len(made) >= len(rest) >= 8


@contextmanager
def counted(model: type[Model]) -> Iterator[list[Any]]:
    """Let the block look at how many rows of `model` were made of what the database sent."""
    made: list[Any] = []

    def note(instance: Any, **_kwargs: Any) -> None:
        made.append(instance.pk)

    post_init.connect(note, sender=model)
    try:
        yield made
    finally:
        post_init.disconnect(note, sender=model)
