"""Examples of places and their stock, as the demo has them."""

from typing import Any

_DAYS = ("monday", "tuesday", "wednesday", "thursday", "friday", "saturday", "sunday")
_POINT = {"latitude": 38.03361, "longitude": 114.13668}
REGION = {
    "code": "130121100",
    "level": "town",
    "name": {"zh": "微水镇", "en": "Weishui Town"},
    "location": _POINT,
    "outlet_count": 1,
}
REGION_IN_TREE = REGION | {"parent": "130121"}
OUTLET: dict[str, Any] = {
    "code": "130121100-01",
    "name": {"zh": "井陉县微水镇营业厅", "en": "Weishui Town Store, Jingxing County"},
    "address": {
        "zh": "河北省石家庄市井陉县微水镇会里社区",
        "en": "Weishui Town, Jingxing County, Shijiazhuang, Hebei",
    },
    "town": REGION["code"],
    "state": "open",
    "telephone": "",
    "location": _POINT,
    "coordinate_source": "town",
    "coordinate_accuracy_km": 2,
    "hours": {day: [{"opens": "08:30", "closes": "12:00"}, {"opens": "14:00", "closes": "18:00"}] for day in _DAYS},
    "closures": [
        {
            "first_day": "2026-12-31",
            "last_day": "2026-12-31",
            "reason": {"zh": "年终盘点", "en": "Year-end stocktaking"},
        }
    ],
    "updated_at": "2026-11-22T06:51:30.851720Z",
    "distance": None,
}
SHELVES: dict[str, Any] = {
    "outlet": OUTLET["code"],
    "state": "open",
    "levels": [
        {
            "phone": "uniscope-y401",
            "available": 4,
            "on_hand": 5,
            "reserved": 1,
            "safety_stock": 0,
            "counted_at": "2026-11-22T06:51:18.958324Z",
        }
    ],
}
