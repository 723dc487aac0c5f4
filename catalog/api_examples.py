"""Examples of the catalogue, as the demo has it."""

from typing import Any

BRAND = {"slug": "uniscope", "name": {"zh": "优思", "en": "Uniscope"}}
TIER = {
    "slug": "yunos",
    "name": {"zh": "云系统手机", "en": "YunOS phones"},
    "summary": {
        "zh": "阿里的手机系统，带一个阿里云账号，适合第一次用智能手机。",
        "en": "Run Alibaba's own system and come with an Alibaba account. Good for a first smartphone.",
    },
    "explanation": {
        "zh": "YunOS（云系统）是阿里巴巴做的手机系统，跟安卓手机的用法差不多。",
        "en": "YunOS is a phone system made by Alibaba. It works much like Android.",
    },
}
_PRICE = {"amount": "299.00", "currency": "CNY"}
PHONE: dict[str, Any] = {
    "slug": "uniscope-y401",
    "name": {"zh": "优思 Y401", "en": "Uniscope Y401"},
    "description": {
        "zh": "不到三百元：四英寸小屏，打电话、上网、逛淘宝都可以，适合第一次用智能手机的人。",
        "en": "Under 300 yuan: a small four-inch screen for calls, the internet and shopping.",
    },
    "model": "Y401",
    "brand": BRAND["slug"],
    "tier": TIER["slug"],
    "price": _PRICE,
    "ordinary_price": _PRICE,
    "price_valid_until": None,
    "is_discontinued": False,
    "os_name": "YunOS",
    "os_version": "3.0",
    "screen_inches": 4.0,
    "screen_width_px": 480,
    "screen_height_px": 800,
    "body_width_mm": 61.7,
    "body_height_mm": 120.6,
    "body_depth_mm": 11.2,
    "weight_g": 118,
    "cpu_cores": 2,
    "cpu_ghz": 1.2,
    "ram_mb": 512,
    "storage_gb": 4,
    "memory_card_max_gb": 32,
    "camera_back_mp": 2.0,
    "camera_front_mp": 0.3,
    "battery_mah": 1500,
    "dual_sim": True,
    "generation": "3G",
    "network_modes": ["CDMA2000 1x", "CDMA2000 EV-DO", "GSM"],
    "network_bands": ["CDMA 800 MHz (BC0)", "GSM 900/1800 MHz"],
    "box": {"zh": ["手机一部", "电池一块"], "en": ["The phone", "A battery"]},
    "colours": [{"name": {"zh": "黑色", "en": "Black"}, "rgb": "#1F1F21"}],
    "preinstalled_apps": [{"name": {"zh": "手机淘宝", "en": "Mobile Taobao"}, "provenance": "illustrative"}],
    "provenance": {"brand": "reported", "price_fen": "reported", "ram_mb": "illustrative"},
}
