"""
Sessions of people at the desk: begun by signing in, ended by signing out, by idleness, or by the hour.

The row in the database expires DESK_IDLE_MINUTES after it was last written, so while somebody works it is written anew
from time to time. What is told after a deed waits here for the next page.
"""

from __future__ import annotations

import time

from django.conf import settings
from django.contrib.auth import login
from django.http import HttpRequest

from stores.models import Person

_SIGNED_IN_AT = "signed_in_at"
_SEEN_AT = "seen_at"
_TOLD = "told"
# Writing at each page would cost a write a page; writing at every tenth of the time lets a session end a tenth early.
_WRITTEN_AFTER = settings.DESK_IDLE_MINUTES * 60 / 10


def begin(request: HttpRequest, person: Person) -> None:
    """Let `person`, who has proved who that is, be signed in from now on."""
    login(request, person, backend="django.contrib.auth.backends.ModelBackend")
    request.session[_SIGNED_IN_AT] = request.session[_SEEN_AT] = time.time()


def has_ended(request: HttpRequest) -> bool:
    """Whether signing in is too long ago, however busy the session is."""
    return time.time() - request.session.get(_SIGNED_IN_AT, 0) > settings.DESK_SESSION_HOURS * 3600


def keep_alive(request: HttpRequest) -> None:
    """Note that somebody is working."""
    now = time.time()
    if now - request.session.get(_SEEN_AT, 0) > _WRITTEN_AFTER:
        request.session[_SEEN_AT] = now


def tell(request: HttpRequest, text: str) -> None:
    """Have the next page of this session say what was done."""
    request.session[_TOLD] = text
    note_done(request, text)


def note_done(request: HttpRequest, text: str) -> None:
    """Note that this form was carried out, and what is said of that to whoever sends it again."""
    request.done_in_words = text  # type: ignore[attr-defined]


def done_in_words(request: HttpRequest) -> str:
    """Return what this form was said to have done, empty where it only was looked at or refused."""
    return getattr(request, "done_in_words", "")


def take_told(request: HttpRequest) -> str:
    """Return what is to be said, and forget it."""
    return request.session.pop(_TOLD, "")
