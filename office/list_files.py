"""
Lists of head office as CSV files of any length: rows go out as they come from the database, and the trail says who took
them.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from datetime import datetime
from typing import Any

from django.db.models import Model, QuerySet
from django.http import StreamingHttpResponse
from django.utils import timezone

from catalog.acting import acting_as
from catalog.csv_answers import csv_answer
from office import trail
from office.models import TrailEntry

ROWS_AT_ONCE = 500


def hand_out(
    request: Any, file_name: str, rows: Iterable[Sequence[object]], model: type[Model], key: object = "", **asked: Any
) -> StreamingHttpResponse:
    """
    Answer with `rows`, the heading first, as the file `file_name`.

    The trail says who took it: a list of `model`, or what is on record of the one of this `key`, as it was `asked` for.
    """
    with acting_as(request.user.actor):
        trail.note(TrailEntry.Deed.EXPORTED, model._meta.db_table, key, **asked)
    return csv_answer(file_name, rows)


def in_turn(found: QuerySet[Any]) -> Iterator[Any]:
    """Yield what is found, however much, with some hundred of them in memory at a time."""
    return found.iterator(chunk_size=ROWS_AT_ONCE)


def moment_cell(moment: datetime | None) -> str:
    """Return a moment by the clock of China as spreadsheets read it, nothing where there is none."""
    return timezone.localtime(moment).strftime("%Y-%m-%d %H:%M") if moment else ""
