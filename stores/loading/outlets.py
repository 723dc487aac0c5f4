"""Load outlets from lines of a table: the rule behind the command, and behind every other way to import them."""

from __future__ import annotations

from collections.abc import Callable, Iterable

from django.db import connection
from django.utils.translation import gettext_lazy as _

from catalog.loading.report import Problem, Report
from stores.loading.checks import Check, in_form, in_range, not_empty, not_longer, once, one_of, refuse
from stores.loading.coordinates import POINT_CHECKS
from stores.loading.csvfile import Line
from stores.loading.merging import Target, lock, merge
from stores.loading.staging import Columns, staged_lines
from stores.models import Outlet, Region
from stores.outlets import follow_changes, lock_shelves

# The timetable of a new outlet whose row names none.
USUAL_TIMETABLE = "every-day"

TEXTS = ("name_zh", "name_en", "address_zh", "address_en")
# The region tree says these already.
ANCESTORS = ("province", "city", "county")
REGION_NAMES = tuple(f"{level}_{kind}" for level in (*ANCESTORS, "town") for kind in ("zh", "pinyin", "en"))

COLUMNS = Columns(
    required=("code", "town_code", *TEXTS, "latitude", "longitude", "coordinate_source", "coordinate_accuracy_km"),
    optional=("geonames_id", "telephone", "state", "timetable", *(f"{level}_code" for level in ANCESTORS)),
    ignored=REGION_NAMES,
)

_CODE_IS_UNIQUE, _FIRST_LINE = once("code")


CHECKS: tuple[Check, ...] = (
    *(not_empty(column) for column in COLUMNS.required),
    *(not_longer(column, Outlet) for column in (*TEXTS, "telephone")),
    in_form(
        "code",
        "^[0-9]{9}-[0-9]{2}$",
        _("must be nine digits, a hyphen and two digits like 130826100-01, but is “%(value)s”"),
    ),
    _CODE_IS_UNIQUE,
    Check(
        "code",
        "staged_lines.code ~ '^[0-9]{9}-' AND staged_lines.town_code ~ '^[0-9]{9}$'"
        " AND left(staged_lines.code, 9) <> staged_lines.town_code",
        _("must begin with the code of its town, %(value)s"),
        "staged_lines.town_code",
    ),
    Check(
        "town_code",
        "staged_lines.town_code <> '' AND town.code IS NULL",
        _("no town with the code “%(value)s” is known; load the regions first"),
    ),
    *(
        Check(
            f"{level}_code",
            f"staged_lines.{level}_code <> '' AND staged_lines.{level}_code <> {level}.code",
            _("the town lies in another one: %(value)s"),
            f"{level}.code",
        )
        for level in ANCESTORS
    ),
    *POINT_CHECKS,
    one_of("coordinate_source", Outlet.CoordinateSource.values),
    in_range(
        "coordinate_accuracy_km",
        "^[0-9]{1,3}$",
        0,
        999,
        _("must be whole kilometres from 0 to 999, but is “%(value)s”"),
    ),
    in_range(
        "geonames_id", "^[0-9]{1,9}$", 1, 999_999_999, _("must be a number of up to nine digits, but is “%(value)s”")
    ),
    one_of("state", Outlet.State.values),
    Check(
        "timetable",
        "staged_lines.timetable <> '' AND timetable.id IS NULL",
        _("no timetable is called “%(value)s”; load the timetables first"),
    ),
    Check(
        "timetable",
        f"staged_lines.timetable = '' AND stored.id IS NULL"
        f" AND NOT EXISTS (SELECT FROM stores_timetable WHERE slug = '{USUAL_TIMETABLE}')",
        _("a new outlet that names none has the timetable “%(value)s”, and that one is not loaded"),
        f"'{USUAL_TIMETABLE}'",
    ),
)
JOINS = f"""
    LEFT JOIN stores_region AS town ON town.code = staged_lines.town_code AND town.level = {Region.Level.TOWN}
    LEFT JOIN stores_region AS county ON county.code = town.parent_id
    LEFT JOIN stores_region AS city ON city.code = county.parent_id
    LEFT JOIN stores_region AS province ON province.code = city.parent_id
    LEFT JOIN stores_timetable AS timetable ON timetable.slug = staged_lines.timetable
    LEFT JOIN stores_outlet AS stored ON stored.code = staged_lines.code
    {_FIRST_LINE}
"""

# A column that the file does not have, and an empty state or timetable, leave what is stored.
WANTED = """
    CREATE TEMP TABLE wanted AS
    SELECT staged.code, staged.town_code AS town_id, staged.name_zh, staged.name_en,
        staged.address_zh, staged.address_en,
        staged.latitude::float8 AS latitude, staged.longitude::float8 AS longitude,
        staged.coordinate_source, staged.coordinate_accuracy_km::smallint AS coordinate_accuracy_km,
        CASE WHEN %(has_geonames_id)s THEN nullif(staged.geonames_id, '')::integer ELSE stored.geonames_id END
            AS geonames_id,
        CASE WHEN %(has_telephone)s THEN staged.telephone ELSE coalesce(stored.telephone, '') END AS telephone,
        coalesce(nullif(staged.state, ''), stored.state, 'open') AS state,
        coalesce(timetable.id, stored.timetable_id, usual.id) AS timetable_id
    FROM staged_lines AS staged
    LEFT JOIN stores_outlet AS stored ON stored.code = staged.code
    LEFT JOIN stores_timetable AS timetable ON timetable.slug = staged.timetable
    LEFT JOIN stores_timetable AS usual ON usual.slug = %(usual)s
    WHERE NOT EXISTS (SELECT FROM refused_lines WHERE refused_lines.line = staged.line)
"""
TARGET = Target(
    table="stores_outlet",
    key="code",
    fields=(
        "town_id",
        *TEXTS,
        "latitude",
        "longitude",
        "coordinate_source",
        "coordinate_accuracy_km",
        "geonames_id",
        "telephone",
        "state",
        "timetable_id",
    ),
)


# The outlets whose stock levels carry something that the file changes.
MOVED = """
    SELECT stored.id FROM wanted JOIN stores_outlet AS stored USING (code)
    WHERE (stored.state, stored.town_id, stored.latitude, stored.longitude)
        IS DISTINCT FROM (wanted.state, wanted.town_id, wanted.latitude, wanted.longitude)
"""


def load_outlets(
    lines: Iterable[Line | Problem], *, apply: bool, on_step: Callable[[], object] = lambda: None
) -> Report:
    """
    Compare a table of outlets (its first line the header, see COLUMNS) with the stored ones; with `apply`, store it.

    Outlets that are stored and not in the table stay as they are. Nothing is written when anything is refused.
    `on_step` is called when everything is checked, and as each step of `follow_changes` begins.
    """
    with staged_lines(lines, COLUMNS) as staged, connection.cursor() as cursor:
        if apply:
            lock(TARGET)
        problems = sorted(staged.problems + refuse(CHECKS, joins=JOINS))
        cursor.execute(
            WANTED,
            {
                "has_geonames_id": staged.has("geonames_id"),
                "has_telephone": staged.has("telephone"),
                "usual": USUAL_TIMETABLE,
            },
        )
        if apply and not problems:
            cursor.execute(MOVED)
            lock_shelves(outlet_id for (outlet_id,) in cursor.fetchall())
        on_step()
        report = merge(TARGET, problems, apply=apply)
        cursor.execute("DROP TABLE wanted")
        if report.is_applied and report.writes:
            follow_changes(on_step)
    return report
