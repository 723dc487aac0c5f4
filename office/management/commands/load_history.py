from typing import Any

from django.conf import settings
from django.core.management.base import BaseCommand, CommandError, CommandParser
from django.db import connection
from django_q.tasks import async_task
from tqdm import tqdm  # type: ignore[import-untyped]

from office.rollup import roll_up_all
from office.sample_loading import MOST_DAYS, load_history


class Command(BaseCommand):
    help = (
        "Give the sample outlets a past: sales, orders and deliveries that end yesterday evening, made up, the same in"
        " every run of a day. Shelves that have moved since it would begin are left alone."
    )

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("--days", type=int, required=True, help=f"how many, 1 to {MOST_DAYS}")
        parser.add_argument("--region", default="", metavar="CODE", help="only outlets whose code begins so")

    def handle(self, *args: Any, days: int, region: str, **options: Any) -> None:
        if not settings.DEMO:
            # It cannot be taken out of the books again.
            raise CommandError("This makes sales up, so it is for a demo alone: DEMO must be yes.")
        try:
            written = load_history(
                days, prefix=region, progress=lambda outlets: tqdm(outlets, unit=" outlets", disable=None)
            )
        except ValueError as error:
            raise CommandError(str(error)) from error
        if written.lines:
            with connection.cursor() as cursor:
                for table in ("stores_stockmovement", "stores_stocklevel", "orders_order", "orders_orderchange"):
                    cursor.execute(f"ANALYZE {table}")
        roll_up_all()
        # The worker does it at once, and every night from then on; its statistics are not for this process.
        async_task("office.run_out.foresee_run_out")
        self.stdout.write(f"Sample data: a past of {written.lines} lines of the ledger and {written.orders} orders.")
