"""`manage.py worker` sends what waits, goes on when a part of it is killed, and stops in good order."""

import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator

import psutil
import pytest
from django.conf import settings
from django_q.models import Schedule

from config.jobs import JOBS
from orders.models import Message
from tests.database import database_url
from tests.order_factories import create_order

SECONDS = 60

pytestmark = pytest.mark.django_db(transaction=True)


def wait(happened: Callable[[], bool], process: psutil.Popen) -> None:
    began = time.monotonic()
    while not happened():
        assert process.poll() is None
        assert time.monotonic() - began < SECONDS
        time.sleep(0.1)


@pytest.fixture
def worker() -> Iterator[psutil.Popen]:
    process = psutil.Popen(
        [sys.executable, "manage.py", "worker"],
        cwd=settings.BASE_DIR,
        env=os.environ | {"DATABASE_URL": database_url(), "DEMO": "yes", "SMS_BACKEND": "console"},
        stdout=subprocess.DEVNULL,
    )
    yield process
    if process.is_running():
        for each in [*process.children(recursive=True), process]:
            each.kill()
    process.wait()


def test_sends_messages_and_stops_when_asked(worker: psutil.Popen):
    order = create_order()
    wait(lambda: order.messages.get().state == Message.State.SENT, worker)
    assert Schedule.objects.count() == len(JOBS)
    wait(lambda: len(worker.children(recursive=True)) >= 4, worker)
    family = worker.children(recursive=True)

    worker.send_signal(signal.SIGTERM)

    assert worker.wait(SECONDS) == 0
    assert not [each for each in family if each.is_running()]


def test_ends_when_its_heart_is_killed_so_that_it_is_started_anew(worker: psutil.Popen):
    order = create_order()
    wait(lambda: order.messages.get().state == Message.State.SENT, worker)
    family = worker.children(recursive=True)
    (sentinel,) = worker.children()

    sentinel.kill()

    assert worker.wait(SECONDS) == 1
    _, alive = psutil.wait_procs(family, timeout=SECONDS)
    assert alive == []
