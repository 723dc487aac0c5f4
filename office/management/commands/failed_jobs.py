from argparse import ArgumentParser
from typing import Any

from django.core.management.base import BaseCommand, CommandError
from django.utils.timezone import localtime

from catalog.acting import acting_as
from office import failures


class Command(BaseCommand):
    help = "List jobs that failed and messages that were given up, or have one of them tried again."

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("--retry", metavar="ID", help="try this one again")

    def handle(self, *args: Any, retry: str | None, **options: Any) -> None:
        if retry:
            with acting_as("system:failed_jobs"):
                is_known = failures.retry(retry)
            if not is_known:
                raise CommandError(f"Nothing that failed is called {retry}.")
            self.stdout.write(f"{retry} is tried again.")
            return
        for failure in failures.failed():
            when = localtime(failure.when).strftime("%Y-%m-%d %H:%M")
            self.stdout.write(f"{failure.id}  {when}  {failure.what}: {failure.why}")
