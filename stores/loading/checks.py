"""Rules for the cells of a file, written as SQL conditions over all staged lines."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from django.db import connection
from django.db.models import Model
from django.utils.functional import Promise
from django.utils.translation import gettext_lazy

from catalog.loading.report import Problem
from stores.loading.staging import SHOWN_CHARACTERS, mark_refused

# Reasons that several files share.
IS_EMPTY = gettext_lazy("is empty")
IS_TOO_LONG = gettext_lazy("has %(value)s characters, %(right)s are the limit")
IS_NONE_OF = gettext_lazy("must be one of %(right)s, but is “%(value)s”")
IS_TWICE = gettext_lazy("is already on line %(value)s")


@dataclass(frozen=True)
class Check:
    """
    A line is refused when the SQL condition `bad` is true.

    `reason` may show the cell as %(value)s, or another SQL expression given as `value`; and what would be right as
    %(right)s.
    """

    column: str
    bad: str
    reason: str | Promise
    value: str = ""
    right: str = ""


def any_bad(checks: Sequence[Check]) -> str:
    """
    Return the condition that a line fails at least one of the checks; it may be null where it fails none.

    Nearly all lines are right, and asking this of them costs a fraction of asking for every verdict.
    """
    return f"({' OR '.join(f'({check.bad})' for check in checks)})"


def refuse(checks: Sequence[Check], *, joins: str = "") -> list[Problem]:
    """Run all checks over all staged lines in one pass. `joins` may bring in tables to look things up, by LEFT JOIN."""
    conditions = ", ".join(
        f"({number}, {check.bad}, {check.value or f'staged_lines.{check.column}'})"
        for number, check in enumerate(checks)
    )
    with connection.cursor() as cursor:
        # Nobody else has looked at the table yet.
        cursor.execute("ANALYZE staged_lines")
        cursor.execute(
            f"SELECT staged_lines.line, number, left(verdict.value, {SHOWN_CHARACTERS}) FROM staged_lines {joins} "
            f"CROSS JOIN LATERAL (VALUES {conditions}) AS verdict (number, bad, value) "
            f"WHERE {any_bad(checks)} AND verdict.bad ORDER BY staged_lines.line, number"
        )
        problems = [
            Problem(
                line, checks[number].column, checks[number].reason % {"value": value, "right": checks[number].right}
            )
            for line, number, value in cursor
        ]
        mark_refused(cursor, problems)
    return problems


def not_empty(column: str) -> Check:
    return Check(column, f"staged_lines.{column} = ''", IS_EMPTY)


def not_longer(column: str, model: type[Model]) -> Check:
    """A cell has to fit the model's field of the same name."""
    limit = next(field.max_length for field in model._meta.concrete_fields if field.name == column)
    length = f"length(staged_lines.{column})"
    return Check(column, f"{length} > {limit}", IS_TOO_LONG, f"{length}::text", str(limit))


def in_form(column: str, pattern: str, reason: str | Promise) -> Check:
    """A cell that is not empty has to match an anchored regular expression of PostgreSQL."""
    return Check(column, f"staged_lines.{column} <> '' AND staged_lines.{column} !~ '{pattern}'", reason)


def one_of(column: str, choices: Sequence[str]) -> Check:
    """A cell that is not empty has to be one of a few words."""
    return Check(
        column,
        f"staged_lines.{column} <> '' AND staged_lines.{column} NOT IN ({', '.join(map(repr, choices))})",
        IS_NONE_OF,
        right=", ".join(choices),
    )


def in_range(column: str, pattern: str, low: int, high: int, reason: str | Promise) -> Check:
    """A cell that is not empty has to be a number in the form of `pattern`, from `low` to `high` (%(right)s)."""
    cell = f"staged_lines.{column}"
    return Check(
        column,
        f"{cell} <> '' AND CASE WHEN {cell} ~ '{pattern}' THEN {cell}::numeric NOT BETWEEN {low} AND {high} "
        "ELSE true END",
        reason,
        right=str(high),
    )


def once(column: str) -> tuple[Check, str]:
    """A value has to be unique in the file. Returns the check, and the join that it needs."""
    join = (
        f"LEFT JOIN (SELECT {column} AS value, min(line) AS line FROM staged_lines GROUP BY 1) AS first "
        f"ON first.value = staged_lines.{column}"
    )
    return Check(
        column, f"staged_lines.{column} <> '' AND staged_lines.line > first.line", IS_TWICE, "first.line::text"
    ), join
