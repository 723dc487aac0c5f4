"""
Kills web, worker, clerk and PostgreSQL's backends with -9 at random moments while customers reserve and clerks hand
over; then proves that no acknowledged order is lost, none is half done, and no message is lost or sent twice.

`script/torture [SECONDS [SEED]]` runs it in a fresh clone with a database of its own.
"""

from __future__ import annotations

import json
import math
import os
import random
import re
import subprocess
import sys
import tempfile
import threading
import time
from collections import Counter
from collections.abc import Callable
from http.client import HTTPConnection, HTTPException, HTTPResponse
from http.cookies import SimpleCookie
from pathlib import Path
from typing import Any
from urllib.parse import urlencode

import psutil

CUSTOMERS = 5
SECONDS_TO_CALM_DOWN = 30
# How much longer a slow machine may take until everybody has done something.
MORE_SECONDS_AT_MOST = 120
FEWEST_PLACED = 10


class Customer(threading.Thread):
    """Reserves one phone after another by the form, sends it again when no answer comes, and cancels some."""

    def __init__(self, number: int, port: int, shop: dict[str, Any], running: threading.Event) -> None:
        super().__init__(daemon=True)
        self.number, self.port, self.shop, self.running = number, port, shop, running
        self.dice = random.Random(number)
        self.placed: dict[str, str] = {}  # mobile: order's number
        self.cancelled: list[str] = []
        self.trouble: list[str] = []
        self.retries = 0
        self.cookies: dict[str, str] = {}

    def run(self) -> None:
        while self.running.is_set():
            self.cookies = {}
            mobile = f"139{self.number:02d}{len(self.placed):06d}"
            slug, code = self.dice.choice(self.shop["phones"]), self.dice.choice(self.shop["outlets"])
            # The second time the form comes from the page that was asked for anew, as after a reload.
            number = self.until_answered(lambda mobile=mobile, slug=slug, code=code: self.reserve(mobile, slug, code))
            if number:
                self.placed[mobile] = number
                if self.dice.random() < 0.3 and self.until_answered(lambda number=number: self.cancel(number)):
                    self.cancelled.append(number)

    def until_answered(self, deed: Callable[[], str | None]) -> str | None:
        """Do it again until there is an answer, also for a while after everybody should stop."""
        until = None
        while True:
            try:
                return deed()
            except (OSError, HTTPException):
                self.retries += 1
                if not self.running.is_set():
                    until = until or time.monotonic() + SECONDS_TO_CALM_DOWN
                    if time.monotonic() > until:
                        self.trouble.append("no answer any more")
                        return None
                time.sleep(0.1)

    def reserve(self, mobile: str, slug: str, code: str) -> str | None:
        address = f"/checkout/?{urlencode({'p': slug, 'outlet': code})}"
        page = self.ask("GET", address)[1]
        fields = dict(re.findall(r'<input type="hidden" name="(\w+)" value="([^"]*)"', page))
        fields |= {"name": "王小明", "mobile": mobile, "language": "zh-hans", "consent": "on"}
        answer, page = self.ask("POST", address, fields)
        found = re.fullmatch(r"/orders/([0-9]{12})/", answer.getheader("Location", ""))
        if not found:
            self.trouble.append(f"{answer.status} to a reservation: {re.sub('<[^>]+>', ' ', page)[-300:]}")
        return found and found[1]

    def cancel(self, number: str) -> str:
        page = self.ask("GET", f"/orders/{number}/")[1]
        fields = dict(re.findall(r'<input type="hidden" name="(\w+)" value="([^"]*)"', page))
        answer, _ = self.ask("POST", f"/orders/{number}/cancel/", fields)
        # A clerk may have been quicker.
        return "cancelled" if answer.status == 302 else ""

    def ask(self, method: str, address: str, fields: dict[str, str] | None = None) -> tuple[HTTPResponse, str]:
        """Return the answer; raise HTTPException for one that says to come again."""
        connection = HTTPConnection("127.0.0.1", self.port, timeout=5, source_address=(f"127.0.0.{self.number + 2}", 0))
        headers = {"Cookie": "; ".join(f"{name}={value}" for name, value in self.cookies.items())}
        if fields is not None:
            headers["Content-Type"] = "application/x-www-form-urlencoded"
        try:
            connection.request(method, address, urlencode(fields) if fields is not None else None, headers)
            answer = connection.getresponse()
            page = answer.read().decode(errors="replace")
        finally:
            connection.close()
        if answer.status >= 500:
            raise HTTPException(f"status {answer.status}")
        for header in answer.headers.get_all("Set-Cookie", []):
            self.cookies |= {name: morsel.value for name, morsel in SimpleCookie(header).items()}
        return answer, page


class Killer(threading.Thread):
    """Kills one process of the site after the other."""

    def __init__(self, server: Any, clerk: Clerk, running: threading.Event, seed: int) -> None:
        super().__init__(daemon=True)
        self.server, self.clerk, self.running, self.dice = server, clerk, running, random.Random(seed)
        self.killed: Counter[str] = Counter()
        # When each was seen first, by a clock that nobody sets.
        self.seen = {web.pid: -math.inf for web in server.web_processes()}

    def run(self) -> None:
        while self.running.is_set():
            for kind in self.dice.sample(["web", "worker", "postgres", "clerk"], 4):
                time.sleep(self.dice.uniform(0.2, 0.9))
                if self.running.is_set() and (victims := self.victims(kind)):
                    try:
                        self.dice.choice(victims).kill()
                        self.killed[kind] += 1
                    except psutil.NoSuchProcess:
                        continue

    def may_die(self, web: psutil.Process) -> bool:
        # Granian takes the death of a worker within 5.5 seconds of being started anew for a program that cannot start,
        # and ends.
        now = time.monotonic()
        return now - self.seen.setdefault(web.pid, now) > 7

    def victims(self, kind: str) -> list[psutil.Process]:
        try:
            if kind == "web":
                return [each for each in self.server.web_processes() if self.may_die(each)]
            if kind == "clerk":
                return [psutil.Process(self.clerk.process.pid)] if self.clerk.has_worked() else []
            if kind == "worker":
                return self.server.worker_processes()
            backends = self.server.postgres().children()
            return [each for each in backends if "postgres: cunpu cunpu" in " ".join(each.cmdline())]
        except (psutil.NoSuchProcess, FileNotFoundError, IndexError):
            return []


class Clerk(threading.Thread):
    """Keeps a program running that sets aside and hands over; it writes down what was acknowledged."""

    def __init__(self, folder: Path, running: threading.Event) -> None:
        super().__init__(daemon=True)
        self.folder, self.running = folder, running
        self.process = self.open()

    def open(self) -> subprocess.Popen[bytes]:
        self.before = self.written()
        return within(self.folder, "clerk")

    def written(self) -> int:
        return (self.folder / "var" / "clerk.log").stat().st_size

    def has_worked(self) -> bool:
        """Whether the program has done something since it was started; that takes it a while."""
        return self.written() > self.before

    def run(self) -> None:
        while self.running.is_set():
            self.process.wait()
            if self.running.is_set():
                self.process = self.open()
        self.process.kill()
        self.process.wait()


def within(folder: Path, role: str) -> subprocess.Popen[bytes]:
    """Start this program in another role, on the database of the clone in `folder`."""
    environment = {name: value for name, value in os.environ.items() if name not in {"DATABASE_URL", "PORT"}}
    environment |= {"DEMO": "yes", "DJANGO_SETTINGS_MODULE": "config.settings"}
    python = folder / ".venv" / "bin" / "python"
    log = (folder / "var" / "torture.log").open("ab")
    return subprocess.Popen([python, "-m", "tests.torture", f"--{role}"], cwd=folder, env=environment, stderr=log)


def run(seconds: float, seed: int = 1) -> dict[str, Any]:
    """
    Torture a fresh clone for `seconds`, or longer where not everything has happened by then; return what happened.

    Raise AssertionError when something was lost.
    """
    from tests.test_server import Server

    with tempfile.TemporaryDirectory(ignore_cleanup_errors=True) as name:
        Path(name).chmod(0o755)
        server = Server(Path(name) / "shop")
        (server.folder / "var").mkdir()
        try:
            assert within(server.folder, "open-shop").wait() == 0, log_of(server)
            server.start()
            report = suffer(server, seconds, seed)
            status = server.interrupt()
            assert status == 0, f"status {status}: {server.log.read_text()[-3000:]}"
            (server.folder / "var" / "acknowledged.json").write_text(json.dumps(report))
            assert within(server.folder, "settle").wait() == 0, log_of(server)
            return report | json.loads((server.folder / "var" / "settled.json").read_text())
        finally:
            server.remove()


def log_of(server: Any) -> str:
    return (server.folder / "var" / "torture.log").read_text(errors="replace")[-4000:]


def suffer(server: Any, seconds: float, seed: int) -> dict[str, Any]:
    shop = json.loads((server.folder / "var" / "shop.json").read_text())
    running, killing = threading.Event(), threading.Event()
    running.set()
    killing.set()
    clerk = Clerk(server.folder, running)
    customers = [Customer(number, server.port, shop, running) for number in range(CUSTOMERS)]
    killer = Killer(server, clerk, killing, seed)
    for thread in (clerk, *customers, killer):
        thread.start()
    time.sleep(seconds)
    until = time.monotonic() + MORE_SECONDS_AT_MOST
    while not happened(clerk, customers, killer) and time.monotonic() < until:
        time.sleep(0.2)
    killing.clear()
    killer.join()
    time.sleep(1)
    running.clear()
    clerk.process.terminate()
    for thread in (*customers, clerk):
        thread.join(SECONDS_TO_CALM_DOWN * 2)
    return {
        "placed": {mobile: number for customer in customers for mobile, number in customer.placed.items()},
        "cancelled": [number for customer in customers for number in customer.cancelled],
        "trouble": [trouble for customer in customers for trouble in customer.trouble],
        "retries": sum(customer.retries for customer in customers),
        "killed": killer.killed,
    }


def happened(clerk: Clerk, customers: list[Customer], killer: Killer) -> bool:
    """Whether everybody has worked, and each kind of process was killed while they did."""
    placed = sum(len(customer.placed) for customer in customers)
    return placed >= FEWEST_PLACED and clerk.written() > 0 and killer.killed.keys() >= {"web", "worker", "postgres"}


# What follows runs in the clone, on its database.


def open_shop() -> None:
    """Make an empty database, and in it a few outlets with plenty of stock."""
    from django.core.management import call_command

    call_command("migrate", verbosity=0)
    from tests.factories import create_outlet, create_phone, create_stock

    phones = [create_phone() for _ in range(3)]
    outlets = [create_outlet() for _ in range(3)]
    for outlet in outlets:
        for phone in phones:
            create_stock(outlet=outlet, phone=phone, on_hand=9_000)
    Path("var/clerk.log").touch()
    shop = {"phones": [phone.slug for phone in phones], "outlets": [outlet.code for outlet in outlets]}
    Path("var/shop.json").write_text(json.dumps(shop))


def work_as_clerk() -> None:
    """Set aside and hand over; write a line for each deed once it is done."""
    from django.db import DatabaseError, connection

    # Handsets of this run, unlike those of the clerks before it.
    import tests.order_factories as factories
    from orders import lifecycle
    from orders.models import Order, State
    from orders.refusals import OrderRefused
    from tests.order_factories import CLERK, collect

    factories._units = iter(range(int(time.time() * 1000) % 10**10 * 100, 10**12))
    with Path("var/clerk.log").open("a", buffering=1) as done:
        while True:
            try:
                order = Order.objects.open().order_by("?").first()
                if order and order.state == State.PLACED:
                    done.write(f"{lifecycle.set_ready(order, CLERK).number} ready\n")
                elif order:
                    done.write(f"{collect(order).number} collected\n")
                time.sleep(0.02)
            except OrderRefused:
                continue
            except DatabaseError:
                connection.close()
                time.sleep(0.2)


def settle() -> None:
    """Send what still waits, then hold the database against what everybody was told."""
    from datetime import timedelta

    from django.conf import settings
    from django.core.management import call_command
    from django.utils import timezone

    from orders.messages.backends import read_file
    from orders.messages.outbox import CLAIM, send_due
    from orders.models import Message, Order

    while send_due(now=timezone.now() + CLAIM + timedelta(hours=2), limit=200):
        pass
    call_command("audit_stock")
    told = json.loads(Path("var/acknowledged.json").read_text())
    stored = {order.number: order for order in Order.objects.all()}
    for mobile, number in told["placed"].items():
        assert stored[number].mobile == f"+86{mobile}", f"order {number} was lost"
    for number in told["cancelled"]:
        assert stored[number].state == "cancelled", f"the end of order {number} was lost"
    later = {"ready": {"ready", "collected", "cancelled"}, "collected": {"collected"}}
    deeds = [line.split() for line in Path("var/clerk.log").read_text().splitlines()]
    for number, state in (deed for deed in deeds if len(deed) == 2):
        assert stored[number].state in later[state], f"order {number} was {state}"
    mobiles = Counter(order.mobile for order in stored.values())
    assert max(mobiles.values()) == 1, f"one form became two orders: {mobiles.most_common(3)}"

    sent = Counter(record["out_id"] for record in read_file(settings.SMS_FILE))
    assert set(sent.values()) <= {1}, f"sent twice: {sent.most_common(3)}"
    messages = {message.out_id: message.state for message in Message.objects.all()}
    assert set(messages.values()) <= {"sent", "outdated"}, Counter(messages.values())
    assert {out_id for out_id, state in messages.items() if state == "sent"} == set(sent), "lost or made up"
    facts = {"orders": len(stored), "deeds of clerks": len(deeds), "messages": len(sent)}
    Path("var/settled.json").write_text(json.dumps(facts))


ROLES = {"--open-shop": open_shop, "--clerk": work_as_clerk, "--settle": settle}


def main() -> None:
    if sys.argv[1:2] and sys.argv[1] in ROLES:
        import django

        from config import postgres

        django.setup()
        postgres.use()
        ROLES[sys.argv[1]]()
        return
    seconds, seed = (float(text) for text in (*sys.argv[1:3], "60", str(time.time()))[:2])
    report = run(seconds, int(seed))
    report["placed"], report["cancelled"] = len(report["placed"]), len(report["cancelled"])
    print(json.dumps(report | {"seed": int(seed)}, ensure_ascii=False, indent=2))
    sys.exit(1 if report["trouble"] else 0)


if __name__ == "__main__":
    main()
