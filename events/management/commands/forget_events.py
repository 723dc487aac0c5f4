from argparse import ArgumentParser
from typing import Any

from django.core.management.base import BaseCommand

from events.retention import forget_all_events, forget_old_events


class Command(BaseCommand):
    help = "Forget events that are older than EVENT_DAYS; the worker does so every night."

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("--all", action="store_true", help="all events, after a dump was restored elsewhere")

    def handle(self, *, all: bool, **options: Any) -> None:
        forgotten = forget_all_events() if all else forget_old_events()
        self.stdout.write(f"{forgotten} events forgotten.")
