"""
Opening outlets by the hundred: a file is looked at as a whole, and then applied exactly as it was shown.

The rule is that of `load_outlets`. What was shown has a fingerprint, of the file and of the stored outlets that it
names; whoever applies says which, and where it is another one by then nothing is done.
"""

from __future__ import annotations

import hashlib
import io
from collections.abc import Callable, Collection, Iterator, Sequence
from dataclasses import dataclass
from typing import BinaryIO

from django.db import transaction
from django.utils import timezone
from django.utils.translation import gettext as _

from catalog.loading.report import Problem, Report
from office import trail
from office.models import OutletImport, TrailEntry
from office.spreadsheets import read_table
from stores.geography import Point
from stores.loading.csvfile import Line
from stores.loading.merging import lock
from stores.loading.outlets import TARGET, load_outlets
from stores.models import Outlet, Person, Region, RegionMap

MOST_BYTES = 5 * 2**20


class ImportRefused(Exception):
    """A file cannot be taken, or not be applied; the message is for people."""


@dataclass(frozen=True)
class Preview:
    """What a file would do. `fingerprint` names file and data; `new` are outlets that are not there, by code."""

    report: Report
    fingerprint: str
    new: dict[str, Point]


def keep_file(person: Person, file_name: str, stream: BinaryIO) -> OutletImport:
    """Keep a file that `person` has sent. Raises ImportRefused for one that is too large or empty."""
    content = stream.read(MOST_BYTES + 1)
    if len(content) > MOST_BYTES:
        raise ImportRefused(_("The file is larger than %(limit)d MB.") % {"limit": MOST_BYTES // 2**20})
    if not content:
        raise ImportRefused(_("The file is empty."))
    return OutletImport.objects.create(person=person, file_name=file_name[-120:] or "?", content=content)


def look_at(kept: OutletImport) -> Preview:
    """Return what applying the file now would do, and everything that is wrong with it. Nothing is written."""
    lines = list(read_table(io.BytesIO(kept.content)))
    stored = _stored(lines)
    report = load_outlets(lines, apply=False)
    return Preview(report, _fingerprint(kept, stored), {} if report.problems else _new_places(lines, stored))


@transaction.atomic
def apply(number: int, fingerprint: str, on_step: Callable[[], object] = lambda: None) -> Report:
    """
    Store the outlets of the file of this number that was shown under `fingerprint`. All or nothing.

    `on_step` is called when each step begins. Raises ImportRefused.
    """
    on_step()
    # Whoever else applies this file has done it by then.
    lock(TARGET)
    kept = OutletImport.objects.get(pk=number)
    refuse_if_applied(kept)
    lines = list(read_table(io.BytesIO(kept.content)))
    if _fingerprint(kept, _stored(lines)) != fingerprint:
        raise ImportRefused(_("Outlets of this file were changed after it was shown. Please look at it again."))
    report = load_outlets(lines, apply=True, on_step=on_step)
    if not report.is_applied:
        raise ImportRefused(_("Nothing was written: the file has to be right as a whole."))
    kept.applied_at, kept.outcome = timezone.now(), str(report)[:200]
    kept.asked_at, kept.asked_by, kept.refusal = None, None, ""
    kept.save(update_fields=["applied_at", "outcome", "asked_at", "asked_by", "refusal"])
    trail.note(
        TrailEntry.Deed.IMPORTED, Outlet._meta.db_table, kept.pk, kept.file_name, new=report.new, changed=report.changed
    )
    return report


def refuse_if_applied(kept: OutletImport) -> None:
    """Raise ImportRefused, with what came of it, for a file that was applied before."""
    if kept.applied_at:
        raise ImportRefused(_("This file was applied already: %(outcome)s") % {"outcome": kept.outcome})


def _header(lines: Sequence[Line | Problem]) -> list[str]:
    first = lines[0] if lines else None
    return [cell.strip() for cell in first.cells] if isinstance(first, Line) else []


def _column(lines: Sequence[Line | Problem], *names: str) -> Iterator[tuple[str, ...]]:
    """Yield the cells of these columns for every line that has them."""
    header = _header(lines)
    if not set(names) <= set(header):
        return
    places = [header.index(name) for name in names]
    for line in lines[1:]:
        if isinstance(line, Line) and len(line.cells) > max(places):
            yield tuple(line.cells[place].strip() for place in places)


def _stored(lines: Sequence[Line | Problem]) -> dict[str, tuple[object, ...]]:
    """Return the stored outlets that the file names, whole, by code. One query."""
    codes = {code for (code,) in _column(lines, "code") if len(code) <= 20 and "\0" not in code and code.isprintable()}
    return {row[0]: row for row in Outlet.objects.filter(code__in=codes).order_by("code").values_list("code", *_FIELDS)}


_FIELDS = TARGET.fields


def _new_places(lines: Sequence[Line | Problem], stored: dict[str, tuple[object, ...]]) -> dict[str, Point]:
    return {
        code: Point(float(latitude), float(longitude))
        for code, latitude, longitude in _column(lines, "code", "latitude", "longitude")
        if code not in stored
    }


def region_around(codes: Collection[str]) -> Region | None:
    """Return the smallest region that all of these outlets are in and that has a map, None for the country. A query."""
    shared = [{code[:digits] for code in codes} for digits in Region.PREFIX_DIGITS.values()]
    around = [min(beginnings).ljust(6, "0") for beginnings in shared if len(beginnings) == 1]
    found = RegionMap.objects.filter(region__in=around).select_related("region").order_by("-region__level").first()
    return found.region if found else None


def _fingerprint(kept: OutletImport, stored: dict[str, tuple[object, ...]]) -> str:
    digest = hashlib.sha256(kept.content)
    digest.update(repr(sorted(stored.items())).encode())
    return digest.hexdigest()
