"""Everything about stock: reservations, nearest stock, counts. `python -m benchmarks.stock --write-docs` keeps it."""

from __future__ import annotations

import os
import sys
from importlib import import_module

PARTS = ("reservations", "nearest", "counts")

HEAD = """\
# Benchmarks of stock

Floors are the least SQL that does the work, sent through bare psycopg2 in the same run, in turn with ours. The bare
floor has tables with nothing but primary keys; the floor on the chain writes the real tables with their foreign keys.
Made by `python -m benchmarks.stock --write-docs` on {cores} cores (load average {load:.1f}).

"""


def run() -> str:
    """Measure everything and return the tables."""
    return "\n".join(import_module(f"benchmarks.{part}").run() for part in PARTS)


def main() -> None:
    head = HEAD.format(cores=os.cpu_count(), load=os.getloadavg()[0])
    text = head + run()
    print(text)
    if "--write-docs" in sys.argv:
        from benchmarks.scale import ROOT

        (ROOT / "docs" / "benchmarks-stock.md").write_text(text)


if __name__ == "__main__":
    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "config.settings")
    os.environ.setdefault("DEMO", "yes")
    import django
    from django.conf import settings

    from config import postgres

    if settings.DATABASES["default"]["HOST"] == str(postgres.SOCKET):
        postgres.use()
    django.setup()
    main()
