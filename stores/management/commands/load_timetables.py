from typing import BinaryIO

from catalog.loading.console import LoadCommand
from catalog.loading.report import Report
from stores.loading.timetables import load_timetables


class Command(LoadCommand):
    help = "Load the weekly hours that outlets keep from a JSON file. A dry run without --apply."

    def load(self, stream: BinaryIO, *, apply: bool) -> Report:
        return load_timetables(stream.read(), apply=apply)
