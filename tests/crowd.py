"""Many callers at the same instant, each with a connection of its own."""

from __future__ import annotations

import threading
from collections.abc import Callable, Sequence
from typing import Any

from django.db import connection

# Seconds until one of the crowd is taken for stuck, on however slow a machine.
LONGEST = 300


def at_once(calls: Sequence[Callable[[], Any]]) -> list[Any]:
    """Make all `calls` in threads that set out together; return what each returned or raised, in order."""
    outcomes: list[Any] = [None] * len(calls)
    start = threading.Barrier(len(calls))

    def run(index: int, call: Callable[[], Any]) -> None:
        try:
            connection.ensure_connection()
            start.wait(timeout=LONGEST)
            outcomes[index] = call()
        except Exception as error:
            outcomes[index] = error
        finally:
            connection.close()

    threads = [threading.Thread(target=run, args=[index, call], daemon=True) for index, call in enumerate(calls)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(timeout=LONGEST)
    if any(thread.is_alive() for thread in threads):
        raise AssertionError("some of the crowd wait for ever")
    return outcomes


def share_out(calls: Sequence[Callable[[], Any]], workers: int = 16) -> list[Any]:
    """Make all `calls`, as many at a time as there are workers; return what each returned or raised, in order."""
    outcomes: list[Any] = [None] * len(calls)
    # Threads draw from it one by one: to take from a list's iterator is one step.
    rest = iter(enumerate(calls))

    def work() -> None:
        for index, call in rest:
            try:
                outcomes[index] = call()
            except Exception as error:
                outcomes[index] = error

    failures = [failure for failure in at_once([work] * workers) if failure]
    if failures:
        raise failures[0]
    return outcomes
