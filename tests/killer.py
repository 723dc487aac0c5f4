"""A connection that dies at a chosen moment, and what is then left in the tables."""

from __future__ import annotations

import os
import re
import select
from collections.abc import Callable
from contextlib import closing
from functools import cache
from typing import Any

import psycopg2
from django.db import Error, connection
from psycopg2.extensions import TRANSACTION_STATUS_IDLE

SECONDS = 60
# When somebody was last seen is noted by the way.
BY_THE_WAY = {"stores_deskseen"}


class Killer:
    """
    Ends the backend of the test's connection at the `at`th moment, if it comes so far.

    A moment is before each transaction, and after each of its statements: before the next one, or before COMMIT.
    """

    def __init__(self, at: int) -> None:
        self.at, self.moments, self.killed = at, 0, False

    def __call__(self, execute: Callable[..., Any], sql: str, params: Any, many: bool, context: Any) -> Any:
        if _is_idle():
            self._moment()
        result = execute(sql, params, many, context)
        if not _is_idle():
            self._moment()
        return result

    def _moment(self) -> None:
        self.moments += 1
        if self.moments == self.at:
            self.killed = True
            _kill()


def _is_idle() -> bool:
    return connection.connection.info.transaction_status == TRANSACTION_STATUS_IDLE


def _kill() -> None:
    victim = connection.connection
    with closing(psycopg2.connect(victim.dsn)) as other, other.cursor() as cursor:
        cursor.execute("SELECT pg_terminate_backend(%s)", [victim.info.backend_pid])
    # The kernel closes its end of the connection when it is gone, with everything that it held.
    while select.select([victim], [], [], SECONDS)[0]:
        if not os.read(victim.fileno(), 8192):
            return
    raise AssertionError("the backend lives on")


def dies(deed: Callable[[], object], killer: Killer) -> bool:
    """Do the deed with the killer at work; return whether it was cut off. The connection works again."""
    try:
        with connection.execute_wrapper(killer):
            deed()
    except Error:
        assert killer.killed
        return True
    finally:
        if killer.killed:
            connection.close()
    return False


def everything() -> list[Any]:
    """Return a digest of the rows of each table of the trade, and of what is told of it."""
    with connection.cursor() as cursor:
        cursor.execute(_digests())
        return cursor.fetchall()


@cache
def _digests() -> str:
    tables = {name for name in connection.introspection.table_names() if re.match("(stores|orders|events)_", name)}
    digest = "SELECT '{0}', md5(string_agg(t::text, ' ' ORDER BY t::text)) FROM {0} t"
    return " UNION ALL ".join(digest.format(table) for table in sorted(tables - BY_THE_WAY))
