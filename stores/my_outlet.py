"""
"My outlet": the one shop that a visitor has chosen, so that every price card can say what it has.

A signed cookie carries the outlet's public code and nothing of the person. What cannot be read is as good as none.
"""

from __future__ import annotations

import re
from dataclasses import dataclass

from django.http import HttpRequest, HttpResponse

from stores.models import Outlet, StockLevel

COOKIE = "my_outlet"
# Signing keeps this cookie from being taken for another of ours, and out-of-hand codes from the database.
SALT = "stores.my_outlet"
A_YEAR = 365 * 24 * 3600
# Code and signature need some 60 characters.
MOST_CHARACTERS = 120
_CODE = re.compile(r"[0-9]{9}-[0-9]{2}", re.ASCII)

_OUTLET_FIELDS = ("pk", "code", "name_zh", "name_en", "state", "timetable_id", "town_id")
_LEVEL_FIELDS = ("phone_id", "seq", "on_hand", "reserved", "safety_stock")


@dataclass(frozen=True)
class MyOutlet:
    """The chosen outlet and what it has, by the phone's key."""

    outlet: Outlet
    stock: dict[int, StockLevel]


def chosen_code(request: HttpRequest) -> str | None:
    """Return the code that the visitor's cookie names, or None where there is none that we have signed."""
    if len(request.COOKIES.get(COOKIE, "")) > MOST_CHARACTERS:
        return None
    code = request.get_signed_cookie(COOKIE, default=None, salt=SALT, max_age=A_YEAR)
    return code if code and _CODE.fullmatch(code) else None


def remember_outlet(response: HttpResponse, outlet: Outlet) -> None:
    """Let the visitor's browser carry the choice for a year."""
    response.set_signed_cookie(COOKIE, outlet.code, salt=SALT, max_age=A_YEAR, httponly=True, samesite="Lax")


def forget_outlet(response: HttpResponse) -> None:
    response.delete_cookie(COOKIE, samesite="Lax")


def my_outlet(request: HttpRequest) -> MyOutlet | None:
    """Return the outlet that the visitor has chosen, with its stock; None if none, or it is gone. At most one query."""
    code = chosen_code(request)
    if code is None:
        return None
    levels = [f"stock_levels__{field}" for field in _LEVEL_FIELDS]
    rows = list(Outlet.objects.visible().filter(code=code).order_by().values_list(*_OUTLET_FIELDS, *levels))
    if not rows:
        return None
    outlet = Outlet(**dict(zip(_OUTLET_FIELDS, rows[0], strict=False)))
    stock = {}
    for row in rows:
        level = dict(zip(_LEVEL_FIELDS, row[len(_OUTLET_FIELDS) :], strict=True))
        # An outlet that never had a phone comes as one row without a stock level.
        if level["phone_id"] is not None:
            stock[level["phone_id"]] = StockLevel(outlet=outlet, **level)
    return MyOutlet(outlet, stock)
