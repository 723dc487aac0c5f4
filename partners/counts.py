"""
Counts of shelves that partners send: checked line by line, then written by the rules of counts.

A small upload is dealt with at once; a large one waits for a worker. One whose worker was killed is begun anew: what
was written then is known by now, and nothing is written twice.
"""

from __future__ import annotations

import logging
from collections.abc import Iterator, Sequence
from contextlib import closing
from datetime import timedelta
from tempfile import SpooledTemporaryFile
from typing import Any, BinaryIO, cast

from django.db import connection, transaction
from django.db.models import F
from django.utils import timezone, translation
from django.utils.translation import gettext_lazy as _

from api.credentials import Credentials
from catalog.loading.report import Problem
from partners.count_lines import BrokenBody, CountLines
from partners.count_models import CountRefusal, StockCount, StockCountPart
from stores.actors import actor
from stores.counts import CountSummary, apply_staged_counts
from stores.ledger_counts import WAS_COUNTED
from stores.loading.checks import Check
from stores.loading.copying import copy_row, copy_rows
from stores.loading.csvfile import Line, PlainLines
from stores.loading.staging import count_refused
from stores.loading.stock import stage_counts
from stores.models import Outlet

MOST_ATTEMPTS = 5
PART_BYTES = BYTES_IN_MEMORY = 1_000_000
KEPT = timedelta(days=30)
# How many more lines are read until that is told.
LINES_BETWEEN = 20_000
LOCK = 6_816

logger = logging.getLogger(__name__)

# Mostly nothing that is known is newer than any of the counts, and they need not be looked at one by one.
_OUTDATED = f"""
    SELECT s.line FROM staged_counts s JOIN stores_lastcounts c USING (outlet_id)
    WHERE (SELECT min(counted_at) FROM staged_counts) <= ANY (c.counted_at) AND {WAS_COUNTED.format(then=">")}
    ORDER BY s.line
"""

_PROGRESS = "UPDATE partners_stockcount SET written = %s, opened = %s, changed = %s WHERE id = %s"


def keep(count: StockCount, file: BinaryIO) -> None:
    """Keep a new upload, with what `file` holds, for a worker to deal with."""
    count.save(force_insert=True)
    for seq, data in enumerate(iter(lambda: file.read(PART_BYTES), b"")):
        StockCountPart.objects.create(count=count, seq=seq, data=data)


def deal_with(count: StockCount, stream: BinaryIO) -> StockCount:
    """
    Check the lines of an upload and write the good ones, all of them or those that are, as its mode says.

    Within a transaction all of it is part of it; outside, every few outlets are committed by themselves. Raises
    BrokenBody, and nothing was written, where nothing can be made of the whole.
    """
    lines = CountLines(stream, count.media_type)
    try:
        with translation.override(count.language), transaction.atomic():
            checks = _reach(cast(Credentials, count.api_key))
            good, problems = stage_counts(_watched(lines, count), moment=count.received_at, checks=checks)
            if lines.broken:
                raise BrokenBody(lines.broken)
            good -= _note(count, lines.number, problems)
        if good and not (problems and count.mode == StockCount.Mode.ALL_OR_NOTHING):
            _write(count, good)
    finally:
        if not connection.needs_rollback:
            _drop_staged()
    _end(count, StockCount.State.DONE)
    return count


def _watched(lines: CountLines, count: StockCount) -> Iterator[Line | PlainLines | Problem]:
    """Yield the lines, and let whoever asks see meanwhile how many were read."""
    # By a connection of its own: what this one writes is seen when all are read. It is opened when first used.
    with closing(connection.copy()) as other:
        told = 0
        for found in lines:
            yield found
            if lines.number >= told + LINES_BETWEEN:
                told = lines.number
                with other.cursor() as cursor:
                    cursor.execute("UPDATE partners_stockcount SET lines = %s WHERE id = %s", [told, count.pk])


def _reach(key: Credentials) -> list[Check]:
    """Return what refuses lines that the key does not reach, in the words for what is not there at all."""
    checks = []
    with connection.cursor() as cursor:
        if key.outlets or key.regions:
            sql, values = Outlet.objects.reached_by(key).values("pk").query.sql_with_params()
            bad = cursor.mogrify(f"outlet.id NOT IN ({sql})", values).decode()
            checks.append(Check("outlet", bad, _("no outlet has the code “%(value)s”")))
        if key.phones:
            bad = cursor.mogrify("phone.slug <> ALL (%s)", [key.phones]).decode()
            checks.append(Check("phone", bad, _("no phone is called “%(value)s”")))
    return checks


def _note(count: StockCount, lines: int, problems: Sequence[Problem]) -> int:
    """Write down what was found wrong, and what is no news; return how many counts are that."""
    count.refusals.all().delete()
    with connection.cursor() as cursor:
        cursor.execute(_OUTDATED)
        reason = str(_("a newer count of this shelf is known"))
        outdated = [Problem(line, "counted_at", reason) for (line,) in cursor]
        rows = (
            copy_row(count.pk, seq, problem.line, problem.column, problem.reason)
            for seq, problem in enumerate(sorted([*problems, *outdated]), start=1)
        )
        copy_rows(cursor, "partners_countrefusal (count_id, seq, line, field, reason)", rows)
    count.lines, count.refused, count.outdated = lines, count_refused(problems), len(outdated)
    count.written = count.refused + len(outdated)
    count.save(update_fields=["lines", "refused", "outdated", "written"])
    return len(outdated)


def _write(count: StockCount, good: int) -> None:
    before = StockCount(opened=count.opened, changed=count.changed, written=count.written)
    with connection.cursor() as cursor:

        def note(summary: CountSummary) -> None:
            count.opened = before.opened + summary.opened
            count.changed = before.changed + summary.changed
            count.written = before.written + summary.opened + summary.changed + summary.unchanged
            # For each of hundreds of steps, so not by the model, which takes ten times as long.
            cursor.execute(_PROGRESS, [count.written, count.opened, count.changed, count.pk])

        apply_staged_counts(
            cursor,
            table="staged_counts",
            actor=actor("partner", count.partner_id),
            reference=f"count:{count.pk}",
            opening=True,
            note=note,
        )
    count.unchanged = max(good - count.opened - count.changed, 0)
    count.is_applied = True


def _drop_staged() -> None:
    with connection.cursor() as cursor:
        cursor.execute("DROP TABLE IF EXISTS staged_counts")


def _end(count: StockCount, state: StockCount.State) -> None:
    count.state, count.ended_at = state, timezone.now()
    count.written = count.lines if state == StockCount.State.DONE else count.written
    with transaction.atomic():
        count.save()
        count.parts.all().delete()


def deal_with_waiting() -> int:
    """Deal with the uploads that wait, and with those whose worker was killed; return how many."""
    done = 0
    for pk in StockCount.objects.filter(ended_at=None).values_list("pk", flat=True):
        with connection.cursor() as cursor:
            # Held by the connection: it ends with the worker, however that ends.
            cursor.execute("SELECT pg_try_advisory_lock(%s, hashtext(%s))", [LOCK, str(pk)])
            if not cursor.fetchone()[0]:
                continue
            try:
                done += _take_up(pk)
            finally:
                cursor.execute("SELECT pg_advisory_unlock(%s, hashtext(%s))", [LOCK, str(pk)])
    return done


def _take_up(pk: Any) -> bool:
    count = StockCount.objects.select_related("api_key").filter(pk=pk, ended_at=None).first()
    if count is None:
        return False
    StockCount.objects.filter(pk=pk).update(state=StockCount.State.RUNNING, attempts=F("attempts") + 1)
    count.refresh_from_db(fields=["state", "attempts"])
    try:
        deal_with(count, _spooled(count))
    except BrokenBody as broken:
        CountRefusal.objects.create(count=count, seq=1, line=0, field="", reason=str(broken))
        _end(count, StockCount.State.FAILED)
    except Exception:
        logger.exception("The counts %s could not be dealt with.", pk)
        if count.attempts >= MOST_ATTEMPTS:
            # As it is in the database: the last step may not have been committed.
            count.refresh_from_db()
            _end(count, StockCount.State.FAILED)
    return True


def _spooled(count: StockCount) -> BinaryIO:
    """Return what was kept of an upload as a file: while lines stream into the database, nothing can be read there."""
    file = cast(BinaryIO, SpooledTemporaryFile(max_size=BYTES_IN_MEMORY))  # noqa: SIM115
    for seq in count.parts.values_list("seq", flat=True):
        file.write(count.parts.values_list("data", flat=True).get(seq=seq))
    file.seek(0)
    return file


def forget_old_counts() -> int:
    """Delete what was kept of uploads that were dealt with long ago; return of how many."""
    return StockCount.objects.filter(ended_at__lte=timezone.now() - KEPT).delete()[1].get("partners.StockCount", 0)
