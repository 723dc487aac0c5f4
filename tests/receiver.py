"""A receiver of webhooks on this machine: a thread that answers as a test tells it."""

from __future__ import annotations

import json
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any, NamedTuple

from standardwebhooks import Webhook as Verifier


class Received(NamedTuple):
    """One request: its headers (lower case) and its body as it came."""

    path: str
    headers: dict[str, str]
    body: str

    @property
    def event(self) -> Any:
        return json.loads(self.body)

    def verified_by(self, secret: str) -> Any:
        """Return the event; raise WebhookVerificationError where the signature is not of this secret."""
        return Verifier(secret).verify(self.body, self.headers)


class Receiver:
    """`answers` says with which status to answer (and headers), for each request anew; `seconds` how late."""

    def __init__(self) -> None:
        self.received: list[Received] = []
        self.answers: Callable[[Received], int] = lambda _request: 204
        self.headers: dict[str, str] = {}
        self.seconds = 0.0
        self.most_at_once = 0
        self._at_once = 0
        self._lock = threading.Lock()
        self.url = ""

    def deal_with(self, request: Received) -> int:
        with self._lock:
            self._at_once += 1
            self.most_at_once = max(self.most_at_once, self._at_once)
        time.sleep(self.seconds)
        with self._lock:
            status = self.answers(request)
            self.received.append(request)
            self._at_once -= 1
        return status


@contextmanager
def listening() -> Iterator[Receiver]:
    receiver = Receiver()

    class Handler(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            body = self.rfile.read(int(self.headers["Content-Length"])).decode()
            headers = {name.lower(): value for name, value in self.headers.items()}
            status = receiver.deal_with(Received(self.path, headers, body))
            self.send_response(status)
            for name, value in receiver.headers.items():
                self.send_header(name, value)
            self.send_header("Content-Length", "0")
            self.end_headers()

        def log_message(self, *args: object) -> None:
            """Keep quiet."""

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    server.daemon_threads = True
    threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.05}, daemon=True).start()
    receiver.url = f"http://localhost:{server.server_address[1]}/cunpu?from=shop"
    try:
        yield receiver
    finally:
        server.shutdown()
        server.server_close()
