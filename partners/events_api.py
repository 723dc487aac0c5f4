"""The change feed for programs: what happened after a place, at once or as soon as there is something."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable
from typing import Any

from django.conf import settings
from django.http import HttpResponse
from django.utils.translation import gettext as _
from drf_spectacular.utils import OpenApiExample, OpenApiParameter, extend_schema
from rest_framework import serializers
from rest_framework.request import Request

from api.parameters import names_in
from api.problems import Refusal, WrongParameters
from api.reasons import no_null
from api.rendering import answer
from api.resources import Resource
from api.views import Door
from events.feed import Place, kept, make_tick
from events.models import Type
from partners import feed
from partners.api_examples import EVENT
from partners.callers import caller_of
from partners.event_resources import EventResource
from partners.feed import Page

USUAL_LIMIT = 100
MOST = 1000
MOST_OUTLETS = 1000
# How many events one call looks at, whatever it finds.
SCANNED = 5000
LATEST = "latest"
LONGEST_WAIT = 25
SECONDS_BETWEEN_LOOKS = 0.5
# Who waits keeps a thread. Further readers are answered at once.
_waiting = threading.BoundedSemaphore(max(settings.EVENT_WAITS, 1))


class FeedResource(Resource):
    """Part of the feed."""

    cursor = serializers.CharField(help_text="keep it, and send it as `after` next time")
    has_more = serializers.BooleanField(help_text="whether there is more already")
    results = EventResource(many=True)


PARAMETERS = [
    OpenApiParameter(
        "after",
        {"type": "string", "pattern": r"^(latest|[0-9]+-[0-9]+)$"},
        description="The cursor of the answer before, or the id of an event. Without it, from the oldest event that is "
        "kept; `latest`: from now on.",
        examples=[OpenApiExample("From now on", LATEST)],
    ),
    OpenApiParameter(
        "types",
        {"type": "array", "items": {"type": "string", "enum": Type.values}, "minItems": 1},
        description="Only events of these types; without it of all that the scopes of the key allow.",
        style="form",
        explode=False,
    ),
    OpenApiParameter(
        "outlets",
        {"type": "string", "minLength": 1},
        description=f"Only events of these outlets: codes, at most {MOST_OUTLETS}, separated by commas.",
    ),
    OpenApiParameter(
        "limit",
        {"type": "integer", "minimum": 1, "maximum": MOST, "default": USUAL_LIMIT},
        description="How many events an answer has at most.",
    ),
    OpenApiParameter(
        "wait",
        {"type": "integer", "minimum": 0, "maximum": LONGEST_WAIT, "default": 0},
        description="For how many seconds to wait where there is nothing new. A busy server answers at once.",
    ),
]


@extend_schema(
    tags=["events"],
    summary="What changed",
    description="Events of phones, prices, outlets, stock, own orders and transfers in the order of the feed: none is "
    "missed, and those of one outlet come as they happened. Of each kind the key needs the scope to read it. An answer "
    "without results may have another cursor: it has looked at events that were not for you. Delivery is at least once "
    "where you keep the cursor after your own work is done.",
    parameters=PARAMETERS,
    responses=FeedResource,
    examples=[
        OpenApiExample(
            "A phone was promised",
            {"cursor": EVENT["id"], "has_more": False, "results": [EVENT]},
            response_only=True,
        )
    ],
)
class EventFeed(Door):
    scope = "events:read"
    serializer_class = FeedResource
    parameters = ("after", "types", "outlets", "limit", "wait")

    def get(self, request: Request, *args: Any, **kwargs: Any) -> HttpResponse:
        asked = request.query_params
        types = names_in(asked, "types", Type.values)
        reader: Any = caller_of(request).credentials
        if types and not types <= (allowed := set(feed.types_for(reader))):
            names = ", ".join(sorted(types - allowed))
            raise WrongParameters({"types": _("The key lacks the scope for these: %(names)s.") % {"names": names}})
        limit = _number(asked, "limit", USUAL_LIMIT, least=1, most=MOST)
        wait = _number(asked, "wait", 0, least=0, most=LONGEST_WAIT)
        outlets = _codes(asked.get("outlets", ""))
        after = asked.get("after", "")

        def look(place: Place) -> Page:
            make_tick()
            return feed.read(
                reader, place, types=sorted(types) if types else None, outlets=outlets, limit=limit, scanned=SCANNED
            )

        try:
            page = _look_or_wait(look, _place(after), wait)
        except feed.ForgottenEvents:
            detail = _("Events are kept for %(days)d days.") % {"days": settings.EVENT_DAYS}
            raise Refusal("events-forgotten", detail) from None
        except feed.UnknownPlace:
            raise _no_such_place() from None
        told = {"cursor": str(page.cursor), "has_more": page.has_more, "results": page.events}
        return answer(told)


def _look_or_wait(look: Callable[[Place], Page], place: Place, seconds: int) -> Page:
    """Return the next events after a place; where there are none, wait for some, if a thread may be spared for it."""
    page = look(place)
    if page.events or not seconds or not settings.EVENT_WAITS or not _waiting.acquire(blocking=False):
        return page
    try:
        end = time.monotonic() + seconds
        while not page.events and (left := end - time.monotonic()) > 0:
            if not page.has_more:
                time.sleep(min(SECONDS_BETWEEN_LOOKS, left))
            page = look(page.cursor)
        return page
    finally:
        _waiting.release()


def _place(text: str) -> Place:
    """Read the parameter `after`. One query where it names no place. Raises WrongParameters."""
    if text == LATEST:
        make_tick()
        return kept().end
    if not text:
        return kept().first
    try:
        return Place.of(text)
    except ValueError:
        raise _no_such_place() from None


def _no_such_place() -> WrongParameters:
    return WrongParameters({"after": _("No list of ours has such a cursor; begin without one.")})


def _codes(text: str) -> list[str] | None:
    codes = [code.strip() for code in text.split(",")] if text else None
    if "\0" in text:
        raise WrongParameters({"outlets": no_null()})
    if codes and len(codes) > MOST_OUTLETS:
        raise WrongParameters({"outlets": _("Name at most %(most)d outlets.") % {"most": MOST_OUTLETS}})
    return codes


def _number(asked: Any, name: str, usual: int, *, least: int, most: int) -> int:
    text = asked.get(name, "")
    if not text:
        return usual
    number = int(text) if text.isascii() and text.isdecimal() and len(text) <= 6 else -1
    if not least <= number <= most:
        told = _("It must be a number from %(least)d to %(most)d.") % {"least": least, "most": most}
        raise WrongParameters({name: told})
    return number
