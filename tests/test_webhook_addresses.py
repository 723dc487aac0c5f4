"""Where webhooks may go: nobody makes this program call what only it can reach."""

from __future__ import annotations

import socket
from types import SimpleNamespace
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from partners import webhook_addresses, webhook_sending
from partners.webhook_addresses import BadAddress, is_public, parse, resolve

PRIVATE = [
    "127.0.0.1", "127.8.9.1", "10.1.2.3", "172.16.0.1", "192.168.1.1", "169.254.169.254", "100.64.0.1",
    "224.0.0.1", "240.0.0.1", "255.255.255.255", "192.0.2.1", "198.18.0.1",
    "::1", "::", "fe80::1", "fe80::1%eth0", "fc00::1", "fd12:3456::1", "ff02::1", "2001:db8::1",
    "::ffff:127.0.0.1", "::ffff:10.0.0.1", "::ffff:169.254.169.254", "::127.0.0.1",
    "64:ff9b::7f00:1", "64:ff9b:1::a00:1", "2002:7f00:1::", "2001:0:4136:e378:8000:63bf:3fff:fdd2",
]  # fmt: skip
PUBLIC = ["93.184.216.34", "8.8.8.8", "2606:2800:220:1:248:1893:25c8:1946", "::ffff:8.8.8.8"]


@pytest.mark.parametrize("address", PRIVATE)
def test_a_private_address_is_private_however_it_is_written(address: str) -> None:
    assert not is_public(address)
    host = f"[{address}]" if ":" in address else address
    with pytest.raises(BadAddress):
        parse(f"https://{host}/")


def test_public_addresses_are_public() -> None:
    assert all(map(is_public, PUBLIC))


@pytest.mark.parametrize(
    "url",
    [
        "", "example.com", "ftp://example.com/", "file:///etc/passwd", "gopher://example.com/", "https://", "https:///x",
        "https://user@example.com/", "https://user:secret@example.com/", "https://example.com/#part",
        "https://example.com:0/", "https://example.com:99999/", "https://example.com:x/", "https://exa mple.com/",
        "https://example.com/\r\nHost: x", "https://example.com\\@127.0.0.1/", "https://[::1/", "https://例.com/",
        "https://" + "a" * 70 + ".com/", "javascript:alert(1)", "HTTPS://example.com/",
    ],
)  # fmt: skip
def test_what_is_no_address_of_a_receiver_is_refused(url: str) -> None:
    with pytest.raises(BadAddress):
        parse(url)


@given(st.text(max_size=60))
def test_any_text_is_an_address_or_refused(text: str) -> None:
    for url in (text, f"https://{text}"):
        try:
            target = parse(url)
        except BadAddress:
            continue
        assert target.host
        assert url.startswith(("https://", "http://")), "the database takes no other"
        assert 0 < target.port < 65536


def test_outside_a_demo_https_is_needed(settings: Any) -> None:
    assert parse("http://example.com/x?y=1") == (False, "example.com", 80, "/x?y=1")
    settings.DEMO = False
    with pytest.raises(BadAddress):
        parse("http://example.com/x")
    assert parse("https://example.com:8443").netloc == "example.com:8443"
    assert parse("https://[2606:2800:220:1:248:1893:25c8:1946]").netloc == "[2606:2800:220:1:248:1893:25c8:1946]"


def answers(*addresses: str) -> Any:
    return lambda *_args, **_options: [(None, None, None, "", (address, 443)) for address in addresses]


@pytest.mark.parametrize("addresses", [["127.0.0.1"], ["8.8.8.8", "10.0.0.1"], ["::ffff:192.168.0.1"]])
def test_a_name_that_leads_into_a_private_network_is_refused(
    monkeypatch: pytest.MonkeyPatch, addresses: list[str]
) -> None:
    monkeypatch.setattr(socket, "getaddrinfo", answers(*addresses))
    with pytest.raises(BadAddress):
        resolve(parse("https://example.com/"))


@pytest.mark.parametrize("host", ["localhost", "2130706433", "0x7f.1"])
def test_other_names_of_this_machine_are_refused(host: str) -> None:
    with pytest.raises(BadAddress):
        resolve(parse(f"https://{host}/"))


def test_the_connection_goes_to_the_address_that_was_looked_at(monkeypatch: pytest.MonkeyPatch) -> None:
    """The name means something else a moment later (DNS rebinding): nobody asks for it again."""
    asked: list[Any] = []

    def connect(address: Any, *args: Any, **options: Any) -> Any:
        asked.append(address[0])
        raise ConnectionRefusedError

    monkeypatch.setattr(socket, "getaddrinfo", answers("8.8.8.8", "8.8.4.4"))
    monkeypatch.setattr("urllib3.util.connection.create_connection", connect)
    monkeypatch.setattr("urllib3.connection.connection.create_connection", connect)
    webhook = SimpleNamespace(url="https://example.com/")
    outcome = webhook_sending.attempt(SimpleNamespace(webhook=webhook))  # type: ignore[arg-type]
    assert asked == ["8.8.8.8", "8.8.4.4"]
    assert outcome.error == "no connection"


def test_certificate_and_host_are_those_of_the_name(monkeypatch: pytest.MonkeyPatch) -> None:
    made: list[Any] = []

    class Connection(webhook_sending.HTTPSConnection):
        def connect(self) -> None:
            made.append(self)
            raise TimeoutError

    monkeypatch.setattr(webhook_sending, "HTTPSConnection", Connection)
    with pytest.raises(TimeoutError):
        webhook_sending._connected(parse("https://example.com/"), ["8.8.8.8"])
    [connection] = made
    assert (connection.host, connection.server_hostname, connection.assert_hostname) == (
        "8.8.8.8", "example.com", "example.com",
    )  # fmt: skip


def test_networks_are_closed_unless_the_settings_open_them(settings: Any) -> None:
    settings.WEBHOOKS_PRIVATE = True
    assert webhook_addresses.resolve(parse("http://127.0.0.1:9/")) == ["127.0.0.1"]
