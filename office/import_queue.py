"""
Files of outlets that are to be applied: the worker does it, and the page tells how far it is.

Each is applied as a whole in one transaction. A file whose worker was killed is begun anew, and one that was applied is
not applied again. How far it is has to be seen before that transaction ends, so it is written on another connection.
"""

from __future__ import annotations

import logging
from collections.abc import Callable, Iterator
from contextlib import contextmanager

from django.db import connection
from django.db.models import F
from django.utils import timezone, translation
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy
from django_q.tasks import async_task

from catalog.acting import acting_as
from office.imports import ImportRefused, apply, refuse_if_applied
from office.models import OutletImport
from stores.models import Person

# As `apply` and `follow_changes` go on.
STEPS = (
    gettext_lazy("The table is read and checked."),
    gettext_lazy("The outlets are written."),
    gettext_lazy("The outlets of each region are counted."),
    gettext_lazy("The finder learns names and places."),
    gettext_lazy("The stock of each region is added up."),
    gettext_lazy("The maps are drawn."),
)
MOST_ATTEMPTS = 3
LOCK = 6_818

logger = logging.getLogger(__name__)


def ask(kept: OutletImport, fingerprint: str, person: Person) -> None:
    """
    Have a file applied as it was shown under `fingerprint`, for `person`, who is told in the active language.

    Asked again while that is under way, nothing changes. Raises ImportRefused for a file that was applied.
    """
    refuse_if_applied(kept)
    if len(fingerprint) != 64 or not set(fingerprint) <= set("0123456789abcdef"):
        raise ImportRefused(_("Please look at the file first."))
    OutletImport.objects.filter(pk=kept.pk, asked_at=None, applied_at=None).update(
        asked_at=timezone.now(),
        asked_by=person,
        fingerprint=fingerprint,
        language=translation.get_language(),
        attempts=0,
        step=0,
        refusal="",
    )
    # It goes by the clock, too, if this one gets lost.
    async_task("office.import_queue.apply_waiting")


def apply_waiting() -> int:
    """Apply the files that wait, and those whose worker was killed; return how many were dealt with."""
    done = 0
    for number in OutletImport.objects.exclude(asked_at=None).order_by("asked_at").values_list("pk", flat=True):
        with connection.cursor() as cursor:
            # Held by the connection: it ends with the worker, however that ends.
            cursor.execute("SELECT pg_try_advisory_lock(%s, %s)", [LOCK, number])
            if not cursor.fetchone()[0]:
                continue
            try:
                done += _take_up(number)
            finally:
                cursor.execute("SELECT pg_advisory_unlock(%s, %s)", [LOCK, number])
    return done


def _take_up(number: int) -> bool:
    waiting = OutletImport.objects.filter(pk=number).exclude(asked_at=None)
    if not waiting.update(attempts=F("attempts") + 1, step=0):
        return False
    kept = waiting.defer("content").select_related("asked_by").get()
    assert kept.asked_by  # noqa: S101 - for type checkers; a constraint says so
    with translation.override(kept.language):
        try:
            with _steps_of(number) as on_step, acting_as(kept.asked_by.actor):
                apply(number, kept.fingerprint, on_step)
        except ImportRefused as refused:
            _give_back(number, str(refused))
        except Exception:
            logger.exception("The outlets of file %s could not be written.", number)
            if kept.attempts >= MOST_ATTEMPTS:
                _give_back(number, _("It could not be written, and nothing was. Please tell whoever looks after it."))
    return True


def _give_back(number: int, why: str) -> None:
    """Let the file be looked at again, with the reason why nothing was written."""
    OutletImport.objects.filter(pk=number, applied_at=None).update(asked_at=None, asked_by=None, refusal=why[:200])


@contextmanager
def _steps_of(number: int) -> Iterator[Callable[[], None]]:
    """Let the block call what it gets as each step begins."""
    beside = connection.copy()

    def on_step() -> None:
        with beside.cursor() as cursor:
            cursor.execute("UPDATE office_outletimport SET step = step + 1 WHERE id = %s", [number])

    try:
        yield on_step
    finally:
        beside.close()
