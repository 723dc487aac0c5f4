"""What the page of an order says: how it stands, in plain words, and what came before."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import Any

import segno
from django.conf import settings
from django.utils import timezone
from django.utils.formats import date_format
from django.utils.functional import Promise
from django.utils.safestring import SafeString, mark_safe
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy, pgettext

from orders.models import Order, OrderChange
from orders.terms import TERMS
from stores.hours import SHANGHAI, clock, opening_of, week_in_words, week_of, weekday_name
from stores.models import Outlet
from stores.place_words import way_from_seat

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


def describe(order: Order, now: datetime) -> dict[str, Any]:
    """Return what the page of `order` needs. Three queries."""
    outlets = Outlet.objects.with_week().with_closures(now.astimezone(SHANGHAI).date())
    outlet = outlets.select_related("town__parent").get(pk=order.outlet_id)
    week = week_of(outlet)
    lines = list(order.lines.all())
    return {
        "order": order,
        "outlet": outlet,
        "way": way_from_seat(outlet, outlet.town.parent) if outlet.town.parent else "",
        "opening": opening_of(outlet, {outlet.timetable_id: week}, now),
        "week": week_in_words(week),
        "lines": lines,
        "terms": TERMS[lines[0].terms],
        "steps": [Step(_TOLD[change.kind], moment_in_words(change.created_at)) for change in order.history.all()],
        "kept_until": moment_in_words(order.held_until),
        "demo": settings.DEMO,
        "qr": qr_code(order) if order.is_open else "",
    }


def moment_in_words(moment: datetime) -> str:
    """Say a day and a time of day as people do: Thursday, 26 November, 6 pm; 11月26日（星期四）晚上 6 点."""
    local = timezone.localtime(moment, SHANGHAI)
    return pgettext("a moment", "%(weekday)s, %(day)s, %(time)s") % {
        "weekday": weekday_name(local.weekday()),
        "day": date_format(local, "MONTH_DAY_FORMAT"),
        "time": clock(local),
    }


def qr_code(order: Order) -> SafeString:
    """
    Return the order's number and pickup code, eighteen digits, as an SVG for the scanner at the counter.

    Always dark on white with a broad rim, whatever the colours of the page: scanners need it so.
    """
    code = segno.make(order.number + order.pickup_code, error="q", boost_error=False, micro=False)
    svg = code.svg_inline(border=4, light="#fff", svgclass="qr", lineclass=None, omitsize=True)
    label = _("Pickup code as a picture, for the scanner at the counter")
    return mark_safe(svg.replace("<svg ", f'<svg role="img" aria-label="{label}" ', 1))  # noqa: S308 - digits only
