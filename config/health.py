"""
Whether this runs, for whatever starts programs anew and sends visitors to those that work.

`/healthz`: the process answers. `/readyz`: it has a database, the database has every migration of this code, and a
worker does what is due by the clock. Whoever asks may know an address of the machine and no name of the site, and does
not speak HTTPS, so both are answered before anything looks at that.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from datetime import timedelta
from functools import cache

from django.db import DatabaseError, InterfaceError, connection
from django.db.migrations.loader import MigrationLoader
from django.db.migrations.recorder import MigrationRecorder
from django.http import HttpRequest, HttpResponse, JsonResponse
from django.http.response import HttpResponseBase
from django.utils import timezone
from django_q.models import Schedule

# Comes every minute; a worker begins it within half a minute, and without it promises outlive their time.
SIGN_OF_LIFE = "expire orders"
LATEST = timedelta(minutes=3)


class Health:
    """The middleware. What asks for neither address goes on."""

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponseBase]) -> None:
        self.get_response = get_response
        self.answers = {"/healthz": healthz, "/readyz": readyz}

    def __call__(self, request: HttpRequest) -> HttpResponseBase:
        answer = self.answers.get(request.path_info)
        if answer is None:
            return self.get_response(request)
        response = answer()
        response["Cache-Control"] = "no-store"
        return response


def healthz() -> HttpResponse:
    """Answer that there is somebody to answer."""
    return HttpResponse("ok\n", content_type="text/plain")


def readyz() -> HttpResponse:
    """Answer 200, or 503 and what is missing: names of `database`, `migrations`, `worker` with the reason of each."""
    try:
        missing = dict(_missing())
    except (DatabaseError, InterfaceError):
        missing = {"database": "does not answer"}
    return JsonResponse({"ready": not missing, "missing": missing}, status=503 if missing else 200)


def _missing() -> Iterator[tuple[str, str]]:
    if names := sorted(_migrations_to_apply()):
        yield "migrations", f"{len(names)} not applied, first {names[0]}"
        return
    due = Schedule.objects.filter(name=SIGN_OF_LIFE).values_list("next_run", flat=True).first()
    if due is None:
        yield "worker", "none has run yet"
    elif (late := timezone.now() - due) > LATEST:
        yield "worker", f"has done nothing for {late.total_seconds() / 60:.0f} minutes"


def _migrations_to_apply() -> list[str]:
    """Return those of this code that the database does not have."""
    applied = MigrationRecorder(connection).applied_migrations()
    return [".".join(each) for each in _migrations() - applied.keys()]


@cache
def _migrations() -> set[tuple[str, str]]:
    return set(MigrationLoader(None).graph.nodes)
