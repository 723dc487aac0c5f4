"""What the worker has given up: messages that no gateway took, webhooks that nobody answered, jobs that failed."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime
from typing import NamedTuple
from urllib.parse import urlsplit

from django.db import transaction
from django.db.models import QuerySet
from django_q.models import Failure
from django_q.tasks import async_task

from office import trail
from office.list_files import in_turn
from office.models import TrailEntry
from orders.messages.outbox import try_again
from orders.mobiles import scrub
from orders.models import Message
from partners import webhooks
from partners.models import Webhook

WEBHOOK = "webhook-"


class Failed(NamedTuple):
    """One thing that was given up; `id` is what `retry` takes."""

    id: str
    what: str
    when: datetime | None
    why: str


def failed() -> Iterator[Failed]:
    """Yield what was given up: messages, then webhooks, then jobs, the newest first."""
    for message in in_turn(Message.objects.given_up()):
        yield Failed(message.out_id, f"message {message.kind}", message.next_attempt_at, message.error)
    for webhook in in_turn(_webhooks().select_related("partner").order_by("-disabled_at")):
        # What follows the host of an address may be a secret of the partner's.
        host = urlsplit(webhook.url).hostname or ""
        what = f"webhook of {webhook.partner.name} at {host}"
        yield Failed(f"{WEBHOOK}{webhook.code}", what, webhook.disabled_at, webhook.disabled_because)
    for job in in_turn(Failure.objects.all()):
        # The first line of what the library keeps is the error itself; the rest is where it happened.
        reason = str(job.result or "").strip().splitlines()[:1]
        yield Failed(job.id, job.func, job.stopped, scrub(reason[0])[:200] if reason else "")


def _webhooks() -> QuerySet[Webhook]:
    return Webhook.objects.filter(state=Webhook.State.DISABLED).exclude(disabled_because=Webhook.Reason.ASKED)


@transaction.atomic
def retry(failed_id: str) -> bool:
    """Have a failed job, message or webhook tried again; return False if there is none of this id."""
    if "\x00" in failed_id:
        return False
    if failed_id.startswith(WEBHOOK):
        webhook = _webhooks().filter(code=failed_id.removeprefix(WEBHOOK)).first()
        if webhook:
            webhooks.change(webhook, state=Webhook.State.ACTIVE)
            trail.note(TrailEntry.Deed.RETRIED, "webhook", failed_id, webhook.code)
        return webhook is not None
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
