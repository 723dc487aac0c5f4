"""The goods at the desk, page by page: board, ledger, neighbours, receiving, and both ends of a transfer."""

from __future__ import annotations

import re

import pytest
from django.test import Client
from pytest_django import DjangoAssertNumQueries

from catalog.catalogue import Catalogue
from catalog.models import Phone
from orders.alternatives import nearest_with_all
from orders.basket import Line, Wanted
from orders.choosing import nearest_offers
from stores import counts, people, stock, transfers
from stores.geography import Point
from stores.models import Box, Handset, Outlet, Role, StockLevel, Transfer
from tests.books import assert_books_add_up
from tests.desk import create_person, sign_in
from tests.factories import act, create_outlet, create_region, create_stock, create_unit
from tests.order_factories import create_order


@pytest.fixture
def town(db: None):
    return create_region("130826100")


@pytest.fixture
def outlet(town) -> Outlet:
    return create_outlet(town=town, name_zh="大阁镇营业厅", name_en="Dage Store")


@pytest.fixture
def phone(catalogue: Catalogue) -> Phone:
    return catalogue.listed[0]


@pytest.fixture
def clerk(outlet: Outlet) -> Client:
    return sign_in(create_person(Role.CLERK, outlet))


@pytest.fixture
def manager(outlet: Outlet) -> Client:
    return sign_in(create_person(Role.MANAGER, outlet))


def at(outlet: Outlet, path: str = "") -> str:
    return f"/en/desk/{outlet.code}/{path}"


def send_form(client: Client, page: str, action: str, **values: object):
    """Send one form of a page as it stands there, with what is filled in or pressed; return where it leads."""
    text = client.get(page).text
    form = next(form for form in re.findall(r"<form.*?</form>", text, re.S) if action in form)
    hidden = dict(re.findall(r'type="hidden" name="(\w+)" value="([^"]*)"', form))
    address = re.search(r'<form[^>]* action="([^"]*)"', form)
    return client.post(address[1] if address else page, hidden | values, follow=True)


def text_of(answer) -> str:
    return " ".join(re.sub(r"<[^>]*>", " ", answer.text).split())


def test_the_board_shows_every_phone(clerk: Client, outlet: Outlet, catalogue: Catalogue) -> None:
    first, second = catalogue.listed[:2]
    create_stock(outlet=outlet, phone=first, on_hand=5, reserved=2, safety_stock=1)
    stock.sell(outlet.pk, {first.pk: [create_unit()]}, act())
    counts.apply_count(outlet.pk, {first.pk: 4}, StockLevel.objects.get(outlet=outlet).moved_at, act())
    sender = create_stock(phone=second, on_hand=9)
    coming = send_three(sender, outlet)

    answer = clerk.get(at(outlet, "stock/"))
    rows = {row[0]: row[1] for row in re.findall(r'/stock/([\w-]+)/">(.*?)</tr>', answer.text, re.S)}

    assert set(rows) == {phone.slug for phone in catalogue.listed}
    numbers = [re.sub(r"<.*?>", "", cell) for cell in re.findall(r'<td class="number">(.*?)</td>', rows[first.slug])]
    assert numbers == ["4", "2", "1", ""]
    assert 'aria-label="in seven days 5 came, 1 went"' in rows[first.slug]
    assert "counted" in rows[first.slug]
    assert "never counted" in rows[second.slug]
    assert rows[second.slug].endswith('<td class="number">3</td>')
    assert coming.state == "sent"


def send_three(sender: StockLevel, receiver: Outlet) -> Transfer:
    asked = transfers.request(sender.outlet_id, receiver.pk, {sender.phone_id: 3}, act())
    transfers.approve(asked.pk, act())
    return transfers.send(asked.pk, {sender.phone_id: 3}, act())


# Session, person, outlet, assignments: the door.
DOOR = 4


def test_pages_cost_the_same_whatever_there_is(
    clerk: Client,
    outlet: Outlet,
    phone: Phone,
    catalogue: Catalogue,
    held_memory,
    django_assert_num_queries: DjangoAssertNumQueries,
) -> None:
    for other in [None, *catalogue.listed]:
        if other:
            create_stock(outlet=outlet, phone=other, on_hand=30, reserved=2)
            stock.sell(outlet.pk, {other.pk: [create_unit()]}, act(actor="person:1"))
            incoming = send_three(create_stock(phone=other, on_hand=9), outlet)
        if other not in (None, catalogue.listed[-1]):
            continue
        held_memory()
        with django_assert_num_queries(DOOR + 4):
            clerk.get(at(outlet, "stock/"))
        with django_assert_num_queries(DOOR + 3 - (other is None)):
            clerk.get(at(outlet, f"stock/{phone.slug}/"))
        with django_assert_num_queries(DOOR + 2):
            clerk.get(at(outlet, "receive/"))
        with django_assert_num_queries(DOOR + 2):
            clerk.get(at(outlet, "transfers/"))
    with django_assert_num_queries(DOOR + 2):
        clerk.get(at(outlet, f"transfers/{incoming.pk}/"))
    clerk.post(at(outlet, f"transfers/{incoming.pk}/receive/"))
    box = Box.objects.get()
    with django_assert_num_queries(DOOR + 5):
        clerk.get(at(outlet, f"boxes/{box.pk}/"))


def test_the_ledger_says_who_and_why_page_by_page(clerk: Client, outlet: Outlet, phone: Phone) -> None:
    person, _password = people.add_person("li.na", "李娜")
    create_stock(outlet=outlet, phone=phone, on_hand=1)
    for number in range(40):
        stock.adjust(outlet.pk, {phone.pk: 1}, act(actor=person.actor, reason=f"found {number}"))
    stock.reserve(outlet.pk, {phone.pk: 2}, act(actor="customer:web", reference="order:1234"))

    first = clerk.get(at(outlet, f"stock/{phone.slug}/"))
    (further,) = re.findall(r'href="(\?before=\d+)"', first.text)
    second = clerk.get(at(outlet, f"stock/{phone.slug}/{further}"))

    assert "the customer · order 1234" in text_of(first)
    assert "adjusted +1" in text_of(first)
    assert "李娜 · found 39" in text_of(first)
    assert [int(each) for page in (first, second) for each in re.findall(r"found (\d+)", page.text)] == [
        *range(39, -1, -1)
    ]
    assert 'href="?before' not in second.text
    assert clerk.get(at(outlet, "stock/no-such-phone/")).status_code == 404
    assert clerk.get(at(outlet, f"stock/{phone.slug}/?before=x")).status_code == 200


def test_asks_the_nearest_for_a_phone_with_one_tap_and_once(clerk: Client, outlet: Outlet, phone: Phone, town) -> None:
    near = create_outlet(town=town, latitude=38.1, name_en="Near Store")
    far = create_outlet(town=town, latitude=39.0, name_en="Far Store")
    for each in (outlet, far, near):
        create_stock(outlet=each, phone=phone, on_hand=4)
    page = at(outlet, f"stock/{phone.slug}/nearby/")
    shown = clerk.get(page)
    assert re.findall(r'name="sender" value="([^"]+)"', shown.text) == [near.code, far.code]

    form = {"form_key": re.search(r'name="form_key" value="(\w+)"', shown.text)[1], "quantity": "1"}
    answers = [clerk.post(page, form | {"sender": near.code}) for _ in range(2)]

    (transfer,) = Transfer.objects.all()
    assert {answer["Location"] for answer in answers} == {at(outlet, f"transfers/{transfer.pk}/")}
    assert (transfer.sender, transfer.receiver, transfer.state) == (near, outlet, "requested")
    assert "Asked Near Store for one" in clerk.get(answers[0]["Location"]).text
    for wrong in (
        {"quantity": "0"},
        {"quantity": "x"},
        {"sender": "999999999-99"},
        {"sender": "\0"},
        {"sender": outlet.code},
    ):
        refused = clerk.post(page, {"quantity": "1", "sender": far.code} | wrong)
        assert (refused.status_code, 'role="alert"' in refused.text) == (422, True)
    # The same form, with something else in it.
    changed = clerk.post(page, form | {"sender": near.code, "quantity": "3"}, follow=True)
    assert "and not again: Asked Near Store for one" in changed.text
    assert Transfer.objects.count() == 1
    # Another button of the same page asks somebody else.
    assert "Asked Far Store for one" in clerk.post(page, form | {"sender": far.code}, follow=True).text
    assert set(Transfer.objects.values_list("sender", flat=True)) == {near.pk, far.pk}


def test_asks_one_outlet_for_several_phones_in_one_request(
    clerk: Client, outlet: Outlet, catalogue: Catalogue, town
) -> None:
    first, second, third = catalogue.listed[:3]
    near = create_outlet(town=town, latitude=38.1, name_en="Near Store")
    for phone in (first, second):
        create_stock(outlet=near, phone=phone, on_hand=4)
    assert near.code in clerk.get(at(outlet, "transfers/ask/")).text
    page = at(outlet, f"transfers/ask/{near.code}/")
    shown = clerk.get(page).text
    assert (first.name_en in shown, second.name_en in shown, third.name_en in shown) == (True, True, False)

    for wrong in ("x", "21", "-1", "１"):
        refused = clerk.post(page, {f"quantity-{first.pk}": wrong, f"quantity-{second.pk}": "1"})
        assert (refused.status_code, 'role="alert"' in refused.text) == (422, True)
    assert "at least one phone" in clerk.post(page, {}).text
    asked = clerk.post(page, {f"quantity-{first.pk}": "2", f"quantity-{second.pk}": "1"}, follow=True)

    transfer = Transfer.objects.get()
    assert dict(transfer.lines.values_list("phone", "requested")) == {first.pk: 2, second.pk: 1}
    assert "Asked Near Store for 3" in asked.text
    for strange in (outlet.code, "999999999-99"):
        assert clerk.get(at(outlet, f"transfers/ask/{strange}/")).status_code == 404


def test_a_neighbour_of_which_only_the_county_is_known_stands_where_it_may_be_at_worst(
    clerk: Client, outlet: Outlet, phone: Phone, town
) -> None:
    vague = {"coordinate_source": Outlet.CoordinateSource.COUNTY_OFFSET, "coordinate_accuracy_km": 25}
    on_our_spot = create_outlet(town=town, latitude=outlet.latitude + 0.01, name_en="Vague Store", **vague)
    near = create_outlet(town=town, latitude=outlet.latitude + 0.1, name_en="Near Store")
    far = create_outlet(town=town, latitude=outlet.latitude + 0.5, name_en="Far Store")
    for each in (on_our_spot, near, far):
        create_stock(outlet=each, phone=phone, on_hand=4)

    shown = clerk.get(at(outlet, f"stock/{phone.slug}/nearby/")).text
    assert re.findall(r'name="sender" value="([^"]+)"', shown) == [near.code, on_our_spot.code, far.code]
    assert re.search(r"Vague Store</b><small>\s*within 30 km \(only its county is known\)", shown)

    # Where a customer may collect, and what a message names instead, are as near as is known, too.
    here = Point(outlet.latitude, outlet.longitude)
    offers = nearest_offers(Wanted((Line(phone, 1),), is_basket=False), here)
    assert [offer.outlet for offer in offers] == [near, on_our_spot, far]
    create_stock(outlet=outlet, phone=phone, on_hand=4)
    order = create_order(phone.stock_levels.select_related("outlet", "phone").get(outlet=outlet))
    assert nearest_with_all(order, limit=2) == [near, on_our_spot]


def test_for_a_customer_whose_phone_is_not_here_neighbours_are_named(
    clerk: Client, outlet: Outlet, phone: Phone, town
) -> None:
    near = create_outlet(town=town, latitude=outlet.latitude + 0.1, name_en="Near <Store>", address_en="Main Road")
    create_stock(outlet=near, phone=phone, on_hand=4)
    form = {"name": "王小明", "mobile": "13800138000", "language": "zh-hans", "channel": "desk"}
    form |= {f"quantity-{phone.pk}": "1", f"price-{phone.pk}": phone.price_fen}

    answer = send_form(clerk, at(outlet, "new-order/"), "form_key", **form)
    assert answer.status_code == 409
    name, far, opening = "<b>Near &lt;Store&gt;</b>", '<span class="when">about 11 km</span>', "(open|closed)[^<]*"
    assert re.search(rf"<li>{name} {far}<small>{opening} · Main Road</small></li>", answer.text)


def scan(client: Client, box: str, number: str, **headers: str):
    return client.post(box, {"number": number}, headers=headers)


def begin(client: Client, outlet: Outlet, phone: Phone, note: str = "LS-1") -> str:
    """Open a delivery of one phone, of which one number each is scanned; return the address of its box."""
    box = client.post(at(outlet, "receive/"), {"note": note})["Location"]
    client.post(f"{box}change/", {"do": "phone", "phone": phone.slug})
    return box


def test_receives_twenty_without_script(clerk: Client, outlet: Outlet, phone: Phone) -> None:
    box, numbers = begin(clerk, outlet, phone), [create_unit()[0] for _ in range(20)]
    for place, number in enumerate(numbers, start=1):
        answer = scan(clerk, box, number)
        assert f"✓ Phone {place}: " in text_of(answer)
        assert re.search(r'<input id="number"[^>]* autofocus', answer.text)
    again = scan(clerk, box, numbers[4])
    assert (again.status_code, f"{numbers[4]} is in this box already: phone 5." in again.text) == (200, True)
    assert 'role="alert"' in again.text
    assert not StockLevel.objects.filter(outlet=outlet, on_hand__gt=0).exists()

    # Another clerk opens the page the next morning, and takes the last one back.
    other = sign_in(create_person(Role.CLERK, outlet))
    assert "Go on scanning" in other.get(at(outlet, "receive/")).text
    taken = send_form(other, box, 'value="undo"', do="undo")
    assert f"Taken back: {numbers[19]}." in taken.text

    done = send_form(other, box, "/book/")
    assert "Received: 19 phones." in done.text
    assert StockLevel.objects.get(outlet=outlet, phone=phone).on_hand == 19
    assert Handset.objects.count() == 19
    late = clerk.post(f"{box}book/", {"version": "1"}, follow=True)
    assert "Booked already by " in late.text
    assert "19 phones" in late.text
    assert StockLevel.objects.get(outlet=outlet, phone=phone).on_hand == 19
    assert "delivery LS-1" in clerk.get(at(outlet, f"stock/{phone.slug}/")).text
    assert_books_add_up()


def test_the_script_gets_the_changing_part_alone(clerk: Client, outlet: Outlet, phone: Phone) -> None:
    box = begin(clerk, outlet, phone)
    part = scan(clerk, box, create_unit()[0], **{"X-Scan": "yes"})
    assert "<html" not in part.text
    assert 'id="said"' in part.text
    clerk.post(f"{box}change/", {"do": "drop"})
    assert "<html" in scan(clerk, box, create_unit()[0], **{"X-Scan": "yes"}).text


def test_two_sim_cards_pair_up(clerk: Client, outlet: Outlet, catalogue: Catalogue) -> None:
    dual = next(phone for phone in catalogue.listed if phone.dual_sim)
    box = begin(clerk, outlet, dual)
    clerk.post(f"{box}change/", {"do": "phone", "phone": dual.slug, "has_pairs": "1"})
    first, second = create_unit(second=True)
    assert "Now its second number." in scan(clerk, box, first).text
    assert "Both numbers are there." in scan(clerk, box, second).text
    assert "Put one phone on the shelf" in clerk.get(box).text


@pytest.mark.parametrize(
    ("do", "values", "says"),
    [
        ("count", {"counted": "-1"}, "Type a number"),
        ("count", {"counted": "10001"}, "Type a number"),
        ("count", {"phone": "none", "counted": "1"}, "Choose one of the phones"),
        ("fly", {}, "Press one of the buttons"),
    ],
)
def test_bad_changes_say_why(clerk: Client, outlet: Outlet, phone: Phone, do: str, values, says: str) -> None:
    box = begin(clerk, outlet, phone)
    answer = clerk.post(f"{box}change/", {"do": do, "phone": phone.slug} | values)
    assert (answer.status_code, says in answer.text) == (409, True)
    assert 'role="alert"' in answer.text


def test_boxes_of_others_are_not_there(clerk: Client, outlet: Outlet, phone: Phone) -> None:
    box = begin(clerk, outlet, phone)
    stranger, elsewhere = create_person(), create_outlet()
    people.assign(stranger, Role.CLERK, elsewhere)
    number = box.rstrip("/").rpartition("/")[2]
    for path in ("", "change/", "book/"):
        assert sign_in(stranger).post(at(elsewhere, f"boxes/{number}/{path}")).status_code == 404


def test_a_transfer_from_asking_to_arriving_short(outlet: Outlet, phone: Phone, town) -> None:
    near = create_outlet(town=town, name_en="Near Store")
    units = [create_unit() for _ in range(4)]
    stock.receive(near.pk, {phone.pk: 4}, act(), {phone.pk: units})
    ours, theirs = (sign_in(create_person(Role.CLERK, each)) for each in (outlet, near))
    chief = sign_in(create_person(Role.MANAGER, near))
    asking = at(outlet, f"stock/{phone.slug}/nearby/")
    send_form(ours, asking, 'name="sender"', sender=near.code, quantity="3")
    (transfer,) = Transfer.objects.all()
    here, there = at(outlet, f"transfers/{transfer.pk}/"), at(near, f"transfers/{transfer.pk}/")

    assert "A manager of this outlet must agree first." in theirs.get(there).text
    assert theirs.post(f"{there}approve/").status_code == 403
    assert theirs.post(f"{there}send/").status_code == 409
    assert "Agreed." in send_form(chief, there, "/approve/").text
    box = send_form(theirs, there, "/send/").request["PATH_INFO"]
    for unit in units[:3]:
        assert "✓" in scan(theirs, box, unit[0]).text
    assert "3 phones are on their way." in send_form(theirs, box, "/book/").text
    assert theirs.post(f"{there}receive/").status_code == 409

    box = send_form(ours, here, "/receive/").request["PATH_INFO"]
    assert "is not on record" in scan(ours, box, create_unit()[0]).text
    for unit in units[:2]:
        scan(ours, box, unit[0])
    send_form(ours, box, "is damaged", do="damaged")
    assert "One of those that were sent is missing." in ours.get(box).text
    done = send_form(ours, box, "/book/")

    assert "one arrived whole · ! one damaged · ! one missing" in text_of(done)
    assert StockLevel.objects.get(outlet=outlet).on_hand == 1
    assert ours.post(f"{here}cancel/", {"reason": "x", "form_key": "0" * 32}).status_code == 403
    assert_books_add_up()


def test_a_manager_calls_a_transfer_off_with_a_reason(manager: Client, outlet: Outlet, phone: Phone) -> None:
    transfer = send_three(create_stock(outlet=outlet, phone=phone, on_hand=9), create_outlet())
    page = at(outlet, f"transfers/{transfer.pk}/")
    assert manager.post(f"{page}cancel/", {"form_key": "0" * 32}).status_code == 409
    answers = [manager.post(f"{page}cancel/", {"form_key": "0" * 32, "reason": "road closed"}) for _ in range(2)]
    assert [answer.status_code for answer in answers] == [302, 302]
    assert "Why: road closed" in manager.get(page).text
    assert StockLevel.objects.get(outlet=outlet).on_hand == 9


def test_what_is_on_its_way_is_called_back_by_its_sender_only(manager: Client, outlet: Outlet, phone: Phone) -> None:
    transfer = send_three(create_stock(phone=phone, on_hand=9), outlet)
    page = at(outlet, f"transfers/{transfer.pk}/")
    assert "Call it off" not in manager.get(page).text
    assert manager.post(f"{page}cancel/", {"form_key": "0" * 32, "reason": "x"}).status_code == 409
    transfer.refresh_from_db()
    assert transfer.state == "sent"
