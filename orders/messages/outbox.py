"""
Sending what waits in the outbox, each message once.

A sender claims messages by moving their next attempt into the future, so that others pass them by and a sender that is
killed loses none. Whoever takes up a message again asks the gateway first whether the lost attempt had arrived.
"""

from __future__ import annotations

import logging
from collections.abc import Sequence
from datetime import datetime, timedelta
from typing import Any

from django.conf import settings
from django.db import connection
from django.utils import timezone

from orders.messages.backends import Backend, ConsoleBackend, FileBackend, SendFailed, Sms
from orders.messages.texts import render, render_walk_in
from orders.mobiles import mask_mobile, scrub
from orders.models import Message, State, WalkInMessage

logger = logging.getLogger(__name__)

AnyMessage = Message | WalkInMessage

# As many as one sender surely gets through while its claim lasts, each with a question and an answer of 15 seconds.
BATCH = 10
CLAIM = timedelta(minutes=6)
FIRST_WAIT, LONGEST_WAIT = timedelta(seconds=30), timedelta(hours=1)

_CLAIM = """
WITH due AS (
    SELECT {key} FROM {table}
    WHERE state = 'waiting' AND next_attempt_at <= %s
    ORDER BY next_attempt_at LIMIT %s FOR UPDATE SKIP LOCKED
)
UPDATE {table} SET attempts = attempts + 1, next_attempt_at = %s
WHERE ({key}) IN (SELECT {key} FROM due) RETURNING {key}
"""
# The outbox is two tables, told apart by what their messages are about. The columns of each one's key:
ORDER_KEY = "outlet_id, number, change_seq, kind"
WALK_IN_KEY = "outlet_id, phone_id, seq"


def send_due(*, now: datetime | None = None, limit: int = BATCH) -> int:
    """Send up to `limit` messages whose time has come; return how many were taken up, sent or not."""
    messages = _claim(now or timezone.now(), limit)
    if messages:
        backend = get_backend()
        for message in messages:
            _deal_with(message, backend)
    return len(messages)


def _claim(now: datetime, limit: int) -> Sequence[AnyMessage]:
    found: list[AnyMessage] = []
    if keys := _claimed(Message._meta.db_table, ORDER_KEY, now, limit):
        # By the order's columns the database finds them; telling kinds apart is left to Python.
        messages = Message.objects.filter(pk__in=keys)
        found += messages.select_related("order__outlet").prefetch_related("order__lines")
    if keys := _claimed(WalkInMessage._meta.db_table, WALK_IN_KEY, now, limit - len(found)):
        found += WalkInMessage.objects.filter(pk__in=keys).select_related("sale__outlet", "sale__phone")
    return sorted(found, key=lambda message: message.created_at)


def _claimed(table: str, key: str, now: datetime, limit: int) -> list[tuple[Any, ...]]:
    with connection.cursor() as cursor:
        cursor.execute(_CLAIM.format(table=table, key=key), [now, limit, now + CLAIM])
        return cursor.fetchall()


def _deal_with(message: AnyMessage, backend: Backend) -> None:
    if _is_outdated(message):
        _note(message, state=Message.State.OUTDATED)
        return
    try:
        text = render_walk_in(message) if isinstance(message, WalkInMessage) else render(message.kind, message.order)
        sms = Sms(
            out_id=message.out_id,
            mobile=message.mobile,
            words=text.words,
            template=text.template,
            facts=text.facts,
            created_at=message.created_at,
        )
        receipt = (backend.find(sms) if message.attempts > 1 else None) or backend.send(sms)
    except SendFailed as failure:
        _failed(message, failure)
    except Exception as error:
        # A text that cannot be made must not keep the others from being sent.
        logger.exception("Message %s could not be made", message.out_id)
        _failed(message, SendFailed(type(error).__name__))
    else:
        _note(
            message, state=Message.State.SENT, sent_at=timezone.now(), receipt=receipt[:100], segments=text.segments,
            error="",
        )  # fmt: skip
        logger.info("Sent %s to %s", message.out_id, mask_mobile(message.mobile))


def _is_outdated(message: AnyMessage) -> bool:
    """Whether it would tell something that is no longer true, or to nobody."""
    if isinstance(message, WalkInMessage):
        return False
    order = message.order
    if order.erased_at:
        return True
    match message.kind:
        case Message.Kind.PLACED | Message.Kind.MOVED | Message.Kind.ESCALATED:
            return not order.is_open
        case Message.Kind.READY:
            return order.state != State.READY
        case Message.Kind.REMINDER:
            return not order.is_open or order.held_until <= timezone.now()
    return False


def _failed(message: AnyMessage, failure: SendFailed) -> None:
    reason = scrub(str(failure))[:200]
    give_up = failure.lasting or message.attempts >= settings.SMS_ATTEMPTS
    wait = min(FIRST_WAIT * 2 ** (message.attempts - 1), LONGEST_WAIT)
    state = Message.State.GIVEN_UP if give_up else Message.State.WAITING
    _note(message, state=state, next_attempt_at=timezone.now() + wait, error=reason)
    logger.warning("Message %s was not sent (%s)", message.out_id, reason)


def _note(message: AnyMessage, **changes: object) -> None:
    """Write what became of this attempt, unless the message was dealt with by another sender meanwhile."""
    if isinstance(message, WalkInMessage) and changes["state"] != Message.State.WAITING:
        # Nothing needs the number any more.
        changes["mobile"] = ""
    waiting = {"pk": message.pk, "state": Message.State.WAITING, "attempts": message.attempts}
    type(message)._default_manager.filter(**waiting).update(**changes)


def try_again(message: Message) -> None:
    """Put a message that was given up back into the outbox, with all its attempts before it."""
    Message.objects.filter(pk=message.pk, state=Message.State.GIVEN_UP).update(
        state=Message.State.WAITING, attempts=1, next_attempt_at=timezone.now()
    )


def get_backend() -> Backend:
    """Return the way out that the settings name."""
    if settings.SMS_BACKEND == "aliyun":
        # An optional package, and slow to import.
        from orders.messages.aliyun import AliyunBackend

        return AliyunBackend()
    return FileBackend() if settings.SMS_BACKEND == "file" else ConsoleBackend()
