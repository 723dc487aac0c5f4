"""
Limits on how often one caller may use one door, counted in PostgreSQL, so that all processes share them.

One atomic statement counts and tells: caches lose counts when several processes add at once.
"""

from __future__ import annotations

import hashlib
import ipaddress
import uuid
from typing import NamedTuple

from django.conf import settings
from django.db import connection
from django.http import HttpRequest

from api.prepared import Planned


class Limit(NamedTuple):
    """At most `most` calls in `seconds`, from the first call on. `name` keeps it apart from other limits."""

    name: str
    most: int
    seconds: int


class Standing(NamedTuple):
    """How many calls a caller has left of a limit, which begins anew `wait_seconds` from now."""

    limit: Limit
    left: int
    wait_seconds: int

    @classmethod
    def after(cls, limit: Limit, calls: int, wait_seconds: int) -> Standing:
        """Return how it stands after so many calls; `left` is below zero where they were too many."""
        return cls(limit, limit.most - calls, wait_seconds)


class TooManyCalls(Exception):
    """A caller has used up a limit. `wait_seconds` from now it begins anew."""

    def __init__(self, limit: Limit, wait_seconds: int) -> None:
        super().__init__(f"{limit.name}: wait {wait_seconds} s")
        self.limit = limit
        self.wait_seconds = wait_seconds


def counting(called: str) -> str:
    """Return SQL that counts a call for each row of `called` (key, seconds), and tells calls and how long to wait."""
    # Rows are taken in the order of their keys, so that two callers who share two limits never wait for each other.
    return f"""
        INSERT INTO api_callcount AS counted (key, calls, ends_at)
        SELECT key, 1, now() + seconds * interval '1 second' FROM {called} ORDER BY key
        ON CONFLICT (key) DO UPDATE SET
            calls = CASE WHEN counted.ends_at > now() THEN counted.calls + 1 ELSE 1 END,
            ends_at = CASE WHEN counted.ends_at > now() THEN counted.ends_at ELSE excluded.ends_at END
        RETURNING key, calls, greatest(ceil(extract(epoch FROM ends_at - now())), 1)::int AS wait_seconds
    """  # noqa: S608 - `called` is a constant of the program


_COUNT = Planned(lambda: counting("unnest(%(keys)s::text[]::uuid[], %(seconds)s::int[]) AS called (key, seconds)"))


def count_call(*callers: tuple[Limit, str]) -> list[Standing]:
    """
    Count one call against each limit, for the caller beside it, in one statement; return what is left of each.

    Raises TooManyCalls, for the limit with the longest wait, where a caller has called too often; such a call counts,
    too. Call it outside the transaction of the deed: a deed that fails must still have been counted.
    """
    keys = {counter_of(limit, caller): limit for limit, caller in callers}
    counts = _COUNT.rows(keys=[str(key) for key in keys], seconds=[limit.seconds for limit in keys.values()])
    standings = [Standing.after(keys[key], calls, wait_seconds) for key, calls, wait_seconds in counts]
    used_up = [standing for standing in standings if standing.left < 0]
    if used_up:
        longest = max(used_up, key=lambda standing: standing.wait_seconds)
        raise TooManyCalls(longest.limit, longest.wait_seconds)
    return standings


def take_back_call(limit: Limit, caller: str) -> None:
    """Take one call of `caller` back: where only those that fail count, each is counted before and taken back after."""
    with connection.cursor() as cursor:
        # No count is below one, so of a first call one stays.
        cursor.execute(
            "UPDATE api_callcount SET calls = calls - 1 WHERE key = %s AND calls > 1", [counter_of(limit, caller)]
        )


def forget_past_calls() -> int:
    """Delete the counts whose window has ended; return how many."""
    with connection.cursor() as cursor:
        cursor.execute("DELETE FROM api_callcount WHERE ends_at < now()")
        return cursor.rowcount


def address_of(request: HttpRequest) -> str:
    """
    Return the network address of whoever sent `request`; of IPv6 the 64 bits that one subscriber gets.

    Behind a trusted proxy it is the last entry of X-Forwarded-For: the proxy wrote that one, the others are hearsay.
    """
    address = request.META.get("REMOTE_ADDR", "")
    if settings.TRUSTED_PROXY:
        address = request.META.get("HTTP_X_FORWARDED_FOR", address).rpartition(",")[2].strip()
    try:
        known = ipaddress.ip_address(address)
    except ValueError:
        return address
    if isinstance(known, ipaddress.IPv6Address):
        if known.ipv4_mapped:
            return str(known.ipv4_mapped)
        return str(ipaddress.ip_network((known, 64), strict=False))
    return str(known)


def counter_of(limit: Limit, caller: str) -> uuid.UUID:
    """Return under which key the calls of a caller are counted."""
    text = f"{limit.name}\0{caller}".encode("utf-8", "replace")
    return uuid.UUID(bytes=hashlib.blake2b(text, digest_size=16, key=settings.SECRET_KEY.encode()[:64]).digest())
