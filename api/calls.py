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
    """Counts each call in the database, so that all processes count together."""

    _wait_seconds = 0

    def allow_request(self, request: Request, view: Any) -> bool:
        limit, caller = limit_of(request, view.scope_for(request.method))
        try:
            [standing] = count_call((limit, caller))
        except TooManyCalls as refusal:
            self._wait_seconds = refusal.wait_seconds
            standing = Standing(limit, 0, refusal.wait_seconds)
        view.standing = standing
        return not self._wait_seconds

    def wait(self) -> float:
        return self._wait_seconds


def limit_of(request: Request, scope: str) -> tuple[Limit, str]:
    """Return which limit a call counts against, and as whose: credentials have one for each scope, others for all."""
    credentials = credentials_of(request)
    if credentials is None:
        return WITHOUT_CREDENTIALS, address_of(request._request)
    return Limit(f"api {scope}", most=credentials.calls_per_minute, seconds=60), credentials.prefix


def tell(response: HttpResponse, standing: Standing) -> None:
    """Write what is left of the limit into the answer's headers."""
    limit = standing.limit
    response["RateLimit-Policy"] = f'"default";q={limit.most};w={limit.seconds}'
    response["RateLimit"] = f'"default";r={standing.left};t={standing.wait_seconds}'
