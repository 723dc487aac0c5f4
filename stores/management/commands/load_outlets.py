from typing import BinaryIO

from catalog.loading.console import LoadCommand
from catalog.loading.report import Report
from stores.loading.csvfile import encoding_of, read_csv
from stores.loading.outlets import load_outlets


class Command(LoadCommand):
    help = (
        "Load outlets from a CSV file, plain or gzip, in UTF-8 or GB 18030. A dry run without --apply; regions and"
        " timetables come first."
    )

    def load(self, stream: BinaryIO, *, apply: bool) -> Report:
        return load_outlets(read_csv(stream, encoding_of(stream)), apply=apply)
