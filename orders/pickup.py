"""Handing over: the pickup code proves who may have the phones, and each handset is looked at before it is paid."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import timedelta

from django.utils.translation import gettext as _

from api.limits import Limit, TooManyCalls, count_call, take_back_call
from orders import pickup_codes
from orders.models import Order, OrderLine
from orders.refusals import TooManyWrongCodes, WrongCode
from stores import handsets, unit_numbers
from stores.durations import duration_in_words
from stores.ledger import Kind
from stores.refusals import UnitNumberInvalid, UnitRefused
from stores.unit_numbers import Unit
from stores.unit_words import invalid_in_words, problems_in_words

# Wrong codes only. A guesser who tries five an hour needs years; a customer who mistakes a digit needs two or three.
CODES_OF_AN_ORDER = Limit("pickup-code/order", most=5, seconds=3600)
CODES_OF_A_PERSON = Limit("pickup-code/person", most=10, seconds=600)


def check_code(order: Order, typed: str, actor: str) -> None:
    """
    Prove that the customer has the pickup code of `order`.

    Raises WrongCode, and TooManyWrongCodes for any code after too many. Call it outside the transaction of the deed.
    """
    callers = (CODES_OF_AN_ORDER, order.number), (CODES_OF_A_PERSON, actor)
    _count(*callers)
    code = pickup_codes.read_code(typed)
    if code is None or not pickup_codes.is_code_of(code, order.number):
        raise WrongCode(_("This is not the pickup code of this order."))
    for limit, caller in callers:
        take_back_call(limit, caller)


def count_guess(actor: str) -> None:
    """Count a code that an order is looked up by. Raises TooManyWrongCodes; `take_guess_back` when it was right."""
    _count((CODES_OF_A_PERSON, actor))


def take_guess_back(actor: str) -> None:
    take_back_call(CODES_OF_A_PERSON, actor)


def _count(*callers: tuple[Limit, str]) -> None:
    try:
        count_call(*callers)
    except TooManyCalls as refusal:
        raise TooManyWrongCodes(
            _("Too many wrong codes. A manager can hand the order over without the code. Or try again in %(time)s.")
            % {"time": duration_in_words(timedelta(seconds=refusal.wait_seconds + 59))},
            wait_seconds=refusal.wait_seconds,
        ) from refusal


@dataclass
class Scan:
    """One handset of an order: which line it is for, what was scanned, and what is wrong with that."""

    line: OrderLine
    name: str
    text: str = ""
    unit: Unit | None = None
    error: str = ""

    @property
    def is_right(self) -> bool:
        return self.unit is not None and not self.error


def scans_of(order: Order, texts: Mapping[str, str]) -> list[Scan]:
    """Return a scan for each handset of the order, read from `texts`; its name there is `imei-<position>-<number>`."""
    scans = []
    for line in order.lines.all():
        for number in range(1, line.quantity + 1):
            name = f"imei-{line.position}-{number}"
            scans.append(Scan(line, name, texts.get(name, "").strip()[:60]))
    return scans


def check_scans(order: Order, scans: list[Scan]) -> bool:
    """
    Say in each scan what is wrong with it; return whether all handsets of the order are there and right.

    A handset must be that phone, on the shelf of this outlet or not on record yet. Two queries at most.
    """
    for scan in scans:
        if scan.text:
            try:
                scan.unit = unit_numbers.unit(scan.text)
            except UnitNumberInvalid as refusal:
                scan.error = invalid_in_words(refusal)
    try:
        handsets.check(order.outlet_id, Kind.HANDED_OVER, units_of(scans))
    except UnitRefused as refusal:
        blame(scans, refusal)
    return all(scan.is_right for scan in scans)


def blame(scans: list[Scan], refusal: UnitRefused) -> None:
    """Write the problems of a refusal to the scans that they are about."""
    words = problems_in_words(refusal.problems)
    for problem, text in zip(refusal.problems, words, strict=True):
        for scan in scans:
            if scan.unit and problem.number in scan.unit:
                scan.error = text


def units_of(scans: list[Scan]) -> dict[int, list[Unit]]:
    """Return the units scanned by phone id, as deeds take them."""
    units: dict[int, list[Unit]] = {}
    for scan in scans:
        if scan.unit and not scan.error:
            units.setdefault(scan.line.phone_id, []).append(scan.unit)
    return units
