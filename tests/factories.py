"""Things to test with. Each factory fills in what the test does not care about."""

from __future__ import annotations

import time
from collections.abc import Mapping
from datetime import datetime, timedelta
from datetime import time as clock_time
from decimal import Decimal
from itertools import count
from typing import Any
from unittest.mock import patch
from uuid import uuid4

from django.conf import settings
from django.db import connection, transaction
from stdnum import luhn

from catalog.catalogue import Catalogue, current_catalogue, forget_catalogue, version_and_clock
from catalog.loading.phones import load_phones
from catalog.models import Brand, Phone, Provenance, SaleWindow, SaleWindowPrice, Tier
from catalog.prices import set_price
from stores import ledger
from stores.models import Outlet, Region, StockLevel, StockMovement, Timetable, TimetableHours

_numbers = count(1)

SPECIFICATIONS: dict[str, Any] = {
    "os_name": "YunOS",
    "os_version": "3.0",
    "screen_inches": Decimal("4.5"),
    "screen_width_px": 480,
    "screen_height_px": 854,
    "body_width_mm": Decimal("66.0"),
    "body_height_mm": Decimal("132.0"),
    "body_depth_mm": Decimal("9.8"),
    "weight_g": 148,
    "cpu_cores": 4,
    "cpu_ghz": Decimal("1.20"),
    "ram_mb": 512,
    "storage_gb": 4,
    "memory_card_max_gb": 32,
    "camera_back_mp": Decimal("5.0"),
    "camera_front_mp": Decimal("0.3"),
    "battery_mah": 2000,
    "dual_sim": True,
    "generation": "3G",
    "network_modes": ["CDMA2000", "GSM"],
    "network_bands": ["800 MHz"],
    "box_zh": ["手机", "充电器"],
    "box_en": ["phone", "charger"],
}


def load_sample_phones() -> Catalogue:
    """
    Store the fourteen phones of the sample data; return the catalogue of them.

    Whether the file keeps to the rules is asked once, by the tests of its loading, and not for each test that needs
    phones: that takes three quarters of the time.
    """
    content = (settings.BASE_DIR / "catalog" / "data" / "phones.json").read_bytes()
    with patch("catalog.loading.phones.clean"):
        load_phones(content, apply=True)
    forget_catalogue()
    return current_catalogue()


def create_brand(**values: Any) -> Brand:
    number = next(_numbers)
    return Brand.objects.create(**{"slug": f"brand-{number}", "name_zh": "牌", "name_en": f"Brand {number}"} | values)


def create_tier(**values: Any) -> Tier:
    number = next(_numbers)
    texts = {
        "name_zh": "云系统", "name_en": "YunOS", "summary_zh": "便宜", "summary_en": "Low price",
        "explanation_zh": "一般用途", "explanation_en": "For everyday use",
    }  # fmt: skip
    return Tier.objects.create(**{"slug": f"tier-{number}", "position": number} | texts | values)


def create_phone(**values: Any) -> Phone:
    """A phone on sale, with a brand and a tier of its own unless given."""
    number = next(_numbers)
    defaults = SPECIFICATIONS | {
        "slug": f"phone-{number}",
        "position": number,
        "model": f"M{number}",
        "name_zh": f"手机{number}",
        "name_en": f"Phone {number}",
        "description_zh": "手机",
        "description_en": "A phone",
        "provenance": dict.fromkeys(SPECIFICATIONS, Provenance.ILLUSTRATIVE),
    }
    values.setdefault("brand", None)
    values.setdefault("tier", None)
    values["brand"] = values["brand"] or create_brand()
    values["tier"] = values["tier"] or create_tier()
    price_fen = values.pop("price_fen", 29900)
    with transaction.atomic():
        phone = Phone.objects.create(**defaults | values)
        set_price(phone.pk, price_fen, provenance=Provenance.ILLUSTRATIVE)
    return phone


def change_price(phone: Phone, price_fen: int) -> None:
    """Let a phone ordinarily cost something else from now on, so that the next page and `phone` know of it."""
    set_price(phone.pk, price_fen)
    vars(phone).pop("offer", None)
    forget_catalogue()


def change_phone(slug: str, **values: Any) -> None:
    """Change a phone so that the next page knows of it, without waiting for the version to be read again."""
    phone = Phone.objects.get(slug=slug)
    if price_fen := values.pop("price_fen", None):
        change_price(phone, price_fen)
    Phone.objects.filter(pk=phone.pk).update(**values or {"slug": slug})
    forget_catalogue()


def create_region(code: str = "130121100", **values: Any) -> Region:
    """The region of this division code, made along with the regions around it unless it is there."""
    codes = [code[:2] + "0000", code[:4] + "00", code[:6], code]
    level = next(level for level, prefix in enumerate(codes, start=1) if prefix == code)
    defaults = {
        "level": level,
        "parent": create_region(codes[level - 2]) if level > 1 else None,
        "name_zh": f"地{code}",
        "name_pinyin": f"Di {code}",
        "name_en": f"Region {code}",
        "pinyin_initials": "d",
        "latitude": 38.03,
        "longitude": 114.14,
    }
    return Region.objects.get_or_create(code=code, defaults=defaults | values)[0]


def create_timetable(**values: Any) -> Timetable:
    """Hours of 8:30 to 18:00 every day."""
    number = next(_numbers)
    timetable = Timetable.objects.create(
        **{"slug": f"timetable-{number}", "name_zh": "每天", "name_en": "Every day"} | values
    )
    TimetableHours.objects.bulk_create(
        TimetableHours(timetable=timetable, weekday=weekday, opens=clock_time(8, 30), closes=clock_time(18))
        for weekday in range(7)
    )
    return timetable


def create_outlet(**values: Any) -> Outlet:
    """An open outlet in a town of Jingxing County, near 38.03 N 114.14 E unless told otherwise."""
    number = next(_numbers)
    values.setdefault("town", None)
    values["town"] = values["town"] or create_region()
    values.setdefault("timetable", None)
    values["timetable"] = values["timetable"] or create_timetable()
    defaults = {
        "code": f"{number:09d}-01",
        "name_zh": f"营业厅{number}",
        "name_en": f"Store {number}",
        "address_zh": f"某村{number}号",
        "address_en": f"Village {number}",
        "latitude": 38.03361,
        "longitude": 114.13668,
        "coordinate_source": Outlet.CoordinateSource.TOWN,
        "coordinate_accuracy_km": 2,
    }
    return Outlet.objects.create(**defaults | values)


def create_stock(
    *,
    outlet: Outlet | None = None,
    phone: Phone | None = None,
    on_hand: int = 5,
    reserved: int = 0,
    safety_stock: int = 0,
    reorder_point: int = 0,
) -> StockLevel:
    """What an outlet holds of a phone, explained by its ledger. Not for a shelf that exists."""
    outlet, phone = outlet or create_outlet(), phone or create_phone()
    operation = ledger.Operation(outlet.pk, StockMovement.Kind.RECEIVED, f"factory:{uuid4()}", "system:test")
    ledger.open_shelves(operation, [phone.pk])
    if on_hand or reserved:
        ledger.write(operation, [ledger.Change(phone.pk, on_hand, reserved)])
    shelf = StockLevel.objects.filter(outlet=outlet, phone=phone)
    shelf.update(safety_stock=safety_stock, reorder_point=reorder_point)
    return shelf.select_related("outlet", "phone").get()


def act(key: str = "", **values: str) -> ledger.Act:
    """Somebody's doing, under a key of its own unless given."""
    return ledger.Act(**{"key": key or str(uuid4()), "actor": "person:test"} | values)


def create_unit(*, second: bool = False) -> tuple[str, ...]:
    """The numbers of a phone that nobody has seen before: one IMEI, or two."""
    return tuple(_imei(next(_numbers)) for _ in range(2 if second else 1))


def _imei(number: int) -> str:
    digits = f"35{number:012d}"
    return digits + luhn.calc_check_digit(digits)


def wait_until(moment: datetime) -> None:
    """Return when the clock of the database has come to it."""
    while (left := (moment - version_and_clock()[1]).total_seconds()) > 0:
        time.sleep(left)


def create_window(prices: Mapping[Phone, int], *, quota: int | None = None, **values: Any) -> SaleWindow:
    """A sale window at these prices in fen that is open from now on, for an hour and one phone a customer."""
    defaults = {"name_zh": "双十一", "name_en": "Singles' Day", "limit_per_customer": 1} | values
    with transaction.atomic(), connection.cursor() as cursor:
        if "starts_at" not in values:
            # No earlier than the transaction, and no later than its next statement.
            cursor.execute("SELECT now()")
            defaults["starts_at"] = cursor.fetchone()[0]
        defaults.setdefault("ends_at", defaults["starts_at"] + timedelta(hours=1))
        window = SaleWindow.objects.create(**defaults)
        for phone, price_fen in prices.items():
            SaleWindowPrice.objects.create(window=window, phone=phone, price_fen=price_fen, quota_per_outlet=quota)
    forget_catalogue()
    return window
