"""What search engines and chats read in a page: valid, honest, and harmless to the page around it."""

import json
import re
from typing import Any

import pytest
from django.test import Client
from hypothesis import given
from hypothesis import strategies as st

from catalog.linked_data import json_ld
from stores.models import Outlet
from stores.totals import refresh_region_stock
from tests.factories import create_outlet, create_phone, create_stock

pytestmark = pytest.mark.django_db

texts = st.one_of(st.text(), st.sampled_from(["</script>", "<!--", "]]>", "&amp;", "\u2028", "<script>"]))


def data_of(text: str) -> list[dict[str, Any]]:
    return [
        json.loads(each) for each in re.findall(r'<script type="application/ld\+json">(.*?)</script>', text, re.DOTALL)
    ]


@given(st.dictionaries(texts, texts))
def test_any_text_stays_inside_the_element_and_comes_out_as_it_was(thing: dict[str, str]) -> None:
    element = json_ld(thing)
    inside = element.removeprefix('<script type="application/ld+json">').removesuffix("</script>")
    assert "<" not in inside
    assert json.loads(inside) == {"@context": "https://schema.org"} | thing


def test_a_phone_is_a_product_with_its_price(client: Client) -> None:
    phone = create_phone(price_fen=29950, name_zh="手机</script>", name_en="Phone")
    create_stock(phone=phone)
    refresh_region_stock()
    (product,) = data_of(client.get(f"/phones/{phone.slug}/").content.decode())
    assert product["@type"] == "Product"
    assert product["name"] == "手机</script>"
    assert product["offers"]["price"] == "299.50"
    assert product["offers"]["priceCurrency"] == "CNY"
    assert product["offers"]["availability"] == "https://schema.org/InStoreOnly"
    assert product["offers"]["url"] == f"http://testserver/phones/{phone.slug}/"


def test_a_phone_that_no_outlet_has_is_not_offered_as_there(client: Client) -> None:
    phone = create_phone()
    create_stock(phone=phone, on_hand=1, reserved=1)
    refresh_region_stock()
    (product,) = data_of(client.get(f"/en/phones/{phone.slug}/").content.decode())
    assert product["offers"]["availability"] == "https://schema.org/OutOfStock"
    assert product["name"] == phone.name_en


def test_a_phone_that_is_sold_no_more_says_so(client: Client) -> None:
    phone = create_phone(is_discontinued=True)
    (product,) = data_of(client.get(f"/phones/{phone.slug}/").content.decode())
    assert product["offers"]["availability"] == "https://schema.org/Discontinued"


def test_an_outlet_is_a_store_with_its_hours(client: Client) -> None:
    outlet = create_outlet(latitude=41.2, longitude=116.6)
    (store,) = data_of(client.get(f"/outlets/{outlet.code}/").content.decode())
    assert store["@type"] == "MobilePhoneStore"
    assert store["name"] == outlet.name_zh
    assert store["address"]["addressCountry"] == "CN"
    assert store["geo"] == {"@type": "GeoCoordinates", "latitude": 41.2, "longitude": 116.6}
    (hours,) = store["openingHoursSpecification"]
    assert hours["opens"] == "08:30"
    assert len(hours["dayOfWeek"]) == 7


def test_a_vague_place_is_no_place(client: Client) -> None:
    outlet = create_outlet(coordinate_source=Outlet.CoordinateSource.COUNTY_OFFSET, coordinate_accuracy_km=20)
    (store,) = data_of(client.get(f"/outlets/{outlet.code}/").content.decode())
    assert "geo" not in store


@pytest.mark.parametrize("state", [Outlet.State.PLANNED, Outlet.State.SUSPENDED])
def test_a_shop_that_does_no_business_names_no_hours(client: Client, state: str) -> None:
    outlet = create_outlet(state=state)
    (store,) = data_of(client.get(f"/outlets/{outlet.code}/").content.decode())
    assert "openingHoursSpecification" not in store


@pytest.mark.parametrize("path", ["/", "/en/phones/{phone}/", "/outlets/{outlet}/"])
def test_a_chat_can_show_a_preview(client: Client, path: str) -> None:
    path = path.format(phone=create_phone().slug, outlet=create_outlet().code)
    text = client.get("/large" + path + "?utm=x").content.decode()
    properties = dict(re.findall(r'<meta property="(og:[a-z_]+)" content="([^"]*)">', text))
    assert properties["og:title"]
    assert properties["og:description"]
    assert properties["og:url"] == "http://testserver" + path
    assert properties["og:locale"] == ("en_GB" if path.startswith("/en/") else "zh_CN")
