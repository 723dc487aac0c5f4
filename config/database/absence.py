"""Whether something went wrong because the database was away, and not because of what it was asked."""

from __future__ import annotations

from collections.abc import Iterator

import psycopg2

# SQLSTATEs, appendix A of PostgreSQL's manual: it is being stopped, was stopped, is only just starting, or takes nobody
# else in; and all of the class of connections.
GOING_OR_COMING = {"57P01", "57P02", "57P03", "53300"}
CONNECTION_CLASS = "08"


def is_away(error: BaseException | None) -> bool:
    """Whether `error`, or one that it came of, is that PostgreSQL could not be reached or went away meanwhile."""
    return any(_tells_of_absence(cause) for cause in _causes(error))


def _causes(error: BaseException | None) -> Iterator[BaseException]:
    seen = set()
    while error is not None and error not in seen:
        seen.add(error)
        yield error
        error = error.__cause__ or error.__context__


def _tells_of_absence(error: BaseException) -> bool:
    if isinstance(error, psycopg2.InterfaceError):
        return "connection already closed" in str(error)
    if not isinstance(error, psycopg2.OperationalError):
        return False
    # What the server did not say itself, libpq found out: there is nobody, or the line is dead.
    state = error.pgcode
    return state is None or state in GOING_OR_COMING or state.startswith(CONNECTION_CLASS)
