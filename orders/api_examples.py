"""Examples of orders."""

from typing import Any

_PRICE = {"amount": "299.00", "currency": "CNY"}
ORDER: dict[str, Any] = {
    "number": "252079117732",
    "reference": "T-2026-000123",
    "outlet": "130121100-01",
    "state": "placed",
    "lines": [
        {
            "phone": "uniscope-y401",
            "name": {"zh": "优思 Y401", "en": "Uniscope Y401"},
            "quantity": 1,
            "price": _PRICE,
            "amount": _PRICE,
        }
    ],
    "total": _PRICE,
    "language": "zh",
    "placed_at": "2026-11-22T06:57:50.595788Z",
    "ready_at": None,
    "held_until": "2026-11-24T06:57:50.595788Z",
    "ended_at": None,
    "moved_from": "",
    "moved_to": "",
}
ORDER_WITH_CUSTOMER = ORDER | {"customer": {"name": "王小明", "mobile": "+8613800138000"}}
