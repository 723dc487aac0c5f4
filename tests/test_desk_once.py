"""Every form of the desk, sent twice under one key: carried out once, and the second answer says what was done."""

from __future__ import annotations

import re
import threading
from collections.abc import Callable
from typing import Any

import psycopg2.errors
import pytest
from django.db import IntegrityError, OperationalError, connection, transaction
from django.test import Client
from django.utils import timezone

from orders import walk_in
from orders.models import Order, Payment
from stores import boxes, handsets, once, stock, stocktakes, transfers
from stores.desk_keys import new_key
from stores.ledger import Kind
from stores.models import Box, DoneForm, Role, StockLevel, StockMovement, Transfer
from tests.crowd import at_once
from tests.desk import create_person, sign_in
from tests.desk_walk import doors
from tests.factories import act, create_outlet, create_region, create_stock
from tests.order_factories import create_order, create_shelf, new_unit

ACTOR = "person:1"
# It looks, and does nothing.
LOOKS = {"order_desk:find"}


class Counter:
    """An outlet with one of everything that a form can be about."""

    def __init__(self) -> None:
        self.outlet = create_outlet(code="130826100-01", town=create_region("130826100"))
        self.other = create_outlet(town=create_region("130826100"))
        self.shelf = create_shelf(self.outlet, on_hand=9)
        self.phone = self.shelf.phone
        create_stock(outlet=self.other, phone=self.phone, on_hand=9)
        self.unit = new_unit()
        stock.receive(self.outlet.pk, {self.phone.pk: 1}, act(), {self.phone.pk: [self.unit]})

    def transfer(self, state: str = "requested", *, coming: bool = False) -> Transfer:
        sender, receiver = (self.other, self.outlet) if coming else (self.outlet, self.other)
        transfer = transfers.request(sender.pk, receiver.pk, {self.phone.pk: 1}, act())
        if state != "requested":
            transfers.approve(transfer.pk, act())
        if state == "sent":
            transfers.send(transfer.pk, {self.phone.pk: 1}, act())
        return transfer

    def box(self) -> Box:
        box = boxes.open_delivery(self.outlet.pk, "LS-1", ACTOR)
        boxes.choose_phone(box.pk, self.phone.pk, has_pairs=False)
        return box

    def filled(self) -> Box:
        box = self.box()
        boxes.scan(box.pk, new_unit()[0])
        box.refresh_from_db()
        return box

    def counted(self) -> Any:
        take = stocktakes.begin(self.outlet, ACTOR)
        stocktakes.count(take, {self.phone.pk: 10}, ACTOR, new_key())
        return take

    def order(self, state: str = "placed") -> Order:
        return create_order(self.shelf, state=state)


Sent = tuple[str, dict[str, str]]


def of_order(order: Order, rest: str = "", **values: str) -> Sent:
    return f"orders/{order.number}/{rest}", values


def sell(here: Counter) -> Sent:
    return "sell/", {"number": here.unit[0], "method": "cash", "amount_fen": str(here.phone.price_fen)}


def send_sale(here: Counter) -> Sent:
    amount = here.phone.price_fen
    sale = walk_in.sell(here.outlet.pk, here.phone, here.unit, act(), method=Payment.Method.CASH, amount_fen=amount)
    return f"sales/{here.phone.slug}/{sale.seq}/send/", {"mobile": "13800138000", "language": "en"}


def take_back(here: Counter) -> Sent:
    amount = here.phone.price_fen
    walk_in.sell(here.outlet.pk, here.phone, here.unit, act(), method=Payment.Method.CASH, amount_fen=amount)
    return "take-back/", {"number": here.unit[0], "method": "cash", "amount": "100", "reason": "too small"}


def count_by_scan(here: Counter) -> Sent:
    return "stocktake/", {"number": here.unit[0]}


def compare(here: Counter) -> Sent:
    return "stocktake/differences/", {"stocktake": str(here.counted().pk), f"change-{here.phone.pk}": "0"}


def drop_count(here: Counter) -> Sent:
    here.counted()
    return "stocktake/drop/", {}


def put_in(here: Counter) -> Sent:
    return f"boxes/{here.box().pk}/", {"number": new_unit()[0]}


def undo(here: Counter) -> Sent:
    return f"boxes/{here.filled().pk}/change/", {"do": "undo", "seq": "1"}


def book(here: Counter) -> Sent:
    box = here.filled()
    return f"boxes/{box.pk}/book/", {"version": str(box.version)}


def hand_over(here: Counter) -> Sent:
    order = here.order("ready")
    paid = {"amount_fen": str(order.due_fen), "method": "cash", "code": order.pickup_code}
    return of_order(order, **paid, **{"imei-1-1": here.unit[0]})


# What is sent for each form, by the name of its door; several forms of one door stand in one tuple.
FORMS: dict[str, tuple[Callable[[Counter], Sent], ...]] = {
    "order_desk:sell": (sell,),
    "order_desk:send_sale": (send_sale,),
    "order_desk:take_back": (take_back,),
    "desk:write_off": (lambda here: ("write-off/", {"number": here.unit[0], "do": "done", "reason": "fell"}),),
    "desk:adjust": (
        lambda here: ("adjust/", {"phone": here.phone.slug, "way": "fewer", "quantity": "1", "reason": "gone"}),
    ),
    "desk:nearby": (lambda here: (f"stock/{here.phone.slug}/nearby/", {"sender": here.other.code, "quantity": "2"}),),
    "desk:ask": (lambda here: (f"transfers/ask/{here.other.code}/", {f"quantity-{here.phone.pk}": "2"}),),
    "desk:receive": (lambda here: ("receive/", {"note": "LS-1"}),),
    "desk:box": (put_in,),
    "desk:change_box": (
        undo,
        lambda here: (f"boxes/{here.box().pk}/change/", {"do": "count", "phone": here.phone.slug, "counted": "3"}),
        lambda here: (f"boxes/{here.filled().pk}/change/", {"do": "drop"}),
    ),
    "desk:book_box": (book,),
    "desk:stocktake": (
        count_by_scan,
        lambda here: ("stocktake/", {f"count-{here.phone.pk}": "9"}),
    ),
    "desk:stocktake_differences": (compare,),
    "desk:drop_stocktake": (drop_count,),
    "desk:approve_transfer": (lambda here: (f"transfers/{here.transfer().pk}/approve/", {}),),
    "desk:pack": (lambda here: (f"transfers/{here.transfer('approved').pk}/send/", {}),),
    "desk:unpack": (lambda here: (f"transfers/{here.transfer('sent', coming=True).pk}/receive/", {}),),
    "desk:cancel_transfer": (lambda here: (f"transfers/{here.transfer().pk}/cancel/", {"reason": "road closed"}),),
    "order_desk:set_aside": (lambda here: of_order(here.order(), "set-aside/"),),
    "order_desk:decline": (lambda here: of_order(here.order(), "decline/", reason="not on the shelf"),),
    "order_desk:cancel": (lambda here: of_order(here.order(), "cancel/", reason="found another"),),
    "order_desk:order": (hand_over,),
    "order_desk:send_receipt": (lambda here: of_order(here.order("collected"), "receipt/send/"),),
    "order_desk:new_order": (
        lambda here: (
            "new-order/",
            {
                "name": "王小明",
                "mobile": "13800138000",
                "language": "zh-hans",
                "channel": "desk",
                f"quantity-{here.phone.pk}": "1",
                f"price-{here.phone.pk}": here.phone.price_fen,
            },
        ),
    ),
}
ALL = [(name, send) for name, forms in FORMS.items() for send in forms]


def test_every_form_of_the_desk_is_walked() -> None:
    found = {door.name for door in doors() if door.rule and door.rule.writing}

    assert found - LOOKS == set(FORMS)


@pytest.fixture
def here(db: None) -> Counter:
    return Counter()


def manager_of(here: Counter) -> Client:
    return sign_in(create_person(Role.MANAGER, here.outlet, name="赵小兰"))


def books() -> list[Any]:
    """What must not change by a form that was sent before."""
    return [
        list(StockMovement.objects.order_by("outlet", "phone", "seq").values_list("outlet", "phone", "seq", "kind")),
        list(StockLevel.objects.order_by("outlet", "phone").values_list("on_hand", "reserved")),
        list(Order.objects.order_by("number").values_list("number", "state", "change_seq")),
        list(Transfer.objects.order_by("pk").values_list("pk", "state")),
        list(Box.objects.order_by("pk").values_list("pk", "version", "end")),
        Payment.objects.count(),
        handsets.Handset.objects.count(),
    ]


@pytest.mark.parametrize(("name", "send"), ALL, ids=[f"{name}-{number}" for number, (name, _) in enumerate(ALL)])
def test_sent_twice_it_is_done_once_and_told(here: Counter, name: str, send: Callable[[Counter], Sent]) -> None:
    client = manager_of(here)
    path, values = send(here)
    address, before = f"/en/desk/{here.outlet.code}/{path}", books()
    sent = values | {"form_key": new_key()}

    assert_has_a_key(client, address)

    first = client.post(address, sent)
    assert first.status_code in (200, 302), first.text
    done, told_first = books(), told(client.get(first["Location"]).text if first.status_code == 302 else first.text)
    assert done != before or name in UNSEEN_IN_BOOKS
    second = client.post(address, sent)

    assert second.status_code == 302
    again = client.get(second["Location"])
    assert again.status_code == 200
    assert re.search(r"Done already by 赵小兰, .*, and not again: \S|This was placed before", told(again.text)), (
        again.text
    )
    assert books() == done
    assert told_first != told(again.text)


def assert_has_a_key(client: Client, address: str) -> None:
    """Find the form that leads to the address, on its page or the one above it: it has one key."""
    page = address
    while (shown := client.get(page)).status_code != 200:
        page = page[: page.rstrip("/").rfind("/") + 1]
    forms = re.findall(r"<form.*?</form>", shown.text, re.S)
    there = [form for form in forms if (re.match(r'<form[^>]* action="([^"]*)"', form) or ["", page])[1] == address]
    keys = [re.findall(r'name="form_key" value="[0-9a-f]{32}"', form) for form in there]
    assert keys, f"no form on {page} leads to {address}"
    assert {len(found) for found in keys} == {1}, page


# They begin or end a count that is not booked yet, or send a message.
UNSEEN_IN_BOOKS = {
    "desk:stocktake",
    "desk:stocktake_differences",
    "desk:drop_stocktake",
    "order_desk:send_receipt",
    "order_desk:send_sale",
}


def told(text: str) -> str:
    found = re.search(r'<p class="done" role="status"><b>✓</b> (.*?)</p>', text, re.S)
    return found[1] if found else ""


def test_every_form_on_the_pages_has_a_key_of_its_own(here: Counter) -> None:
    client, order = manager_of(here), here.order("ready")
    box, coming = here.filled(), here.transfer("sent", coming=True)
    pages = ["sell/", "adjust/", "receive/", "stocktake/", f"stock/{here.phone.slug}/nearby/", f"boxes/{box.pk}/"]
    pages += [f"orders/{order.number}/{rest}" for rest in ("", "decline/", "cancel/")] + ["new-order/"]
    pages += [f"transfers/{here.transfer(state).pk}/" for state in ("requested", "approved")]
    for page in [*pages, f"transfers/{coming.pk}/", f"orders/{here.order().number}/"]:
        text = client.get(f"/en/desk/{here.outlet.code}/{page}").text
        forms = [form for form in re.findall(r"<form.*?</form>", text, re.S) if "sign-out" not in form]
        keys = [re.findall(r'name="form_key" value="([0-9a-f]{32})"', form) for form in forms]
        assert all(len(found) == 1 for found in keys), page
        assert len({key for (key,) in keys}) == len(forms), page


def test_what_is_refused_can_be_sent_again_under_its_key(here: Counter) -> None:
    client, key = manager_of(here), new_key()
    address = f"/en/desk/{here.outlet.code}/write-off/"
    assert client.post(address, {"number": here.unit[0], "do": "done", "form_key": key}).status_code == 422

    again = {"number": here.unit[0], "do": "done", "reason": "fell", "form_key": key}
    assert "Written off" in client.post(address, again, follow=True).text


@pytest.mark.parametrize("key", ["", "x" * 32, "A" * 32, "0" * 31, "\0"])
def test_without_its_key_nothing_is_done(here: Counter, key: str) -> None:
    before = books()
    answer = manager_of(here).post(f"/en/desk/{here.outlet.code}/sell/", sell(here)[1] | {"form_key": key})

    assert (answer.status_code, books()) == (400, before)
    assert "came without its key" in answer.text


def test_a_scanner_that_is_quicker_than_the_page_loses_nothing(here: Counter) -> None:
    box, client, key = here.box(), manager_of(here), new_key()
    numbers = [new_unit()[0] for _ in range(2)]
    for number in numbers:
        client.post(f"/en/desk/{here.outlet.code}/boxes/{box.pk}/", {"number": number, "form_key": key})

    assert list(box.scans.order_by("seq").values_list("number", flat=True)) == numbers


def test_a_key_of_another_outlet_is_another_key(here: Counter) -> None:
    key, elsewhere = new_key(), create_person(Role.CLERK, here.other)
    manager_of(here).post(f"/en/desk/{here.outlet.code}/receive/", {"note": "LS-1", "form_key": key})
    sign_in(elsewhere).post(f"/en/desk/{here.other.code}/receive/", {"note": "LS-2", "form_key": key})

    assert Box.objects.filter(closed_at=None).count() == 2


def test_past_forms_are_forgotten(here: Counter) -> None:
    once.begin(here.outlet.pk, new_key(), ACTOR)
    once.begin(here.outlet.pk, new_key(), ACTOR)
    old = DoneForm.objects.first()
    DoneForm.objects.filter(pk=old.pk).update(done_at=timezone.now() - once.KEPT)

    assert (once.forget_past_forms(), DoneForm.objects.count()) == (1, 1)


@pytest.mark.django_db(transaction=True)
def test_the_same_form_from_many_at_once_is_carried_out_once() -> None:
    here = Counter()
    clients, sent = [manager_of(here) for _ in range(6)], sell(here)[1] | {"form_key": new_key()}
    address = f"/en/desk/{here.outlet.code}/sell/"

    answers = at_once([lambda client=client: client.post(address, sent, follow=True).text for client in clients])

    assert sorted("and not again" in told(text) for text in answers) == [False] + [True] * 5
    assert StockMovement.objects.filter(kind=Kind.WALK_IN_SALE).count() == 1


def create_deadlock(shelves: list[StockLevel]) -> list[Any]:
    """Have two deeds lock two shelves in opposite order, so that the database lets one of them fail."""
    met = threading.Barrier(2)
    seen: list[int] = []

    def locking(first: StockLevel, second: StockLevel) -> Callable[[], str]:
        def deed() -> str:
            is_first_try = first.pk not in seen
            seen.append(first.pk)
            with connection.cursor() as cursor:
                cursor.execute("BEGIN")
                try:
                    lock(cursor, first)
                    if is_first_try:
                        met.wait(timeout=30)
                    lock(cursor, second)
                    cursor.execute("COMMIT")
                except OperationalError:
                    cursor.execute("ROLLBACK")
                    raise
            return "done"

        return lambda: once.again_if_in_the_way(deed)

    return at_once([locking(*shelves), locking(*shelves[::-1])])


def lock(cursor: Any, shelf: StockLevel) -> None:
    cursor.execute(
        "SELECT FROM stores_stocklevel WHERE outlet_id = %s AND phone_id = %s FOR UPDATE",
        [shelf.outlet_id, shelf.phone_id],
    )


@pytest.mark.django_db(transaction=True)
def test_who_met_another_deed_at_a_shelf_tries_again() -> None:
    outlet = create_outlet()

    assert create_deadlock([create_shelf(outlet), create_shelf(outlet)]) == ["done", "done"]


@pytest.mark.django_db(transaction=True)
def test_other_errors_of_the_database_are_not_tried_again() -> None:
    tries: list[int] = []

    def deed() -> None:
        tries.append(1)
        raise OperationalError("gone") from psycopg2.errors.AdminShutdown()

    with pytest.raises(OperationalError):
        once.again_if_in_the_way(deed)
    assert len(tries) == 1


def test_the_database_refuses_a_form_of_nobody(here: Counter) -> None:
    for values in ({"form_key": "short"}, {"actor": "nobody"}):
        row = {"outlet": here.outlet, "form_key": new_key(), "actor": ACTOR, "done_at": timezone.now()} | values
        with pytest.raises(IntegrityError, match="doneform_"), transaction.atomic():
            DoneForm.objects.create(**row)
