"""Ordering in a sale window: its price, how much one customer and one shop may have, and what is given back."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Any
from uuid import uuid4

import pytest
from django.db import IntegrityError, connection, transaction
from django.db.models.functions import Now
from django.test import Client
from django.utils import timezone
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from catalog.catalogue import version_and_clock
from catalog.models import SaleWindow
from catalog.moments import SHANGHAI
from orders import holds, lifecycle, privacy, walk_in
from orders.checkout import place_order
from orders.models import Order, SaleUse
from orders.refusals import OutOfStock, PriceRose, SaleLimitReached, SaleQuotaUsedUp
from stores.models import StockLevel
from tests.factories import change_price, create_outlet, create_phone, create_window
from tests.order_factories import CLERK, CUSTOMER, MOBILE, create_order, create_shelf, lead_to, request_for

pytestmark = pytest.mark.django_db

SALE, ORDINARY = 24900, 29900


def on_sale(*, limit: int = 1, quota: int | None = None, **values: Any) -> StockLevel:
    """A shelf of a phone that a sale window is open for."""
    shelf = create_shelf(**values)
    create_window({shelf.phone: SALE}, limit_per_customer=limit, quota=quota)
    return shelf


def used() -> int:
    return SaleUse.objects.filter(order__state__in=["placed", "ready", "collected"]).count()


def test_the_price_of_the_window_is_fixed_on_the_order():
    order = create_order(on_sale(limit=2), quantity=2)

    assert order.total_fen == Order.objects.get(pk=order.pk).total_fen == 2 * SALE
    use = SaleUse.objects.get()
    assert (use.number, use.ordinary_fen) == (order.number, ORDINARY)
    assert len(use.customer) == 16


def test_only_the_phones_of_the_window_have_its_price():
    outlet = create_outlet()
    sale, plain = on_sale(outlet=outlet), create_shelf(outlet)

    order = place_order(**request_for(sale, lines={sale.phone_id: 1, plain.phone_id: 1}))

    assert {line.phone_id: line.price_fen for line in order.lines.all()} == {
        sale.phone_id: SALE,
        plain.phone_id: ORDINARY,
    }
    assert SaleUse.objects.get().phone_id == sale.phone_id


def test_an_order_at_the_edge_has_the_price_of_the_second_in_which_it_is_written():
    shelf = create_shelf()
    edge = version_and_clock()[1] + timedelta(seconds=1.5)
    create_window({shelf.phone: SALE}, ends_at=edge)
    prices = {}
    while version_and_clock()[1] < edge + timedelta(seconds=0.2):
        before = version_and_clock()[1]
        with transaction.atomic():
            order = create_order(shelf)
            prices[before, version_and_clock()[1]] = order.total_fen
            transaction.set_rollback(True)
    for (before, after), price in prices.items():
        assert price == SALE or after >= edge
        assert price == ORDINARY or before < edge
    assert set(prices.values()) == {SALE, ORDINARY}


def test_it_never_costs_more_than_the_customer_has_seen():
    shelf = create_shelf()

    with pytest.raises(PriceRose) as refusal:
        create_order(shelf, accepted_fen=SALE)

    assert refusal.value.data == {"prices": {shelf.phone_id: ORDINARY}, "total_fen": ORDINARY}
    assert not Order.objects.exists()
    shelf.refresh_from_db()
    assert shelf.reserved == 0


def test_it_may_cost_less_than_the_customer_has_seen():
    assert create_order(on_sale(), accepted_fen=ORDINARY).total_fen == SALE


def test_the_same_form_after_the_price_rose_is_the_same_order():
    shelf = on_sale()
    request = request_for(shelf, accepted_fen=SALE)
    order = place_order(**request)
    SaleWindow.objects.update(ends_at=Now())

    assert place_order(**request).number == order.number


def test_one_mobile_number_has_no_more_than_its_limit_whatever_the_shop():
    first = on_sale(limit=2)
    other = create_shelf(phone=first.phone)
    create_order(first, mobile=MOBILE, state="collected")
    create_order(other, mobile=MOBILE)

    with pytest.raises(SaleLimitReached) as refusal:
        create_order(create_shelf(phone=first.phone), mobile=MOBILE)

    assert "one mobile number may have 2 phones at this price" in str(refusal.value) or "2 台" in str(refusal.value)
    assert (refusal.value.data["limit"], refusal.value.data["ordered"]) == (2, 2)
    assert (refusal.value.data["prices"], refusal.value.data["total_fen"]) == ({first.phone_id: ORDINARY}, ORDINARY)
    assert create_order(other, mobile="+8613900000001").total_fen == SALE


def test_the_limit_counts_all_phones_of_the_window_together():
    outlet = create_outlet()
    one, two = create_shelf(outlet), create_shelf(outlet)
    create_window({one.phone: SALE, two.phone: SALE - 1000})
    request = request_for(one, lines={one.phone_id: 1, two.phone_id: 1})

    with pytest.raises(SaleLimitReached) as refusal:
        place_order(**request)

    # The one that saves more has the place that is left.
    assert refusal.value.data["prices"] == {one.phone_id: ORDINARY}
    assert (refusal.value.data["limit"], refusal.value.data["ordered"]) == (1, 0)
    assert place_order(**request, accepted_fen=ORDINARY + SALE - 1000).total_fen == ORDINARY + SALE - 1000
    assert SaleUse.objects.get().phone_id == two.phone_id


def test_beyond_the_limit_the_ordinary_price_is_the_customers_choice():
    shelf = on_sale()
    create_order(shelf, mobile=MOBILE)
    with pytest.raises(SaleLimitReached):
        create_order(shelf, mobile=MOBILE, accepted_fen=ORDINARY - 1)

    order = create_order(shelf, mobile=MOBILE, accepted_fen=ORDINARY)

    assert order.total_fen == ORDINARY
    assert used() == 1


def test_a_shop_gives_no_more_than_its_quota():
    shelf = on_sale(quota=2, on_hand=9)
    create_order(shelf)
    create_order(shelf)

    with pytest.raises(SaleQuotaUsedUp) as refusal:
        create_order(shelf)

    assert (refusal.value.data["limit"], refusal.value.data["ordered"]) == (2, 2)
    assert create_order(shelf, accepted_fen=ORDINARY).total_fen == ORDINARY
    assert create_order(create_shelf(phone=shelf.phone)).total_fen == SALE


def test_of_a_window_that_is_used_up_the_next_lowest_price_counts_and_is_asked_for_once():
    shelf = on_sale(quota=1, on_hand=9)
    create_window({shelf.phone: 25900}, quota=1)
    create_window({shelf.phone: 27900})
    assert create_order(shelf).total_fen == walk_in.price_at(shelf.outlet_id, shelf.phone_id).price_fen - 1000 == SALE
    assert create_order(shelf, mobile=MOBILE, accepted_fen=25900).total_fen == 25900

    with pytest.raises(SaleQuotaUsedUp) as refusal:
        create_order(shelf, accepted_fen=25900)

    # Whoever is asked is told of the lowest one, and what is to be had.
    assert refusal.value.data["prices"] == {shelf.phone_id: 27900}
    assert refusal.value.data["limit"] == 1
    assert walk_in.price_at(shelf.outlet_id, shelf.phone_id).price_fen == 27900
    order = create_order(shelf, accepted_fen=27900)
    assert order.total_fen == 27900
    create_order(shelf, mobile="+8613900000009", accepted_fen=27900)
    lifecycle.cancel(order, CUSTOMER)
    with pytest.raises(SaleQuotaUsedUp) as refusal:
        create_order(shelf, mobile="+8613900000009", accepted_fen=27900)
    assert refusal.value.data["prices"] == {shelf.phone_id: ORDINARY}


OPEN_WINDOWS = st.lists(
    st.tuples(st.integers(1, 4), st.integers(1, 2), st.none() | st.integers(1, 2)), min_size=1, max_size=3
)


@settings(max_examples=25, suppress_health_check=list(HealthCheck), deadline=None)
@given(OPEN_WINDOWS, st.lists(st.integers(0, 2), min_size=1, max_size=6))
def test_what_each_of_them_pays_is_what_the_plain_model_says(
    db: Any, windows: list[tuple[int, int, int | None]], buyers: list[int]
):
    """Each window is (price in hundreds of fen, limit, quota); the buyers come one after the other."""
    with transaction.atomic():
        shelf = create_shelf(on_hand=9)
        for price, limit, quota in windows:
            create_window({shelf.phone: price * 100}, limit_per_customer=limit, quota=quota)
        # Of windows with one price the one that was made first counts, since they end together.
        by_price, bought = sorted(enumerate(windows), key=lambda each: each[1][0]), []
        with_room = [0] * len(windows)
        for buyer in buyers:
            expected, used = ORDINARY, None
            for place, (price, limit, quota) in by_price:
                if bought.count((buyer, place)) < limit and (quota is None or with_room[place] < quota):
                    expected, used = price * 100, place
                    break
            order = create_order(shelf, mobile=f"+861390000000{buyer}", accepted_fen=ORDINARY, state="collected")
            assert order.total_fen == expected
            if used is not None:
                bought.append((buyer, used))
                with_room[used] += 1
        nobody = [price * 100 for p, (price, _, quota) in by_price if quota is None or with_room[p] < quota]
        assert walk_in.price_at(shelf.outlet_id, shelf.phone_id).price_fen == min([ORDINARY, *nobody])
        transaction.set_rollback(True)


def test_what_is_not_there_is_refused_for_that():
    with pytest.raises(OutOfStock):
        create_order(on_sale(quota=5, on_hand=0))


@pytest.mark.parametrize("state", ["cancelled", "declined", "expired"])
def test_an_order_that_comes_to_nothing_gives_its_use_back(state: str):
    shelf = on_sale(quota=1)
    order = create_order(shelf, mobile=MOBILE)

    lead_to(order, state)
    lead_to(order, state) if state != "expired" else holds.expire_orders()
    again = create_order(create_shelf(phone=shelf.phone), mobile=MOBILE)

    assert again.total_fen == SALE
    assert used() == 1


def test_what_was_collected_is_used_up():
    shelf = on_sale()
    create_order(shelf, mobile=MOBILE, state="collected")

    with pytest.raises(SaleLimitReached):
        create_order(shelf, mobile=MOBILE)


def test_an_order_that_moves_takes_its_price_along_and_counts_once():
    shelf = on_sale(quota=1)
    target = create_shelf(phone=shelf.phone)
    order = create_order(shelf, mobile=MOBILE)
    change_price(shelf.phone, 39900)

    new = lifecycle.move_order(order, target.outlet, CUSTOMER)

    assert (new.total_fen, used()) == (SALE, 1)
    # The place at the first shop is free again, the one at the second is taken.
    assert create_order(shelf).total_fen == SALE
    with pytest.raises(SaleQuotaUsedUp):
        create_order(target)
    with pytest.raises(SaleLimitReached):
        create_order(create_shelf(phone=shelf.phone), mobile=MOBILE)


def test_a_declined_order_does_not_come_back_beyond_the_limit():
    shelf = on_sale()
    target, third = create_shelf(phone=shelf.phone), create_shelf(phone=shelf.phone)
    declined = create_order(shelf, mobile=MOBILE, state="declined")
    other = create_order(third, mobile=MOBILE)

    with pytest.raises(SaleLimitReached):
        lifecycle.move_order(declined, target.outlet, CUSTOMER)

    lifecycle.cancel(other, CUSTOMER)
    assert lifecycle.move_order(declined, target.outlet, CUSTOMER).total_fen == SALE


def test_a_move_into_a_shop_whose_quota_is_used_up_is_refused():
    shelf = on_sale(quota=1)
    target = create_shelf(phone=shelf.phone)
    create_order(target)
    order = create_order(shelf)

    with pytest.raises(SaleQuotaUsedUp):
        lifecycle.move_order(order, target.outlet, CUSTOMER)

    order.refresh_from_db()
    assert order.state == "placed"


def test_the_limit_outlives_the_name_of_the_customer():
    shelf = on_sale()
    create_order(shelf, mobile=MOBILE, state="collected")
    privacy.erase_customer(MOBILE)

    with pytest.raises(SaleLimitReached):
        create_order(shelf, mobile=MOBILE)

    privacy.erase_old_customers()
    assert SaleUse.objects.get().customer is not None
    privacy.erase_old_customers(now=timezone.now() + timedelta(hours=2))
    assert SaleUse.objects.get().customer is None


USE = "INSERT INTO orders_saleuse (outlet_id, number, phone_id, window_id, ordinary_fen, customer) SELECT "
ATTACKS = {
    "saleuse_is_fixed": "UPDATE orders_saleuse SET ordinary_fen = 1",
    "saleuse_is_fixed (another customer)": "UPDATE orders_saleuse SET customer = '0123456789abcdef'",
    "saleuse_is_kept": "DELETE FROM orders_saleuse",
    "saleuse_is_of_a_line": USE + "outlet_id, number, 30000, window_id, 1, customer FROM orders_saleuse",
    "saleuse_knows_its_customer_by_digest": USE + "outlet_id, number, phone_id, window_id, 1, '+8613800138000'"
    " FROM orders_saleuse",
    "saleuse_ordinary_price_is_positive": USE
    + "outlet_id, number, phone_id, window_id, 0, customer FROM orders_saleuse",
}


@pytest.mark.parametrize("attack", ATTACKS)
def test_the_database_refuses(attack: str):
    create_order(on_sale())
    with pytest.raises(IntegrityError) as refusal, transaction.atomic(), connection.cursor() as cursor:
        cursor.execute(ATTACKS[attack])
    assert refusal.value.__cause__.diag.constraint_name == attack.partition(" ")[0]


# The page


def form_of(shelf: StockLevel, total: int, **fields: Any) -> dict[str, Any]:
    return {
        "p": shelf.phone.slug, "outlet": shelf.outlet.code, "total": total, "form_key": uuid4().hex,
        "name": "王小明", "mobile": "13800138000", "language": "zh-hans", "consent": "on",
    } | fields  # fmt: skip


def test_the_form_shows_the_dearer_price_before_it_is_reserved(client: Client):
    shelf = create_shelf()

    page = client.post("/en/checkout/", form_of(shelf, SALE))

    text = page.content.decode()
    assert "Prices have changed since you opened this page. These are the new ones" in text
    assert f'name="total" value="{ORDINARY}"' in text
    assert not Order.objects.exists()


def test_a_lower_price_is_given_and_said(client: Client):
    placed = client.post("/en/checkout/", form_of(on_sale(), ORDINARY))

    page = client.get(placed["Location"]).content.decode()
    assert "The price has fallen since you opened the page: you pay 50 yuan less than it showed." in page
    assert Order.objects.get().total_fen == SALE


def test_the_form_offers_the_ordinary_price_and_takes_it_only_when_sent_again(client: Client):
    shelf = on_sale()
    create_order(shelf, mobile=MOBILE)
    form = form_of(shelf, SALE)

    refused = client.post("/en/checkout/", form)

    text = refused.content.decode()
    assert refused.status_code == 409
    assert "Singles&#39; Day: one mobile number may have 1 phone at this price. You have had them." in text
    assert "You can still have it, at another price." in text
    assert f'name="total" value="{ORDINARY}"' in text
    offered = f"{shelf.phone.slug}:{ORDINARY}"
    assert f'name="offered" value="{offered}"' in text
    assert Order.objects.count() == 1

    # Who mistypes something meanwhile is not asked again.
    again = client.post("/en/checkout/", form | {"total": ORDINARY, "offered": offered, "name": ""}).content.decode()
    assert f'name="total" value="{ORDINARY}"' in again
    client.post("/en/checkout/", form | {"total": ORDINARY, "offered": offered})
    assert sorted(Order.objects.values_list("total_fen", flat=True)) == [SALE, ORDINARY]


def test_the_form_says_of_the_next_windows_price_what_it_is_ordinarily_and_until_when(client: Client):
    shelf = on_sale(on_hand=9)
    create_window({shelf.phone: 27900}, ends_at=datetime(2030, 11, 12, tzinfo=SHANGHAI))
    lead_to(create_order(shelf, mobile=MOBILE), "collected")
    form = form_of(shelf, SALE)

    refused = client.post("/en/checkout/", form).content.decode()

    says = "ordinarily 299 yuan; this price until the end of November 11"
    offered = f"{shelf.phone.slug}:27900"
    assert f'name="offered" value="{offered}"' in refused
    assert refused.count(says) == 1
    again = client.post("/en/checkout/", form | {"total": 27900, "offered": offered, "name": ""}).content.decode()
    assert again.count(says) == 1
    client.post("/en/checkout/", form | {"total": 27900, "offered": offered})
    assert Order.objects.filter(total_fen=27900).count() == 1
    last = client.post("/en/checkout/", form_of(shelf, 27900)).content.decode()
    assert f'name="offered" value="{shelf.phone.slug}:{ORDINARY}"' in last
    assert "ordinarily" not in last


def test_the_pages_say_the_ordinary_price_and_until_when(client: Client):
    phone = create_phone()
    create_window({phone: SALE}, ends_at=datetime(2030, 11, 12, tzinfo=SHANGHAI), limit_per_customer=2)

    card = client.get("/en/phones/").content.decode()
    page = client.get(f"/en/phones/{phone.slug}/").content.decode()
    basket = client.get(f"/en/checkout/?p={phone.slug}").content.decode()

    words = "ordinarily 299 yuan; this price until the end of November 11"
    assert words in card
    assert words in page
    assert words in basket
    assert "2 phones at this price for each mobile number." in page
    assert '"price":"249.00"' in page
    assert '"priceValidUntil":"2030-11-12T00:00:00+08:00"' in page
    assert (
        client.get(f"/phones/{phone.slug}/").content.decode().count("平时 299 元，这个价到 11 月 11 日夜里 12 点") == 1
    )
    told = client.get(f"/api/v1/phones/{phone.slug}").json()
    assert (told["price"]["amount"], told["ordinary_price"]["amount"]) == ("249.00", "299.00")
    assert told["price_valid_until"] == "2030-11-11T16:00:00Z"


def test_who_asks_for_a_price_band_finds_by_what_it_costs_now(client: Client):
    phone = create_phone(price_fen=45000)
    create_window({phone: 39000})

    assert phone.slug in client.get("/phones/?price=0-399").content.decode()
    assert phone.slug not in client.get("/phones/?price=400-599").content.decode()


def test_an_order_keeps_its_price_when_the_window_has_ended():
    shelf = on_sale()
    order = lifecycle.set_ready(create_order(shelf), CLERK)
    SaleWindow.objects.update(ends_at=Now())

    assert lead_to(create_order(shelf), "ready").total_fen == ORDINARY
    order.refresh_from_db()
    assert order.due_fen == SALE
