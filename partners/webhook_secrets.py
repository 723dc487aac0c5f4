"""
Signing what is delivered, by the Standard Webhooks scheme (standardwebhooks.com).

A secret is derived from a key of the settings and the salt of its webhook: a copy of the database signs nothing.
"""

from __future__ import annotations

import base64
import hashlib
import hmac
import secrets
from datetime import UTC, datetime, timedelta

from django.conf import settings
from standardwebhooks import Webhook as Signer

from partners.webhook_models import Webhook

# For how long the secret before signs, too.
OVERLAP = timedelta(hours=24)


def new_salt() -> str:
    return secrets.token_hex(16)


def secret_of(webhook: Webhook, salt: str = "") -> str:
    """Return the secret of a webhook, or the one that it had with an older salt."""
    text = f"webhook {webhook.code} {salt or webhook.salt}"
    secret = hmac.new(settings.WEBHOOK_KEY.encode(), text.encode(), hashlib.sha256).digest()
    return f"whsec_{base64.b64encode(secret).decode()}"


def headers_of(webhook: Webhook, message_id: str, body: str, moment: datetime) -> dict[str, str]:
    """Return the three headers of the scheme: with two signatures while an old secret is still good."""
    signing = [secret_of(webhook)]
    if webhook.old_secret_until and moment < webhook.old_secret_until:
        signing.append(secret_of(webhook, webhook.old_salt))
    # The library takes the clock of any time zone for UTC, and whole seconds are what the header has.
    moment = moment.astimezone(UTC).replace(microsecond=0)
    return {
        "webhook-id": message_id,
        "webhook-timestamp": str(int(moment.timestamp())),
        "webhook-signature": " ".join(Signer(secret).sign(message_id, moment, body) for secret in signing),
    }
