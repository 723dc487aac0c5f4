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

from catalog.models import Phone
from catalog.price_events import tell_of_prices
from config.jobs import JOBS, arrange
from events.models import Event
from orders.models import Message
from tests.databases import own_database_url
from tests.factories import change_price
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
        env=os.environ | {"DATABASE_URL": own_database_url(), "DEMO": "yes", "SMS_BACKEND": "console"},
        stdout=subprocess.DEVNULL,
    )
    yield process
    if process.is_running():
        for each in [*process.children(recursive=True), process]:
            each.kill()
    process.wait()


def test_sends_messages_tells_of_prices_and_stops_when_asked(request: pytest.FixtureRequest):
    order = create_order()
    arrange()
    # Not by the clock: prices are looked for all the time.
    Schedule.objects.filter(name="tell of prices").update(next_run="2099-01-01T00:00:00Z")
    tell_of_prices()
    worker = request.getfixturevalue("worker")
    change_price(Phone.objects.get(), 19900)
    wait(lambda: Event.objects.filter(type="price.changed").count() == 1, worker)
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
