"""Prove that the books of the whole country add up."""

from typing import Any

from django.core.management.base import BaseCommand, CommandError

from stores.audit import CHECKS, disagreements


class Command(BaseCommand):
    help = "Prove that ledger, stock levels, handsets, shortfalls, transfers and totals agree; list what does not."

    def handle(self, *args: Any, **options: Any) -> None:
        found = 0
        for found, each in enumerate(disagreements(), start=1):  # noqa: B007  (the number is said in the end)
            self.stdout.write(f"{each.outlet or '-'} {each.phone}: not so: {each.check}. {each.detail}")
        if found:
            raise CommandError(f"{found} disagreements.")
        self.stdout.write(f"Everything adds up ({len(CHECKS)} checks).")
