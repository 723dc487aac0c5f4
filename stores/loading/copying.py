"""Streaming rows into a table by COPY, in its text format."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any


def copy_rows(cursor: Any, target: str, rows: Iterable[str]) -> None:
    """Stream rows (COPY's text format, see `copy_row`) into a table; nothing is collected in memory."""
    cursor.copy_expert(f"COPY {target} FROM STDIN", _Pipe(rows))


def copy_row(*values: object) -> str:
    """Return one line of COPY's text format; None is NULL."""
    return "\t".join(map(_escaped, values)) + "\n"


def _escaped(value: object) -> str:
    if value is None:
        return r"\N"
    return str(value).replace("\\", "\\\\").replace("\t", r"\t").replace("\n", r"\n").replace("\r", r"\r")


class _Pipe:
    """The file that psycopg2 reads COPY data from."""

    def __init__(self, rows: Iterable[str]) -> None:
        self.rows = iter(rows)
        self.buffer = b""

    def read(self, size: int) -> bytes:
        parts = [self.buffer]
        length = len(self.buffer)
        while length < size and (row := next(self.rows, None)) is not None:
            parts.append(encoded := row.encode())
            length += len(encoded)
        data = b"".join(parts)
        self.buffer = data[size:]
        return data[:size]
