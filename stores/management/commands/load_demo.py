from pathlib import Path
from typing import Any

from django.apps import apps
from django.core.management.base import CommandError
from django.utils.translation import gettext as _

from catalog.acting import SAMPLE, acting_as
from catalog.loading.console import ConsoleCommand, progress_of
from catalog.loading.phones import load_phones
from catalog.loading.report import Report
from stores.loading.csvfile import read_csv
from stores.loading.demo_outlets import close_on_holidays, with_hours_and_state
from stores.loading.demo_people import add_people
from stores.loading.demo_stock import stock_the_shelves
from stores.loading.outlets import load_outlets
from stores.loading.regions import load_regions
from stores.loading.timetables import load_timetables


class Command(ConsoleCommand):
    help = (
        "Load the sample data: 14 phones, 15,000 outlets at real places with hours, opening stock, and in a demo people"
        " to sign in as. A second run adds what is missing, sets phones, regions and outlets back to the files, and "
        "leaves stock and people alone."
    )

    def handle(self, *args: Any, **options: Any) -> None:
        # One transaction: whoever finds outlets finds all of the sample.
        with acting_as(SAMPLE):
            self._load()

    def _load(self) -> None:
        phones = data_file("catalog", "phones.json")
        timetables = data_file("stores", "timetables.json")
        self.show(_("Phones"), load_phones(phones.read_bytes(), apply=True))
        self.show(_("Timetables"), load_timetables(timetables.read_bytes(), apply=True))
        regions, outlets = data_file("stores", "regions.csv"), data_file("stores", "outlets.csv.gz")
        with regions.open("rb") as stream, progress_of(stream, regions) as watched:
            self.show(_("Regions"), load_regions(read_csv(watched), apply=True))
        with outlets.open("rb") as stream, progress_of(stream, outlets) as watched:
            self.show(_("Outlets"), load_outlets(with_hours_and_state(read_csv(watched)), apply=True))
        self.stdout.write(_("Closed periods: %(count)d new.") % {"count": close_on_holidays()})
        self.stdout.write(_("Stock: %(count)d shelves opened.") % {"count": stock_the_shelves()})
        self.stdout.write(_("People: %(count)d new.") % {"count": add_people()})
        self.stdout.write(
            _(
                "This is sample data: the places are real, the shops, their hours and their stock are made up, "
                "and so are most values of the phones."
            )
        )

    def show(self, what: str, report: Report) -> None:
        for problem in report.problems:
            self.stderr.write(str(problem))
        self.stdout.write(f"{what}: {report}")
        if report.problems:
            raise CommandError(_("The sample data is damaged: nothing was loaded."))


def data_file(app: str, name: str) -> Path:
    return Path(apps.get_app_config(app).path) / "data" / name
