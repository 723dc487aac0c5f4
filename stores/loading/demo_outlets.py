"""What the sample outlets need beyond their file: which of them are open, when, and when not. All of it is made up."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from datetime import date

from django.db import connection, transaction

from catalog.loading.report import Problem
from stores.loading.chance import pick
from stores.loading.copying import copy_row, copy_rows
from stores.loading.csvfile import Line
from stores.models import Outlet

TIMETABLES = (
    ("every-day", 0.40),
    ("noon-break", 0.18),
    ("monday-to-saturday", 0.12),
    ("every-day-late", 0.10),
    ("saturday-morning", 0.08),
    ("market-town", 0.07),
    ("mornings", 0.05),
)

# No sample outlet is closed for good: all 15,000 are outlets that customers find.
STATES = (
    (Outlet.State.OPEN, 0.9972),
    (Outlet.State.SUSPENDED, 0.002),
    (Outlet.State.PLANNED, 0.0008),
)

# First and last day, reason; how many of a hundred outlets close so.
NATIONAL_DAY = ("国庆节", "National Day")
STOCKTAKING = ("年终盘点", "Year-end stocktaking")
SPRING_FESTIVAL = ("春节", "Spring Festival")
PERIODS = (
    (
        ((date(2026, 10, 1), date(2026, 10, 3), NATIONAL_DAY), 0.10),
        (None, 0.90),
    ),
    (
        ((date(2026, 12, 31), date(2026, 12, 31), STOCKTAKING), 0.20),
        (None, 0.80),
    ),
    (
        ((date(2027, 2, 5), date(2027, 2, 7), SPRING_FESTIVAL), 0.35),
        ((date(2027, 2, 5), date(2027, 2, 11), SPRING_FESTIVAL), 0.35),
        # Until the Lantern Festival.
        ((date(2027, 2, 4), date(2027, 2, 20), SPRING_FESTIVAL), 0.15),
        (None, 0.15),
    ),
)


def with_hours_and_state(lines: Iterable[Line | Problem]) -> Iterator[Line | Problem]:
    """Add the columns `timetable` and `state` to a table of outlets whose first column is the code."""
    for line in lines:
        if isinstance(line, Problem):
            yield line
        elif line.number == 1:
            yield Line(1, [*line.cells, "timetable", "state"])
        else:
            code = line.cells[0]
            yield Line(line.number, [*line.cells, pick(TIMETABLES, code, "timetable"), pick(STATES, code, "state")])


@transaction.atomic
def close_on_holidays() -> int:
    """Give every stored outlet the sample's closed periods that it does not have; return how many were added."""
    with connection.cursor() as cursor:
        cursor.execute(
            "CREATE TEMP TABLE staged_periods "
            "(code text, first_day date, last_day date, reason_zh text, reason_en text)"
        )
        # A list, because nothing else can be asked of the connection while it copies.
        copy_rows(cursor, "staged_periods", _periods(list(Outlet.objects.values_list("code", flat=True))))
        cursor.execute(
            """
            INSERT INTO stores_closedperiod (outlet_id, first_day, last_day, reason_zh, reason_en)
            SELECT outlet.id, first_day, last_day, reason_zh, reason_en
            FROM staged_periods JOIN stores_outlet AS outlet USING (code)
            ON CONFLICT (outlet_id, first_day) DO NOTHING
            """
        )
        added = cursor.rowcount
        cursor.execute("DROP TABLE staged_periods")
    return added


def _periods(codes: Iterable[str]) -> Iterator[str]:
    for code in codes:
        for number, choices in enumerate(PERIODS):
            if period := pick(choices, code, "closed", str(number)):
                first_day, last_day, reason = period
                yield copy_row(code, first_day, last_day, *reason)
