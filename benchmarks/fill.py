"""Fill a benchmark's database with the sample's outlets whose code begins with the argument; run as a module."""

import sys

import django

django.setup()

from django.core.management import call_command  # noqa: E402
from django.db import connection  # noqa: E402

from catalog.loading.report import Problem  # noqa: E402
from stores.loading.csvfile import Line, read_csv  # noqa: E402
from stores.management.commands import load_demo  # noqa: E402
from stores.models import Outlet  # noqa: E402


def fill(prefix: str) -> None:
    """Load the demo, but of its outlets only those whose code begins with `prefix`."""
    call_command("migrate", verbosity=0)
    if Outlet.objects.exists():
        return

    def some(stream):  # type: ignore[no-untyped-def]
        for line in read_csv(stream):
            if isinstance(line, Problem) or line.number == 1 or line.cells[0].startswith(prefix) or is_region(line):
                yield line

    load_demo.read_csv = some
    call_command("load_demo")
    with connection.cursor() as cursor:
        cursor.execute("VACUUM ANALYZE")


def is_region(line: Line) -> bool:
    return "-" not in line.cells[0]


if __name__ == "__main__":
    fill(sys.argv[1])
