"""Load counts of shelves from lines of a table."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from datetime import datetime
from typing import Any

from django.db import connection, transaction
from django.utils.translation import gettext_lazy as _

from catalog.loading.report import Problem, Report
from stores.counts import CLOCKS_DIFFER, apply_staged_counts
from stores.ledger_counts import LAST_COUNTED
from stores.loading.checks import Check, any_bad, not_empty, refuse
from stores.loading.csvfile import Line, PlainLines
from stores.loading.staging import Columns, count_refused, staged_lines

COLUMNS = Columns(required=("outlet", "phone", "on_hand"), optional=("counted_at",))

# More than any outlet has room for: a mistake in the file, a price or a telephone number in the wrong column.
MOST_ON_HAND = 99_999

_MOMENT = (
    "^20[0-9]{2}-(0[1-9]|1[0-2])-(0[1-9]|[12][0-9]|3[01])[T ]"
    r"([01][0-9]|2[0-3]):[0-5][0-9](:[0-5][0-9](\.[0-9]{1,6})?)?"
    "(Z|[+-](0[0-9]|1[0-4]):[0-5][0-9])?$"
)
# The first of the month and so many days lie in the same month, unless it is the 30th of February.
_IS_A_MOMENT = f"""
    CASE WHEN counted_at ~ '{_MOMENT}' THEN
        extract(month FROM (left(counted_at, 7) || '-01')::date
            + substr(counted_at, 9, 2)::integer - 1)
        = substr(counted_at, 6, 2)::integer
    ELSE false END
"""

# What a cell says, once for all lines that say the same; null where it is no moment. Without a zone, the hour is that
# of the shop's clock.
_MOMENTS = f"""
    SELECT counted_at, CASE WHEN NOT ({_IS_A_MOMENT}) THEN NULL
        WHEN counted_at ~ '(Z|[+-]..:..)$' THEN counted_at::timestamptz
        ELSE counted_at::timestamp AT TIME ZONE 'Asia/Shanghai' END AS value
    FROM staged_lines GROUP BY counted_at
"""
_LATEST = f"statement_timestamp() + interval '{CLOCKS_DIFFER.total_seconds()} seconds'"

# The planner knows the size of a table that nobody looked at, but takes it for ten pages where it is smaller.
FEW = 2_000

CHECKS: tuple[Check, ...] = (
    *(not_empty(column) for column in COLUMNS.required),
    Check("outlet", "outlet.id IS NULL AND staged_lines.outlet <> ''", _("no outlet has the code “%(value)s”")),
    Check("phone", "phone.id IS NULL AND staged_lines.phone <> ''", _("no phone is called “%(value)s”")),
    Check(
        "on_hand",
        # A fraction of what a regular expression takes.
        "staged_lines.on_hand <> '' AND CASE"
        " WHEN octet_length(staged_lines.on_hand) < 10 AND translate(staged_lines.on_hand, '0123456789', '') = ''"
        f" THEN staged_lines.on_hand::integer > {MOST_ON_HAND} ELSE true END",
        _("must be a whole number from 0 to %(right)s, but is “%(value)s”"),
        right=str(MOST_ON_HAND),
    ),
    Check(
        "counted_at",
        "moment.value IS NULL AND staged_lines.counted_at <> ''",
        _("must be a time like 2026-11-22T09:30+08:00, but is “%(value)s”"),
    ),
    Check("counted_at", f"moment.value > {_LATEST}", _("%(value)s lies in the future")),
)
JOINS = f"""
    LEFT JOIN stores_outlet AS outlet ON outlet.code = staged_lines.outlet
    LEFT JOIN catalog_phone AS phone ON phone.slug = staged_lines.phone
    LEFT JOIN ({_MOMENTS}) AS moment ON moment.counted_at = staged_lines.counted_at
"""
# Asked of all lines only where some are known to be wrong: it costs as much as all the others.
ONCE = Check(
    "phone",
    "staged_lines.line > first.line AND staged_lines.outlet <> '' AND staged_lines.phone <> ''",
    _("this outlet's count of this phone is already on line %(value)s"),
    "first.line::text",
)
FIRST = """
    LEFT JOIN (SELECT outlet, phone, min(line) AS line FROM staged_lines GROUP BY 1, 2 HAVING count(*) > 1) AS first
        ON first.outlet = staged_lines.outlet AND first.phone = staged_lines.phone
"""
# Both keys in one number: what is sorted then takes half as long.
_HAS_TWICE = "SELECT count(DISTINCT outlet_id << 16 | phone_id) < count(*) FROM staged_counts"
_LEAVE_OUT = "DELETE FROM staged_counts s USING refused_lines r WHERE r.line = s.line"

WANTED = f"""
    CREATE TEMP TABLE staged_counts AS
    SELECT staged_lines.line, outlet.id AS outlet_id, phone.id AS phone_id, staged_lines.on_hand::integer AS on_hand,
        coalesce(moment.value, %s, statement_timestamp()) AS counted_at
    FROM staged_lines {JOINS}
"""
COMPARED = f"""
    SELECT count(*) FILTER (WHERE level.outlet_id IS NULL),
        count(*) FILTER (WHERE level.on_hand <> s.on_hand AND s.counted_at > coalesce({LAST_COUNTED}, '-infinity')),
        count(*)
    FROM staged_counts AS s LEFT JOIN stores_stocklevel AS level USING (outlet_id, phone_id)
    LEFT JOIN stores_lastcounts AS c USING (outlet_id)
"""


@transaction.atomic
def load_stock(lines: Iterable[Line | PlainLines | Problem], *, actor: str, apply: bool) -> Report:
    """
    Compare counts (the first line the header, see COLUMNS) with the stock levels; with `apply`, write the ledger.

    A shelf without a ledger is opened with its count. An older count than the stored one changes nothing, and is
    reported as unchanged. Without `counted_at`, the count is of this moment. `actor` is who the ledger says did it.
    Nothing is written when anything is refused.
    """
    _number, problems = stage_counts(lines)
    with connection.cursor() as cursor:
        is_applied = apply and not problems
        new, changed, unchanged = _apply(cursor, actor) if is_applied else _compare(cursor)
        cursor.execute("DROP TABLE staged_counts")
    return Report(new, changed, unchanged, count_refused(problems), problems, is_applied)


def stage_counts(
    lines: Iterable[Line | PlainLines | Problem], *, moment: datetime | None = None, checks: Sequence[Check] = ()
) -> tuple[int, list[Problem]]:
    """
    Put the counts of `lines` (the first one the header) into the temporary table `staged_counts`.

    Return how many there are in it, and what is wrong with the others.
    The table has line, outlet_id, phone_id, on_hand, counted_at (`moment` where the line says nothing) of the lines
    that pass CHECKS, ONCE and `checks`. It stays until it is dropped.
    """
    checks = [*CHECKS, *checks]
    with staged_lines(lines, COLUMNS) as staged, connection.cursor() as cursor:
        wanted = cursor.mogrify(WANTED, [moment]).decode()
        cursor.execute(f"{wanted} WHERE {any_bad(checks)} IS NOT TRUE")
        good = cursor.rowcount
        cursor.execute(_HAS_TWICE)
        if cursor.fetchone()[0] or good < staged.lines:
            staged.problems += refuse([*checks, ONCE], joins=JOINS + FIRST)
            cursor.execute(_LEAVE_OUT)
            good -= cursor.rowcount
        if good < FEW:
            cursor.execute("ANALYZE staged_counts (outlet_id, phone_id)")
    return good, sorted(staged.problems)


def _compare(cursor: Any) -> tuple[int, int, int]:
    cursor.execute(COMPARED)
    new, changed, total = cursor.fetchone()
    return new, changed, total - new - changed


def _apply(cursor: Any, actor: str) -> tuple[int, int, int]:
    reference = "count:load_stock"
    summary = apply_staged_counts(cursor, table="staged_counts", actor=actor, reference=reference, opening=True)
    return summary.opened, summary.changed, summary.unchanged + summary.refused
