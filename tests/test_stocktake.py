"""The shelf is counted while the shop stays open: by number or by scanning, compared with the books, and booked."""

from __future__ import annotations

import re
from contextlib import suppress
from datetime import timedelta
from typing import Any

import pytest
from django.db import IntegrityError, transaction
from django.test import Client
from django.utils import timezone

from stores import counts, handsets, stock, stocktakes
from stores.audit import all_disagreements
from stores.models import (
    Handset,
    Outlet,
    Role,
    Shortfall,
    StockLevel,
    StockMovement,
    Stocktake,
    StocktakeLine,
    StocktakeScan,
)
from stores.refusals import UnitRefused
from tests.books import assert_books_add_up
from tests.crowd import at_once
from tests.desk import create_person, sign_in
from tests.factories import act, create_outlet, create_phone, create_unit
from tests.order_factories import create_order, create_shelf

CODE = "130826100-01"
PAGE, COMPARE = f"/en/desk/{CODE}/stocktake/", f"/en/desk/{CODE}/stocktake/differences/"
CLERK = "person:1"
KEY = "a" * 32


@pytest.fixture
def shelf(db: None) -> StockLevel:
    """Five phones on the shelf, three of them known by IMEI."""
    return create_shelf(create_outlet(code=CODE), on_hand=2)


@pytest.fixture
def imeis(shelf: StockLevel) -> list[str]:
    units = [create_unit() for _ in range(3)]
    stock.receive(shelf.outlet_id, {shelf.phone_id: 3}, act(), {shelf.phone_id: units})
    return [unit[0] for unit in units]


@pytest.fixture
def desk(shelf: StockLevel) -> Client:
    return sign_in(create_person(Role.CLERK, shelf.outlet, name="赵小兰"))


def type_count(desk: Client, **counts: Any) -> str:
    """Send counts by phone, as `p7=3`, with the form of the page; return the page that follows."""
    key = re.search(r'name="form_key" value="(\w+)"', desk.get(PAGE).text)[1]
    return desk.post(PAGE, {"form_key": key} | {f"count-{name[1:]}": n for name, n in counts.items()}, follow=True).text


def book(desk: Client, **reasons: str) -> Any:
    """Book what the page of differences shows, with reasons by phone."""
    page = desk.get(COMPARE).text
    hidden = dict(re.findall(r'name="(stocktake|change-\d+)" value="(-?\d+)"', page))
    return desk.post(COMPARE, hidden | {f"reason-{name[1:]}": reason for name, reason in reasons.items()})


def on_hand(shelf: StockLevel) -> int:
    return StockLevel.objects.get(pk=shelf.pk).on_hand


def sell(shelf: StockLevel, *imeis: str) -> None:
    for imei in imeis or (create_unit()[0],):
        stock.sell(shelf.outlet_id, {shelf.phone_id: [(imei,)]}, act())


def test_a_count_by_number_asks_why_and_books(desk: Client, shelf: StockLevel, imeis: list[str]) -> None:
    other = create_shelf(shelf.outlet, on_hand=4)
    phone, same = f"p{shelf.phone_id}", f"p{other.phone_id}"
    assert "Noted: 2 phones." in type_count(desk, **{phone: 3, same: 4})

    page = desk.get(COMPARE).text
    assert "2 missing" in page
    assert "3 counted, 5 by the books" in page
    assert "Please say why for each difference." in book(desk).text
    assert on_hand(shelf) == 5
    assert book(desk, **{phone: "stolen"}).status_code == 302
    assert "Booked: one difference." in desk.get(PAGE).text
    line = StockMovement.objects.filter(outlet=shelf.outlet, phone=shelf.phone_id).latest("seq")
    assert (line.kind, line.change_on_hand, line.counted, line.reason) == ("counted", -2, 3, "stolen")
    assert (on_hand(shelf), on_hand(other)) == (3, 4)
    assert (StocktakeLine.objects.count(), StocktakeScan.objects.count()) == (0, 0)
    assert_books_add_up()


def test_a_phone_that_nobody_saw_is_written_off(desk: Client, shelf: StockLevel, imeis: list[str]) -> None:
    stock.write_off(shelf.outlet_id, {shelf.phone_id: 2}, act())  # those without numbers
    for number in imeis[:2]:
        desk.post(PAGE, {"number": number})
    book(desk, **{f"p{shelf.phone_id}": "stolen"})

    assert on_hand(shelf) == 2
    assert [event.kind for event in handsets.life(imeis[2])] == ["received", "counted"]
    assert Handset.objects.get(numbers__number=imeis[2]).state == "written_off"
    assert list(all_disagreements()) == []
    # It was behind the till.
    stock.adjust(shelf.outlet_id, {shelf.phone_id: 1}, act(reason="found"), {shelf.phone_id: [(imeis[2],)]})
    assert list(all_disagreements()) == []


def test_one_swapped_for_another_is_still_a_count_that_adds_up(
    desk: Client, shelf: StockLevel, imeis: list[str]
) -> None:
    stock.write_off(shelf.outlet_id, {shelf.phone_id: 2}, act())
    for number in (imeis[0], create_unit()[0]):
        desk.post(PAGE, {"number": number, "phone": shelf.phone_id})
    book(desk, **{f"p{shelf.phone_id}": "stolen"})

    assert on_hand(shelf) == 2
    assert Handset.objects.filter(state="written_off").count() == 2
    assert list(all_disagreements()) == []


def test_a_number_does_not_say_which_of_known_phones_are_missing(
    desk: Client, shelf: StockLevel, imeis: list[str]
) -> None:
    type_count(desk, **{f"p{shelf.phone_id}": 2})
    answer = book(desk, **{f"p{shelf.phone_id}": "stolen"})

    assert answer.status_code == 409
    assert "Please scan these one by one" in answer.text
    assert on_hand(shelf) == 5
    assert list(all_disagreements()) == []


def test_what_is_sold_or_arrives_while_counting_is_no_difference(desk: Client, shelf: StockLevel) -> None:
    type_count(desk, **{f"p{shelf.phone_id}": 2})
    sell(shelf)
    stock.receive(shelf.outlet_id, {shelf.phone_id: 4}, act())

    assert "missing" not in desk.get(COMPARE).text
    assert "too many" not in desk.get(COMPARE).text
    book(desk)
    assert "shelf and books agree" in desk.get(PAGE).text
    assert on_hand(shelf) == 5
    assert_books_add_up()


def test_a_phone_sold_while_the_others_are_scanned_is_not_missed(
    desk: Client, shelf: StockLevel, imeis: list[str]
) -> None:
    new = create_unit()[0]
    assert "✓</b> " + imeis[0] in desk.post(PAGE, {"number": imeis[0]}).text
    sell(shelf, imeis[0])  # seen, and gone before the count is over
    for number in (imeis[1], imeis[2]):
        desk.post(PAGE, {"number": number})
    assert "Choose which phone it is" in desk.post(PAGE, {"number": new}).text
    desk.post(PAGE, {"number": new, "phone": shelf.phone_id})
    sell(shelf, imeis[1])  # after the last scan

    # Four were left when the last was scanned: two on record, one new, and one that nobody could find.
    page = desk.get(COMPARE).text
    assert "3 counted, 4 by the books" in page
    book(desk, **{f"p{shelf.phone_id}": "missing"})
    assert on_hand(shelf) == 2
    assert_books_add_up()


def test_lost_and_found_phones_that_balance_are_told_and_booked(
    desk: Client, shelf: StockLevel, imeis: list[str]
) -> None:
    known = units_on_shelf(shelf)
    for number in [each for each in known if each != imeis[0]]:
        desk.post(PAGE, {"number": number})
    before = on_hand(shelf)
    while StocktakeScan.objects.count() < before:
        desk.post(PAGE, {"number": create_unit()[0], "phone": shelf.phone_id})

    page = desk.get(COMPARE).text
    assert "one not seen, and another in its place" in page
    assert imeis[0] in page
    hidden = dict(re.findall(r'name="(stocktake|change-\d+)" value="(-?\d+)"', page))
    assert hidden[f"change-{shelf.phone_id}"] == "0"
    assert desk.post(COMPARE, hidden).status_code == 409
    book(desk, **{f"p{shelf.phone_id}": "swapped with a demonstration phone"})

    assert on_hand(shelf) == before
    assert Handset.objects.get(numbers__number=imeis[0]).state == "written_off"
    assert "swapped" in StockMovement.objects.get(kind="counted").reason
    assert_books_add_up()


def units_on_shelf(shelf: StockLevel) -> list[str]:
    here = Handset.objects.filter(outlet=shelf.outlet_id, phone=shelf.phone_id, state="on_shelf")
    return list(here.values_list("numbers__number", flat=True))


def test_a_count_that_leaves_handsets_unseen_leads_to_scanning_that_shelf(
    desk: Client, shelf: StockLevel, imeis: list[str]
) -> None:
    counts.apply_count(shelf.outlet_id, {shelf.phone_id: 1}, timezone.now(), act())
    link = f'{PAGE}?phone={shelf.phone.slug}"'
    for path in ("", "stock/"):
        page = desk.get(f"/en/desk/{CODE}/{path}").text
        assert "2 handsets unseen" in page
        assert link in page

    page = desk.get(f"{PAGE}?phone={shelf.phone.slug}").text
    assert f"Scan each {shelf.phone.name_en} on the shelf" in page
    assert re.search(rf'<option value="{shelf.phone_id}" selected', page)
    assert re.search(r'id="number"[^>]* autofocus', page)
    desk.post(PAGE, {"number": imeis[1]})
    assert "1 counted, 1 by the books" in desk.get(COMPARE).text
    book(desk, **{f"p{shelf.phone_id}": "not found when the shelf was scanned"})

    assert "unseen" not in desk.get(f"/en/desk/{CODE}/stock/").text
    assert "unseen" not in desk.get(f"/en/desk/{CODE}/").text
    assert list(all_disagreements()) == []


def test_a_scan_is_refused_with_the_reason(desk: Client, shelf: StockLevel, imeis: list[str]) -> None:
    elsewhere = create_outlet()
    unit = create_unit(second=True)
    stock.receive(shelf.outlet_id, {shelf.phone_id: 1}, act(), {shelf.phone_id: [unit]})
    far = create_unit()
    stock.receive(elsewhere.pk, {shelf.phone_id: 1}, act(), {shelf.phone_id: [far]})
    sell(shelf, imeis[0])
    desk.post(PAGE, {"number": unit[0]})

    for number, words in {
        "": "This is no IMEI",
        "123": "This is no IMEI",
        imeis[0]: "was sold already",
        far[0]: elsewhere.name_en,
        unit[0]: "was scanned twice",
        unit[1]: "was scanned twice",
    }.items():
        answer = desk.post(PAGE, {"number": number, "phone": "99999"}).text
        assert re.search(rf'role="alert"><b>✗ [^<]*{re.escape(words)}', answer), number
    assert StocktakeScan.objects.count() == 1


def test_it_survives_a_closed_browser_and_says_which_are_not_seen(
    desk: Client, shelf: StockLevel, imeis: list[str]
) -> None:
    desk.post(PAGE, {"number": imeis[0]})
    colleague = sign_in(create_person(Role.MANAGER, shelf.outlet))

    assert "one counted" in colleague.get(PAGE).text
    page = colleague.get(COMPARE).text
    assert "4 missing" in page
    assert all(imei in page for imei in imeis[1:])
    assert imeis[0] not in page
    assert "thrown away" in colleague.post(f"/en/desk/{CODE}/stocktake/drop/", follow=True).text
    assert on_hand(shelf) == 5
    assert "thrown away" in desk.post(COMPARE, {"stocktake": Stocktake.objects.get().pk}, follow=True).text


def test_sent_again_a_count_keeps_its_moment_and_a_booking_happens_once(desk: Client, shelf: StockLevel) -> None:
    sent = {"form_key": KEY, f"count-{shelf.phone_id}": "2"}
    desk.post(PAGE, sent)
    sell(shelf)
    desk.post(PAGE, sent)  # the answer was lost
    shown = desk.get(COMPARE).text
    assert "missing" not in shown
    hidden = dict(re.findall(r'name="(stocktake|change-\d+)" value="(-?\d+)"', shown))

    desk.post(COMPARE, hidden)
    assert "booked already, by 赵小兰 at" in desk.post(COMPARE, hidden, follow=True).text
    assert StockMovement.objects.filter(kind="counted").count() == 1
    assert on_hand(shelf) == 1
    # Counted once more, it counts as of then.
    assert "Please send it once more" in desk.post(PAGE, sent | {"form_key": ""}).text


def test_whoever_books_has_seen_what_is_booked(desk: Client, shelf: StockLevel) -> None:
    phone = f"p{shelf.phone_id}"
    type_count(desk, **{phone: 1})
    hidden = dict(re.findall(r'name="(stocktake|change-\d+)" value="(-?\d+)"', desk.get(COMPARE).text))
    type_count(desk, **{phone: 0})
    answer = desk.post(COMPARE, hidden | {f"reason-{shelf.phone_id}": "stolen"})
    assert answer.status_code == 409
    assert "Somebody has counted on" in answer.text

    counts.apply_count(shelf.outlet_id, {shelf.phone_id: 2}, timezone.now() + timedelta(seconds=1), act())
    late = book(desk, **{phone: "stolen"})
    assert "Another count came in later" in late.text
    assert on_hand(shelf) == 2


def test_a_count_below_what_is_promised_opens_a_shortfall(desk: Client, shelf: StockLevel) -> None:
    create_order(shelf, 2)
    type_count(desk, **{f"p{shelf.phone_id}": 1})
    book(desk, **{f"p{shelf.phone_id}": "stolen"})
    assert Shortfall.objects.get(closed_at=None).missing == 1
    assert_books_add_up()


@pytest.mark.parametrize("typed", ["-1", "1.5", "viele", "10001", "9" * 40, "１２"])
def test_junk_is_named_and_the_rest_is_noted(desk: Client, shelf: StockLevel, typed: str) -> None:
    other = create_shelf(shelf.outlet)
    page = type_count(desk, **{f"p{shelf.phone_id}": typed, f"p{other.phone_id}": 1})
    assert "a number from 0 to 10000" in page
    assert StocktakeLine.objects.get().phone_id == other.phone_id


@pytest.mark.usefixtures("held_memory")
def test_the_number_of_queries_does_not_grow(
    desk: Client, shelf: StockLevel, django_assert_max_num_queries: Any
) -> None:
    for _ in range(6):
        create_shelf(shelf.outlet)
    type_count(desk, **{f"p{pk}": 1 for pk in shelf.outlet.stock_levels.values_list("phone_id", flat=True)})
    with django_assert_max_num_queries(8):
        desk.get(PAGE)
    with django_assert_max_num_queries(7):
        desk.get(COMPARE)


@pytest.mark.django_db(transaction=True)
def test_sales_at_the_very_moment_of_scans_are_neither_lost_nor_doubled() -> None:
    shelf = create_shelf(create_outlet(code=CODE), on_hand=0)
    units = [create_unit() for _ in range(12)]
    stock.receive(shelf.outlet_id, {shelf.phone_id: 12}, act(), {shelf.phone_id: units})
    take = stocktakes.begin(shelf.outlet, CLERK)

    def look(imei: str) -> None:
        # Sold before it was seen.
        with suppress(UnitRefused):
            stocktakes.scan(take, imei, None, CLERK)

    looks = [lambda imei=unit[0]: look(imei) for unit in units]
    sales = [lambda imei=unit[0]: sell(shelf, imei) for unit in units[:6]]
    outcomes = at_once([call for pair in zip(looks, sales + looks[6:6], strict=False) for call in pair] + looks[6:])
    assert [each for each in outcomes if isinstance(each, Exception)] == []

    (found,) = stocktakes.differences(take)
    assert found.change == 0
    stocktakes.book(take, {}, {shelf.phone_id: 0}, CLERK)
    assert on_hand(shelf) == 6
    assert_books_add_up()


def test_the_database_holds_what_a_stocktake_is(shelf: StockLevel) -> None:
    take = stocktakes.begin(shelf.outlet, CLERK)
    opened = {"outlet": shelf.outlet, "opened_by": CLERK, "opened_at": timezone.now()}
    line = {"stocktake": take, "phone": create_phone(), "counted": 1, "counted_at": timezone.now(), "counted_by": CLERK}
    scan = {"stocktake": take, "phone": line["phone"], "scanned_at": timezone.now()}
    attacks: list[tuple[str, Any, dict[str, Any]]] = [
        ("stocktake_open_once", Stocktake, opened),
        ("stocktake_was_opened_by_somebody", Stocktake, opened | {"outlet": create_outlet(), "opened_by": "thief"}),
        (
            "stocktake_was_closed_by_somebody",
            Stocktake,
            opened | {"closed_at": timezone.now(), "end": "booked", "closed_by": ""},
        ),
        ("stocktakeline_count_is_possible", StocktakeLine, line | {"counted": 10_001}),
        ("stocktakeline_says_who", StocktakeLine, line | {"counted_by": ""}),
        ("stocktakescan_number_is_well_formed", StocktakeScan, scan | {"number": "12"}),
    ]
    for constraint, model, values in attacks:
        with pytest.raises(IntegrityError, match=constraint), transaction.atomic():
            model.objects.create(**values)


def test_a_clerk_of_another_outlet_has_no_part_in_it(shelf: StockLevel) -> None:
    elsewhere: Outlet = create_outlet()
    stranger = sign_in(create_person(Role.CLERK, elsewhere))
    take = stocktakes.begin(shelf.outlet, CLERK)
    stocktakes.count(take, {shelf.phone_id: 0}, CLERK, KEY)
    there = COMPARE.replace(CODE, elsewhere.code)

    answer = stranger.post(
        there, {"stocktake": take.pk, f"change-{shelf.phone_id}": "-2", f"reason-{shelf.phone_id}": "x"}
    )
    assert answer.status_code == 302
    assert on_hand(shelf) == 2
    assert stocktakes.under_way(shelf.outlet) == take
