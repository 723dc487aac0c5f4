"""
Keys: given out once, known by a hash from then on, ended at once.

A key is `cunpu_PREFIX_SECRET`. The secret has 256 random bits, so a plain SHA-256 of it tells nobody anything, and
checking it costs one look-up.
"""

from __future__ import annotations

import hashlib
import re
import secrets
import string
from collections.abc import Sequence
from datetime import datetime, timedelta
from typing import Any, NamedTuple

from django.db import DEFAULT_DB_ALIAS, transaction
from django.db.models import Q
from django.utils import timezone
from django.utils.translation import gettext as _
from drf_spectacular.extensions import OpenApiAuthenticationExtension
from rest_framework.authentication import BaseAuthentication
from rest_framework.exceptions import AuthenticationFailed
from rest_framework.request import Request

from api.calls import limit_of
from api.credentials import SCOPES
from api.limits import Standing, counter_of, counting
from api.prepared import Planned
from catalog.models import Phone
from partners.models import PREFIX_LENGTH, USUAL_CALLS, ApiKey, Partner, is_good
from stores.models import Outlet, Region

KEY = re.compile(rf"cunpu_([a-z0-9]{{{PREFIX_LENGTH}}})_([A-Za-z0-9_-]{{43}})")
# How exactly "last used" is known; a write for every call would cost more than it tells.
LAST_USED_STEP = timedelta(minutes=1)
_LETTERS = string.ascii_lowercase + string.digits


class BadReach(ValueError):
    """A key was to reach an outlet, a region or a phone that is not there."""


def check_reach(outlets: Sequence[str], regions: Sequence[str], phones: Sequence[str]) -> None:
    """Raise BadReach unless there are these outlets and regions (by code) and phones (by slug)."""
    for named, known, text in (
        (outlets, Outlet.objects.filter(code__in=outlets).values_list("code", flat=True), _("There is no outlet %s.")),
        (regions, Region.objects.filter(code__in=regions).values_list("code", flat=True), _("There is no region %s.")),
        (phones, Phone.objects.filter(slug__in=phones).values_list("slug", flat=True), _("There is no phone %s.")),
    ):
        if missing := set(named) - set(known):
            raise BadReach(text % ", ".join(sorted(missing)))


def issue_key(
    partner: Partner,
    scopes: Sequence[str],
    *,
    expires_at: datetime | None = None,
    outlets: Sequence[str] = (),
    regions: Sequence[str] = (),
    phones: Sequence[str] = (),
    calls_per_minute: int = USUAL_CALLS,
) -> str:
    """Give `partner` a new key; return it. It cannot be shown again."""
    prefix = "".join(secrets.choice(_LETTERS) for _letter in range(PREFIX_LENGTH))
    secret = secrets.token_urlsafe(32)
    ApiKey.objects.create(
        partner=partner,
        prefix=prefix,
        secret_hash=_hashed(secret),
        scopes=list(scopes),
        expires_at=expires_at,
        outlets=list(outlets),
        regions=list(regions),
        phones=list(phones),
        calls_per_minute=calls_per_minute,
    )
    return f"cunpu_{prefix}_{secret}"


def revoke_key(prefix: str, moment: datetime) -> bool:
    """End a key at once; return False if there is none of this prefix that has not ended so before."""
    return ApiKey.objects.filter(prefix=prefix, revoked_at=None).update(revoked_at=moment) == 1


@transaction.atomic
def rotate_key(prefix: str, moment: datetime, overlap: timedelta) -> str | None:
    """
    Return a new key that may do what the key of this prefix may, which ends `overlap` after `moment`, or when it would.

    The new one ends when the old one would have. None where there is no key of this prefix that is good.
    """
    old = ApiKey.objects.select_for_update().select_related("partner").filter(prefix=prefix).first()
    if old is None or not old.is_good(moment):
        return None
    new = issue_key(
        old.partner,
        old.scopes,
        expires_at=old.expires_at,
        outlets=old.outlets,
        regions=old.regions,
        phones=old.phones,
        calls_per_minute=old.calls_per_minute,
    )
    old.expires_at = min(old.expires_at or moment + overlap, moment + overlap)
    old.save(update_fields=["expires_at"])
    return new


class KeyInUse(NamedTuple):
    """A key that came along with a call, good or not: what doors ask of it (`api.credentials.CalledWith`)."""

    id: int
    partner_id: int
    prefix: str
    scopes: list[str]
    outlets: list[str]
    regions: list[str]
    phones: list[str]
    expires_at: datetime | None
    revoked_at: datetime | None
    last_used_at: datetime | None
    standing: Standing

    def record(self) -> ApiKey:
        """Return what the database keeps of it, without asking it."""
        return ApiKey.from_db(DEFAULT_DB_ALIAS, _COLUMNS, self[: len(_COLUMNS)])


_COLUMNS = KeyInUse._fields[: KeyInUse._fields.index("standing")]


class KeyAuthentication(BaseAuthentication):
    """
    Reads `Authorization: Bearer KEY`.

    One query finds the key and counts the call; one write a minute says of each key that it is in use.
    """

    def authenticate(self, request: Request) -> tuple[int, KeyInUse] | None:
        header = request.META.get("HTTP_AUTHORIZATION", "")
        if not header.strip():
            return None
        scheme, _space, text = header.partition(" ")
        typed = KEY.fullmatch(text.strip())
        if scheme.lower() != "bearer" or not typed:
            raise AuthenticationFailed(_("Authorization must be Bearer and a key."))
        view: Any = request.parser_context["view"]
        prefix, secret = typed.groups()
        key = _called(prefix, secret, view.scope_for(request.method))
        moment = timezone.now()
        # One answer for all of it: a stranger learns nothing about a key.
        if key is None or not is_good(moment, key.expires_at, key.revoked_at):
            raise AuthenticationFailed(_("There is no such key, or it has expired or been revoked."))
        _note_use(key, moment)
        # Doors that only tell do not ask for more of the partner (see `partners.callers`).
        return key.partner_id, key

    def authenticate_header(self, request: Request) -> str:
        return 'Bearer realm="api"'


# Whoever can send a secret with a wanted hash has the secret, so how long a comparison takes tells nothing.
@Planned
def _key_and_call() -> str:
    called = "(SELECT %(counter)s::uuid AS key, %(seconds)s::int AS seconds FROM found) AS called"
    return f"""
        WITH found AS (
            SELECT calls_per_minute, {", ".join(_COLUMNS)} FROM partners_apikey
            WHERE prefix = %(prefix)s AND secret_hash = %(secret_hash)s
        ), counted AS ({counting(called)})
        SELECT counted.calls, counted.wait_seconds, found.* FROM found, counted
    """  # noqa: S608 - names of columns


def _called(prefix: str, secret: str, scope: str) -> KeyInUse | None:
    """Return the key, good or not, with the call counted; None where there is none. One query."""
    limit = limit_of(scope, 0)
    counter = str(counter_of(limit, prefix))
    rows = _key_and_call.rows(counter=counter, seconds=limit.seconds, prefix=prefix, secret_hash=_hashed(secret))
    if not rows:
        return None
    calls, wait_seconds, most, *values = rows[0]
    return KeyInUse._make((*values, Standing.after(limit_of(scope, most), calls, wait_seconds)))


def _note_use(key: KeyInUse, moment: datetime) -> None:
    before = moment - LAST_USED_STEP
    if key.last_used_at is None or key.last_used_at < before:
        # The condition once more: of several callers at once one writes.
        long_ago = Q(last_used_at=None) | Q(last_used_at__lt=before)
        ApiKey.objects.filter(long_ago, pk=key.id).update(last_used_at=moment)


def _hashed(secret: str) -> str:
    return hashlib.sha256(secret.encode()).hexdigest()


class KeySchema(OpenApiAuthenticationExtension):
    """Tells the OpenAPI schema how to send a key."""

    target_class = "partners.keys.KeyAuthentication"
    name = "key"

    def get_security_definition(self, auto_schema: Any) -> dict[str, Any]:
        scopes = "; ".join(f"`{scope}`: {meaning}" for scope, meaning in SCOPES.items())
        return {"type": "http", "scheme": "bearer", "description": f"A key from head office. Scopes: {scopes}."}
