"""
Where webhooks may go: to public addresses alone, by HTTPS.

Whoever can name an address could otherwise have this program call what only it can reach (server-side request forgery).
So a name is resolved here, every address of it is looked at, and the connection goes to the very address that was
looked at, whatever the name means a moment later. Who subscribes is told at once where a name leads inside, as far as
that is known within LOOK_SECONDS.
"""

from __future__ import annotations

import ipaddress
import socket
from contextlib import suppress
from threading import BoundedSemaphore, Thread
from typing import NamedTuple
from urllib.parse import urlsplit

from django.conf import settings
from django.utils.translation import gettext as _

# A private IPv4 address inside, which a router on the way would take out (RFC 6052, RFC 4291).
_TRANSLATED = [ipaddress.ip_network(network) for network in ("64:ff9b::/96", "64:ff9b:1::/48", "::/96")]

# How long somebody who subscribes waits for what a name means; DNS itself may take half a minute.
LOOK_SECONDS = 2.0
# So many names at once: those of a server that never answers would hold a thread each.
_looking = BoundedSemaphore(4)


class BadAddress(Exception):
    """A webhook cannot go there; the message says why."""


class Target(NamedTuple):
    """An address taken apart: `host` is what certificate and Host header name, `path` comes with its query."""

    is_secure: bool
    host: str
    port: int
    path: str

    @property
    def netloc(self) -> str:
        host = f"[{self.host}]" if ":" in self.host else self.host
        usual = 443 if self.is_secure else 80
        return host if self.port == usual else f"{host}:{self.port}"


def parse(url: str) -> Target:
    """Take a URL apart, without asking the network. Raises BadAddress."""
    try:
        parts = urlsplit(url)
        port, host = parts.port, (parts.hostname or "").encode("idna").decode()
    except (ValueError, UnicodeError):
        raise BadAddress(_("It is no address.")) from None
    if not (url.isascii() and url.isprintable()) or " " in url or "\\" in url:
        raise BadAddress(_("It may have visible ASCII characters only."))
    schemes = ("https", "http") if settings.DEMO else ("https",)
    # Asked of the text, too: the database takes it in small letters alone.
    if parts.scheme not in schemes or not url.startswith(f"{parts.scheme}://"):
        raise BadAddress(_("It has to begin with https://."))
    if not host or parts.username is not None or parts.password is not None or parts.fragment or port == 0:
        raise BadAddress(_("It may have a host, a port, a path and a query, and nothing else."))
    is_secure = parts.scheme == "https"
    path = (parts.path or "/") + (f"?{parts.query}" if parts.query else "")
    target = Target(is_secure, host, port or (443 if is_secure else 80), path)
    if _is_literal(host):
        _refuse_private(host)
    return target


def resolve(target: Target) -> list[str]:
    """Return the network addresses of a target, all of them public. Raises BadAddress."""
    addresses = look_up(target)
    for address in addresses:
        _refuse_private(address)
    return addresses


def refuse_private_name(target: Target) -> None:
    """
    Raise BadAddress where a target is known to lead into a private network, within LOOK_SECONDS.

    A name that means nothing yet, or whose meaning takes longer to learn, passes: each delivery looks again.
    """
    if settings.WEBHOOKS_PRIVATE or not _looking.acquire(blocking=False):
        return
    addresses: list[str] = []

    def look() -> None:
        try:
            with suppress(BadAddress):
                addresses.extend(look_up(target))
        finally:
            _looking.release()

    # Nothing else ends asking for a name; a daemon, so that the program need not wait for it either.
    thread = Thread(target=look, daemon=True)
    thread.start()
    thread.join(LOOK_SECONDS)
    for address in addresses:
        _refuse_private(address)


def look_up(target: Target) -> list[str]:
    """Return the network addresses of a target, whatever they are. Raises BadAddress where there are none."""
    try:
        found = socket.getaddrinfo(target.host, target.port, type=socket.SOCK_STREAM)
    except (OSError, UnicodeError):
        raise BadAddress("no such host") from None
    return list(dict.fromkeys(str(each[4][0]) for each in found))


def is_public(text: str) -> bool:
    """Whether an IP address is one of the open Internet, also when it is written as another kind of address."""
    address = ipaddress.ip_address(text.partition("%")[0])
    if isinstance(address, ipaddress.IPv6Address):
        if address.ipv4_mapped:
            return is_public(str(address.ipv4_mapped))
        if address.sixtofour or address.teredo or any(address in network for network in _TRANSLATED):
            return False
    return address.is_global and not address.is_multicast and not address.is_reserved


def _is_literal(host: str) -> bool:
    try:
        ipaddress.ip_address(host)
    except ValueError:
        return False
    return True


def _refuse_private(address: str) -> None:
    if not settings.WEBHOOKS_PRIVATE and not is_public(address):
        raise BadAddress(_("It leads into a network that is not public."))
