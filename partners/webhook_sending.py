"""Sending one delivery: one POST to an address that was looked at, no redirects, an end in any case."""

from __future__ import annotations

import contextlib
import socket
import ssl
import threading
import time
from datetime import UTC, datetime
from typing import NamedTuple

import urllib3
from urllib3.connection import HTTPConnection, HTTPSConnection
from urllib3.exceptions import HTTPError, NewConnectionError

from partners.webhook_addresses import BadAddress, Target, parse, resolve
from partners.webhook_models import Delivery
from partners.webhook_secrets import headers_of

SECONDS_TO_CONNECT = 5.0
# All in all, also for a receiver that sends a byte now and then.
SECONDS_TO_ANSWER = 15.0
LONGEST_RETRY_AFTER = 24 * 3600
USER_AGENT = "Cunpu-Webhooks/1"


class Outcome(NamedTuple):
    """What became of an attempt: the status of the answer, or the error; and what it asks of us, in seconds."""

    status: int | None
    error: str
    duration_ms: int
    retry_after: int = 0

    @property
    def has_arrived(self) -> bool:
        return self.status is not None and 200 <= self.status < 300


def attempt(delivery: Delivery) -> Outcome:
    """Send a delivery once; whatever goes wrong is in the outcome. Takes a DNS answer and SECONDS_TO_ANSWER at most."""
    began = time.monotonic()
    status, error, retry_after = None, "", 0
    try:
        status, retry_after = _post(delivery)
        if not 200 <= status < 300:
            error = "redirects are not followed" if 300 <= status < 400 else f"status {status}"
    except BadAddress as refused:
        error = str(refused)
    except ssl.SSLCertVerificationError:
        error = "certificate not valid"
    except NewConnectionError:
        error = "no connection"
    except (TimeoutError, urllib3.exceptions.TimeoutError):
        error = "timeout"
    except (OSError, HTTPError, ValueError) as failed:
        # Names alone: an error's text may have what was sent in it.
        error = type(failed.__cause__ or failed).__name__
        if time.monotonic() - began >= SECONDS_TO_ANSWER:
            error = "timeout"
    return Outcome(status, error[:60], int((time.monotonic() - began) * 1000), retry_after)


def _post(delivery: Delivery) -> tuple[int, int]:
    target = parse(delivery.webhook.url)
    addresses = resolve(target)
    connection = _connected(target, addresses)
    # A timeout of the socket begins anew with each byte; this one does not.
    end = threading.Timer(SECONDS_TO_ANSWER, _shut, [connection])
    end.start()
    try:
        headers = headers_of(delivery.webhook, delivery.message_id, delivery.body, datetime.now(UTC))
        headers |= {
            "Host": target.netloc,
            "Content-Type": "application/json",
            "User-Agent": USER_AGENT,
            "Connection": "close",
        }
        connection.request("POST", target.path, body=delivery.body.encode(), headers=headers)
        # Nobody reads the body: a long one costs nothing.
        response = connection.getresponse()
        return response.status, _seconds(response.headers.get("Retry-After", ""))
    finally:
        end.cancel()
        connection.close()


def _connected(target: Target, addresses: list[str]) -> HTTPConnection:
    """Return a connection to the first of the addresses that takes one."""
    for number, address in enumerate(addresses, start=1):
        if target.is_secure:
            connection: HTTPConnection = HTTPSConnection(
                address, target.port, timeout=SECONDS_TO_CONNECT, server_hostname=target.host,
                assert_hostname=target.host,
            )  # fmt: skip
        else:
            connection = HTTPConnection(address, target.port, timeout=SECONDS_TO_CONNECT)
        try:
            connection.connect()
        except (OSError, HTTPError):
            connection.close()
            if number == len(addresses):
                raise
        else:
            # Of the connection, which sets it on its socket again with each request.
            connection.timeout = SECONDS_TO_ANSWER
            return connection
    raise BadAddress("no such host")


def _shut(connection: HTTPConnection) -> None:
    with contextlib.suppress(OSError, AttributeError):
        connection.sock.shutdown(socket.SHUT_RDWR)


def _seconds(text: str) -> int:
    """Read Retry-After in seconds; 0 for a date or nonsense."""
    return min(int(text[:9]), LONGEST_RETRY_AFTER) if text.isascii() and text.isdecimal() else 0
