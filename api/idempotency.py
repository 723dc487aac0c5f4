"""
One effect for one key: the header Idempotency-Key (draft-ietf-httpapi-idempotency-key-header-07) of every POST.

The answer is written in the transaction of the deed, under the caller's credentials and the key of the call, and is
given again to whoever asks the same once more. Of what was asked only a keyed hash is kept, because bodies name people;
so answers of doors that do something must name none.
"""

from __future__ import annotations

import hashlib
import json
import re
from collections.abc import Callable
from datetime import timedelta
from typing import Any, NamedTuple

from django.conf import settings
from django.db import connection, transaction
from django.http import HttpRequest, HttpResponse
from django.utils import timezone
from django.utils.translation import gettext as _

from api.models import IdempotencyKey
from api.problems import Refusal

HEADER = "Idempotency-Key"
REPLAYED = "Idempotent-Replayed"
KEPT = timedelta(hours=24)
LONGEST_KEY = 255
RETRY_SECONDS = 1
# A String of RFC 8941, as the draft has it; most clients leave the quotation marks out, and mean the same key.
_WRITTEN = re.compile(r'"([ !#-\[\]-~]+)"|([!#-+\--~]+)')
_KEPT_HEADERS = ("Content-Type", "Content-Language", "Location", "Vary")

_TAKE = "SELECT pg_try_advisory_xact_lock(%s)"
_READ = """
    SELECT fingerprint, status, headers, body FROM api_idempotencykey WHERE client = %s AND key = %s AND created_at > %s
"""
# One that has had its day may lie there until it is swept.
_KEEP = """
    INSERT INTO api_idempotencykey (client, key, fingerprint, status, headers, body, created_at)
    VALUES (%s, %s, %s, %s, %s, %s, %s)
    ON CONFLICT (client, key) DO UPDATE SET fingerprint = excluded.fingerprint, status = excluded.status,
        headers = excluded.headers, body = excluded.body, created_at = excluded.created_at
"""


class Call(NamedTuple):
    """Who asks, under which key, and a hash of what is asked (see `fingerprint`)."""

    client: str
    key: str
    fingerprint: bytes


def key_in(request: HttpRequest) -> str:
    """Return the key that came along. Raises Refusal where there is none, or none that could be."""
    text = request.headers.get(HEADER, "").strip()
    written = _WRITTEN.fullmatch(text)
    key = (written[1] or written[2]) if written else ""
    if not 0 < len(key) <= LONGEST_KEY:
        detail = _("An Idempotency-Key has 1 to %(most)d visible ASCII characters.") % {"most": LONGEST_KEY}
        raise Refusal("idempotency-key-missing", detail if text else "")
    return key


def fingerprint(request: HttpRequest, body: bytes) -> bytes:
    """Return a hash of method, whole address and `body` (or a digest of it). Without our secret nobody can guess."""
    secret = hashlib.sha256(settings.SECRET_KEY.encode()).digest()
    hashed = hashlib.blake2b(digest_size=32, key=secret, person=b"idempotency")
    for part in (str(request.method).encode(), request.get_full_path().encode(), body):
        hashed.update(len(part).to_bytes(8, "big") + part)
    return hashed.digest()


def once(call: Call, deed: Callable[[], HttpResponse]) -> HttpResponse:
    """
    Return the answer of `deed`, or the one that this call got before, which says so in a header.

    `deed` does all of it or nothing. A refusal that it answers with is kept like any answer; what it raises is not, so
    that the call can be mended and sent again under its key. Raises Refusal where the key came with another request
    before, or with one that is being worked on.
    """
    with transaction.atomic(), connection.cursor() as cursor:
        if not _take(cursor, call):
            raise Refusal("still-running", wait=RETRY_SECONDS)
        if before := _read(cursor, call):
            return _again(before, call)
        response = deed()
        if response.status_code < 500:
            _keep(cursor, call, response)
        return response


def _take(cursor: Any, call: Call) -> bool:
    """Take the key until the transaction ends; return False where somebody else has it."""
    number = hashlib.blake2b(f"{call.client}\0{call.key}".encode(), digest_size=8).digest()
    cursor.execute(_TAKE, [int.from_bytes(number, "big", signed=True)])
    return bool(cursor.fetchone()[0])


def _read(cursor: Any, call: Call) -> tuple[Any, ...] | None:
    """Return what was kept of this call, by a query of its own: it sees what whoever had the key before has kept."""
    cursor.execute(_READ, [call.client, call.key, timezone.now() - KEPT])
    return cursor.fetchone()


def _again(before: tuple[Any, ...], call: Call) -> HttpResponse:
    fingerprint, status, headers, body = before
    if bytes(fingerprint) != call.fingerprint:
        raise Refusal("idempotency-key-reused")
    return HttpResponse(bytes(body), status=status, headers=json.loads(headers) | {REPLAYED: "true"})


def _keep(cursor: Any, call: Call, response: HttpResponse) -> None:
    headers = {name: response[name] for name in _KEPT_HEADERS if name in response}
    cursor.execute(_KEEP, [*call, response.status_code, json.dumps(headers), response.content, timezone.now()])


def forget_past_keys() -> int:
    """Delete the answers that were kept for their time; return how many."""
    return IdempotencyKey.objects.filter(created_at__lte=timezone.now() - KEPT).delete()[0]
