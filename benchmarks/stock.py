"""What writing stock costs beside the least SQL that does it: reservations, and counts of the whole country."""

from __future__ import annotations

from benchmarks import counts, reservations

TEXT = """\
Floors are the least SQL that does the work, sent through bare psycopg2 in the same run, in turn with ours; ratios are
medians of the rounds' own. CPU says more than the clock where others use the machine, too. Nearest stock has a page of
its own, [benchmarks-nearest.md](benchmarks-nearest.md).

## Reservations

The bare floor writes a level and a line to tables with nothing but primary keys. The floor on the chain writes the real
tables, with their unique keys and checks, in one statement, and is asked by the triggers whether level and line agree.
The rule goes through the door that writes both by itself, so it is not asked. Beyond both floors, it answers a refusal
with what is left, knows an operation that comes again, notes the change for the totals and tells partners of it.

{reservations}
## Counts

A bulk count compares every shelf with what was counted, without a lock, and writes those that differ, some hundreds a
transaction. When a shelf was last counted is kept in one row an outlet, so a shelf that is as it was known is not
written. "COPY plus upsert of what differs" is one transaction on a table with nothing but a primary key; the second
floor also writes the time of count of every shelf, which the rule keeps, too.

Where few shelves differ, the comparison and the rows of times are most of the work. Where all differ, nearly all of it
is writing: for each shelf a line and a new version of the level.

{counts}
In the last table one caller reserves again and again, alone and while every shelf of the country changes. A reservation
waits for a count only when its own shelf is in the batch that is being written; otherwise they share processors and
disk. So a count rests while others write, eight ninths of the time: it takes nine times as long then. How much is the
machine's, the columns between say: beside a process that has nothing to do with stock, and beside bare COPY plus
upsert, which does not rest. A p99 by the clock says little on a machine that is busy with anything else.
"""


def run() -> str:
    """Measure both and return the text with its tables."""
    return TEXT.format(reservations=reservations.run(), counts=counts.run())
