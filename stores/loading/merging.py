"""Compare the rows that a file wants with a table, and store the difference."""

from __future__ import annotations

from dataclasses import dataclass

from django.db import connection

from catalog.loading.report import Problem, Report
from stores.loading.staging import count_refused


@dataclass(frozen=True)
class Target:
    """
    A table to load into: its key, the fields that a file decides, and values for those that it does not (SQL, for new
    rows only). The wanted rows stand in a temporary table `wanted` with columns of the same names.
    """

    table: str
    key: str
    fields: tuple[str, ...]
    defaults: tuple[tuple[str, str], ...] = ()

    @property
    def differs(self) -> str:
        stored, wanted = (", ".join(f"{row}.{field}" for field in self.fields) for row in ("stored", "wanted"))
        return f"({stored}) IS DISTINCT FROM ({wanted})"


def lock(target: Target) -> None:
    """
    Let nobody else write the table until the transaction ends, so that what was compared is what is written.

    Readers go on, and so do reservations: they only take key-share locks on single rows.
    """
    with connection.cursor() as cursor:
        cursor.execute(f"LOCK TABLE {target.table} IN SHARE ROW EXCLUSIVE MODE")


def merge(target: Target, problems: list[Problem], *, apply: bool) -> Report:
    """Count how the rows of `wanted` differ from the table; write them when that is wanted and nothing is refused."""
    is_applied = apply and not problems
    report = Report(*_compare(target), count_refused(problems), problems, is_applied)
    if is_applied and report.writes:
        _write(target)
    return report


def _compare(target: Target) -> tuple[int, int, int]:
    with connection.cursor() as cursor:
        cursor.execute(
            f"""
            SELECT count(*) FILTER (WHERE stored.{target.key} IS NULL),
                count(*) FILTER (WHERE stored.{target.key} IS NOT NULL AND {target.differs}),
                count(*) FILTER (WHERE stored.{target.key} IS NOT NULL AND NOT {target.differs})
            FROM wanted LEFT JOIN {target.table} AS stored ON stored.{target.key} = wanted.{target.key}
            """
        )
        return cursor.fetchone()


def _write(target: Target) -> None:
    settings = ", ".join(f"{field} = wanted.{field}" for field in target.fields)
    columns = ", ".join([target.key, *target.fields, *(field for field, _value in target.defaults)])
    values = ", ".join(
        [*(f"wanted.{field}" for field in (target.key, *target.fields)), *(value for _field, value in target.defaults)]
    )
    with connection.cursor() as cursor:
        cursor.execute(
            f"""
            UPDATE {target.table} AS stored SET {settings} FROM wanted
            WHERE stored.{target.key} = wanted.{target.key} AND {target.differs}
            """
        )
        cursor.execute(
            f"""
            INSERT INTO {target.table} ({columns}) SELECT {values} FROM wanted
            WHERE NOT EXISTS (SELECT FROM {target.table} AS stored WHERE stored.{target.key} = wanted.{target.key})
            ORDER BY wanted.{target.key}
            """
        )
