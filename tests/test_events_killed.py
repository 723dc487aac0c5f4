"""Writers and a reader of the feed are killed again and again: in the end the reader has seen every change once."""

from __future__ import annotations

import json
import random
import signal
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

import pytest
from django.db import connection

from partners.keys import issue_key
from partners.models import Partner
from tests.factories import create_outlet, create_phone
from tests.feed import read_feed

pytestmark = pytest.mark.django_db(transaction=True)

# Counts one of three outlets up under its lock, sometimes slowly, and tells it in the same transaction.
WRITER = """
import random, sys, time
import psycopg2
connection = psycopg2.connect(sys.argv[1])
outlets = sys.argv[2].split(",")
while True:
    with connection, connection.cursor() as cursor:
        for outlet in sorted(random.sample(outlets, 2)):
            cursor.execute("UPDATE counters SET number = number + 1 WHERE outlet = %s RETURNING number", [outlet])
            number = cursor.fetchone()[0]
            cursor.execute("INSERT INTO events_event (type, outlet_id, data)"
                           " VALUES ('stock.changed', %s, jsonb_build_object(%s, %s))", [outlet, sys.argv[3], number])
            if random.random() < 0.2:
                time.sleep(0.05)
    time.sleep(random.random() * 0.01)
"""
# Keeps its cursor together with what it did, so that both are there or neither.
READER = """
import json, os, sys, urllib.request
address, key, kept = sys.argv[1:]
state = json.load(open(kept)) if os.path.exists(kept) else {"cursor": "", "seen": []}
while True:
    after = f"&after={state['cursor']}" if state["cursor"] else ""
    request = urllib.request.Request(f"{address}?limit=20&wait=1&types=stock.changed{after}",
                                     headers={"Authorization": f"Bearer {key}"})
    page = json.load(urllib.request.urlopen(request, timeout=10))
    for event in page["results"]:
        state["seen"].append([event["outlet"], event["data"]["levels"][0]["available"]])
    state["cursor"] = page["cursor"]
    with open(kept + ".new", "w") as file:
        json.dump(state, file)
    os.replace(kept + ".new", kept)
"""


class Program:
    """A program that is killed and started again."""

    def __init__(self, code: str, *arguments: str) -> None:
        self.command = [sys.executable, "-c", code, *arguments]
        self.start()

    def start(self) -> None:
        self.process = subprocess.Popen(self.command, stderr=subprocess.DEVNULL)

    def kill(self) -> None:
        self.process.send_signal(signal.SIGKILL)
        self.process.wait()


def test_a_reader_sees_every_change_once_whoever_is_killed(live_server: Any, tmp_path: Path) -> None:
    phone, outlets = create_phone(), [create_outlet() for _number in range(3)]
    keys = ",".join(str(outlet.pk) for outlet in outlets)
    key = issue_key(Partner.objects.create(name="ERP"), ["stock:read", "events:read"], calls_per_minute=1_000_000)
    kept = tmp_path / "kept.json"
    with connection.cursor() as cursor:
        cursor.execute("CREATE TABLE counters (outlet int PRIMARY KEY, number int)")
        cursor.execute(f"INSERT INTO counters SELECT unnest('{{{keys}}}'::int[]), 0")
    dsn = connection.get_new_connection(connection.get_connection_params()).dsn
    writers = [Program(WRITER, dsn, keys, str(phone.pk)) for _number in range(3)]
    reader = Program(READER, f"{live_server.url}/api/v1/events", key, str(kept))
    try:
        end = time.monotonic() + 6
        while time.monotonic() < end:
            time.sleep(0.35)
            program = random.choice([*writers, reader, reader])
            program.kill()
            program.start()
        for writer in writers:
            writer.kill()
        with connection.cursor() as cursor:
            # The database, too, may have to see first that they are gone.
            cursor.execute("SELECT outlet, number FROM counters ORDER BY outlet FOR UPDATE")
            numbers = dict(cursor.fetchall())
            cursor.execute("SELECT sum(number) FROM counters")
            [total] = cursor.fetchone()
        assert total > 50
        end = time.monotonic() + 30
        while len(seen(kept)) < total and time.monotonic() < end:
            time.sleep(0.2)
    finally:
        for program in (*writers, reader):
            program.kill()
        with connection.cursor() as cursor:
            cursor.execute("DROP TABLE counters")
    told = seen(kept)
    for outlet in outlets:
        assert [number for code, number in told if code == outlet.code] == list(range(1, numbers[outlet.pk] + 1))
    assert len(read_feed()) >= total


def seen(kept: Path) -> list[list[Any]]:
    return json.loads(kept.read_text())["seen"] if kept.exists() else []
