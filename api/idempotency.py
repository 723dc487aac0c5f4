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
from collections.abc import Callable, Sequence
from datetime import timedelta
from typing import Any, NamedTuple

from django.conf import settings
from django.db import transaction
from django.http import HttpRequest, HttpResponse
from django.utils import timezone
from django.utils.translation import gettext as _

from api.models import IdempotencyKey
from api.prepared import Planned
from api.problems import Refusal

HEADER = "Idempotency-Key"
REPLAYED = "Idempotent-Replayed"
KEPT = timedelta(hours=24)
LONGEST_KEY = 255
RETRY_SECONDS = 1
# A String of RFC 8941, as the draft has it; most clients leave the quotation marks out, and mean the same key.
_WRITTEN = re.compile(r'"([ !#-\[\]-~]+)"|([!#-+\--~]+)')
_KEPT_HEADERS = ("Content-Type", "Content-Language", "Location", "Vary")


@Planned
def _kept() -> str:
    return (
        "SELECT taken, fingerprint, status, headers, body FROM api_take_key(%(lock)s, %(client)s, %(key)s, %(since)s)"
    )


@Planned
def _answered() -> str:
    return """
        SELECT api_keep_answer(%(client)s, %(key)s, %(fingerprint)s, %(status)s, %(headers)s, %(body)s, %(moment)s)
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


class Refused(Exception):
    """A deed was refused, and whatever it had done so far must be undone. `response` tells why."""

    def __init__(self, response: HttpResponse) -> None:
        super().__init__(response.status_code)
        self.response = response


def once(call: Call, deed: Callable[[], HttpResponse]) -> HttpResponse:
    """
    Return the answer of `deed`, or the one that this call got before, which says so in a header.

    `deed` is done in the transaction that keeps its answer. Where it raises Refused, all of it is undone and that
    answer is kept; what else it raises is not, so that the call can be mended and sent again under its key. Raises
    Refusal where the key came with another request before, or with one that is being worked on.
    """
    try:
        return _once(call, deed)
    except Refused as refused:
        response = refused.response
    return _once(call, lambda: response)


def _once(call: Call, deed: Callable[[], HttpResponse]) -> HttpResponse:
    with transaction.atomic():
        if before := _take(call):
            return _again(before, call)
        response = deed()
        if response.status_code < 500:
            _keep(call, response)
        return response


def _take(call: Call) -> Sequence[Any] | None:
    """
    Take the key until the transaction ends, and return what was kept of this call; None without.

    Raises Refusal where somebody else has it.
    """
    number = hashlib.blake2b(f"{call.client}\0{call.key}".encode(), digest_size=8).digest()
    lock = int.from_bytes(number, "big", signed=True)
    [(is_taken, *before)] = _kept.rows(lock=lock, client=call.client, key=call.key, since=timezone.now() - KEPT)
    if not is_taken:
        raise Refusal("still-running", wait=RETRY_SECONDS)
    return None if before[0] is None else before


def _again(before: Sequence[Any], call: Call) -> HttpResponse:
    fingerprint, status, headers, body = before
    if bytes(fingerprint) != call.fingerprint:
        raise Refusal("idempotency-key-reused")
    return HttpResponse(bytes(body), status=status, headers=json.loads(headers) | {REPLAYED: "true"})


def _keep(call: Call, response: HttpResponse) -> None:
    headers = {name: response[name] for name in _KEPT_HEADERS if name in response}
    _answered.rows(
        **call._asdict(),
        status=response.status_code,
        headers=json.dumps(headers),
        body=response.content,
        moment=timezone.now(),
    )


def forget_past_keys() -> int:
    """Delete the answers that were kept for their time; return how many."""
    return IdempotencyKey.objects.filter(created_at__lte=timezone.now() - KEPT).delete()[0]
