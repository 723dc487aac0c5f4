"""A customer looks an order up, sees how it stands, cancels it, moves it, keeps it longer; strangers see nothing."""

import re
from datetime import timedelta
from importlib.util import find_spec, module_from_spec
from typing import Any
from urllib.parse import urlsplit

import pytest
import segno
import time_machine
from django.conf import settings as django_settings
from django.db import connection
from django.http import HttpResponse
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.urls import NoReverseMatch, reverse
from django.utils import timezone
from hypothesis import example, given
from hypothesis import strategies as st

from api.limits import Limit
from catalog.models import Phone
from orders import doors, lifecycle, links, numbers, qr_codes
from orders.access import COOKIE
from orders.calendar import calendar_file
from orders.models import Order, State
from orders.order_page import qr_code
from stores.hours import forget_hours
from tests.factories import create_outlet, create_phone, create_region
from tests.order_factories import CLERK, create_order, create_shelf, lead_to

pytestmark = pytest.mark.django_db

SEEN = "orders/order.html"
ASKED = "orders/look_up.html"


def page_of(order: Order, rest: str = "") -> str:
    return f"/orders/{order.number}/{rest}"


def look_up(client: Client, order: Order, **fields: str) -> HttpResponse:
    return client.post("/orders/", {"number": order.number, "last_four": order.mobile[-4:]} | fields)


@pytest.fixture
def order(db: None) -> Order:
    return create_order(create_shelf(create_outlet(town=create_region("130121100")), on_hand=5))


@pytest.fixture
def owner(client: Client, order: Order) -> Client:
    """The browser of whoever placed the order."""
    look_up(client, order)
    return client


def template(response: HttpResponse) -> str:
    return response.templates[0].name


# Looking up


def test_number_and_last_four_digits_lead_to_the_order(client: Client, order: Order) -> None:
    response = look_up(client, order)
    assert response["Location"] == page_of(order)
    assert template(client.get(page_of(order))) == SEEN


@pytest.mark.parametrize("written", ["{0} {1} {2}", "{0}-{1}-{2}", " {0}{1}{2} ", "{0}.{1}.{2}"])
def test_the_number_may_be_written_as_it_is_read_aloud(client: Client, order: Order, written: str) -> None:
    number = written.format(*numbers.spoken(order.number).split())
    assert look_up(client, order, number=number).status_code == 302


def test_full_width_digits_and_the_whole_mobile_number_do_as_well(client: Client, order: Order) -> None:
    wide = str.maketrans("0123456789", "０１２３４５６７８９")
    assert look_up(client, order, number=order.number.translate(wide)).status_code == 302
    assert look_up(client, order, last_four=order.mobile[-4:].translate(wide)).status_code == 302
    assert look_up(client, order, last_four=order.mobile).status_code == 302


def test_wrong_digits_and_an_unknown_number_get_the_same_answer_from_the_same_statements(
    client: Client, order: Order
) -> None:
    unknown = numbers.draw_number(order.outlet_id)
    wrong_digits = f"{(int(order.mobile[-4:]) + 1) % 10_000:04d}"
    with CaptureQueriesContext(connection) as wrong:
        one = look_up(client, order, last_four=wrong_digits)
    with CaptureQueriesContext(connection) as missing:
        other = look_up(client, order, number=unknown, last_four=wrong_digits)
    assert one.status_code == other.status_code == 200
    assert _without_what_was_typed(one) == _without_what_was_typed(other)
    assert _shapes(wrong) == _shapes(missing)
    assert COOKIE.name not in one.cookies
    assert COOKIE.name not in other.cookies


def _shapes(queries: CaptureQueriesContext) -> list[str]:
    return [re.sub(r"'[^']*'|[0-9]+", "?", query["sql"]) for query in queries]


def test_neither_wrong_digits_nor_an_unknown_number_brings_a_row(order: Order) -> None:
    """What is worked on when an order is found takes its time; it must not be taken before the digits are right."""
    wrong_digits = f"{(int(order.mobile[-4:]) + 1) % 10_000:04d}"
    rows: list[int] = []

    def note(execute: Any, sql: str, parameters: Any, many: bool, context: Any) -> Any:
        answer = execute(sql, parameters, many, context)
        rows.append(context["cursor"].rowcount)
        return answer

    with connection.execute_wrapper(note):
        Order.objects.for_lookup(order.number, wrong_digits)
        Order.objects.for_lookup(numbers.draw_number(order.outlet_id), wrong_digits)
        assert Order.objects.for_lookup(order.number, order.mobile[-4:]) == order
    assert rows == [0, 0, 1]


def _without_what_was_typed(page: HttpResponse) -> str:
    return re.sub(r'value="[^"]*"', "", page.content.decode())


def test_a_number_with_a_slip_is_told_so_without_a_look_into_the_database(client: Client, order: Order) -> None:
    slip = order.number[:-1] + str((int(order.number[-1]) + 1) % 10)
    with CaptureQueriesContext(connection) as queries:
        page = look_up(client, order, number=slip)
    assert list(page.context["form"].errors) == ["number"]
    assert len(queries) == 0


@pytest.mark.parametrize("fields", [{"number": ""}, {"last_four": ""}, {"last_four": "12"}, {"number": "12\0"}])
def test_what_cannot_be_right_is_said_beside_the_field(client: Client, order: Order, fields: dict[str, str]) -> None:
    page = look_up(client, order, **fields)
    assert list(page.context["form"].errors) == list(fields)


def test_an_erased_order_looks_as_if_there_were_none(client: Client, order: Order) -> None:
    look_up(client, order)
    lifecycle.cancel(order, CLERK)
    Order.objects.filter(number=order.number).update(name="", mobile="", erased_at=timezone.now())
    assert template(client.get(page_of(order))) == ASKED
    assert look_up(client, order, last_four="0000").status_code == 200


def test_guessing_at_one_order_ends_after_few_tries_and_says_when_to_come_back(
    client: Client, order: Order, monkeypatch
) -> None:
    monkeypatch.setattr(doors, "LOOK_UPS_OF_AN_ORDER", Limit("test/order", most=3, seconds=1800))
    for _ in range(3):
        assert look_up(client, order, last_four="0000").status_code == 200
    page = look_up(client, order)
    assert page.status_code == 429
    assert 1700 < int(page["Retry-After"]) <= 1800
    assert "30 分钟" in page.content.decode()
    assert "30 minutes" in client.post("/en/orders/", {"number": order.number, "last_four": "0000"}).content.decode()
    # Another order of another customer is not held up.
    other = create_order()
    assert look_up(client, other).status_code == 302


def test_one_address_cannot_try_all_orders(client: Client, monkeypatch) -> None:
    monkeypatch.setattr(doors, "LOOK_UPS_OF_AN_ADDRESS", Limit("test/address", most=2, seconds=60))
    tries = [look_up(client, create_order(), last_four="0000").status_code for _ in range(3)]
    assert tries == [200, 200, 429]


# Who may see


@pytest.mark.parametrize("rest", ["", "move/", "calendar.ics"])
def test_a_stranger_and_a_number_that_does_not_exist_get_the_same_page(client: Client, order: Order, rest: str) -> None:
    unknown = numbers.draw_number(order.outlet_id)
    one, other = client.get(page_of(order, rest)), client.get(f"/orders/{unknown}/{rest}")
    assert template(one) == template(other) == ASKED
    assert one.status_code == other.status_code
    assert _without_token(one).replace(order.number, "N") == _without_token(other).replace(unknown, "N")


def _without_token(page: HttpResponse) -> str:
    return re.sub(r'name="csrfmiddlewaretoken" value="[^"]*"', "", page.content.decode())


@pytest.mark.parametrize("deed", ["cancel/", "extend/", "move/"])
def test_a_stranger_can_do_nothing(client: Client, order: Order, deed: str) -> None:
    client.post(page_of(order, deed), {"outlet": create_outlet().code})
    order.refresh_from_db()
    assert (order.state, order.extended_at, order.moved_to) == (State.PLACED, None, "")


def test_a_forged_cookie_opens_nothing(client: Client, order: Order) -> None:
    client.cookies[COOKIE.name] = order.number
    assert template(client.get(page_of(order))) == ASKED


def test_after_three_days_the_browser_has_to_ask_again(owner: Client, order: Order) -> None:
    with time_machine.travel(timezone.now() + timedelta(days=3, minutes=1)):
        assert template(owner.get(page_of(order))) == ASKED


def test_a_borrowed_phone_can_forget_the_order(owner: Client, order: Order) -> None:
    owner.post(page_of(order, "forget/"))
    assert template(owner.get(page_of(order))) == ASKED


def test_the_link_of_a_message_opens_the_order_and_its_key_leaves_the_address(client: Client, order: Order) -> None:
    link = urlsplit(links.order_link(order))
    response = client.get(f"{link.path}?{link.query}")
    assert response["Location"] == link.path
    assert template(client.get(link.path)) == SEEN


def test_a_wrong_key_opens_nothing_and_is_counted(client: Client, order: Order, monkeypatch) -> None:
    monkeypatch.setattr(doors, "LOOK_UPS_OF_AN_ORDER", Limit("test/key", most=1, seconds=60))
    client.get(page_of(order), {"k": "abcdefgh"})
    assert template(client.get(page_of(order))) == ASKED
    assert client.get(page_of(order), {"k": links.order_key(order.number)}).status_code == 429


# What it says


def test_says_where_until_when_how_much_and_the_code(owner: Client, order: Order) -> None:
    text = owner.get(page_of(order)).content.decode()
    outlet = order.outlet
    for fact in (
        f"{order.pickup_code[:3]} {order.pickup_code[3:]}",
        order.spoken_number,
        outlet.name_zh,
        outlet.address_zh,
        f"{order.due_fen // 100} 元",
        timezone.localtime(order.held_until).strftime("%-m月%-d日"),
    ):
        assert fact in text
    assert "<svg" in text
    assert order.name not in text
    assert order.mobile[3:] not in text


def test_says_it_in_english_too(owner: Client, order: Order) -> None:
    text = owner.get(f"/en{page_of(order)}").content.decode()
    assert "Kept for you until" in text
    assert order.outlet.name_en in text


@pytest.mark.parametrize(
    ("state", "words"),
    [
        ("placed", "收到短信再出门"),
        ("ready", "带上取货码"),
        ("collected", "手机已经到您手里"),
        ("cancelled", "不再给您留货"),
        ("declined", "换一家营业厅"),
        ("expired", "可以重新预留"),
    ],
)
def test_every_state_is_said_in_plain_words_with_what_came_before(client: Client, state: str, words: str) -> None:
    order = create_order(create_shelf(on_hand=3), state=state)
    look_up(client, order)
    page = client.get(page_of(order))
    assert words in page.content.decode()
    assert len(page.context["steps"]) == order.change_seq
    assert ("取货码" in page.content.decode()) == (state in ("placed", "ready"))


def test_the_picture_holds_number_and_code_for_the_scanner(order: Order) -> None:
    def modules(svg: str) -> str:
        return re.findall(r' d="([^"]+)"', svg)[-1]

    text = order.number + order.pickup_code
    assert len(text) == 18
    assert modules(qr_code(order)) == modules(
        segno.make(text, error="q", boost_error=False, micro=False, mask=qr_codes.MASK).svg_inline(border=4)
    )
    assert 'fill="#fff"' in qr_code(order)


@given(st.integers(0, 10**18 - 1).map("{:018d}".format))
@example("999999999999999999")
def test_the_picture_is_drawn_as_the_library_draws_it(digits: str) -> None:
    code = segno.make(digits, error="q", boost_error=False, micro=False, mask=qr_codes.MASK)
    drawn = code.svg_inline(border=4, light="#fff", svgclass="qr", lineclass=None, omitsize=True)
    assert qr_codes.svg_of(digits) == drawn


def test_the_picture_is_shown_whole_whatever_its_size_on_the_page(order: Order) -> None:
    """Without a viewBox, the style sheet's size cuts a part off."""
    modules_and_rim = 21 + 2 * 4
    assert f'viewBox="0 0 {modules_and_rim} {modules_and_rim}"' in qr_code(order)


@pytest.mark.parametrize("rest", ["", "move/", "calendar.ics"])
def test_nobody_keeps_a_copy(owner: Client, order: Order, rest: str) -> None:
    response = owner.get(page_of(order, rest))
    assert response["Cache-Control"] == "no-store, private"
    assert response["X-Robots-Tag"] == "noindex"
    assert "ETag" not in response.headers


@pytest.mark.usefixtures("held_memory")
def test_the_page_costs_a_fixed_number_of_statements(owner: Client) -> None:
    outlet = create_outlet()
    phones = [create_phone() for _ in range(3)]
    shelves = [create_shelf(outlet, phone=phone) for phone in phones]
    order = create_order(shelves[0], lines={shelf.phone_id: 1 for shelf in shelves})
    lifecycle.extend_hold(order, CLERK)
    look_up(owner, order)
    owner.get(page_of(order))
    forget_hours()
    with CaptureQueriesContext(connection) as queries:
        owner.get(page_of(order))
    assert len(queries) == 2  # the order with its shop, lines and history; the shop's hours


def test_the_calendar_says_until_when_and_where_but_not_who_nor_the_code(owner: Client, order: Order) -> None:
    response = owner.get(page_of(order, "calendar.ics"))
    text = response.content.decode()
    unfolded = text.replace("\r\n ", "")
    assert response["Content-Type"] == "text/calendar; charset=utf-8"
    assert order.held_until.strftime("DTEND:%Y%m%dT%H%M") in unfolded
    assert order.outlet.name_zh in unfolded
    assert order.pickup_code not in unfolded
    # Four digits can stand in a time of day, too.
    timeless = re.sub(r"\d{8}T\d{6}Z", "", unfolded)
    assert order.mobile[-4:] not in timeless.replace(order.number, "").replace(order.spoken_number, "")
    assert order.name not in unfolded
    assert text.endswith("END:VCALENDAR\r\n")


@pytest.mark.parametrize("name", ["营业厅" * 20, "a,b;c\\d" * 10])
def test_lines_of_the_calendar_are_short_and_whole(order: Order, name: str) -> None:
    order.outlet.name_zh = order.outlet.name_en = name
    text = calendar_file(order, "http://shop.example/", timezone.now())
    for line in text.split("\r\n"):
        assert len(line.encode()) <= 75
    escaped = name.replace("\\", "\\\\").replace(";", "\\;").replace(",", "\\,")
    assert escaped in text.replace("\r\n ", "")


# What the customer can do


def test_cancels_in_one_step_and_twice_is_once(owner: Client, order: Order) -> None:
    for _ in range(2):
        response = owner.post(page_of(order, "cancel/"))
        assert response["Location"] == page_of(order)
    order.refresh_from_db()
    assert order.state == State.CANCELLED
    assert [change.actor for change in order.history.all()] == ["customer:web", "customer:web"]
    assert "已取消" in owner.get(page_of(order)).content.decode()


def test_what_can_no_longer_be_cancelled_says_so_on_its_page(owner: Client, order: Order) -> None:
    lead_to(order, "collected")
    page = owner.post(page_of(order, "cancel/"))
    assert page.status_code == 409
    assert template(page) == SEEN
    assert page.context["refusal"]


def test_keeps_it_longer_once(owner: Client, order: Order) -> None:
    until = order.held_until
    owner.post(page_of(order, "extend/"))
    order.refresh_from_db()
    assert order.held_until - until == timedelta(hours=django_settings.HOLD_HOURS_EXTENSION)
    page = owner.post(page_of(order, "extend/"))
    assert page.status_code == 409
    assert f'action="{page_of(order, "extend/")}"' not in page.content.decode()


@pytest.mark.parametrize("deed", ["cancel/", "extend/", "forget/"])
def test_the_address_of_a_deed_leads_to_the_order_when_it_is_only_read(owner: Client, order: Order, deed: str) -> None:
    assert owner.get(page_of(order, deed))["Location"] == page_of(order)
    order.refresh_from_db()
    assert (order.state, order.extended_at) == (State.PLACED, None)


def test_moves_to_a_shop_that_has_it_and_the_new_order_opens(owner: Client, order: Order) -> None:
    phone_id = order.lines.get().phone_id
    there = create_outlet(latitude=38.2)
    without = create_outlet(latitude=38.05)
    create_shelf(there, phone=Phone.objects.get(pk=phone_id))
    page = owner.get(page_of(order, "move/"))
    assert [offer.outlet for offer in page.context["offers"]] == [there]
    refused = owner.post(page_of(order, "move/"), {"outlet": without.code})
    assert refused.status_code == 409
    response = owner.post(page_of(order, "move/"), {"outlet": there.code})
    moved = Order.objects.get(moved_from=order.number)
    assert response["Location"] == page_of(moved)
    assert template(owner.get(page_of(moved))) == SEEN
    assert moved.number in owner.get(page_of(order)).content.decode()
    again = owner.post(page_of(order, "move/"), {"outlet": there.code})
    assert again["Location"] == page_of(moved)
    assert Order.objects.count() == 2


def test_a_declined_order_leads_to_the_nearest_shops_that_have_it(owner: Client, order: Order) -> None:
    lead_to(order, "declined")
    assert page_of(order, "move/") in owner.get(page_of(order)).content.decode()


@pytest.mark.parametrize("state", ["ready", "collected", "cancelled", "expired"])
def test_what_is_set_aside_or_over_is_not_moved(client: Client, state: str) -> None:
    order = create_order(create_shelf(on_hand=3), state=state)
    look_up(client, order)
    assert page_of(order, "move/") not in client.get(page_of(order)).content.decode()
    assert client.get(page_of(order, "move/")).context["order"].can_be_moved is False


@pytest.mark.parametrize("deed", ["cancel/", "extend/", "move/", "forget/"])
def test_deeds_need_the_page_s_own_token(order: Order, deed: str) -> None:
    strict = Client(enforce_csrf_checks=True)
    assert strict.post(page_of(order, deed)).status_code == 403


@pytest.mark.parametrize(
    "address", ["/orders/123/", "/orders/abc/", "/orders/1234567890123/", "/orders/000000000000/x/"]
)
def test_what_is_no_order_number_is_no_page(client: Client, address: str) -> None:
    assert client.get(address).status_code == 404


# The demo's messages


def test_the_demo_shows_its_messages_masked(client: Client, order: Order, settings: Any, tmp_path: Any) -> None:
    from orders.messages.backends import FileBackend, Sms

    settings.SMS_FILE = tmp_path / "messages.jsonl"
    assert "还没有" in client.get("/demo/messages/").content.decode()
    FileBackend().send(Sms("1", order.mobile, "手机备好了", "ready.zh-hans", {}, timezone.now()))
    text = client.get("/demo/messages/").content.decode()
    assert "手机备好了" in text
    assert order.mobile[3:] not in text
    assert order.masked_mobile in text


def test_only_the_demo_links_to_them(owner: Client, order: Order, settings: Any) -> None:
    assert reverse("demo_messages") in owner.get(page_of(order)).content.decode()
    settings.DEMO = False
    assert "/demo/" not in owner.get(page_of(order)).content.decode()
    with pytest.raises(NoReverseMatch):
        reverse("orders:demo_messages")


@pytest.mark.parametrize(("is_demo", "status"), [(True, 200), (False, 404)])
def test_without_the_demo_there_is_no_page_of_messages(
    client: Client, settings: Any, tmp_path: Any, is_demo: bool, status: int
) -> None:
    settings.SMS_FILE = tmp_path / "messages.jsonl"
    settings.DEMO = is_demo
    found = find_spec("config.urls")
    settings.ROOT_URLCONF = addresses = module_from_spec(found)
    found.loader.exec_module(addresses)
    for address in ("/demo/messages/", "/en/demo/messages/"):
        assert client.get(address).status_code == status
