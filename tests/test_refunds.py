"""A sold phone comes back: what was paid is shown, what is given back is noted beside the sale, once and never more."""

from __future__ import annotations

from functools import partial
from typing import Any

import pytest
from django.db import IntegrityError, connection, transaction
from django.test import Client
from django.utils import timezone

from catalog.catalogue import Catalogue
from catalog.models import Phone
from office.models import OfficeRole
from orders import lifecycle, refunds, walk_in
from orders.models import Order, Payment, Refund, WalkInSale
from orders.refusals import WrongAmount
from stores import stock
from stores.audit import all_disagreements
from stores.models import HandsetEvent, Outlet, Role
from stores.refusals import UnitRefused
from tests.crowd import at_once
from tests.desk import create_person, sign_in
from tests.factories import act, create_outlet
from tests.office import office_client
from tests.order_factories import create_order
from tests.test_desk_counter import at, on_hand, shelf, state


@pytest.fixture
def outlet(db: None) -> Outlet:
    return create_outlet(name_en="Dage Store")


@pytest.fixture
def phone(catalogue: Catalogue) -> Phone:
    return catalogue.listed[0]


@pytest.fixture
def clerk(outlet: Outlet) -> Client:
    return sign_in(create_person(Role.CLERK, outlet))


def walked_in(outlet: Outlet, phone: Phone) -> tuple[str, WalkInSale]:
    (number,) = shelf(outlet, phone, 1)
    return number, sold_again(outlet, phone, number)


def sold_again(outlet: Outlet, phone: Phone, number: str) -> WalkInSale:
    paid = {"method": Payment.Method.WECHAT, "amount_fen": phone.price_fen}
    return walk_in.sell(outlet.pk, phone, (number,), act(), **paid)


def handed_over(outlet: Outlet, phone: Phone, quantity: int = 1) -> tuple[list[str], Order]:
    numbers = shelf(outlet, phone, quantity)
    level = phone.stock_levels.select_related("outlet", "phone").get(outlet=outlet)
    order = create_order(level, quantity, state="ready")
    units = {phone.pk: [(number,) for number in numbers]}
    lifecycle.collect(order, "person:7", method=Payment.Method.CASH, amount_fen=order.due_fen, units=units)
    return numbers, order


def give_back(client: Client, outlet: Outlet, number: str, **values: str) -> Any:
    fields = {"number": number, "method": "cash", "amount": "100", "reason": "screen stays dark"}
    return client.post(at(outlet, "take-back"), fields | values, follow=True)


def test_what_was_paid_is_shown_and_what_is_given_back_stands_beside_the_sale(
    clerk: Client, outlet: Outlet, phone: Phone
) -> None:
    number, sale = walked_in(outlet, phone)
    looked = clerk.post(at(outlet, "take-back"), {"number": number})
    assert f"Paid {phone.price_fen // 100} yuan, WeChat Pay" in looked.text
    assert f'name="amount" value="{phone.price_fen // 100}"' in looked.text
    assert state(number) == "sold"

    receipt = give_back(clerk, outlet, number, amount="250.5", method="wechat")

    assert (state(number), on_hand(outlet, phone)) == ("on_shelf", 1)
    refund = Refund.objects.get()
    assert (refund.seq, refund.price_fen, refund.amount_fen, refund.method) == (
        sale.seq,
        phone.price_fen,
        25050,
        "wechat",
    )
    for said in (
        number,
        "Given back 250.50 yuan, WeChat Pay",
        "receipt.css",
        refund.number_at(outlet.code),
        f"yuan, WeChat Pay, {timezone.localdate():%Y-%m-%d}, at Dage Store",
    ):
        assert said in receipt.text
    assert "250.50 yuan given back" in clerk.get(at(outlet, f"sales/{phone.slug}/{sale.seq}")).text
    assert list(all_disagreements()) == []


def test_of_an_order_what_this_phone_cost_and_at_whichever_outlet(outlet: Outlet, phone: Phone) -> None:
    (first, second), order = handed_over(outlet, phone, 2)
    there = create_outlet()
    clerk = sign_in(create_person(Role.MANAGER, there))
    too_much = give_back(clerk, there, first, amount=str(order.total_fen // 100))
    assert f"at most {phone.price_fen // 100} yuan" in too_much.text

    receipt = give_back(clerk, there, first, amount=str(phone.price_fen // 100))

    assert f"Paid {phone.price_fen // 100} yuan, cash" in receipt.text
    assert "at Dage Store" in receipt.text
    assert (state(first), state(second), on_hand(there, phone)) == ("on_shelf", "sold", 1)
    assert (Refund.objects.get().number, Refund.objects.get().outlet_id) == (order.number, outlet.pk)
    here = sign_in(create_person(Role.CLERK, outlet))
    assert "yuan given back" in here.get(at(outlet, f"orders/{order.number}/receipt")).text
    assert sign_in(create_person(Role.REGION_MANAGER, there.town)).get(receipt.request["PATH_INFO"]).status_code == 200
    assert here.get(receipt.request["PATH_INFO"].replace(there.code, outlet.code)).status_code == 404
    assert list(all_disagreements()) == []


@pytest.mark.parametrize(
    ("values", "says"),
    [
        ({"amount": "300"}, "at most 299 yuan"),
        ({"amount": "299.01"}, "at most 299 yuan"),
        ({"amount": ""}, "at most 299 yuan"),
        ({"amount": "-1"}, "at most 299 yuan"),
        ({"amount": "1e2"}, "at most 299 yuan"),
        ({"amount": "9" * 30}, "at most 299 yuan"),
        ({"reason": " "}, "Say why"),
    ],
)
def test_what_is_wrong_is_said_at_its_field_and_nothing_is_done(
    clerk: Client, outlet: Outlet, phone: Phone, values: dict[str, str], says: str
) -> None:
    number, _sale = walked_in(outlet, phone)
    answer = give_back(clerk, outlet, number, **values)

    assert (answer.status_code, says in answer.text) == (422, True)
    assert f'id="{next(iter(values))}_error" role="alert"' in answer.text
    assert (state(number), Refund.objects.count()) == ("sold", 0)
    assert give_back(clerk, outlet, number, amount="２９９").status_code == 200
    assert Refund.objects.get().amount_fen == phone.price_fen == 29900


def test_where_nobody_knows_what_was_paid_nothing_is_given_back(clerk: Client, outlet: Outlet, phone: Phone) -> None:
    (number,) = shelf(outlet, phone, 1)
    stock.sell(outlet.pk, {phone.pk: [(number,)]}, act())
    looked = clerk.post(at(outlet, "take-back"), {"number": number})
    assert "is not on record here" in looked.text
    assert 'name="amount"' not in looked.text

    answer = give_back(clerk, outlet, number, do="done")

    assert "Taken back: " in answer.text
    assert (state(number), Refund.objects.count()) == ("on_shelf", 0)


def test_each_sale_of_a_phone_has_a_refund_and_its_life_tells_of_them(outlet: Outlet, phone: Phone) -> None:
    (number,), _order = handed_over(outlet, phone)
    back = partial(refunds.take_back, outlet.pk, phone.pk, (number,), method="cash")
    back(act(reason="too small"), amount_fen=0)
    sold_again(outlet, phone, number)
    back(act(reason="too large"), amount_fen=20000)

    assert list(Refund.objects.values_list("amount_fen", flat=True)) == [0, 20000]
    page = office_client(OfficeRole.SUPPORT).get(f"/en/admin/units/{number}/")
    yuan = phone.price_fen // 100
    told = [moment.why for moment in page.context["life"].moments][-4:]
    assert told == [
        f"{yuan} yuan, cash", "0 yuan given back, cash · too small",
        f"{yuan} yuan, WeChat Pay", "200 yuan given back, cash · too large",
    ]  # fmt: skip
    assert list(all_disagreements()) == []


def test_the_same_operation_gives_back_once(outlet: Outlet, phone: Phone) -> None:
    number, _sale = walked_in(outlet, phone)
    back = partial(refunds.take_back, outlet.pk, phone.pk, (number,), act(reason="x"), method="card")
    with pytest.raises(WrongAmount):
        back(amount_fen=phone.price_fen + 1)
    assert state(number) == "sold"
    assert back(amount_fen=100) == back(amount_fen=100)


@pytest.mark.parametrize(
    ("values", "name"),
    [
        ({"amount_fen": 29901}, "refund_is_at_most_what_was_paid"),
        ({"price_fen": 30000, "amount_fen": 30000}, "refund_is_at_most_what_was_paid"),
        ({"price_fen": 30000}, "refund_of_a_walk_in_has_its_price"),
        ({"price_fen": 30000, "receipt_fen": 30000, "amount_fen": 30000}, "refund_is_of_a_walk_in_sale"),
        ({"number": "100000000000"}, "refund_is_of_a_payment"),
        ({"seq": 1}, "refund_is_of_a_unit_that_was_sold"),
        ({"back_seq": 1}, "refund_is_of_a_unit_that_came_back"),
        ({"method": "cows"}, "refund_method_is_known"),
        ({"actor": "nobody"}, "refund_was_given_by_somebody"),
    ],
)
def test_the_database_refuses_an_impossible_refund(outlet: Outlet, phone: Phone, values: Any, name: str) -> None:
    number, sale = walked_in(outlet, phone)
    (line,) = stock.return_unit(outlet.pk, phone.pk, (number,), act())
    row = {
        "seq": sale.seq, "handset": HandsetEvent.objects.filter(handset__numbers__number=number)[0].handset,
        "receipt_fen": 29900, "price_fen": 29900, "amount_fen": 29900, "method": "cash", "actor": "person:1",
        "back_outlet": outlet, "back_seq": line.seq,
    }  # fmt: skip
    with pytest.raises(IntegrityError, match=name), transaction.atomic():
        Refund.objects.create(outlet=outlet, phone=phone, **row | values)
    Refund.objects.create(outlet=outlet, phone=phone, **row)
    with pytest.raises(IntegrityError, match="orders_refund_pkey"), transaction.atomic():
        Refund.objects.create(outlet=outlet, phone=phone, **row | {"amount_fen": 1})
    for sql in ("UPDATE orders_refund SET amount_fen = 1", "DELETE FROM orders_refund"):
        with pytest.raises(IntegrityError, match="orders move forward"), transaction.atomic():
            connection.cursor().execute(sql)


def test_a_refund_is_for_what_this_phone_cost_and_the_audit_knows_its_order(outlet: Outlet, phone: Phone) -> None:
    (first, _second), order = handed_over(outlet, phone, 2)
    _units, other = handed_over(outlet, phone)
    (line,) = stock.return_unit(outlet.pk, phone.pk, (first,), act())
    sold, back = HandsetEvent.objects.filter(handset__numbers__number=first).order_by("-seq")[:2][::-1]
    row = {
        "seq": sold.line_seq, "handset": back.handset, "number": order.number, "receipt_fen": order.total_fen,
        "price_fen": phone.price_fen, "amount_fen": 100, "method": "cash", "actor": "person:1",
        "back_outlet": outlet, "back_seq": line.seq,
    }  # fmt: skip
    for wrong, name in (
        ({"price_fen": order.total_fen, "amount_fen": order.total_fen}, "refund_is_of_a_line"),
        ({"receipt_fen": phone.price_fen}, "refund_is_of_a_payment"),
    ):
        with pytest.raises(IntegrityError, match=name), transaction.atomic():
            Refund.objects.create(outlet=outlet, phone=phone, **row | wrong)

    of_another = {"number": other.number, "receipt_fen": other.total_fen}
    Refund.objects.create(outlet=outlet, phone=phone, **row | of_another)
    found = [each.check for each in all_disagreements()]
    assert found == ["every refund is for the sale before the return, and with its order"]


def test_pages_of_a_refund_cost_the_same_whatever_was_sold(
    clerk: Client, outlet: Outlet, phone: Phone, django_assert_max_num_queries, held_memory
) -> None:
    held_memory()
    numbers = [number for _ in range(4) for number in handed_over(outlet, phone, 2)[0]]
    for number in numbers[1:]:
        give_back(clerk, outlet, number)
    refund = Refund.objects.order_by("-back_seq")[0]
    asked = (
        (partial(clerk.post, at(outlet, "take-back"), {"number": numbers[0]}), 21),
        (partial(clerk.get, at(outlet, f"refunds/{phone.slug}/{refund.back_seq}")), 17),
    )
    for ask, most in asked:
        ask()
        with django_assert_max_num_queries(most):
            assert ask().status_code == 200


@pytest.mark.django_db(transaction=True)
def test_twenty_who_take_the_same_phone_back_at_once_give_the_money_back_once(
    outlet: Outlet, catalogue: Catalogue
) -> None:
    phone = catalogue.listed[0]
    number, _sale = walked_in(outlet, phone)
    there = create_outlet()
    backs = [
        partial(refunds.take_back, place.pk, phone.pk, (number,), act(reason="x"), method="cash", amount_fen=100)
        for place in (outlet, there)
        for _ in range(10)
    ]
    outcomes = at_once(backs)

    assert sum(isinstance(outcome, Refund) for outcome in outcomes) == Refund.objects.count() == 1
    assert {type(outcome) for outcome in outcomes} == {Refund, UnitRefused}
    assert list(all_disagreements()) == []
