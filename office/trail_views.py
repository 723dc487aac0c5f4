"""The audit trail to read: of everything, or of one thing."""

from __future__ import annotations

from typing import Any

from django.db.models import Q, QuerySet
from django.http import Http404, HttpResponse

from office.access import OfficeDeed
from office.doors import OfficeRequest, office_page
from office.models import TrailEntry
from office.site import site
from office.trail import in_words
from stores.desk import show
from stores.people import find_person

LINES = 50


@office_page(OfficeDeed.READ_TRAIL)
def trail_page(request: OfficeRequest) -> HttpResponse:
    """Show the newest entries, or those of a person, of a thing by code or name, or of a kind of thing."""
    entries, asked = (
        TrailEntry.objects.all(),
        {name: request.GET.get(name, "").strip()[:160] for name in ("who", "what")},
    )
    if asked["who"]:
        person = find_person(asked["who"])
        entries = entries.filter(actor=person.actor if person else asked["who"])
    if asked["what"]:
        entries = entries.filter(Q(name=asked["what"]) | Q(key=asked["what"]))
    context = _page(request, entries) | {"asked": asked}
    return show(request, "office/trail.html", context)


@office_page()
def history(request: OfficeRequest, thing: str, key: str) -> HttpResponse:
    """Show what was changed of one thing; whoever may read the thing may read that."""
    _require_to_read(request, thing)
    inside = [name for name, of in PARTS.items() if of == thing]
    entries = TrailEntry.objects.filter(Q(thing=thing, key=key) | Q(thing__in=inside, name=key))
    return show(request, "office/trail.html", _page(request, entries) | {"thing": thing, "key": key})


# Rows that belong to a thing of another table, and are changed on its page.
PARTS = {
    "catalog_colour": "catalog_phone",
    "catalog_preinstalledapp": "catalog_phone",
    "stores_timetablehours": "stores_timetable",
    "stores_closedperiod": "stores_outlet",
    "stores_assignment": "stores_person",
    "office_membership": "stores_person",
}


def _require_to_read(request: OfficeRequest, thing: str) -> None:
    for model, pages in site._registry.items():
        if model._meta.db_table == thing:
            request.standing.require(pages.reading)  # type: ignore[attr-defined]
            return
    raise Http404


def _page(request: OfficeRequest, entries: QuerySet[TrailEntry]) -> dict[str, Any]:
    before = request.GET.get("before", "")
    if before.isdecimal() and len(before) < 19:
        entries = entries.filter(pk__lt=int(before))
    found = list(entries.order_by("-id")[: LINES + 1])
    more = found[LINES - 1].pk if len(found) > LINES else None
    return {"lines": in_words(found[:LINES]), "more": more}
