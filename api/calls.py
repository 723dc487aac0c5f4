"""How often one caller may call the REST doors, told in every answer (draft-ietf-httpapi-ratelimit-headers)."""

from __future__ import annotations

from typing import Any

from django.http import HttpResponse
from rest_framework.request import Request
from rest_framework.throttling import BaseThrottle

from api.credentials import credentials_of
from api.limits import Limit, Standing, TooManyCalls, address_of, count_call

# Without credentials: enough to try things out, and for a small site that shows a few outlets.
WITHOUT_CREDENTIALS = Limit("api without credentials", most=120, seconds=60)


class CallLimit(BaseThrottle):
    """
    Refuses who has called too often: credentials have one limit for each scope, callers without any have one for all.

    Calls are counted in the database, so that all processes count together; those with credentials together with
    looking these up (`partners.keys`), which saves a statement.
    """

    _wait_seconds = 0

    def allow_request(self, request: Request, view: Any) -> bool:
        credentials = credentials_of(request)
        view.standing = credentials.standing if credentials else _count(request)
        if view.standing.left < 0:
            self._wait_seconds = view.standing.wait_seconds
            view.standing = view.standing._replace(left=0)
        return not self._wait_seconds

    def wait(self) -> float:
        return self._wait_seconds


def _count(request: Request) -> Standing:
    try:
        [standing] = count_call((WITHOUT_CREDENTIALS, address_of(request._request)))
    except TooManyCalls as refusal:
        return Standing(WITHOUT_CREDENTIALS, -1, refusal.wait_seconds)
    return standing


def limit_of(scope: str, calls_per_minute: int) -> Limit:
    """Return the limit of credentials for what needs `scope`; the caller is their prefix."""
    return Limit(f"api {scope}", most=calls_per_minute, seconds=60)


def tell(response: HttpResponse, standing: Standing) -> None:
    """Write what is left of the limit into the answer's headers."""
    limit = standing.limit
    response["RateLimit-Policy"] = f'"default";q={limit.most};w={limit.seconds}'
    response["RateLimit"] = f'"default";r={standing.left};t={standing.wait_seconds}'
