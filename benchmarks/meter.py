"""Servers to measure and the CPU time that they and PostgreSQL have used."""

from __future__ import annotations

import os
import socket
import subprocess
import sys
import time
from contextlib import suppress
from pathlib import Path

import psutil
from django.db import connection

ROOT = Path(__file__).resolve().parent.parent


class Server:
    """One web process on a free port of the loopback interface, with one connection kept open to it."""

    def __init__(self, settings: str, database_url: str, **environment: str) -> None:
        self.port = _free_port()
        self.process = subprocess.Popen(
            [
                Path(sys.executable).parent / "granian", "--interface", "wsgi", "--workers", "1",
                "--blocking-threads", "2", "--blocking-threads-idle-timeout", "600", "--host", "127.0.0.1",
                "--port", str(self.port), "--no-ws", "--log-level", "warning", "config.wsgi:application",
            ],
            cwd=ROOT,
            env=os.environ
            | {"DJANGO_SETTINGS_MODULE": settings, "DATABASE_URL": database_url, "DEMO": "yes"}
            | environment,
        )  # fmt: skip
        self._connect()

    def _connect(self) -> None:
        for _ in range(300):
            with suppress(OSError):
                self.connection = socket.create_connection(("127.0.0.1", self.port), timeout=30)
                self.stream = self.connection.makefile("rb")
                return
            time.sleep(0.05)
        raise RuntimeError(f"no server came up on port {self.port}")

    def get(self, path: str) -> tuple[int, dict[str, str], bytes]:
        """Ask for `path` as a browser of today does; return status, headers (names in lower case) and body as sent."""
        request = f"GET {path} HTTP/1.1\r\nHost: localhost\r\nAccept-Encoding: gzip, deflate, br, zstd\r\n\r\n"
        self.connection.sendall(request.encode())
        line = self.stream.readline()
        if not line:  # The server does not wait for ever for the next request.
            self._connect()
            self.connection.sendall(request.encode())
            line = self.stream.readline()
        status = int(line.split()[1])
        headers = {}
        while (line := self.stream.readline().strip()) != b"":
            name, _, value = line.decode("latin-1").partition(":")
            headers[name.lower()] = value.strip()
        return status, headers, self.stream.read(int(headers["content-length"]))

    def cpu_seconds(self) -> float:
        """Return the CPU seconds that the web process has used so far."""
        parent = psutil.Process(self.process.pid)
        return _cpu_seconds([parent, *parent.children(recursive=True)])

    def stop(self) -> None:
        self.stream.close()
        self.connection.close()
        self.process.terminate()
        self.process.wait(timeout=20)


def postgres_cpu_seconds() -> float:
    """Return the CPU seconds that PostgreSQL's processes have used so far."""
    processes = _postgres().children(recursive=True)
    return _cpu_seconds([process for process in processes if not _cleans_up(process)])


def _cleans_up(process: psutil.Process) -> bool:
    """Whether it is PostgreSQL's autovacuum, or has ended since it was listed."""
    try:
        return "autovacuum" in " ".join(process.cmdline())
    except psutil.NoSuchProcess:  # A zombie is one, too.
        return True


def _postgres() -> psutil.Process:
    with connection.cursor() as cursor:
        cursor.execute("SELECT pg_backend_pid()")
        parent = psutil.Process(cursor.fetchone()[0]).parent()
    if parent is None:
        raise RuntimeError("PostgreSQL must run on this machine to be measured")
    return parent


def _cpu_seconds(processes: list[psutil.Process]) -> float:
    # The scheduler's own account, in nanoseconds: the clock ticks of /proc/PID/stat are too coarse.
    nanoseconds = 0
    for process in processes:
        for account in Path(f"/proc/{process.pid}/task").glob("*/schedstat"):
            with suppress(OSError):
                nanoseconds += int(account.read_text().split()[0])
    return nanoseconds / 1e9


def _free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]
