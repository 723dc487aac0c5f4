"""
Questions to the database whose SQL is made once for the process.

Django makes a queryset's SQL anew for each page, which costs several times what PostgreSQL needs to answer. So the
questions of the pages asked most are querysets with parameters: the rules stay where querysets keep them, and what is
left to do for a page is to fill in the values.
"""

from __future__ import annotations

from collections.abc import Callable
from functools import cached_property
from itertools import count
from typing import Any
from weakref import WeakKeyDictionary

from django.db import DEFAULT_DB_ALIAS, connection
from django.db.models import BooleanField, Expression, Field, Func, QuerySet


class Parameter(Expression):
    """Stands for a value that is only known when the question is asked."""

    def __init__(self, name: str, field: Field) -> None:
        super().__init__(output_field=field)
        self.name = name

    def as_sql(self, compiler: Any, connection: Any) -> tuple[str, Any]:
        return "%s", [self]


class IsAnyOf(Func):
    """Whether a column has one of the values of an array: `filter(IsAnyOf("code", Parameter("codes", ...)))`."""

    template = "%(expressions)s)"
    arg_joiner = " = ANY("
    arity = 2
    output_field = BooleanField()


class Prepared:
    """The rows of a queryset of values with parameters, as plain tuples."""

    def __init__(self, make: Callable[[], QuerySet[Any, Any]]) -> None:
        """`make` is called when the rows are first asked for: only then all models are there."""
        self._make = make

    @cached_property
    def _statement(self) -> tuple[str, tuple[Any, ...]]:
        return self._make().query.get_compiler(DEFAULT_DB_ALIAS).as_sql()

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
# Which statements each connection of the process has got ready.
_ready: WeakKeyDictionary[Any, set[str]] = WeakKeyDictionary()


class Planned(Prepared):
    """
    One that PostgreSQL, too, reads and plans once a connection; that takes it longer than to answer.

    For questions with the same few limits. A pooler between here and PostgreSQL must give a process the same connection
    as long as it lasts ("session mode").
    """

    def __init__(self, make: Callable[[], QuerySet[Any, Any]]) -> None:
        super().__init__(make)
        self._by_limit: dict[int | None, tuple[str, str, list[Parameter]]] = {}

    def rows(self, *, limit: int | None = None, offset: int = 0, **values: Any) -> list[tuple[Any, ...]]:
        if offset:
            return super().rows(limit=limit, offset=offset, **values)
        with connection.cursor() as cursor:
            name, statement, parameters = self._by_limit.get(limit) or self._name(limit, cursor)
            ready = _ready.setdefault(connection.connection, set())
            if name not in ready:
                # No question by itself, so it goes past what counts questions.
                with connection.wrap_database_errors, connection.connection.cursor() as bare:
                    bare.execute(statement)
                ready.add(name)
            holes = f" ({', '.join(['%s'] * len(parameters))})" if parameters else ""
            cursor.execute(f"EXECUTE {name}{holes}", [values[parameter.name] for parameter in parameters])
            return cursor.fetchall()

    def _name(self, limit: int | None, cursor: Any) -> tuple[str, str, list[Parameter]]:
        """Return a name for the statement with this limit, the statement that says what it means, its parameters."""
        sql, parts = self._statement
        name, parameters, written = f"cunpu_{next(_names)}", [], []
        for part in parts:
            if isinstance(part, Parameter):
                parameters.append(part)
                written.append(f"${len(parameters)}")
            else:
                written.append(cursor.mogrify("%s", [part]).decode())
        types = ", ".join(parameter.output_field.db_type(connection) or "text" for parameter in parameters)
        command = f"PREPARE {name}{f' ({types})' if types else ''} AS {sql % tuple(written)}"
        if limit is not None:
            command += f" LIMIT {int(limit)}"
        self._by_limit[limit] = name, command, parameters
        return self._by_limit[limit]
