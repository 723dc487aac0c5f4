"""Load the region tree from lines of a table."""

from __future__ import annotations

from collections.abc import Iterable

from django.db import connection
from django.utils.translation import gettext_lazy as _

from catalog.loading.report import Problem, Report
from stores.loading.checks import Check, in_form, not_empty, not_longer, once, refuse
from stores.loading.coordinates import POINT_CHECKS
from stores.loading.csvfile import Line
from stores.loading.merging import Target, lock, merge
from stores.loading.staging import Columns, staged_lines
from stores.models import Region
from stores.regions import NAMES, recount_outlets
from stores.search import index_places

COLUMNS = Columns(
    required=("code", "level", "parent_code", "name_zh", "name_pinyin", "name_en", "pinyin_initials"),
    optional=("latitude", "longitude"),
    # Counted from the outlets themselves.
    ignored=("outlet_count",),
)

_CODE_IS_UNIQUE, _FIRST_LINE = once("code")

# The level that a code's form tells, by the zeros at its end; and the digits that it shares with its parent's code.
_LEVEL_OF_CODE = (
    "CASE WHEN length(staged_lines.code) = 9 THEN '4' WHEN staged_lines.code LIKE '%0000' THEN '1' "
    "WHEN staged_lines.code LIKE '%00' THEN '2' ELSE '3' END"
)
_SHARED_DIGITS = "CASE staged_lines.level WHEN '2' THEN 2 WHEN '3' THEN 4 ELSE 6 END"

CHECKS: tuple[Check, ...] = (
    *(not_empty(column) for column in ("code", "level", *NAMES)),
    *(not_longer(column, Region) for column in NAMES),
    in_form("pinyin_initials", "^[a-z]+$", _("must be small letters from a to z, but is “%(value)s”")),
    in_form("code", "^([0-9]{6}|[0-9]{9})$", _("must be six or nine digits, but is “%(value)s”")),
    _CODE_IS_UNIQUE,
    in_form("level", "^[1-4]$", _("must be 1, 2, 3 or 4, but is “%(value)s”")),
    Check(
        "level",
        f"staged_lines.level ~ '^[1-4]$' AND staged_lines.code ~ '^[0-9]+$' AND staged_lines.level <> {_LEVEL_OF_CODE}",
        _("does not suit the code %(value)s"),
        "staged_lines.code",
    ),
    Check(
        "parent_code",
        "staged_lines.level = '1' AND staged_lines.parent_code <> ''",
        _("must be empty for a province, but is “%(value)s”"),
    ),
    Check(
        "parent_code",
        "staged_lines.level IN ('2', '3', '4') AND staged_lines.parent_code = ''",
        _("is empty, but only a province has no parent"),
    ),
    Check(
        "parent_code",
        "staged_lines.level IN ('2', '3', '4') AND staged_lines.parent_code <> '' AND sibling.code IS NULL"
        " AND parent.code IS NULL",
        _("%(value)s is no known region"),
    ),
    Check(
        "parent_code",
        "staged_lines.level IN ('2', '3', '4') AND staged_lines.parent_code <> '' AND ("
        "coalesce(sibling.level, parent.level::text, '') <> (staged_lines.level::integer - 1)::text "
        f"OR left(staged_lines.parent_code, {_SHARED_DIGITS}) <> left(staged_lines.code, {_SHARED_DIGITS}))"
        " AND (sibling.code IS NOT NULL OR parent.code IS NOT NULL)",
        _("%(value)s is not the region just above this one"),
    ),
    *POINT_CHECKS,
    Check(
        "longitude",
        "(staged_lines.latitude = '') <> (staged_lines.longitude = '')",
        _("latitude and longitude go together: give both or none"),
    ),
)
JOINS = f"""
    LEFT JOIN (SELECT code, min(level) AS level FROM staged_lines GROUP BY code) AS sibling
        ON sibling.code = staged_lines.parent_code
    LEFT JOIN stores_region AS parent ON parent.code = staged_lines.parent_code
    {_FIRST_LINE}
"""

# A file without coordinates leaves those alone that are stored.
WANTED = """
    CREATE TEMP TABLE wanted AS
    SELECT staged.code, staged.level::smallint AS level, nullif(staged.parent_code, '') AS parent_id,
        staged.name_zh, staged.name_pinyin, staged.name_en, staged.pinyin_initials,
        CASE WHEN %(has_point)s THEN nullif(staged.latitude, '')::float8 ELSE stored.latitude END AS latitude,
        CASE WHEN %(has_point)s THEN nullif(staged.longitude, '')::float8 ELSE stored.longitude END AS longitude
    FROM staged_lines AS staged LEFT JOIN stores_region AS stored ON stored.code = staged.code
    WHERE NOT EXISTS (SELECT FROM refused_lines WHERE refused_lines.line = staged.line)
"""
TARGET = Target(
    table="stores_region",
    key="code",
    fields=("level", "parent_id", *NAMES, "latitude", "longitude"),
    defaults=(("outlet_count", "0"),),
)


def load_regions(lines: Iterable[Line | Problem], *, apply: bool) -> Report:
    """
    Compare a table of regions (its first line the header, see COLUMNS) with the stored tree; with `apply`, store it.

    A region that is stored and not in the table stays. Nothing is written when anything is refused.
    """
    with staged_lines(lines, COLUMNS) as staged, connection.cursor() as cursor:
        if apply:
            lock(TARGET)
        problems = sorted(staged.problems + refuse(CHECKS, joins=JOINS))
        cursor.execute(WANTED, {"has_point": staged.has("latitude") and staged.has("longitude")})
        report = merge(TARGET, problems, apply=apply)
        cursor.execute("DROP TABLE wanted")
        if report.is_applied and report.writes:
            recount_outlets()
            index_places()
    return report
