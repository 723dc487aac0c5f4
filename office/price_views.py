"""What everything costs at a moment, chosen by head office: before a window opens, or long after."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from django.http import HttpResponse
from django.utils.dateparse import parse_datetime
from django.utils.translation import gettext as _

from catalog.catalogue import catalogue_at, version_and_clock
from catalog.moments import SHANGHAI
from catalog.prices import next_change
from office.doors import OfficeRequest, office_page
from stores.desk import show


@office_page()
def prices_page(request: OfficeRequest) -> HttpResponse:
    """Show the whole catalogue's prices as of `at`, on the clock of Asia/Shanghai; now where nothing is asked."""
    typed = request.GET.get("at", "").strip()[:40]
    moment = _moment(typed) if typed else version_and_clock()[1]
    context: dict[str, Any] = {"at": typed, "refusal": "", "catalogue": None}
    if moment is None:
        context["refusal"] = _("This is no day and time. Write it as 2026-11-11 20:00.")
    else:
        context |= {
            "at": moment.astimezone(SHANGHAI).strftime("%Y-%m-%dT%H:%M"),
            "moment": moment,
            "catalogue": catalogue_at(moment),
            "next": next_change(moment),
        }
    return show(request, "office/prices.html", context, status=422 if context["refusal"] else 200)


def _moment(text: str) -> datetime | None:
    try:
        moment = parse_datetime(text)
        return moment and (moment if moment.tzinfo else moment.replace(tzinfo=SHANGHAI)).astimezone(SHANGHAI)
    except (ValueError, OverflowError):
        return None
