"""script/server runs the site from a fresh clone, stops without a trace, and starts again whatever was killed."""

import fcntl
import json
import os
import re
import shutil
import signal
import socket
import subprocess
import tempfile
import time
from collections.abc import Callable, Iterator
from http.client import HTTPConnection, HTTPResponse
from pathlib import Path
from urllib.parse import urlencode
from urllib.request import HTTPCookieProcessor, build_opener

import psutil
import pytest
from django.conf import settings

from tests import checkout

# Long, because the machine may be busy with other tests.
SECONDS_TO_START = 240
SECONDS_TO_STOP = 60
DEMO_OUTLET = "130121100-01"
OURS = {"DATABASE_URL", "DEMO", "DEBUG", "SECRET_KEY", "ALLOWED_HOSTS", "HTTPS", "HOST", "DJANGO_SETTINGS_MODULE"}


def runs(process: psutil.Process, word: str) -> bool:
    """Return whether it was started with this word and has not ended since."""
    try:
        return word in process.cmdline()
    except psutil.NoSuchProcess:  # Zombies, too.
        return False


class Server:
    """A fresh clone of what is checked in or about to be, with the environment of this one."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        for name in checkout.files():
            target = folder / name
            target.parent.mkdir(parents=True, exist_ok=True)
            shutil.copy(settings.BASE_DIR / name, target)
        (folder / ".venv").symlink_to(settings.BASE_DIR / ".venv")
        with socket.socket() as probe:
            probe.bind(("127.0.0.1", 0))
            self.port = probe.getsockname()[1]

    def start(self) -> None:
        environment = {name: value for name, value in os.environ.items() if name not in OURS}
        self.log = self.folder / "var" / "server.log"
        self.log.parent.mkdir(exist_ok=True)
        with self.log.open("w") as log:
            self.main = psutil.Popen(
                [self.folder / "script" / "server"],
                cwd="/",
                env=environment | {"PORT": str(self.port)},
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=log,
                start_new_session=True,
            )
        self.wait(lambda: "Ctrl-C stops it" in self.log.read_text(), SECONDS_TO_START)

    def get(self, path: str) -> tuple[int, str]:
        answer, text = self.ask(path)
        return answer.status, text

    def ask(self, path: str) -> tuple[HTTPResponse, str]:
        connection = HTTPConnection("127.0.0.1", self.port, timeout=20)
        connection.request("GET", path)
        answer = connection.getresponse()
        return answer, answer.read().decode()

    def processes(self) -> list[psutil.Process]:
        """Return what runs in or for this clone."""
        found = []
        for process in psutil.process_iter():
            try:
                works_here = process.cwd() == str(self.folder) or str(self.folder) in " ".join(process.cmdline())
                if works_here and process.status() != psutil.STATUS_ZOMBIE:
                    found.append(process)
            except (psutil.NoSuchProcess, psutil.AccessDenied):
                continue
        return found

    def web_processes(self) -> list[psutil.Process]:
        return [process for process in self.main.children() if runs(process, "serve")]

    def worker_processes(self) -> list[psutil.Process]:
        return [process for process in self.main.children(recursive=True) if runs(process, "worker")]

    def postgres(self) -> psutil.Process:
        return psutil.Process(int((self.folder / "var/postgres/data/postmaster.pid").read_text().split()[0]))

    def interrupt(self) -> int:
        """Press Ctrl-C: every process of the terminal gets the signal. Return the exit status."""
        os.killpg(self.main.pid, signal.SIGINT)
        return self.main.wait(SECONDS_TO_STOP)

    def remove(self) -> None:
        for process in self.processes():
            process.kill()
        self.main.wait()
        shutil.rmtree((self.folder / "var" / "postgres").resolve(), ignore_errors=True)

    def wait(self, happened: Callable[[], bool], seconds: float) -> None:
        began = time.monotonic()
        while not happened():
            assert self.main.poll() is None, self.log.read_text()
            assert time.monotonic() - began < seconds, self.log.read_text()
            time.sleep(0.05)


@pytest.fixture(scope="module")
def server() -> Iterator[Server]:
    with tempfile.TemporaryDirectory(ignore_cleanup_errors=True) as folder:
        Path(folder).chmod(0o755)
        server = Server(Path(folder) / "a shop")
        server.start()
        yield server
        server.remove()


@pytest.fixture
def running(server: Server) -> Server:
    if server.main.poll() is not None:
        server.start()
    return server


def test_serves_both_languages(running: Server):
    chinese, english = running.get("/"), running.get("/en/")

    assert chinese[0] == english[0] == 200
    assert 'lang="zh' in chinese[1]
    assert 'lang="en' in english[1]


def test_says_whom_to_sign_in_as_at_the_desk(running: Server):
    found = re.findall(r"a ([a-z ]+) signs in as (\w+) with the password (\w+)\.", running.log.read_text())
    assert [role for role, _, _ in found] == ["clerk", "clerk", "manager", "region manager"]

    for _, username, password in found:
        browser = build_opener(HTTPCookieProcessor())
        site = f"http://127.0.0.1:{running.port}"
        form = browser.open(f"{site}/desk/sign-in/", timeout=20).read().decode()
        token = re.findall(r'name="csrfmiddlewaretoken" value="(\w+)"', form)[0]
        typed = {"username": username, "password": password, "csrfmiddlewaretoken": token}
        answer = browser.open(f"{site}/desk/sign-in/", urlencode(typed).encode(), timeout=20)
        assert re.fullmatch(rf"{site}/desk/(130826\d{{3}}-\d\d/)?", answer.url)
        assert re.search(r"1308\d{5}-\d\d", answer.read().decode())


def test_ctrl_c_leaves_no_process_behind(running: Server):
    assert running.interrupt() == 0

    assert running.processes() == []


def test_starts_again_without_doing_anything_twice(running: Server):
    running.interrupt()

    running.start()

    assert running.get("/")[0] == 200
    # Eight people to sign in as, and the greeting: nothing installed, collected or loaded.
    assert running.log.read_text().count("\n") == 9


def test_starts_again_after_its_main_process_was_killed(running: Server):
    running.main.kill()
    running.main.wait()

    running.start()

    assert running.get("/")[0] == 200
    assert running.interrupt() == 0
    assert running.processes() == []


def test_starts_again_after_postgresql_was_killed(running: Server):
    running.postgres().kill()
    running.interrupt()

    running.start()

    assert running.get("/")[0] == 200


def test_says_to_come_again_while_the_database_is_away(running: Server):
    # Each web process keeps its own ready pages, and the kernel picks the one that answers.
    for _ in range(40):
        running.get("/")
    with (running.folder / "var" / "postgres.lock").open() as starting:
        fcntl.flock(starting, fcntl.LOCK_EX)  # Nobody starts it now.
        running.postgres().send_signal(signal.SIGINT)
        running.wait(lambda: running.get("/api/v1/outlets")[0] == 503, SECONDS_TO_STOP)

        assert running.get("/")[0] == 200, "a ready page needs no database"
        for path, words in [
            (f"/outlets/{DEMO_OUTLET}/", "暂时没法答复"),
            ("/large/en/outlets/?q=fengning", "We cannot answer for the moment"),
            ("/api/v1/outlets", "/api/problems/unavailable/"),
        ]:
            answer, text = running.ask(path)
            assert (answer.status, answer.getheader("Retry-After")) == (503, "10"), path
            assert words in text, path
            assert answer.getheader("Cache-Control") == "private, no-cache"
        assert running.get("/healthz") == (200, "ok\n")
        status, answered = running.get("/readyz")
        assert (status, json.loads(answered)["missing"]) == (503, {"database": "does not answer"})
        assert "Internal Server Error" not in running.log.read_text()

    # It comes back by itself, and so do the pages.
    running.wait(lambda: running.get(f"/outlets/{DEMO_OUTLET}/")[0] == 200, SECONDS_TO_START)
    assert running.get("/api/v1/outlets")[0] == 200
    running.wait(lambda: running.get("/readyz")[0] == 200, SECONDS_TO_START)


def test_replaces_a_web_process_that_was_killed(running: Server):
    running.wait(lambda: len(running.web_processes()) == 2, SECONDS_TO_START)
    first, second = running.web_processes()

    first.kill()
    psutil.wait_procs([first], timeout=SECONDS_TO_STOP)

    assert all(running.get("/")[0] == 200 for _ in range(20))
    running.wait(lambda: len(running.web_processes()) == 2, SECONDS_TO_START)
    assert second in running.web_processes()


def test_says_in_one_sentence_that_the_port_is_taken(running: Server):
    second = subprocess.run(
        [running.folder / "script" / "server"],
        env=os.environ | {"PORT": str(running.port)},
        capture_output=True,
        text=True,
        check=False,
    )

    assert second.returncode == 1
    assert f"Cannot listen on port {running.port}" in second.stderr
    assert second.stderr.count("\n") == 1
    assert running.get("/")[0] == 200
