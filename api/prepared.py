"""
Questions to the database whose SQL is made once for the process.

Django makes a queryset's SQL anew for each page, which costs several times what PostgreSQL needs to answer. So the
questions of the pages asked most are querysets with parameters: the rules stay where querysets keep them, and what is
left to do for a page is to fill in the values.
"""

from __future__ import annotations

import re
import threading
from collections.abc import Callable, Iterable
from functools import cached_property
from itertools import count
from typing import Any, NamedTuple

from django.db import DEFAULT_DB_ALIAS, connection, connections
from django.db.models import BooleanField, Expression, Field, Func, QuerySet

# Where SQL that is written out leaves a value open, as psycopg2 has it.
OPEN = re.compile(r"%\((\w+)\)s")


class Parameter(Expression):
    """Stands for a value that is only known when the question is asked. Without a field, PostgreSQL finds its type."""

    def __init__(self, name: str, field: Field | None = None) -> None:
        super().__init__(output_field=field)
        self.name = name
        self.declared = field

    def as_sql(self, compiler: Any, connection: Any) -> tuple[str, Any]:
        return "%s", [self]


class IsAnyOf(Func):
    """Whether a column has one of the values of an array: `filter(IsAnyOf("code", Parameter("codes", ...)))`."""

    template = "%(expressions)s)"
    arg_joiner = " = ANY("
    arity = 2
    output_field = BooleanField()


def as_array(numbers: Iterable[int]) -> str:
    """Return whole numbers as PostgreSQL reads an array of them. Of a list psycopg2 makes an expression for each."""
    return f"{{{','.join(map(str, numbers))}}}"


class Prepared:
    """The rows of a queryset of values with parameters, or of SQL with `%(name)s` for each, as plain tuples."""

    def __init__(self, make: Callable[[], QuerySet[Any, Any] | str]) -> None:
        """`make` is called when the rows are first asked for: only then all models are there."""
        self._make = make

    @cached_property
    def _statement(self) -> tuple[str, tuple[Any, ...]]:
        question = self._make()
        if isinstance(question, str):
            return OPEN.sub("%s", question), tuple(map(Parameter, OPEN.findall(question)))
        return question.query.get_compiler(DEFAULT_DB_ALIAS).as_sql()

    def rows(self, *, limit: int | None = None, offset: int = 0, **values: Any) -> list[tuple[Any, ...]]:
        """
        Return the rows for these `values` of the parameters, as psycopg2 reads them (JSON is text). One query.

        Raises KeyError for a parameter that has no value.
        """
        sql, parameters = self._statement
        filled = [values[part.name] if isinstance(part, Parameter) else part for part in parameters]
        if limit is not None:
            sql, filled = f"{sql} LIMIT %s OFFSET %s", [*filled, limit, offset]
        with connection.cursor() as cursor:
            cursor.execute(sql, filled)
            return cursor.fetchall()


_names = count(1)


class _Session(NamedTuple):
    """One connection to the server, a cursor of it, and which statements it has got ready."""

    connection: Any
    cursor: Any
    ready: set[str]


# The newest session of each thread, as `session`: Django's connections are of one thread each, too.
_of_thread = threading.local()


def _session(database: Any) -> _Session:
    """Return the session that `database` has now, connecting and checking it as Django's own cursor would."""
    if database.connection is None or not database.health_check_done:
        database.close_if_health_check_failed()
        database.ensure_connection()
    if database.needs_rollback:
        database.validate_no_broken_transaction()
    session: _Session | None = getattr(_of_thread, "session", None)
    if session is None or session.connection is not database.connection:
        with database.wrap_database_errors:
            session = _of_thread.session = _Session(database.connection, database.create_cursor(), set())
    return session


class Planned(Prepared):
    """
    One that PostgreSQL, too, reads and plans once a connection; that takes it longer than to answer.

    For questions with the same few limits. A pooler between here and PostgreSQL must give a process the same connection
    as long as it lasts ("session mode").
    """

    execute = "EXECUTE"

    def __init__(self, make: Callable[[], QuerySet[Any, Any] | str]) -> None:
        super().__init__(make)
        self._by_limit: dict[int | None, tuple[str, str, list[str]]] = {}

    def rows(self, *, limit: int | None = None, offset: int = 0, **values: Any) -> list[tuple[Any, ...]]:
        if offset:
            return super().rows(limit=limit, offset=offset, **values)
        database = connections[DEFAULT_DB_ALIAS]
        session = _session(database)
        execute, prepare, names = self._by_limit.get(limit) or self._write_down(limit, session.cursor)
        parameters = [values[name] for name in names]
        try:
            if prepare not in session.ready:
                session.cursor.execute(prepare)
                session.ready.add(prepare)
            if not (database.execute_wrappers or database.queries_logged):
                # Django makes two cursors for each question, and what is least asked costs most just after the wait
                # for an answer: a reservation's Python was twice as long.
                session.cursor.execute(execute, parameters)
                return session.cursor.fetchall()
        except Exception:
            with database.wrap_database_errors:
                raise
        # Somebody counts or watches the questions.
        with database.cursor() as cursor:
            cursor.execute(execute, parameters)
            return cursor.fetchall()

    def _write_down(self, limit: int | None, cursor: Any) -> tuple[str, str, list[str]]:
        """Return how to ask with this limit, the statement that makes it known, and whose values to give in turn."""
        sql, parts = self._statement
        parameters: dict[str, Parameter] = {}
        written = []
        for part in parts:
            if isinstance(part, Parameter):
                parameters.setdefault(part.name, part)
                written.append(f"${list(parameters).index(part.name) + 1}")
            else:
                written.append(cursor.mogrify("%s", [part]).decode())
        name = f"cunpu_{next(_names)}"
        types = ", ".join(_type_of(parameter) for parameter in parameters.values())
        prepare = f"PREPARE {name}{f' ({types})' if types else ''} AS {sql % tuple(written)}"
        if limit is not None:
            prepare += f" LIMIT {int(limit)}"
        holes = f" ({', '.join(['%s'] * len(parameters))})" if parameters else ""
        self._by_limit[limit] = f"{self.execute} {name}{holes}", prepare, list(parameters)
        return self._by_limit[limit]


class PlannedOnce(Planned):
    """
    One with the same best plan for all values.

    Where there are arrays or bounds among them PostgreSQL guesses otherwise, and plans anew each time. Both commands
    travel together and are one transaction, so what is set ends with the question.
    """

    execute = "SET LOCAL plan_cache_mode = force_generic_plan; EXECUTE"


def as_row(values: Iterable[Any]) -> str:
    """
    Return `values` (text, numbers, bytes, moments, None, lists of them) as PostgreSQL reads one row from text.

    For questions with many parameters: as so many literals of a statement PostgreSQL takes thrice as long to read them.
    """
    return f"({','.join(map(_field, values))})"


def _field(value: Any) -> str:
    match value:
        case None:
            return ""
        case list():
            return _quoted(f"{{{','.join('NULL' if part is None else _field(part) for part in value)}}}")
        case bytes():
            return _quoted(f"\\x{value.hex()}")
        case _:
            return _quoted(str(value))


def _quoted(text: str) -> str:
    escaped = text.replace("\\", "\\\\").replace('"', '\\"')
    return f'"{escaped}"'


def _type_of(parameter: Parameter) -> str:
    return parameter.declared.db_type(connection) or "text" if parameter.declared else "unknown"
