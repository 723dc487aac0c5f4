"""The audit trail to read: of everything, or of one thing."""

from __future__ import annotations

import json
from collections.abc import Iterator, Sequence
from typing import Any
from urllib.parse import urlencode

from django.db.models import Q, QuerySet
from django.http import Http404, HttpResponse
from django.http.response import HttpResponseBase
from django.utils import timezone
from django.utils.translation import gettext as _

from office.access import OfficeDeed
from office.doors import OfficeRequest, office_page
from office.list_files import hand_out, in_turn
from office.models import TrailEntry
from office.site import site
from office.trail import in_words
from stores.desk import show
from stores.people import Names, find_person

LINES = 50


@office_page(OfficeDeed.READ_TRAIL)
def trail_page(request: OfficeRequest) -> HttpResponse:
    """Show the newest entries, or those of a person, of a thing by code or name, or of a kind of thing."""
    asked = _asked(request)
    return show(request, "office/trail.html", _page(request, _found(asked)) | {"asked": asked})


@office_page(OfficeDeed.READ_TRAIL)
def trail_file(request: OfficeRequest) -> HttpResponseBase:
    """Hand out the same as a file, however many; who took it is in the trail, too."""
    asked = _asked(request)
    return hand_out(request, "audit-trail.csv", _rows(_found(asked)), TrailEntry, query=urlencode(asked))


def _asked(request: OfficeRequest) -> dict[str, str]:
    return {name: request.GET.get(name, "").replace("\0", "").strip()[:160] for name in ("who", "what")}


def _found(asked: dict[str, str]) -> QuerySet[TrailEntry]:
    entries = TrailEntry.objects.order_by("-id")
    if asked["who"]:
        person = find_person(asked["who"])
        entries = entries.filter(actor=person.actor if person else asked["who"])
    if asked["what"]:
        entries = entries.filter(Q(name=asked["what"]) | Q(key=asked["what"]))
    return entries


def _rows(entries: QuerySet[TrailEntry]) -> Iterator[Sequence[object]]:
    yield [_("When"), _("Who"), _("Name"), _("What"), _("Table"), _("Number"), _("Name"), _("From and to")]
    names = Names()
    for entry in in_turn(entries):
        when = timezone.localtime(entry.happened_at).isoformat(timespec="seconds")
        changes = json.dumps(entry.changes, ensure_ascii=False)
        yield [
            when,
            entry.actor,
            names[entry.actor],
            entry.get_deed_display(),
            entry.thing,
            entry.key,
            entry.name,
            changes,
        ]


@office_page()
def history(request: OfficeRequest, thing: str, key: str) -> HttpResponse:
    """Show what was changed of one thing; whoever may read the thing may read that."""
    entries = _of_one(request, thing, key)
    return show(request, "office/trail.html", _page(request, entries) | {"thing": thing, "key": key})


@office_page()
def history_file(request: OfficeRequest, thing: str, key: str) -> HttpResponseBase:
    """Hand out the same as a file."""
    entries = _of_one(request, thing, key).order_by("-id")
    return hand_out(request, f"history-{thing}.csv", _rows(entries), TrailEntry, query=urlencode({thing: key}))


# Rows that belong to a thing of another table, and are changed on its page.
PARTS = {
    "catalog_colour": "catalog_phone",
    "catalog_preinstalledapp": "catalog_phone",
    "stores_timetablehours": "stores_timetable",
    "stores_closedperiod": "stores_outlet",
    "stores_assignment": "stores_person",
    "office_membership": "stores_person",
}


def _of_one(request: OfficeRequest, thing: str, key: str) -> QuerySet[TrailEntry]:
    """Return what was changed of one thing. Raises NotInOffice for whoever may not read the thing."""
    _require_to_read(request, thing)
    inside = [name for name, of in PARTS.items() if of == thing]
    return TrailEntry.objects.filter(Q(thing=thing, key=key) | Q(thing__in=inside, name=key))


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
