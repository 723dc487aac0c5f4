"""What the page of an order says: how it stands, in plain words, and what came before."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from functools import lru_cache
from typing import Any, NamedTuple

from django.conf import settings
from django.contrib.postgres.expressions import ArraySubquery
from django.db import DEFAULT_DB_ALIAS
from django.db.models import BigIntegerField, CharField, DateField, OuterRef
from django.db.models.functions import JSONArray, JSONObject
from django.utils import timezone
from django.utils.formats import date_format
from django.utils.functional import Promise
from django.utils.safestring import SafeString, mark_safe
from django.utils.translation import get_language, gettext_lazy, pgettext
from django.utils.translation import gettext as _

from api.prepared import Parameter, Planned
from orders import numbers, qr_codes
from orders.models import Order, OrderChange, OrderLine
from orders.terms import TERMS
from stores.hours import (
    NO_WEEK,
    SHANGHAI,
    Closure,
    clock,
    closures_of,
    opening_at,
    week_in_words,
    weekday_name,
    weeks_of,
)
from stores.models import ClosedPeriod, Outlet, Region
from stores.place_words import way_from_seat
from stores.querysets import coming_closures

Kind = OrderChange.Kind

# What a customer is told of each change, as the shop would say it.
_TOLD: dict[str, Promise] = {
    Kind.PLACED: gettext_lazy("You reserved it."),
    Kind.READY: gettext_lazy("The shop has set it aside for you."),
    Kind.COLLECTED: gettext_lazy("You collected it."),
    Kind.CANCELLED: gettext_lazy("The reservation was cancelled."),
    Kind.DECLINED: gettext_lazy("The shop could not find it on the shelf."),
    Kind.EXPIRED: gettext_lazy("The time to collect it ran out."),
    Kind.MOVED: gettext_lazy("It was moved to another shop."),
    Kind.EXTENDED: gettext_lazy("It is kept longer for you."),
    Kind.ESCALATED: gettext_lazy("The shop is late in setting it aside. We have asked the manager of the region."),
}


@dataclass(frozen=True)
class Step:
    """One thing that happened to an order, and when."""

    text: Promise
    moment: str


class Whole(NamedTuple):
    """An order with all that its page tells of it: its outlet (town and county loaded), its lines and its history."""

    order: Order
    closures: tuple[Closure, ...]
    lines: list[OrderLine]
    changes: list[tuple[str, datetime]]


def whole_order(number: str, now: datetime) -> Whole | None:
    """Return the order of a well-formed number, None where there is none or it was erased. One query."""
    rows = _whole.rows(outlet=numbers.outlet_of(number), number=number, today=now.astimezone(SHANGHAI).date())
    if not rows:
        return None
    closures, lines, changes, *values = rows[0]
    order = Order.from_db(DEFAULT_DB_ALIAS, _ORDER_FIELDS, values[: len(_ORDER_FIELDS)])
    order.outlet = _outlet(values[len(_ORDER_FIELDS) :])
    return Whole(
        order,
        closures_of(tuple(closures)),
        [OrderLine(**json.loads(line)) for line in lines],
        [(kind, datetime.fromisoformat(moment)) for kind, moment in map(json.loads, changes)],
    )


def _outlet(values: Sequence[Any]) -> Outlet:
    """Return an outlet from its own columns, those of its town and those of its county."""
    end = len(_OUTLET_FIELDS)
    outlet = Outlet.from_db(DEFAULT_DB_ALIAS, _OUTLET_FIELDS, values[:end])
    outlet.town = Region.from_db(DEFAULT_DB_ALIAS, _REGION_FIELDS, values[end : end + len(_REGION_FIELDS)])
    if outlet.town.parent_id:
        outlet.town.parent = Region.from_db(DEFAULT_DB_ALIAS, _REGION_FIELDS, values[end + len(_REGION_FIELDS) :])
    return outlet


_ORDER_FIELDS = [field.attname for field in Order._meta.concrete_fields]
_OUTLET_FIELDS = (
    "id", "code", "name_zh", "name_en", "town_id", "address_zh", "address_en", "telephone", "latitude", "longitude",
    "coordinate_source", "state", "timetable_id",
)  # fmt: skip
_REGION_FIELDS = ("code", "parent_id", "latitude", "longitude")
_LINE_FIELDS = ("quantity", "name_zh", "name_en", "price_fen", "terms")


@Planned
def _whole() -> Any:
    number, own = Parameter("number", CharField()), {"outlet": OuterRef("outlet"), "number": OuterRef("number")}
    lines = OrderLine.objects.filter(**own).order_by("position")
    changes = OrderChange.objects.filter(**own).order_by("seq")
    orders = Order.objects.filter(outlet=Parameter("outlet", BigIntegerField()), number=number, erased_at=None)
    orders = orders.order_by().annotate(
        closures=coming_closures(ClosedPeriod.objects, "outlet", Parameter("today", DateField())),
        lines_seen=ArraySubquery(lines.values(line=JSONObject(**{name: name for name in _LINE_FIELDS}))),
        changes_seen=ArraySubquery(changes.values(change=JSONArray("kind", "created_at"))),
    )
    outlet = [f"outlet__{name}" for name in _OUTLET_FIELDS]
    regions = [f"outlet__{path}{name}" for path in ("town__", "town__parent__") for name in _REGION_FIELDS]
    return orders.values_list("closures", "lines_seen", "changes_seen", *_ORDER_FIELDS, *outlet, *regions)


def describe(whole: Whole, now: datetime) -> dict[str, Any]:
    """Return what the page of an order needs. One query."""
    order, outlet = whole.order, whole.order.outlet
    week = weeks_of([outlet.timetable_id]).get(outlet.timetable_id, NO_WEEK)
    return {
        "order": order,
        "outlet": outlet,
        "way": way_from_seat(outlet, outlet.town.parent) if outlet.town.parent else "",
        "opening": opening_at(now, week, whole.closures, outlet.state),
        "week": week_in_words(week),
        "lines": whole.lines,
        "terms": TERMS[whole.lines[0].terms],
        "steps": [Step(_TOLD[kind], moment_in_words(moment)) for kind, moment in whole.changes],
        "kept_until": moment_in_words(order.held_until),
        "demo": settings.DEMO,
        "qr": qr_code(order) if order.is_open else "",
    }


def moment_in_words(moment: datetime) -> str:
    """Say a day and a time of day as people do: Thursday, 26 November, 6 pm; 11月26日（星期四）晚上 6 点."""
    return _minute_in_words(moment.replace(second=0, microsecond=0), get_language())


# Many orders are placed in one minute, and their pages say so many times.
@lru_cache(maxsize=1000)
def _minute_in_words(moment: datetime, _language: str | None) -> str:
    local = timezone.localtime(moment, SHANGHAI)
    return pgettext("a moment", "%(weekday)s, %(day)s, %(time)s") % {
        "weekday": weekday_name(local.weekday()),
        "day": date_format(local, "MONTH_DAY_FORMAT"),
        "time": clock(local),
    }


def qr_code(order: Order) -> SafeString:
    """Return the order's number and pickup code, eighteen digits, as an SVG for the scanner at the counter."""
    svg = qr_codes.svg_of(order.number + order.pickup_code)
    label = _("Pickup code as a picture, for the scanner at the counter")
    return mark_safe(svg.replace("<svg ", f'<svg role="img" aria-label="{label}" ', 1))  # noqa: S308 - digits only
