"""Lines of the ledger as people at the counter read them: what happened, who did it, and why."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from datetime import datetime

from django.utils.translation import gettext as _

from stores.models import Outlet, StockMovement
from stores.people import Names, names_of

LINES = 30


@dataclass(frozen=True)
class LedgerLine:
    """One line in words. `transfer` is the key of the transfer that it was part of, if any."""

    row: StockMovement
    who: str
    why: str
    transfer: int | None

    @property
    def created_at(self) -> datetime:
        return self.row.created_at


def ledger_page(outlet: Outlet, phone_id: int, before: int | None) -> tuple[list[LedgerLine], int | None]:
    """
    Return the newest lines of a shelf, or those before the line `before`; and before which line there are more.

    Two queries.
    """
    rows = StockMovement.objects.filter(outlet=outlet, phone=phone_id)
    if before is not None:
        rows = rows.filter(seq__lt=before)
    found = list(rows.order_by("-seq")[: LINES + 1])
    names = names_of(row.actor for row in found)
    lines = [_line(row, names[row.actor]) for row in found[:LINES]]
    return lines, found[LINES - 1].seq if len(found) > LINES else None


def ledger_in_words(rows: Iterable[StockMovement]) -> Iterator[LedgerLine]:
    """Yield lines in words as they come, however many. A query for everybody who is named."""
    names = Names()
    for row in rows:
        yield _line(row, names[row.actor])


def _line(row: StockMovement, who: str) -> LedgerLine:
    kind, _colon, name = row.reference.partition(":")
    words = {
        "order": _("order %(name)s"),
        "transfer": _("transfer %(name)s"),
        "delivery": _("delivery %(name)s"),
        "count": _("count %(name)s"),
        "stocktake": _("stocktake %(name)s"),
    }
    part_of = words[kind] % {"name": name} if kind in words and name else row.reference
    is_transfer = kind == "transfer" and name.isdecimal()
    why = [row.reason] if is_transfer else [part_of, row.reason]
    return LedgerLine(row, who, " · ".join(filter(None, why)), int(name) if is_transfer else None)
