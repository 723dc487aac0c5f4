"""
The sender: makes ticks and deliveries, claims what is due and sends it, many at a time.

One thread asks the database and writes down what became of attempts; the others do nothing but send. So a receiver
that answers slowly holds one of many threads, and no connection to the database.
"""

from __future__ import annotations

import logging
import threading
from concurrent.futures import FIRST_COMPLETED, Future, ThreadPoolExecutor, wait

from django.db import DatabaseError, close_old_connections

from events.feed import make_tick
from partners import webhook_queue
from partners.models import Delivery
from partners.webhook_sending import Outcome, attempt

logger = logging.getLogger(__name__)

THREADS = 32
SECONDS_BETWEEN_LOOKS = 1.0
LONGEST_PAUSE = 30.0


class Sender:
    """Sends until it is stopped. Any number may run, each with its own database connection."""

    def __init__(self) -> None:
        self._is_stopped = threading.Event()
        self._under_way: dict[Future[Outcome], Delivery] = {}

    def stop(self) -> None:
        self._is_stopped.set()

    def run(self) -> None:
        """Send whatever there is, until `stop`; what is under way then is finished."""
        pause = SECONDS_BETWEEN_LOOKS
        with ThreadPoolExecutor(THREADS, thread_name_prefix="webhook") as pool:
            while not self._is_stopped.is_set():
                try:
                    close_old_connections()
                    made = self.step(pool)
                    pause = 0.0 if made else SECONDS_BETWEEN_LOOKS
                except DatabaseError as error:
                    # The database may come back.
                    pause = min(max(pause, SECONDS_BETWEEN_LOOKS) * 2, LONGEST_PAUSE)
                    logger.warning("Webhooks wait: %s", str(error).strip().splitlines()[0])
                if self._under_way:
                    wait(self._under_way, timeout=pause, return_when=FIRST_COMPLETED)
                else:
                    self._is_stopped.wait(pause)
            wait(self._under_way)
            self._note_finished()

    def step(self, pool: ThreadPoolExecutor) -> bool:
        """Do once what there is to do; return whether there may be more at once."""
        make_tick()
        self._note_finished()
        made = webhook_queue.fan_out()
        for delivery in webhook_queue.claim(THREADS - len(self._under_way)):
            self._under_way[pool.submit(attempt, delivery)] = delivery
        return bool(made)

    def _note_finished(self) -> None:
        for future in [future for future in self._under_way if future.done()]:
            webhook_queue.note(self._under_way[future], future.result())
            # Only now: what could not be written down for want of a database is tried again.
            del self._under_way[future]
