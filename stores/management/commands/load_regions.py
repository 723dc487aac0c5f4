from typing import BinaryIO

from catalog.loading.console import LoadCommand
from catalog.loading.report import Report
from stores.loading.csvfile import read_csv
from stores.loading.regions import load_regions


class Command(LoadCommand):
    help = (
        "Load the region tree (province, city, county, town) from a CSV file, plain or gzip. A dry run without --apply."
    )

    def load(self, stream: BinaryIO, *, apply: bool) -> Report:
        return load_regions(read_csv(stream), apply=apply)
