"""
What a clerk does with single phones at the counter, beside orders: look at one, and correct a shelf by some.

Selling, taking back and writing off are deeds of `stores.stock`; here is what must be known before, and how much
somebody may correct.
"""

from __future__ import annotations

from datetime import datetime
from typing import NamedTuple

from django.conf import settings
from django.utils import timezone

from stores import handsets, stock, unit_numbers
from stores.access import Deed, Standing
from stores.ledger import Act, Kind, Line
from stores.models import Handset, StockLevel, StockMovement
from stores.refusals import NumberNeeded, PhoneNeeded, UnitProblem, UnitRefused
from stores.unit_numbers import Unit

# So many of the newest lines of a shelf are looked through for what somebody corrected today.
LINES = 200
# So many numbers are told of the phones that are known on a shelf.
MOST_TOLD = 10


class Done(NamedTuple):
    """What was done under a key before."""

    actor: str
    at: datetime


def done_before(outlet_id: int, key: str) -> Done | None:
    """Return who carried out the operation `key` at an outlet, and when; None if nobody did. One query."""
    row = StockMovement.objects.filter(outlet=outlet_id, operation_key=key).values_list("actor", "created_at").first()
    return Done(*row) if row else None


def look(outlet_id: int, kind: Kind, typed: str, phone_id: int | None) -> tuple[int, Unit]:
    """
    Return phone and unit that a number names, if a movement of this kind could take it now.

    `phone_id` counts where the number is on no record yet. Raises UnitNumberInvalid, UnitRefused, PhoneNeeded,
    NumberNeeded.
    """
    number = unit_numbers.number(typed)
    unit = find(number)
    if unit:
        phone_id = unit.phone_id
    elif None not in handsets.STEPS[kind].before:
        raise UnitRefused(outlet_id, [UnitProblem(number, "unknown")])
    if phone_id is None:
        raise PhoneNeeded(outlet_id, number)
    handsets.check(outlet_id, kind, {phone_id: [(number,)]})
    if unit is None:
        require_unnumbered(outlet_id, phone_id, 1)
    return phone_id, (number,)


def find(number: str) -> Handset | None:
    """Return the handset of this number. One query."""
    return Handset.objects.filter(numbers__number=number).first()


def require_unnumbered(outlet_id: int, phone_id: int, quantity: int) -> None:
    """
    Let phones whose numbers are on no record leave only where so many stand on the shelf of which none is known.

    Otherwise the outlet would go on keeping numbers of phones that are gone.

    Raises NumberNeeded. Two queries.
    """
    shelf = StockLevel.objects.filter(outlet=outlet_id, phone=phone_id).values_list("on_hand", flat=True).first() or 0
    known = Handset.objects.filter(outlet=outlet_id, phone=phone_id, state=Handset.State.ON_SHELF)
    if known.count() and shelf - known.count() < quantity:
        numbers = known.filter(numbers__slot=1).order_by("pk").values_list("numbers__number", flat=True)
        raise NumberNeeded(outlet_id, phone_id, tuple(numbers[:MOST_TOLD]))


def adjust(standing: Standing, phone_id: int, difference: int, act: Act, found: Unit | None = None) -> tuple[Line, ...]:
    """
    Correct a shelf by some more or fewer, for `act.reason`; `found` is the one that turned up.

    What one person corrects of one phone in a day adds up: above DESK_ADJUST_LIMIT it takes Deed.ADJUST_MUCH. Raises
    NotAllowed, NumberNeeded and what `stock.adjust` raises.
    """
    outlet_id = standing.outlet.pk
    if abs(difference) + _adjusted_today(outlet_id, phone_id, act) > settings.DESK_ADJUST_LIMIT:
        standing.require(Deed.ADJUST_MUCH)
    if difference < 0 and not done_before(outlet_id, act.key):
        require_unnumbered(outlet_id, phone_id, -difference)
    return stock.adjust(outlet_id, {phone_id: difference}, act, {phone_id: [found]} if found else None)


def _adjusted_today(outlet_id: int, phone_id: int, act: Act) -> int:
    """Return by how much this person has corrected this shelf today, apart from the operation itself."""
    midnight = timezone.localtime().replace(hour=0, minute=0, second=0, microsecond=0)
    newest = StockMovement.objects.filter(outlet=outlet_id, phone=phone_id).order_by("-seq")[:LINES]
    return sum(
        abs(row.change_on_hand)
        for row in newest
        if row.kind == Kind.ADJUSTED
        and row.actor == act.actor
        and row.operation_key != act.key
        and row.created_at >= midnight
    )
