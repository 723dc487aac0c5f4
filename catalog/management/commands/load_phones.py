from typing import BinaryIO

from catalog.loading.console import LoadCommand
from catalog.loading.phones import load_phones
from catalog.loading.report import Report


class Command(LoadCommand):
    help = "Load brands, tiers and phones from a JSON file. A dry run without --apply."

    def load(self, stream: BinaryIO, *, apply: bool) -> Report:
        return load_phones(stream.read(), apply=apply)
