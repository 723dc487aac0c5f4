"""Prices and sale windows in head office: set, refused with the reason, ended early, looked at for any moment."""

from __future__ import annotations

import re
from datetime import datetime, timedelta
from typing import Any

import pytest
from django.test import Client
from django.utils import timezone

from catalog.models import Phone, Price, SaleWindow
from catalog.moments import SHANGHAI
from catalog.price_events import tell_of_prices
from catalog.prices import offers_at, set_price
from events.models import Event
from office.models import OfficeRole, TrailEntry
from tests.factories import create_phone, create_window
from tests.office import office_client
from tests.order_factories import create_order, create_shelf, lead_to
from tests.test_prices import a_past

pytestmark = pytest.mark.django_db

TOMORROW = timezone.now() + timedelta(days=1)


@pytest.fixture
def client() -> Client:
    return office_client(OfficeRole.CATALOGUE)


def split(name: str, moment: datetime | None) -> dict[str, str]:
    """A moment as the form's two fields carry it."""
    local = moment and moment.astimezone(SHANGHAI)
    return {f"{name}_0": f"{local:%Y-%m-%d}" if local else "", f"{name}_1": f"{local:%H:%M:%S}" if local else ""}


def window_form(phone: Phone | None, **values: Any) -> dict[str, Any]:
    inside: dict[str, Any] = {"prices-TOTAL_FORMS": 1 if phone else 0, "prices-INITIAL_FORMS": 0}
    if phone:
        inside |= {"prices-0-phone": phone.pk, "prices-0-price_fen": "249.50", "prices-0-quota_per_outlet": "3"}
    plain = {"name_zh": "双十一", "name_en": "Singles' Day", "limit_per_customer": 1}
    moments = split("starts_at", TOMORROW) | split("ends_at", TOMORROW + timedelta(days=1))
    return plain | moments | inside | values


def told() -> list[tuple[int | None, int]]:
    """Return the phones and prices that partners were told."""
    return [(event.phone_id, event.data["price_fen"]) for event in Event.objects.filter(type="price.changed")]


def said(page: Any) -> str:
    return page.content.decode()


def test_a_price_is_set_in_yuan_from_now_on(client: Client) -> None:
    phone = create_phone()
    set_price(phone.pk, 30000, valid_from=TOMORROW)

    client.post(
        "/en/admin/catalog/price/add/",
        {"phone": phone.pk, "price_fen": "319.5"} | split("valid_from", TOMORROW + timedelta(days=1)),
    )

    assert offers_at(TOMORROW + timedelta(days=2))[phone.pk].price_fen == 31950
    trail = TrailEntry.objects.filter(thing="catalog_price", deed="insert").latest("pk")
    assert trail.actor.startswith("person:")
    assert trail.changes["price_fen"] == [None, 31950]


@pytest.mark.django_db(transaction=True)
def test_a_price_that_holds_at_once_is_told_to_partners_at_once(client: Client) -> None:
    phone = create_phone(price_fen=29900)
    tell_of_prices()

    sent = {"phone": phone.pk, "price_fen": "319.5", "valid_from_0": "", "valid_from_1": ""}
    client.post("/en/admin/catalog/price/add/", sent)

    assert told() == [(phone.pk, 31950)]


def test_a_price_of_the_past_is_refused_with_the_reason(client: Client) -> None:
    phone = create_phone()
    form = {"phone": phone.pk, "price_fen": "319"} | split("valid_from", timezone.now() - timedelta(days=1))

    page = client.post("/en/admin/catalog/price/add/", form)

    assert "This has passed. What was valid once stays as it was." in said(page)
    assert Price.objects.filter(phone=phone).count() == 1


@pytest.mark.parametrize("price", ["0", "-3", "1.234", "x", ""])
def test_what_is_no_price_is_refused(client: Client, price: str) -> None:
    phone = create_phone()
    form = {"phone": phone.pk, "price_fen": price} | split("valid_from", TOMORROW)

    assert "errorlist" in said(client.post("/en/admin/catalog/price/add/", form))
    assert Price.objects.filter(phone=phone).count() == 1


def test_a_window_is_set_with_its_prices(client: Client) -> None:
    phone = create_phone()

    client.post("/en/admin/catalog/salewindow/add/", window_form(phone))

    offer = offers_at(TOMORROW + timedelta(hours=1))[phone.pk]
    assert (offer.price_fen, offer.ordinary_fen) == (24950, 29900)
    assert offer.sale is not None
    assert (offer.sale.limit_per_customer, offer.sale.quota_per_outlet) == (1, 3)


@pytest.mark.parametrize(
    ("values", "reason"),
    [
        ({"prices-0-price_fen": "299"}, "This is not below the ordinary price at the start of the window."),
        (split("ends_at", TOMORROW - timedelta(hours=1)), "A sale window ends after it begins."),
        (split("starts_at", TOMORROW - timedelta(days=3)), "This has passed."),
        ({"limit_per_customer": "0"}, "greater than or equal to 1"),
        ({"prices-0-quota_per_outlet": "0"}, "greater than or equal to 1"),
    ],
)
def test_a_window_that_cannot_be_is_refused_with_the_reason(client: Client, values: Any, reason: str) -> None:
    page = client.post("/en/admin/catalog/salewindow/add/", window_form(create_phone(), **values))

    assert reason in said(page)
    assert not SaleWindow.objects.exists()


def test_windows_that_are_open_together_are_shown(client: Client) -> None:
    phone = create_phone()
    create_window({phone: 100}, starts_at=TOMORROW, ends_at=TOMORROW + timedelta(hours=2), name_en="Autumn")

    page = client.post("/en/admin/catalog/salewindow/add/", window_form(phone), follow=True)

    assert "Open at the same time: Autumn" in said(page)
    other = SaleWindow.objects.get(name_en="Singles' Day")
    assert "Autumn" in said(client.get(f"/en/admin/catalog/salewindow/{other.pk}/change/"))


def test_of_an_open_window_only_the_end_is_changed_and_only_to_an_earlier_one(client: Client) -> None:
    begun = SaleWindow.objects.get(pk=a_past()["begun"])
    address = f"/en/admin/catalog/salewindow/{begun.pk}/change/"
    form = {"prices-TOTAL_FORMS": 0, "prices-INITIAL_FORMS": 0, "limit_per_customer": 9}

    later = client.post(address, form | split("ends_at", begun.ends_at + timedelta(hours=1)))
    assert "A window that is open can end earlier than planned, not later." in said(later)
    earlier = begun.ends_at - timedelta(minutes=30)
    assert client.post(address, form | split("ends_at", earlier)).status_code == 302

    begun.refresh_from_db()
    assert (begun.limit_per_customer, begun.ends_at) == (1, earlier.replace(microsecond=0))
    assert client.post(f"/en/admin/catalog/salewindow/{begun.pk}/delete/", {"post": "yes"}).status_code == 403


def test_what_is_open_is_ended_now(client: Client) -> None:
    rows = a_past()
    tell_of_prices()

    page = client.post(
        "/en/admin/catalog/salewindow/",
        {"action": "end_now", "_selected_action": [rows["begun"], rows["planned"]]},
        follow=True,
    )

    assert "Ended: 1" in said(page)
    assert offers_at()[rows["phone"]].sale is None
    assert told() == [(rows["phone"], offers_at()[rows["phone"]].price_fen)]
    assert SaleWindow.objects.get(pk=rows["planned"]).ends_at > TOMORROW


@pytest.mark.parametrize("role", [OfficeRole.NETWORK, OfficeRole.SUPPORT, OfficeRole.AUDITOR])
def test_others_read_prices_and_set_none(role: OfficeRole) -> None:
    reader, phone = office_client(role), create_phone()

    assert reader.get("/admin/catalog/salewindow/").status_code == 200
    assert reader.get("/admin/prices/").status_code == 200
    assert reader.post("/admin/catalog/salewindow/add/", window_form(phone)).status_code == 403
    assert reader.post("/admin/catalog/price/add/", {"phone": phone.pk, "price_fen": "1"}).status_code == 403
    assert not SaleWindow.objects.exists()


def test_any_moment_is_previewed(client: Client) -> None:
    phone = create_phone(name_en="Kingsun Y403")
    create_window({phone: 24900}, starts_at=TOMORROW, quota=7)

    def preview(moment: datetime) -> str:
        return said(client.get("/en/admin/prices/", {"at": f"{moment.astimezone(SHANGHAI):%Y-%m-%dT%H:%M}"}))

    assert "<b>299</b>" in said(client.get("/en/admin/prices/"))
    before, during = preview(TOMORROW - timedelta(hours=2)), preview(TOMORROW + timedelta(minutes=5))
    assert "<b>299</b>" in before
    assert "<b>249</b>" in during
    assert "7 for each shop" in during
    assert "Kingsun Y403" not in preview(TOMORROW - timedelta(days=9))


def test_what_is_left_of_an_outlets_quota_is_previewed(client: Client) -> None:
    shelf = create_shelf(on_hand=9)
    now = timezone.now()
    create_window({shelf.phone: 24900}, quota=3, ends_at=now + timedelta(days=1))
    create_window({shelf.phone: 24900}, quota=3, starts_at=TOMORROW, ends_at=TOMORROW + timedelta(days=1))

    def left(moment: datetime | None, outlet: str = shelf.outlet.code) -> list[str]:
        asked = {"at": moment.isoformat() if moment else "", "outlet": outlet}
        page = client.get("/en/admin/prices/", asked)
        file = b"".join(client.get("/en/admin/prices/export/", asked).streaming_content).decode().split()
        told = re.findall(r"(\d+) left there", said(page))
        assert file[-1].endswith(f",{''.join(told)}")
        return told

    kept, cancelled = create_order(shelf), create_order(shelf)
    assert left(None) == ["1"]
    lead_to(cancelled, "cancelled")
    other = create_shelf(phone=shelf.phone)
    assert left(None) == ["2"]
    assert left(None, other.outlet.code) == ["3"]
    assert left(None, "") == []
    assert left(kept.placed_at - timedelta(microseconds=1)) == ["3"]
    assert left(cancelled.placed_at) == ["1"]
    assert left(TOMORROW + timedelta(hours=1)) == ["3"]
    assert "No outlet has this code." in said(client.get("/en/admin/prices/", {"outlet": "x"}))


@pytest.mark.parametrize(
    "text", ["x", "2026-13-01T00:00", "9999999-01-01", "0001-01-01T00:00", "9999-12-31T23:59+00:00"]
)
def test_what_is_no_moment_is_said_or_answered(client: Client, text: str) -> None:
    assert client.get("/en/admin/prices/", {"at": text}).status_code in (200, 422)
