"""What partners do with their webhooks: make, change, disable and delete them, renew secrets, replay, ping."""

from __future__ import annotations

import json
import secrets
import string
import time
from collections.abc import Sequence
from typing import Any

from django.db import transaction
from django.db.models import Q, QuerySet
from django.utils import timezone

from api.resources import in_utc
from events.feed import Place, kept
from partners.callers import Caller
from partners.feed import ForgottenEvents, UnknownPlace
from partners.models import Delivery, Webhook
from partners.webhook_models import CODE_LENGTH, PING
from partners.webhook_queue import disable
from partners.webhook_secrets import OVERLAP, new_salt

MOST_WEBHOOKS = 50
_LETTERS = string.ascii_lowercase + string.digits


class TooManyWebhooks(Exception):
    """The partner has as many as it may."""


def webhooks_of(caller: Caller) -> QuerySet[Webhook]:
    """
    Return the webhooks of the caller's partner that tell no more than the caller may know.

    A key that is held to some outlets or phones sees those of the same reach, so nobody gets more by pointing the
    webhook of a wider key elsewhere.
    """
    partner, key = caller
    mine = Webhook.objects.filter(partner=partner, reach_scopes__contained_by=list(key.scopes))
    if key.outlets or key.regions or key.phones:
        mine = mine.filter(
            reach_outlets=list(key.outlets), reach_regions=list(key.regions), reach_phones=list(key.phones)
        )
    return mine


@transaction.atomic
def subscribe(caller: Caller, *, url: str, types: Sequence[str], outlets: Sequence[str]) -> Webhook:
    """Make a webhook that tells what happens from now on, as far as the key reaches. Raises TooManyWebhooks."""
    partner, key = caller
    # The partner's row keeps two callers from both making the last one.
    type(partner).objects.select_for_update().get(pk=partner.pk)
    if Webhook.objects.filter(partner=partner).count() >= MOST_WEBHOOKS:
        raise TooManyWebhooks
    end = kept().end
    return Webhook.objects.create(
        partner=partner,
        code="".join(secrets.choice(_LETTERS) for _letter in range(CODE_LENGTH)),
        url=url,
        types=list(types),
        outlets=list(outlets),
        reach_scopes=list(key.scopes),
        reach_outlets=list(key.outlets),
        reach_regions=list(key.regions),
        reach_phones=list(key.phones),
        salt=new_salt(),
        tick=end.tick,
        event_id=end.id,
    )


@transaction.atomic
def change(webhook: Webhook, **values: Any) -> Webhook:
    """Change `url`, `types` or `outlets`, and disable it or enable it again by `state`; return it as it is now."""
    webhook = _locked(webhook)
    state = values.pop("state", webhook.state)
    for name, value in values.items():
        setattr(webhook, name, value)
    webhook.save(update_fields=list(values))
    if state == Webhook.State.DISABLED:
        disable(webhook, Webhook.Reason.ASKED, timezone.now())
    elif webhook.state == Webhook.State.DISABLED:
        _enable(webhook)
    webhook.refresh_from_db()
    return webhook


def _enable(webhook: Webhook) -> None:
    """Begin anew where it stood, or with the oldest event that is kept; what waits is tried at once, for three days."""
    first = kept().first
    place = max(Place(webhook.tick, webhook.event_id), first)
    Webhook.objects.filter(pk=webhook.pk).update(
        state=Webhook.State.ACTIVE, disabled_at=None, disabled_because="", failures=0, rest_until=None,
        tick=place.tick, event_id=place.id,
    )  # fmt: skip
    webhook.deliveries.filter(state=Delivery.State.WAITING).update(
        next_attempt_at=timezone.now(), first_attempt_at=None
    )


@transaction.atomic
def rotate_secret(webhook: Webhook) -> Webhook:
    """Give it a new secret. The one before signs, too, for OVERLAP."""
    webhook = _locked(webhook)
    webhook.old_salt, webhook.salt = webhook.salt, new_salt()
    webhook.old_secret_until = timezone.now() + OVERLAP
    webhook.save(update_fields=["old_salt", "salt", "old_secret_until"])
    return webhook


@transaction.atomic
def replay(webhook: Webhook, after: Place) -> None:
    """
    Deliver again everything after a place of the feed. What waits of it is put back and comes in its turn.

    Raises ForgottenEvents, UnknownPlace.
    """
    webhook, there = _locked(webhook), kept()
    if after.tick < there.first.tick:
        raise ForgottenEvents
    if after > Place(webhook.tick, webhook.event_id):
        raise UnknownPlace
    behind = Q(tick__gt=after.tick) | Q(tick=after.tick, event_id__gt=after.id)
    webhook.deliveries.filter(behind, state=Delivery.State.WAITING, tick__gt=0).delete()
    webhook.tick, webhook.event_id, webhook.round = after.tick, after.id, webhook.round + 1
    webhook.save(update_fields=["tick", "event_id", "round"])


def ping(webhook: Webhook) -> Delivery:
    """Send a test to the address, once, also where the webhook is disabled; return the delivery that tells of it."""
    now, number = timezone.now(), time.time_ns()
    event: dict[str, Any] = {
        "id": f"0-{number}",
        "type": PING,
        "timestamp": in_utc(now),
        "outlet": None,
        "phone": None,
        "data": {},
    }
    return Delivery.objects.create(
        webhook=webhook,
        round=webhook.round,
        tick=0,
        event_id=number,
        # Of no outlet, and it does not keep any waiting.
        outlet_id=-1,
        type=PING,
        body=json.dumps(event),
        created_at=now,
        next_attempt_at=now,
    )


def _locked(webhook: Webhook) -> Webhook:
    return Webhook.objects.select_for_update().get(pk=webhook.pk)
