from typing import BinaryIO

from catalog.loading.console import LoadCommand
from catalog.loading.report import Report
from stores.loading.csvfile import read_csv
from stores.loading.stock import load_stock


class Command(LoadCommand):
    help = (
        "Load counts of shelves (outlet, phone, on_hand, and when they were counted) from a CSV file, plain or gzip. "
        "A dry run without --apply."
    )

    def load(self, stream: BinaryIO, *, apply: bool) -> Report:
        return load_stock(read_csv(stream), actor="system:load_stock", apply=apply)
