"""Why a deed with stock was refused: data for programs, which page, API and SMS each put in their own words."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime
from typing import ClassVar, NamedTuple


class StockRefusal(Exception):
    """The rules said no, and nothing was changed. `code` is stable and for programs."""

    code: ClassVar[str] = "refused"


class OperationKeyReused(StockRefusal):
    """The operation key stands for another operation of this outlet."""

    code = "operation_key_reused"

    def __init__(self, outlet_id: int, operation_key: str) -> None:
        self.outlet_id, self.operation_key = outlet_id, operation_key
        super().__init__(f"Outlet {outlet_id}: operation key {operation_key!r} stands for another operation.")


class OutletDoesNotTrade(StockRefusal):
    """The outlet is not open (planned, suspended or closed), so nothing there can be promised."""

    code = "outlet_does_not_trade"

    def __init__(self, outlet_id: int) -> None:
        self.outlet_id = outlet_id
        super().__init__(f"Outlet {outlet_id} does not trade.")


class Shortage(NamedTuple):
    """Of one phone `wanted` were asked for and only `left` are there for this purpose."""

    phone_id: int
    wanted: int
    left: int


class _Short(StockRefusal):
    says: ClassVar[str]

    def __init__(self, outlet_id: int, shortages: Iterable[Shortage]) -> None:
        self.outlet_id, self.shortages = outlet_id, tuple(shortages)
        short = ", ".join(f"phone {each.phone_id}: {each.wanted} asked, {each.left} left" for each in self.shortages)
        super().__init__(f"Outlet {outlet_id}: {self.says} ({short}).")


class OutOfStock(_Short):
    """The shelf cannot give what was asked for; `left` is what it could."""

    code, says = "out_of_stock", "not enough in stock"


class NotReserved(_Short):
    """More was to be released or handed over than is reserved; `left` is what is reserved."""

    code, says = "not_reserved", "not so many are reserved"


class NotOnShelf(_Short):
    """More was to be taken off the shelf than stands on it; `left` is what stands there."""

    code, says = "not_on_shelf", "not so many are on the shelf"


class OlderCount(NamedTuple):
    """The last count of this phone was taken at `last`, not before the one that was refused."""

    phone_id: int
    last: datetime


class CountIsNotNews(StockRefusal):
    """A count is not newer than the last one of the same shelf."""

    code = "count_is_not_news"

    def __init__(self, outlet_id: int, taken_at: datetime, older: Iterable[OlderCount]) -> None:
        self.outlet_id, self.taken_at, self.older = outlet_id, taken_at, tuple(older)
        super().__init__(f"Outlet {outlet_id}: a count taken at {taken_at} is not newer than the last.")


class CountIsOfTheFuture(StockRefusal):
    """A count says that it was taken later than now."""

    code = "count_is_of_the_future"

    def __init__(self, outlet_id: int, taken_at: datetime) -> None:
        self.outlet_id, self.taken_at = outlet_id, taken_at
        super().__init__(f"Outlet {outlet_id}: a count cannot have been taken at {taken_at}, which is yet to come.")


class UnitNumberInvalid(StockRefusal):
    """A number is no IMEI or MEID; `reason` is "check_digit", "form" or "not_one_or_two"."""

    code = "unit_number_invalid"

    def __init__(self, number: str, reason: str) -> None:
        self.number, self.reason = number, reason
        super().__init__(f"{number!r} is no IMEI or MEID ({reason}).")


class UnitProblem(NamedTuple):
    """
    Why one unit was refused; for what is on record, where.

    `reason` is "sold", "on_shelf" (received twice), "elsewhere", "in_transit", "written_off", "other_phone", "unknown",
    "two_units" (its numbers belong to different phones), "named_twice" or "not_named" (some of a transfer's units
    arrived, and nobody said which).
    """

    number: str
    reason: str
    outlet_id: int | None = None
    phone_id: int | None = None


class UnitRefused(StockRefusal):
    """Some units cannot be part of the deed. Each is named with its reason."""

    code = "unit_refused"

    def __init__(self, outlet_id: int, problems: Iterable[UnitProblem]) -> None:
        self.outlet_id, self.problems = outlet_id, tuple(problems)
        units = ", ".join(f"{problem.number}: {problem.reason}" for problem in self.problems)
        super().__init__(f"Outlet {outlet_id}: units refused ({units}).")


class PhoneNeeded(StockRefusal):
    """The number is on no record, so somebody must say which phone it is of."""

    code = "phone_needed"

    def __init__(self, outlet_id: int, number: str) -> None:
        self.outlet_id, self.number = outlet_id, number
        super().__init__(f"Outlet {outlet_id}: {number} is on no record, and no phone was named.")


class NumberNeeded(StockRefusal):
    """The phones on this shelf are known by their numbers, so one leaves by its number; `numbers` are some of them."""

    code = "number_needed"

    def __init__(self, outlet_id: int, phone_id: int, numbers: tuple[str, ...]) -> None:
        self.outlet_id, self.phone_id, self.numbers = outlet_id, phone_id, numbers
        super().__init__(f"Outlet {outlet_id}: phone {phone_id} is known by its numbers: {', '.join(numbers)}.")


class TransferNotPossible(StockRefusal):
    """A transfer in `state` cannot be agreed to, sent, received or cancelled (again)."""

    code = "transfer_not_possible"

    def __init__(self, transfer_id: int, state: str) -> None:
        self.transfer_id, self.state = transfer_id, state
        super().__init__(f"Transfer {transfer_id} is {state}.")


class MoreThanWasSent(_Short):
    """More arrived of a transfer than its sender put into it; `left` is what was sent."""

    code, says = "more_than_was_sent", "not so many were sent"
