"""Examples of what partners send and are told."""

from typing import Any

_URL = "https://example.com/cunpu"
EVENT = {
    "id": "4711-90210",
    "type": "stock.changed",
    "timestamp": "2026-11-11T00:00:01.234567Z",
    "outlet": "130121100-01",
    "phone": None,
    "data": {"levels": [{"phone": "uniscope-y401", "available": 3}]},
}
ORDER_FORM = {
    "reference": "T-2026-000123",
    "outlet": "130121100-01",
    "customer": {"name": "王小明", "mobile": "13800138000"},
    "lines": [{"phone": "uniscope-y401", "quantity": 1}],
    "language": "zh",
}
REFUSAL = {"line": 17, "field": "phone", "reason": "没有名为“y999”的手机"}
COUNT: dict[str, Any] = {
    "id": "710ec12c-8e61-4273-983e-3f2568e9c671",
    "state": "done",
    "mode": "partial",
    "is_applied": True,
    "lines": 210,
    "written": 210,
    "opened": 2,
    "changed": 7,
    "unchanged": 200,
    "outdated": 0,
    "refused": 1,
    "received_at": "2026-11-22T06:57:50.739058Z",
    "ended_at": "2026-11-22T06:57:50.769650Z",
    "refusals": [REFUSAL],
}
WEBHOOK_FORM: dict[str, Any] = {"url": _URL, "types": ["stock.changed"]}
WEBHOOK: dict[str, Any] = {
    "code": "vdhb32yzy29zdb74",
    "url": _URL,
    "types": ["stock.changed"],
    "outlets": [],
    "state": "active",
    "disabled_at": None,
    "disabled_because": "",
    "failures": 0,
    "old_secret_until": None,
    "created_at": "2026-11-22T06:57:50.808358Z",
}
WEBHOOK_WITH_SECRET = WEBHOOK | {"secret": "whsec_V2hhdCBpcyBzaG93biBvbmNlIGlzIG5vdCB0aGlzIQ=="}
DELIVERY = {
    "event": EVENT["id"],
    "type": EVENT["type"],
    "state": "delivered",
    "attempts": 1,
    "created_at": "2026-11-11T00:00:02.345678Z",
    "last_attempt_at": "2026-11-11T00:00:02.456789Z",
    "next_attempt_at": None,
    "delivered_at": "2026-11-11T00:00:02.567890Z",
    "status": 204,
    "error": "",
    "duration_ms": 111,
}
