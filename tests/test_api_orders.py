"""Orders of partners: placed by the rules of the shop, seen by their partner alone, and cancelled."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime, timedelta
from typing import Any
from uuid import uuid4

import pytest
from django.db import IntegrityError, connection, transaction
from django.test import Client
from django.utils import timezone

from api.models import CallCount, IdempotencyKey
from catalog.catalogue import Catalogue, current_catalogue, forget_catalogue
from orders import lifecycle, numbers, refusals
from orders.models import Order, OrderChange
from orders.refusals import BadMobile, BadName, OrderRefused, OutletNotOpen, OutOfStock, PriceRose
from partners import order_refusals
from partners.keys import issue_key
from partners.models import Partner, PartnerOrder
from partners.order_refusals import wanted_of
from stores.hours import forget_hours
from stores.models import Outlet, StockLevel
from tests.api_schema import check
from tests.books import assert_books_add_up
from tests.crowd import at_once
from tests.factories import change_phone, create_outlet, create_region, create_stock, create_window
from tests.order_factories import CLERK, create_order, lead_to
from tests.test_api_problems import problem

pytestmark = pytest.mark.django_db

ORDERS = "/api/v1/orders"
BOTH = ["orders:read", "orders:write"]


@pytest.fixture
def partner() -> Partner:
    return Partner.objects.create(name="Merchant")


@pytest.fixture
def shop(catalogue: Catalogue) -> Outlet:
    """An outlet with two of the first and five of the second phone; another with plenty is in the next county."""
    outlet = create_outlet(code="130121100-01", town=create_region("130121100"))
    other = create_outlet(code="130122100-01", town=create_region("130122100"), longitude=114.5)
    for phone, here in zip(catalogue.phones[:2], (2, 5), strict=True):
        create_stock(outlet=outlet, phone=phone, on_hand=here)
        create_stock(outlet=other, phone=phone, on_hand=9)
    return outlet


class Caller:
    """A program of a partner, with a key of its own."""

    def __init__(self, partner: Partner, scopes: list[str] | None = None, **reach: Any) -> None:
        self.key = issue_key(partner, scopes or BOTH, **reach)
        self.client = Client()

    def place(self, *, once: str = "", **values: Any) -> Any:
        return self.post(ORDERS, body(**values), once=once)

    def post(self, address: str, data: Any, *, once: str = "", path: str = "") -> Any:
        headers = {"Authorization": f"Bearer {self.key}", "Idempotency-Key": once or str(uuid4())}
        response = self.client.post(address, data, content_type="application/json", headers=headers)
        check(path or address, response, "POST")
        return response

    def cancel(self, number: str, reason: str = "", **options: Any) -> Any:
        data = {"reason": reason} if reason else {}
        return self.post(f"{ORDERS}/{number}/cancel", data, path=f"{ORDERS}/{{code}}/cancel", **options)

    def read(self, number: str, query: str = "") -> Any:
        response = self.get(f"{ORDERS}/{number}{query}")
        check(f"{ORDERS}/{{code}}", response)
        return response

    def list(self, query: str = "") -> Any:
        response = self.get(ORDERS + query)
        return check(ORDERS, response)["results"]

    def get(self, address: str) -> Any:
        return self.client.get(address, headers={"Authorization": f"Bearer {self.key}"})


def body(**values: Any) -> dict[str, Any]:
    return {
        "reference": uuid4().hex,
        "outlet": "130121100-01",
        "customer": {"name": "王小明", "mobile": "138 0013 8000"},
        "lines": [{"phone": "uniscope-y401", "quantity": 1}],
    } | values


@pytest.fixture
def caller(partner: Partner, shop: Outlet) -> Caller:
    return Caller(partner)


def test_a_partner_places_an_order_as_the_shop_does(caller: Caller, shop: Outlet, partner: Partner) -> None:
    lines = [{"phone": "ctyon-y402", "quantity": 2}, {"phone": "uniscope-y401", "quantity": 1}]
    response = caller.place(reference="T-1", lines=lines, language="en")
    assert response.status_code == 201
    told = response.json()
    order = Order.objects.get(number=told["number"])
    assert response["Location"] == f"{ORDERS}/{order.number}"
    assert (order.channel, order.mobile, order.language, order.outlet) == ("api", "+8613800138000", "en", shop)
    assert OrderChange.objects.get(number=order.number).actor == f"partner:{partner.pk}"
    assert [(line["phone"], line["quantity"]) for line in told["lines"]] == [("uniscope-y401", 1), ("ctyon-y402", 2)]
    assert told["lines"][0]["price"] == {"amount": "299.00", "currency": "CNY"}
    assert told["total"]["amount"] == f"{order.total_fen / 100:.2f}"
    assert [message.kind for message in order.messages.all()] == ["placed"]
    assert StockLevel.objects.get(outlet=shop, phone__slug="ctyon-y402").reserved == 2
    read = caller.read(told["number"]).json()
    assert read == told | {"customer": {"name": "王小明", "mobile": "+8613800138000"}}
    assert_books_add_up()


def test_a_number_that_is_taken_is_drawn_again(caller: Caller, monkeypatch: pytest.MonkeyPatch) -> None:
    first = caller.place().json()["number"]
    drawn = iter([first, first, numbers.draw_number(numbers.outlet_of(first))])
    monkeypatch.setattr(numbers, "draw_number", lambda outlet_id: next(drawn))

    second = caller.place(once="again", customer={"name": "李雷", "mobile": "13900139000"})
    assert second.status_code == 201
    assert caller.read(first).json()["state"] == caller.read(second.json()["number"]).json()["state"] == "placed"
    assert caller.place(once="again", customer={"name": "李雷", "mobile": "13900139000"}).status_code == 422
    assert_books_add_up()


def test_nothing_of_the_customer_is_in_what_is_kept(caller: Caller) -> None:
    caller.place()
    [kept] = IdempotencyKey.objects.all()
    for trace in ("王", "13800138000", "138 0013 8000"):
        assert trace not in bytes(kept.body).decode() + str(kept.headers)


def test_an_erased_customer_is_not_told(caller: Caller) -> None:
    number = caller.place().json()["number"]
    caller.cancel(number)
    Order.objects.filter(number=number).update(name="", mobile="", erased_at=timezone.now())
    assert caller.read(number).json()["customer"] is None


def test_what_is_short_and_where_else_it_is(caller: Caller) -> None:
    lines = [{"phone": "uniscope-y401", "quantity": 2}]
    assert caller.place(lines=lines).status_code == 201
    refused = caller.place(lines=lines, customer={"name": "李", "mobile": "13900139000"})
    told = problem(refused, "out-of-stock")
    assert told["short"] == [{"phone": "uniscope-y401", "wanted": 2, "left": 0}]
    assert [each["outlet"] for each in told["outlets"]] == ["130122100-01"]
    assert told["outlets"][0]["distance"]["km"] > 20


def test_where_else_is_where_the_key_reaches(partner: Partner, shop: Outlet) -> None:
    caller = Caller(partner, outlets=[shop.code])
    refused = caller.place(lines=[{"phone": "uniscope-y401", "quantity": 3}])
    assert problem(refused, "too-many-of-one-phone")["limit"] == 2
    Outlet.objects.filter(pk=shop.pk).update(state="suspended")
    assert problem(caller.place(), "outlet-not-open")["outlets"] == []


@pytest.mark.parametrize(
    ("wrong", "pointers"),
    [
        ({"reference": ""}, ["#/reference"]),
        ({"reference": "a b"}, ["#/reference"]),
        ({"reference": 1}, ["#/reference"]),
        ({"outlet": "999999999-99"}, ["#/outlet"]),
        ({"outlet": "\0"}, ["#/outlet"]),
        ({"customer": {"name": "王", "mobile": "123"}}, ["#/customer/mobile"]),
        ({"customer": {"name": "007", "mobile": "13800138000"}}, ["#/customer/name"]),
        ({"customer": {}}, ["#/customer/name", "#/customer/mobile"]),
        ({"customer": None}, ["#/customer"]),
        ({"language": ["zh"]}, ["#/language"]),
        ({"lines": []}, ["#/lines"]),
        ({"lines": [{"phone": "none", "quantity": 1}]}, ["#/lines/0/phone"]),
        ({"lines": [{"phone": "uniscope-y401", "quantity": 0}]}, ["#/lines/0/quantity"]),
        ({"lines": [{"phone": "uniscope-y401", "quantity": "1"}]}, ["#/lines/0/quantity"]),
        ({"lines": [{"phone": "uniscope-y401", "quantity": True}]}, ["#/lines/0/quantity"]),
        ({"lines": [{"phone": "uniscope-y401", "quantity": 1}] * 2}, ["#/lines"]),
        ({"language": "fr"}, ["#/language"]),
        ({"langage": "zh", "a/b": 1}, ["#/langage", "#/a~1b"]),
    ],
)
def test_each_wrong_field_is_pointed_at(caller: Caller, wrong: dict[str, Any], pointers: list[str]) -> None:
    told = problem(caller.place(**wrong), "invalid-input")
    assert [error["pointer"] for error in told["errors"]] == pointers
    assert not Order.objects.exists()


def test_one_caller_after_another_is_told_of_a_limit_in_its_own_language(caller: Caller) -> None:
    wrong = body(lines=[{"phone": "uniscope-y401", "quantity": 100}])
    headers = {"Authorization": f"Bearer {caller.key}"}
    for language, words in (("en", "less than or equal to 99"), ("zh", "小于或者等于 99"), ("en", "or equal")):
        more = {"Accept-Language": language, "Idempotency-Key": str(uuid4())}
        told = caller.client.post(ORDERS, wrong, content_type="application/json", headers=headers | more).json()
        assert words in told["errors"][0]["detail"]


@pytest.mark.parametrize("data", ["[]", "null", '"x"', "1", "{", "", "[" * 9999, '{"reference":"\\ud800"}', "1" * 9999])
def test_whatever_else_a_body_holds_is_refused(caller: Caller, data: str) -> None:
    response = caller.post(ORDERS, data)
    assert response.status_code == 400


def test_rules_of_the_shop_are_told_as_problems(caller: Caller, catalogue: Catalogue) -> None:
    for _order in range(3):
        assert caller.place(lines=[{"phone": "ctyon-y402", "quantity": 1}] if _order else body()["lines"]).status_code
    assert problem(caller.place(), "too-many-orders")["limit"] == 3
    change_phone("uniscope-y401", is_discontinued=True)
    told = problem(caller.place(customer={"name": "李", "mobile": "13900139000"}), "phone-not-on-sale")
    assert told["phones"] == ["uniscope-y401"]


def test_every_refusal_of_an_order_has_its_problem() -> None:
    """A new rule of the shop must not be a failure of ours."""
    of_the_counter = {
        "AlreadyCollected", "WrongCode", "TooManyWrongCodes", "AlreadyExtended", "SameOutlet", "WrongAmount",
        "BadQuantity", "SaleRefused",
    }  # fmt: skip
    known = {*order_refusals._OTHERS, BadName, BadMobile, OutOfStock, OutletNotOpen, PriceRose}
    missing = {
        refusal.__name__
        for refusal in vars(refusals).values()
        if isinstance(refusal, type) and issubclass(refusal, OrderRefused) and refusal is not OrderRefused
    } - {refusal.__name__ for refusal in known}
    assert missing == of_the_counter


def test_a_reference_is_for_one_order_of_a_partner(
    caller: Caller, shop: Outlet, monkeypatch: pytest.MonkeyPatch
) -> None:
    number = caller.place(reference="T-1").json()["number"]

    def after_a_while(lines: dict[int, int]) -> Any:
        """Tell the refusal when the catalogue in memory has to be asked for again."""
        forget_catalogue()
        return wanted_of(lines)

    monkeypatch.setattr("partners.orders_api.wanted_of", after_a_while)
    problem(caller.place(reference="T-1"), "reference-taken")
    assert [order["number"] for order in caller.list("?reference=T-1")] == [number]
    assert Order.objects.count() == 1
    assert StockLevel.objects.get(outlet=shop, phone__slug="uniscope-y401").reserved == 1
    assert Caller(Partner.objects.create(name="Another")).place(reference="T-1").status_code == 201
    assert_books_add_up()


def test_no_partner_sees_what_is_not_its_own(caller: Caller) -> None:
    number = caller.place().json()["number"]
    stranger = Caller(Partner.objects.create(name="Stranger"))
    problem(stranger.read(number), "not-found")
    problem(stranger.cancel(number), "not-found")
    assert stranger.list() == []
    of_the_shop = create_order(StockLevel.objects.filter(phone__slug="ctyon-y402").first())
    problem(caller.read(of_the_shop.number), "not-found")
    problem(caller.cancel(of_the_shop.number), "not-found")
    assert Order.objects.get(number=number).state == "placed"


@pytest.mark.parametrize("number", ["1", "000000000000", "x" * 300, "%00", "１２３４５６７８９０１２", "-"])
def test_what_is_no_number_is_not_found(caller: Caller, number: str) -> None:
    problem(caller.get(f"{ORDERS}/{number}"), "not-found")


def test_a_key_sees_and_orders_what_it_reaches(caller: Caller, partner: Partner) -> None:
    number = caller.place().json()["number"]
    for reach in ({"outlets": ["130122100-01"]}, {"regions": ["130122"]}, {"phones": ["ctyon-y402"]}):
        other = Caller(partner, **reach)
        assert other.list() == []
        problem(other.read(number), "not-found")
        problem(other.cancel(number), "not-found")
        wrong = "#/lines/0/phone" if "phones" in reach else "#/outlet"
        assert [error["pointer"] for error in problem(other.place(), "invalid-input")["errors"]] == [wrong]
    for reach in ({"outlets": ["130121100-01"]}, {"regions": ["130121"]}, {"phones": ["uniscope-y401"]}):
        assert [order["number"] for order in Caller(partner, **reach).list()] == [number]
    # Of an order it reaches all or nothing.
    lines = [{"phone": slug, "quantity": 1} for slug in ("uniscope-y401", "ctyon-y402")]
    both = caller.place(lines=lines, customer={"name": "王", "mobile": "13900139001"}).json()["number"]
    assert [order["number"] for order in Caller(partner, phones=["uniscope-y401"]).list()] == [number]
    assert len(Caller(partner, phones=["uniscope-y401", "ctyon-y402"]).list()) == 2
    problem(Caller(partner, phones=["ctyon-y402"]).read(both), "not-found")


def test_own_orders_are_narrowed_and_paged(caller: Caller, shop: Outlet, time_machine: Any) -> None:
    began = timezone.now()
    numbers = []
    for place in range(3):
        time_machine.move_to(began + timedelta(minutes=place), tick=False)
        customer = {"name": "王", "mobile": f"1390013900{place}"}
        lines = [{"phone": "ctyon-y402", "quantity": 1}]
        numbers.append(caller.place(customer=customer, lines=lines).json()["number"])
    caller.cancel(numbers[0])
    lead_to(Order.objects.get(number=numbers[1]), "ready")

    def listed(query: str) -> list[str]:
        return [order["number"] for order in caller.list(query)]

    assert listed("") == numbers
    assert listed("?state=cancelled") == numbers[:1]
    assert listed("?state=ready&outlet=130121100-01") == numbers[1:2]
    assert listed("?outlet=130122100-01") == []
    since = (began + timedelta(minutes=1)).isoformat().replace("+00:00", "Z")
    assert listed(f"?placed_since={since}") == numbers[1:]
    pages, address = [], f"{ORDERS}?limit=1"
    while address:
        page = caller.get(address).json()
        pages += [order["number"] for order in page["results"]]
        address = page["next"]
    assert pages == numbers
    [told] = caller.list("?limit=1&fields=number,outlet&expand=outlet")
    assert told["outlet"]["hours"]["monday"] == [{"opens": "08:30", "closes": "18:00"}]
    assert caller.read(numbers[0], "?fields=state").json() == {"state": "cancelled"}


@pytest.mark.parametrize(
    "query",
    ["placed_since=2026-11-11", "placed_since=2026-11-11T00:00:00", "placed_since=x", "placed_since=0001-01-01T00:00Z",
     "state=lost", "reference=%00", "cursor=WyJ4IiwgIngiXQ", "cursor=WyIyMDI2LTExLTExIiwgIngiXQ", "fields=mobile"],
)  # fmt: skip
def test_each_wrong_parameter_is_named(caller: Caller, query: str) -> None:
    told = problem(caller.get(f"{ORDERS}?{query}"), "invalid-input")
    assert [error["parameter"] for error in told["errors"]] == [query.partition("=")[0]]


def test_cancelling_gives_the_phones_back_once(caller: Caller, shop: Outlet, partner: Partner) -> None:
    number = caller.place().json()["number"]
    first, again = caller.cancel(number, "changed her mind"), caller.cancel(number)
    assert first.json()["state"] == again.json()["state"] == "cancelled"
    assert StockLevel.objects.get(outlet=shop, phone__slug="uniscope-y401").reserved == 0
    change = OrderChange.objects.filter(number=number).last()
    assert change
    assert (change.actor, change.reason) == (f"partner:{partner.pk}", "changed her mind")
    assert_books_add_up()


def test_what_has_ended_cannot_be_cancelled(caller: Caller) -> None:
    number = caller.place().json()["number"]
    lead_to(Order.objects.get(number=number), "collected")
    assert problem(caller.cancel(number), "wrong-state")["state"] == "collected"
    wrong = problem(caller.cancel(number, "x" * 101), "invalid-input")
    assert [error["pointer"] for error in wrong["errors"]] == ["#/reason"]


def test_an_order_is_followed_to_where_it_was_moved(caller: Caller, partner: Partner) -> None:
    first = caller.place(reference="T-1").json()["number"]
    other = Outlet.objects.get(code="130122100-01")
    moved = lifecycle.move_order(Order.objects.get(number=first), other, CLERK)
    assert caller.read(first).json()["moved_to"] == moved.number
    assert problem(caller.cancel(first), "wrong-state")["moved_to"] == moved.number
    told = caller.read(moved.number).json()
    assert (told["reference"], told["moved_from"], told["outlet"]) == ("T-1", first, other.code)
    problem(Caller(partner, outlets=["130121100-01"]).read(moved.number), "not-found")
    problem(Caller(Partner.objects.create(name="Stranger")).read(moved.number), "not-found")
    assert caller.cancel(moved.number).json()["state"] == "cancelled"
    assert_books_add_up()


def test_an_order_that_is_as_it_was_is_not_told_again(caller: Caller) -> None:
    number = caller.place().json()["number"]
    tag = caller.read(number)["ETag"]
    headers = {"Authorization": f"Bearer {caller.key}", "If-None-Match": tag}
    assert caller.client.get(f"{ORDERS}/{number}", headers=headers).status_code == 304
    caller.cancel(number)
    assert caller.client.get(f"{ORDERS}/{number}", headers=headers).status_code == 200


def test_the_number_of_queries_does_not_grow(
    caller: Caller, shop: Outlet, held_memory: Callable[[], object], django_assert_num_queries: Any
) -> None:
    number = caller.place().json()["number"]
    caller.place(customer={"name": "王", "mobile": "13900139000"}, lines=[{"phone": "ctyon-y402", "quantity": 1}])
    held_memory()
    # The key with the call, the orders with their outlets, their lines.
    for query, queries in {
        "?limit=1": 3,
        "": 3,
        "?expand=outlet": 5,
        f"/{number}": 3,
        f"/{number}?expand=outlet": 5,
    }.items():
        forget_hours()
        with django_assert_num_queries(queries):
            assert caller.get(ORDERS + query).status_code == 200
    # The key with the call; the idempotency key and what it got before; the outlet; the order and whose it is; the
    # answer that is kept; and two transactions within each other (one, outside of a test).
    with django_assert_num_queries(9):
        assert (
            caller.place(
                customer={"name": "王", "mobile": "13700137000"}, lines=[{"phone": "ctyon-y402", "quantity": 1}]
            ).status_code
            == 201
        )


@pytest.mark.django_db(transaction=True)
def test_a_crowd_with_one_key_places_one_order(partner: Partner, shop: Outlet) -> None:
    caller = Caller(partner)
    data = body(reference="T-1")
    answers = at_once([lambda: caller.post(ORDERS, data, once="one")] * 50)
    assert {answer.status_code for answer in answers} <= {201, 409}
    assert caller.post(ORDERS, data, once="one").status_code == 201
    assert Order.objects.count() == PartnerOrder.objects.count() == 1
    assert StockLevel.objects.get(outlet=shop, phone__slug="uniscope-y401").reserved == 1
    assert_books_add_up()


@pytest.mark.django_db(transaction=True)
def test_a_crowd_with_one_reference_places_one_order(partner: Partner, shop: Outlet) -> None:
    CallCount.objects.all().delete()
    caller = Caller(partner)
    answers = at_once([lambda: caller.place(reference="T-1", lines=[{"phone": "ctyon-y402", "quantity": 1}])] * 12)
    assert sorted(answer.status_code for answer in answers) == [201] + [409] * 11
    assert Order.objects.count() == 1
    assert StockLevel.objects.get(outlet=shop, phone__slug="ctyon-y402").reserved == 1
    assert_books_add_up()


@pytest.mark.parametrize("change", ["SET reference = 'x'", "SET reference = ''", None])
def test_the_database_keeps_whose_order_it_is(caller: Caller, change: str | None) -> None:
    caller.place()
    statement = f"UPDATE partners_partnerorder {change}" if change else "DELETE FROM partners_partnerorder"
    with pytest.raises(IntegrityError, match="partnerorder"), transaction.atomic(), connection.cursor() as cursor:
        cursor.execute(statement)


def test_it_is_never_ordered_for_more_than_was_accepted(caller: Caller) -> None:
    refused = caller.place(accepted_total="298.99")

    assert refused.status_code == 409
    told = refused.json()
    assert told["type"].endswith("/price-rose/")
    assert "detail" not in told
    assert told["total"] == {"amount": "299.00", "currency": "CNY"}
    ordinary = {"amount": "299.00", "currency": "CNY"}
    assert told["prices"] == [
        {"phone": "uniscope-y401", "price": ordinary, "ordinary_price": ordinary, "price_valid_until": None}
    ]
    assert caller.place(accepted_total="299.00").status_code == 201


@pytest.mark.parametrize("total", [299, 299.0, True, "-1", "1.234", "x", "NaN", "99999999999", {}, ""])
def test_what_is_no_amount_is_refused_where_it_stands(caller: Caller, total: Any) -> None:
    refused = caller.place(accepted_total=total)

    assert refused.status_code in (400, 422)
    assert [error["pointer"] for error in refused.json()["errors"]] == ["#/accepted_total"]


def test_beyond_the_limit_of_a_sale_window_the_next_price_has_to_be_asked_for(caller: Caller) -> None:
    phone = current_catalogue().by_slug["uniscope-y401"]
    create_window({phone: 24900})
    other = create_window({phone: 27900})
    line = {"phone": "uniscope-y401", "quantity": 1}
    assert caller.place(lines=[line]).json()["lines"][0]["price"]["amount"] == "249.00"

    refused = caller.place(lines=[line]).json()
    assert refused["type"].endswith("/sale-limit-reached/")
    assert (refused["limit"], refused["phones"]) == (1, ["uniscope-y401"])
    (told,) = refused["prices"]
    assert (told["price"]["amount"], told["ordinary_price"]["amount"]) == ("279.00", "299.00")
    assert datetime.fromisoformat(told["price_valid_until"]) == other.ends_at
    placed = caller.place(lines=[line], accepted_total=refused["total"]["amount"]).json()
    assert placed["lines"][0]["price"]["amount"] == "279.00"
