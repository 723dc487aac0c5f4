"""
What can be done with the stock of one outlet.

Every deed takes the outlet, how many of which phones (phone_id: quantity), and the Act: who does it, for what, and the
key under which it happens once. It is one transaction, all or nothing, and returns the lines of the ledger, ordered by
phone; a repeated deed returns the lines of the first time. Where the rules say no, it raises a StockRefusal.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence

from django.db import transaction

from stores import handsets, shortfalls
from stores.handsets import Unit
from stores.ledger import (
    MOST_AT_ONCE,
    POSSIBLE,
    PROMISABLE,
    UNPROMISED,
    Act,
    Change,
    Kind,
    Line,
    Operation,
    Shelf,
    open_shelves,
    write,
)
from stores.refusals import NotOnShelf, NotReserved, OutletDoesNotTrade, OutOfStock, Shortage, StockRefusal


def reserve(outlet_id: int, quantities: Mapping[int, int], act: Act) -> tuple[Line, ...]:
    """
    Promise phones to a customer.

    Raises OutOfStock (with what is left of each phone that is short), OutletDoesNotTrade.
    """
    operation = Operation(outlet_id, Kind.RESERVED, *act)
    changes = [Change(phone_id, 0, quantity) for phone_id, quantity in _checked(quantities)]
    if len(changes) == 1:
        # One line is one statement, which is a transaction by itself.
        outcome = write(operation, changes, PROMISABLE)
    else:
        with transaction.atomic():
            outcome = write(operation, changes, PROMISABLE)
    if outcome.lines:
        return outcome.lines
    raise no_promise(outlet_id, quantities, outcome.shelves)


def no_promise(outlet_id: int, quantities: Mapping[int, int], shelves: Iterable[Shelf]) -> StockRefusal:
    """Return why an outlet with these shelves, as they were found, does not promise so many phones."""
    shelves = list(shelves)
    if any(not shelf.outlet_trades for shelf in shelves):
        return OutletDoesNotTrade(outlet_id)
    return OutOfStock(outlet_id, _short(shelves, quantities, lambda shelf: shelf.available))


def release(outlet_id: int, quantities: Mapping[int, int], act: Act) -> tuple[Line, ...]:
    """Take a promise back: its order was cancelled, declined or has expired. Raises NotReserved."""
    changes = [Change(phone_id, 0, -quantity) for phone_id, quantity in _checked(quantities)]
    return _carry_out(Operation(outlet_id, Kind.RELEASED, *act), changes, refuse=_not_reserved(outlet_id, quantities))


def receive(
    outlet_id: int, quantities: Mapping[int, int], act: Act, units: Mapping[int, Sequence[Unit]] | None = None
) -> tuple[Line, ...]:
    """
    Put phones that arrived on the shelf, scanned one by one or only counted.

    `units` are those that were scanned, at most as many as arrived. Raises UnitRefused, ValueError.
    """
    if any(len(scanned) > quantities.get(phone_id, 0) for phone_id, scanned in (units or {}).items()):
        raise ValueError("more units were scanned than arrived")
    changes = [Change(phone_id, quantity, 0) for phone_id, quantity in _checked(quantities)]
    return _carry_out(Operation(outlet_id, Kind.RECEIVED, *act), changes, units=units)


def hand_over(outlet_id: int, units: Mapping[int, Sequence[Unit]], act: Act) -> tuple[Line, ...]:
    """Give reserved phones to their customer. Raises NotReserved, NotOnShelf, UnitRefused."""
    quantities = {phone_id: len(given) for phone_id, given in units.items()}
    changes = [Change(phone_id, -quantity, -quantity) for phone_id, quantity in _checked(quantities)]

    def refuse(shelves: Sequence[Shelf]) -> Exception:
        if short := _short(shelves, quantities, lambda shelf: shelf.reserved):
            return NotReserved(outlet_id, short)
        return NotOnShelf(outlet_id, _short(shelves, quantities, lambda shelf: shelf.on_hand))

    return _carry_out(Operation(outlet_id, Kind.HANDED_OVER, *act), changes, units=units, refuse=refuse)


def sell(outlet_id: int, units: Mapping[int, Sequence[Unit]], act: Act) -> tuple[Line, ...]:
    """
    Sell phones to somebody at the counter, who may have the safety stock, too, but not what others were promised.

    Raises OutOfStock, UnitRefused.
    """
    quantities = {phone_id: len(given) for phone_id, given in units.items()}
    changes = [Change(phone_id, -quantity, 0) for phone_id, quantity in _checked(quantities)]
    return _carry_out(
        Operation(outlet_id, Kind.WALK_IN_SALE, *act),
        changes,
        units=units,
        condition=UNPROMISED,
        refuse=lambda shelves: OutOfStock(outlet_id, _short(shelves, quantities, lambda shelf: shelf.unpromised)),
    )


def return_unit(outlet_id: int, phone_id: int, unit: Unit, act: Act) -> tuple[Line, ...]:
    """Take a sold phone back, at whichever outlet, to be sold again. Raises UnitRefused."""
    return _carry_out(Operation(outlet_id, Kind.RETURNED, *act), [Change(phone_id, 1, 0)], units={phone_id: [unit]})


def write_off(
    outlet_id: int, quantities: Mapping[int, int], act: Act, units: Mapping[int, Sequence[Unit]] | None = None
) -> tuple[Line, ...]:
    """
    Take damaged phones off the shelf; what was promised of them becomes a shortfall.

    Raises NotOnShelf, UnitRefused.
    """
    changes = [Change(phone_id, -quantity, 0) for phone_id, quantity in _checked(quantities)]
    return _carry_out(
        Operation(outlet_id, Kind.DAMAGED, *act),
        changes,
        units=units,
        refuse=lambda shelves: NotOnShelf(outlet_id, _short(shelves, quantities, lambda shelf: shelf.on_hand)),
    )


def adjust(
    outlet_id: int, differences: Mapping[int, int], act: Act, units: Mapping[int, Sequence[Unit]] | None = None
) -> tuple[Line, ...]:
    """
    Correct what the shelf holds by some more or fewer; `act.reason` says why, `units` are some that were found.

    Taking away what was promised opens a shortfall. Raises NotOnShelf, UnitRefused, ValueError.
    """
    if not act.reason:
        raise ValueError("an adjustment needs a reason")
    if any(len(found) > differences.get(phone_id, 0) for phone_id, found in (units or {}).items()):
        raise ValueError("more units were named than found")
    _checked({phone_id: abs(difference) for phone_id, difference in differences.items()})
    wanted = {phone_id: -difference for phone_id, difference in differences.items() if difference < 0}
    return _carry_out(
        Operation(outlet_id, Kind.ADJUSTED, *act),
        [Change(phone_id, difference, 0) for phone_id, difference in differences.items()],
        units=units,
        refuse=lambda shelves: NotOnShelf(outlet_id, _short(shelves, wanted, lambda shelf: shelf.on_hand)),
    )


def send(
    outlet_id: int, quantities: Mapping[int, int], act: Act, units: Mapping[int, Sequence[Unit]] | None = None
) -> tuple[Line, ...]:
    """Take phones off the shelf for a transfer (`stores.transfers`). Raises OutOfStock, UnitRefused, ValueError."""
    if any(len(scanned) not in (0, quantities.get(phone_id, 0)) for phone_id, scanned in (units or {}).items()):
        raise ValueError("of each phone, all units are scanned or none")
    return _carry_out(
        Operation(outlet_id, Kind.TRANSFER_OUT, *act),
        [Change(phone_id, -quantity, 0) for phone_id, quantity in _checked(quantities)],
        units=units,
        condition=UNPROMISED,
        refuse=lambda shelves: OutOfStock(outlet_id, _short(shelves, quantities, lambda shelf: shelf.unpromised)),
    )


def take_in(
    outlet_id: int, quantities: Mapping[int, int], act: Act, units: Mapping[int, Sequence[Unit]] | None = None
) -> tuple[Line, ...]:
    """Put what a transfer brought on the shelf (`stores.transfers`). Raises UnitRefused."""
    changes = [Change(phone_id, quantity, 0) for phone_id, quantity in _checked(quantities)]
    return _carry_out(Operation(outlet_id, Kind.TRANSFER_IN, *act), changes, units=units)


def _checked(quantities: Mapping[int, int]) -> Iterable[tuple[int, int]]:
    if not quantities or not all(1 <= quantity <= MOST_AT_ONCE for quantity in quantities.values()):
        raise ValueError(f"a deed is about 1 to {MOST_AT_ONCE} of each of its phones")
    return quantities.items()


def _short(shelves: Iterable[Shelf], wanted: Mapping[int, int], left: Callable[[Shelf], int]) -> list[Shortage]:
    """Name the phones of which a shelf has less left than is wanted; where there is no shelf, nothing is left."""
    there = {shelf.phone_id: max(left(shelf), 0) for shelf in shelves}
    return [
        Shortage(phone_id, quantity, there.get(phone_id, 0))
        for phone_id, quantity in sorted(wanted.items())
        if there.get(phone_id, 0) < quantity
    ]


def _not_reserved(outlet_id: int, quantities: Mapping[int, int]) -> Callable[[Sequence[Shelf]], Exception]:
    return lambda shelves: NotReserved(outlet_id, _short(shelves, quantities, lambda shelf: shelf.reserved))


def _never(shelves: Sequence[Shelf]) -> Exception:
    return AssertionError(f"goods that arrive were refused: {shelves}")


def _carry_out(
    operation: Operation,
    changes: Sequence[Change],
    *,
    units: Mapping[int, Sequence[Unit]] | None = None,
    condition: str = POSSIBLE,
    refuse: Callable[[Sequence[Shelf]], Exception] = _never,
) -> tuple[Line, ...]:
    """Write the lines, then what became of units and shortfalls; shelves that goods arrive at are opened first."""
    with transaction.atomic():
        outcome = write(operation, changes, condition)
        arriving = {change.phone_id for change in changes if change.on_hand > 0}
        if not outcome.lines and (new := arriving - {shelf.phone_id for shelf in outcome.shelves}):
            open_shelves(operation, new)
            outcome = write(operation, changes, condition)
        if outcome.lines:
            handsets.follow(operation, outcome, units or {})
            shortfalls.follow(operation.outlet_id, outcome)
            return outcome.lines
        # The shelves that were opened for it go with the transaction.
        raise refuse(outcome.shelves)
