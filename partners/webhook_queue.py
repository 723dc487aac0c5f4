"""
What is to be delivered, to whom, and what becomes of it.

Events come from the feed into deliveries, some for each webhook and never more than MOST_WAITING: the rest waits in the
feed. A sender claims deliveries for a while, so one that is killed loses none. Of an outlet a webhook gets one after
the other; a receiver that is slow or failing gets one at a time, so that it holds up nobody else.
"""

from __future__ import annotations

import json
import logging
import random
from collections.abc import Sequence
from datetime import datetime, timedelta
from typing import Any

from django.conf import settings
from django.db import connection, transaction
from django.utils import timezone

from events.feed import Place, kept
from partners import feed
from partners.models import Delivery, Webhook
from partners.webhook_models import PING
from partners.webhook_sending import Outcome
from stores.models import Outlet

logger = logging.getLogger(__name__)

MOST_WAITING = 500
AT_ONCE = 100
# Longer than an attempt takes, with the answer of a slow name server.
CLAIM = timedelta(seconds=90)
MOST_IN_FLIGHT = 8
# Who fails so often in a row, or takes so long, gets one delivery at a time.
FAILURES_TO_REST = 3
SLOW_MS = 1000
# 5 seconds, then three times as long each time, up to 6 hours: about 20 attempts in three days.
FIRST_WAIT, LONGEST_WAIT = timedelta(seconds=5), timedelta(hours=6)
GIVEN_UP_AFTER = timedelta(days=3)


def fan_out() -> int:
    """Make deliveries of what happened, for each webhook that is behind; return how many."""
    end = kept().end
    behind = Webhook.objects.filter(state=Webhook.State.ACTIVE, tick__lt=end.tick).values_list("pk", flat=True)
    return sum(_fan_out(pk) for pk in list(behind))


@transaction.atomic
def _fan_out(pk: int) -> int:
    # One at a time, or two workers would each make the same deliveries; who comes second leaves it alone.
    webhook = Webhook.objects.select_for_update(skip_locked=True).filter(pk=pk, state=Webhook.State.ACTIVE).first()
    if webhook is None or webhook.deliveries.filter(state=Delivery.State.WAITING).count() >= MOST_WAITING:
        return 0
    place = Place(webhook.tick, webhook.event_id)
    try:
        page = feed.read(
            webhook.reach, place, types=webhook.types or None, outlets=webhook.outlets or None, limit=AT_ONCE
        )
    except feed.ForgottenEvents:
        disable(webhook, Webhook.Reason.EVENTS_FORGOTTEN, timezone.now())
        return 0
    codes = {event["outlet"] for event in page.events if event["outlet"]}
    outlets = dict(Outlet.objects.filter(code__in=codes).values_list("code", "pk"))
    now = timezone.now()
    Delivery.objects.bulk_create(
        Delivery(
            webhook=webhook,
            round=webhook.round,
            tick=place.tick,
            event_id=place.id,
            outlet_id=outlets.get(event["outlet"], 0),
            type=event["type"],
            body=json.dumps(event, ensure_ascii=False),
            created_at=now,
            next_attempt_at=now,
        )
        for event in page.events
        for place in [Place.of(event["id"])]
    )
    Webhook.objects.filter(pk=pk).update(tick=page.cursor.tick, event_id=page.cursor.id)
    return len(page.events)


# The first of each outlet that is not under way. A partner whose keys have all ended is told nothing more.
_CLAIM = """
WITH ready AS (
    SELECT w.id, w.state, CASE WHEN w.failures >= %(failures)s OR w.last_ms >= %(slow)s THEN 1 ELSE %(most)s END
        - (SELECT count(*) FROM partners_delivery f
           WHERE f.webhook_id = w.id AND f.state = 'waiting' AND f.claimed_until > %(now)s) AS room
    FROM partners_webhook w
    WHERE (w.state = 'active' AND coalesce(w.rest_until, %(now)s) <= %(now)s
           OR EXISTS (SELECT FROM partners_delivery p WHERE p.webhook_id = w.id AND p.state = 'waiting' AND p.tick = 0))
        AND EXISTS (
            SELECT FROM partners_apikey k WHERE k.partner_id = w.partner_id AND k.revoked_at IS NULL
                AND (k.expires_at IS NULL OR k.expires_at > %(now)s) AND 'webhooks:manage' = ANY (k.scopes))
), due AS (
    SELECT d.id FROM ready CROSS JOIN LATERAL (
        SELECT id FROM partners_delivery d
        WHERE d.webhook_id = ready.id AND d.state = 'waiting' AND d.next_attempt_at <= %(now)s
            AND coalesce(d.claimed_until, %(now)s) <= %(now)s AND (ready.state = 'active' OR d.tick = 0)
            AND NOT EXISTS (
                SELECT FROM partners_delivery e
                WHERE e.webhook_id = d.webhook_id AND e.outlet_id = d.outlet_id AND e.state = 'waiting'
                    AND (e.tick, e.event_id) < (d.tick, d.event_id))
        ORDER BY d.tick, d.event_id LIMIT greatest(ready.room, 0) FOR UPDATE SKIP LOCKED
    ) AS d
    ORDER BY ready.room DESC, random() LIMIT %(limit)s
)
UPDATE partners_delivery d SET claimed_until = %(until)s, attempts = attempts + 1,
    first_attempt_at = coalesce(first_attempt_at, %(now)s), last_attempt_at = %(now)s
FROM due WHERE d.id = due.id RETURNING d.id
"""


def claim(limit: int, *, now: datetime | None = None) -> Sequence[Delivery]:
    """Take up to `limit` deliveries whose time has come, for CLAIM; with their webhooks. Two queries."""
    now = now or timezone.now()
    parameters: dict[str, Any] = {
        "now": now,
        "until": now + CLAIM,
        "limit": limit,
        "failures": FAILURES_TO_REST,
        "slow": SLOW_MS,
        "most": MOST_IN_FLIGHT,
    }
    with connection.cursor() as cursor:
        cursor.execute(_CLAIM, parameters)
        claimed = [pk for (pk,) in cursor.fetchall()]
    return list(Delivery.objects.filter(pk__in=claimed).select_related("webhook")) if claimed else []


@transaction.atomic
def note(delivery: Delivery, outcome: Outcome, *, now: datetime | None = None) -> None:
    """Write down what became of an attempt, unless somebody else has taken the delivery up meanwhile."""
    now = now or timezone.now()
    webhook = Webhook.objects.select_for_update().filter(pk=delivery.webhook_id).first()
    mine = Delivery.objects.filter(pk=delivery.pk, state=Delivery.State.WAITING, attempts=delivery.attempts)
    told = {"status": outcome.status, "error": outcome.error, "duration_ms": outcome.duration_ms, "claimed_until": None}
    if webhook is None:
        return
    if outcome.has_arrived:
        mine.update(state=Delivery.State.DELIVERED, delivered_at=now, **told)
        _note_webhook(webhook, failures=0, last_ms=outcome.duration_ms, rest_until=None)
        return
    if delivery.type == PING:
        mine.update(state=Delivery.State.FAILED, **told)
        return
    wait = max(_wait(delivery.attempts), timedelta(seconds=outcome.retry_after))
    mine.update(next_attempt_at=now + wait, **told)
    failures = webhook.failures + 1
    rests = failures >= FAILURES_TO_REST or outcome.retry_after
    rest = {"rest_until": now + wait} if rests else {}
    _note_webhook(webhook, failures=failures, last_ms=outcome.duration_ms, **rest)
    if outcome.status == 410:
        disable(webhook, Webhook.Reason.GONE, now)
    elif now - (delivery.first_attempt_at or now) >= GIVEN_UP_AFTER:
        disable(webhook, Webhook.Reason.FAILING, now)


def _note_webhook(webhook: Webhook, **values: object) -> None:
    Webhook.objects.filter(pk=webhook.pk).update(**values)


def _wait(attempts: int) -> timedelta:
    """Return how long to wait after so many attempts; not the same for all, so that they do not come back together."""
    longest = min(FIRST_WAIT * 3 ** min(attempts - 1, 20), LONGEST_WAIT)
    return longest * random.uniform(0.8, 1.2)  # noqa: S311 - nobody gains by guessing it


def disable(webhook: Webhook, reason: Webhook.Reason, now: datetime) -> None:
    """Deliver nothing more until the partner enables it again. What waits stays."""
    changed = Webhook.objects.filter(pk=webhook.pk, state=Webhook.State.ACTIVE).update(
        state=Webhook.State.DISABLED, disabled_at=now, disabled_because=reason
    )
    if changed and reason != Webhook.Reason.ASKED:
        logger.warning("Webhook %s of partner %d is disabled: %s", webhook.code, webhook.partner_id, reason.value)


def forget_old_deliveries() -> int:
    """Forget deliveries that were made more than EVENT_DAYS ago and do not wait any more; return how many."""
    before = timezone.now() - timedelta(days=settings.EVENT_DAYS)
    done = Delivery.objects.filter(created_at__lt=before).exclude(state=Delivery.State.WAITING)
    return done.delete()[0]
