"""
Taking stock: shelves are counted by number or by scanning, over as long as it takes, and booked when somebody says so.

Each count keeps its moment. What is sold or arrives after it is no difference, so the shop stays open meanwhile.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime

from django.db import connection, transaction
from django.db.models import Count, OuterRef, Q, Subquery, Sum
from django.db.models.functions import Coalesce
from django.utils import timezone
from django.utils.translation import gettext as _

from catalog.catalogue import current_catalogue
from catalog.models import Phone
from stores import handsets, unit_numbers
from stores.counts import apply_count
from stores.durations import moment_in_words
from stores.ledger import MOST_AT_ONCE, Act, Kind
from stores.models import (
    Handset,
    HandsetNumber,
    Outlet,
    StockLevel,
    StockMovement,
    Stocktake,
    StocktakeLine,
    StocktakeScan,
)
from stores.people import name_of
from stores.refusals import StockRefusal, UnitProblem, UnitRefused


class StocktakeRefused(StockRefusal):
    """The stocktake says no, in words of the active language; `code` is stable."""

    def __init__(self, code: str, message: str) -> None:
        self.code = code  # type: ignore[misc]
        super().__init__(message)


@dataclass(frozen=True)
class Difference:
    """What was counted of a phone, and what the books say was there at that moment. `missing` are IMEIs not seen."""

    phone: Phone
    counted: int
    counted_at: datetime
    in_books: int
    missing: tuple[str, ...] = ()

    @property
    def change(self) -> int:
        return self.counted - self.in_books

    @property
    def is_different(self) -> bool:
        """Whether there is something to say: as many others may stand there as are missing of those on record."""
        return bool(self.change or self.missing)


def under_way(outlet: Outlet) -> Stocktake | None:
    """Return the stocktake of the outlet that is not over."""
    return Stocktake.objects.filter(outlet=outlet, closed_at=None).first()


def begin(outlet: Outlet, actor: str) -> Stocktake:
    """Return the outlet's stocktake that is under way, begun now if there is none."""
    opened = {"opened_by": actor, "opened_at": timezone.now()}
    return Stocktake.objects.get_or_create(outlet=outlet, closed_at=None, defaults=opened)[0]


@transaction.atomic
def count(stocktake: Stocktake, counted: Mapping[int, int], actor: str, form_key: str) -> None:
    """
    Note how many of which phones (phone_id: number) are on the shelf at this moment; counted before, it counts anew.

    What was noted with this very form stays as it was, moment included. Raises StocktakeRefused ("over"), ValueError
    for an impossible number.
    """
    if not all(0 <= number <= MOST_AT_ONCE for number in counted.values()):
        raise ValueError(f"a count finds 0 to {MOST_AT_ONCE} of each of its phones")
    _lock(stocktake)
    noted = set(stocktake.lines.filter(form_key=form_key).values_list("phone_id", flat=True))
    new = {phone_id: number for phone_id, number in counted.items() if phone_id not in noted}
    stocktake.scans.filter(phone__in=new).delete()
    now = _stand_still(stocktake.outlet_id, list(new))
    for phone_id, number in new.items():
        _note(stocktake, phone_id, number, now, actor, form_key)


@transaction.atomic
def scan(stocktake: Stocktake, typed: str, phone_id: int | None, actor: str) -> StocktakeScan:
    """
    Note one phone that is seen on the shelf; `phone_id` says which it is where its number is not on record.

    Raises UnitNumberInvalid, UnitRefused (sold, elsewhere, scanned before ...), StocktakeRefused ("over", "no_phone").
    """
    number = unit_numbers.number(typed)
    _lock(stocktake)
    unit = Handset.objects.filter(numbers__number=number).first()
    phone_id = unit.phone_id if unit else phone_id
    if phone_id is None:
        raise StocktakeRefused("no_phone", _("This number is not on record. Choose which phone it is, and scan again."))
    numbers = {number, *unit.numbers.values_list("number", flat=True)} if unit else {number}
    if stocktake.scans.filter(number__in=numbers).exists():
        raise UnitRefused(stocktake.outlet_id, [UnitProblem(number, "named_twice")])
    # Shelves are locked before handsets, as everywhere.
    now = _stand_still(stocktake.outlet_id, [phone_id])
    # What could be written off stands on this shelf or is new.
    handsets.check(stocktake.outlet_id, Kind.DAMAGED, {phone_id: [(number,)]})
    row = StocktakeScan.objects.create(stocktake=stocktake, number=number, phone_id=phone_id, scanned_at=now)
    _note(stocktake, phone_id, _still_there(stocktake, phone_id), now, actor)
    return row


def _lock(stocktake: Stocktake) -> Stocktake:
    """Lock a stocktake that is under way. Raises StocktakeRefused, which says who ended it and when."""
    locked = Stocktake.objects.select_for_update().get(pk=stocktake.pk)
    if locked.closed_at:
        facts = {"who": name_of(locked.closed_by), "time": moment_in_words(locked.closed_at)}
        if locked.end == Stocktake.End.BOOKED:
            raise StocktakeRefused("over", _("This count was booked already, by %(who)s at %(time)s.") % facts)
        raise StocktakeRefused("over", _("This count was thrown away by %(who)s at %(time)s.") % facts)
    return locked


def _stand_still(outlet_id: int, phone_ids: list[int]) -> datetime:
    """Keep the shelves from moving until the transaction ends, and return the moment: no sale is half done at it."""
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT FROM stores_stocklevel WHERE outlet_id = %s AND phone_id = ANY(%s) ORDER BY phone_id FOR UPDATE",
            [outlet_id, sorted(phone_ids)],
        )
        cursor.execute("SELECT clock_timestamp()")
        return cursor.fetchone()[0]


def _note(stocktake: Stocktake, phone_id: int, counted: int, now: datetime, actor: str, form_key: str = "") -> None:
    StocktakeLine.objects.update_or_create(
        stocktake=stocktake,
        phone_id=phone_id,
        defaults={"counted": counted, "counted_at": now, "counted_by": actor, "form_key": form_key},
    )


def _still_there(stocktake: Stocktake, phone_id: int) -> int:
    """How many of the scanned phones have not left since: sold to somebody while others were being scanned."""
    seen = list(stocktake.scans.filter(phone_id=phone_id).values_list("number", flat=True))
    here = Q(handset__state=Handset.State.ON_SHELF, handset__outlet_id=stocktake.outlet_id)
    return len(seen) - HandsetNumber.objects.filter(number__in=seen).exclude(here).count()


def differences(stocktake: Stocktake) -> list[Difference]:
    """Return every phone counted so far, beside what the books say of the moment of its count. Three queries."""
    since = StockMovement.objects.filter(
        outlet_id=stocktake.outlet_id, phone=OuterRef("phone"), created_at__gt=OuterRef("counted_at")
    ).order_by()
    level = StockLevel.objects.filter(outlet_id=stocktake.outlet_id, phone=OuterRef("phone"))
    lines = stocktake.lines.annotate(
        on_hand=Coalesce(Subquery(level.values("on_hand")), 0),
        moved=Coalesce(Subquery(since.values("phone").annotate(moved=Sum("change_on_hand")).values("moved")), 0),
    )
    unseen, phones = _unseen(stocktake), current_catalogue().by_id
    return [
        Difference(
            phones[line.phone_id], line.counted, line.counted_at, line.on_hand - line.moved,
            unseen.get(line.phone_id, ()),
        )
        for line in lines
    ]  # fmt: skip


def _unseen(stocktake: Stocktake) -> dict[int, tuple[str, ...]]:
    """Return, of phones that were scanned, the numbers on record here that nobody has seen."""
    seen = dict(stocktake.scans.values_list("number", "phone_id"))
    unseen: dict[int, tuple[str, ...]] = {}
    if seen:
        there = Handset.objects.filter(
            outlet_id=stocktake.outlet_id, state=Handset.State.ON_SHELF, phone__in=set(seen.values())
        ).exclude(numbers__number__in=seen)
        for phone_id, number in there.filter(numbers__slot=1).values_list("phone_id", "numbers__number"):
            unseen[phone_id] = (*unseen.get(phone_id, ()), number)
    return unseen


@transaction.atomic
def book(stocktake: Stocktake, reasons: Mapping[int, str], seen: Mapping[int, int], actor: str) -> list[Difference]:
    """
    Set the shelves to what was counted, plus what moved since; return what differed.

    `reasons` says why for each phone (id) that differs; `seen` are the differences that whoever books was shown. All
    or nothing. Phones on record that nobody saw, where the others of their kind were scanned, are written off, also
    where as many others were found. Raises StocktakeRefused: "over", "no_reason", "changed" where somebody has counted
    on, "nothing", "to_be_scanned" where nobody could know which are missing; and CountIsNotNews where another count
    came in later.
    """
    stocktake = _lock(stocktake)
    found = differences(stocktake)
    if not found:
        raise StocktakeRefused("nothing", _("Nothing has been counted yet."))
    if {each.phone.pk: each.change for each in found} != dict(seen):
        raise _changed()
    if any(each.is_different and not reasons.get(each.phone.pk) for each in found):
        raise StocktakeRefused("no_reason", _("Please say why for each difference."))
    for each in sorted(found, key=lambda each: each.phone.pk):
        reason = reasons.get(each.phone.pk, "") if each.is_different else ""
        act = Act(f"{stocktake.key}:{each.phone.pk}", actor, stocktake.key, reason[:200])
        missing = [(number,) for number in each.missing]
        try:
            apply_count(
                stocktake.outlet_id, {each.phone.pk: each.counted}, each.counted_at, act, {each.phone.pk: missing}
            )
        except UnitRefused:
            # Sold, or found, at this very moment.
            raise _changed() from None
    _refuse_unknown_missing(stocktake.outlet_id, [each.phone for each in found])
    _close(stocktake, Stocktake.End.BOOKED, actor)
    return [each for each in found if each.is_different]


def _changed() -> StocktakeRefused:
    return StocktakeRefused("changed", _("Somebody has counted on meanwhile. Please look at the differences again."))


def _refuse_unknown_missing(outlet_id: int, phones: list[Phone]) -> None:
    """Refuse a count that leaves fewer phones than are on record by number: nobody knows which of them are gone."""
    here = {"outlet": outlet_id, "phone__in": phones}
    on_hand = dict(StockLevel.objects.filter(**here).values_list("phone", "on_hand"))
    known = Handset.objects.filter(**here, state=Handset.State.ON_SHELF).values("phone").annotate(number=Count("pk"))
    unclear = {row["phone"] for row in known if row["number"] > on_hand.get(row["phone"], 0)}
    if names := [phone.name for phone in phones if phone.pk in unclear]:
        words = _("Please scan these one by one, so that it is known which are missing: %(phones)s.")
        raise StocktakeRefused("to_be_scanned", words % {"phones": ", ".join(names)})


@transaction.atomic
def drop(stocktake: Stocktake, actor: str) -> None:
    """Throw away what was counted. Raises StocktakeRefused ("over")."""
    _close(_lock(stocktake), Stocktake.End.DROPPED, actor)


def _close(stocktake: Stocktake, end: Stocktake.End, actor: str) -> None:
    stocktake.lines.all().delete()
    stocktake.scans.all().delete()
    stocktake.end, stocktake.closed_by, stocktake.closed_at = end, actor, timezone.now()
    stocktake.save(update_fields=["end", "closed_by", "closed_at"])
