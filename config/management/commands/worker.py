import os
import signal
import sys
import threading
import time
from argparse import ArgumentParser
from typing import Any

from django.core.management.base import BaseCommand, CommandError
from django.db import DatabaseError, close_old_connections, connections
from django_q.cluster import Cluster

from catalog.price_events import tell_of_due_prices
from config import jobs
from config.processes import end_with
from orders.messages.outbox import BATCH, send_due
from partners.webhook_sender import Sender
from partners.webhook_sending import SECONDS_TO_ANSWER

SECONDS_BETWEEN_LOOKS = 1.0
LONGEST_PAUSE = 30.0


class Command(BaseCommand):
    help = "Do what is due by the clock, send messages and call webhooks, until stopped. Any number may run."

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("--companion-of", type=int, metavar="PID", help="end when this parent has ended")

    def handle(self, *args: Any, companion_of: int | None, **options: Any) -> None:
        if companion_of:
            # Whatever it is doing: every job is done again that was not done to its end.
            end_with(companion_of, at_once=True)
        jobs.arrange()
        # The processes of the cluster must not share a connection with this one, nor outlive it.
        connections.close_all()
        os.register_at_fork(after_in_child=lambda: end_with(os.getppid()))
        cluster = Cluster()
        signal.signal(signal.SIGHUP, cluster.sig_handler)
        cluster.start()
        sender = Sender()
        webhooks = threading.Thread(target=sender.run, name="webhooks", daemon=True)
        webhooks.start()
        try:
            self._do_what_is_due(cluster, webhooks)
        finally:
            # What is under way is written down.
            sender.stop()
            webhooks.join(SECONDS_TO_ANSWER)
        sys.exit(0)

    def _do_what_is_due(self, cluster: Cluster, webhooks: threading.Thread) -> None:
        pause = SECONDS_BETWEEN_LOOKS
        while not cluster.has_stopped:
            if not cluster.sentinel.is_alive():
                raise CommandError("The worker's cluster has died.")
            if not webhooks.is_alive():
                raise CommandError("The sender of webhooks has died.")
            try:
                close_old_connections()
                tell_of_due_prices()
                pause = 0.0 if send_due() == BATCH else SECONDS_BETWEEN_LOOKS
            except DatabaseError as error:
                # The database may come back.
                pause = min(max(pause, SECONDS_BETWEEN_LOOKS) * 2, LONGEST_PAUSE)
                self.stderr.write(f"{error}".strip().splitlines()[0])
            time.sleep(pause)
