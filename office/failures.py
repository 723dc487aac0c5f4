"""What the worker has given up: runs of jobs that failed, and messages that no gateway took."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime
from typing import NamedTuple

from django.db import transaction
from django_q.models import Failure
from django_q.tasks import async_task

from office import trail
from office.models import TrailEntry
from orders.messages.outbox import try_again
from orders.mobiles import scrub
from orders.models import Message


class Failed(NamedTuple):
    """One thing that was given up; `id` is what `retry` takes."""

    id: str
    what: str
    when: datetime
    why: str


def failed() -> Iterator[Failed]:
    """Yield what was given up, messages first, the newest job first."""
    for message in Message.objects.given_up():
        yield Failed(message.out_id, f"message {message.kind}", message.next_attempt_at, message.error)
    for job in Failure.objects.all():
        # The first line of what the library keeps is the error itself; the rest is where it happened.
        reason = str(job.result or "").strip().splitlines()[:1]
        yield Failed(job.id, job.func, job.stopped, scrub(reason[0])[:200] if reason else "")


@transaction.atomic
def retry(failed_id: str) -> bool:
    """Have a failed job or message tried again; return False if there is none of this id."""
    if "\x00" in failed_id:
        return False
    job = Failure.objects.select_for_update().filter(pk=failed_id).first()
    if job:
        async_task(job.func, *job.args, **job.kwargs)
        job.delete()
        trail.note(TrailEntry.Deed.RETRIED, "job", failed_id, job.func)
        return True
    number, _, rest = failed_id.partition("-")
    seq, _, kind = rest.partition("-")
    if not (number.isdecimal() and seq.isdecimal()):
        return False
    message = Message.objects.given_up().filter(number=number, change_seq=int(seq), kind=kind).first()
    if message:
        try_again(message)
        trail.note(TrailEntry.Deed.RETRIED, "message", failed_id, message.number)
    return message is not None
