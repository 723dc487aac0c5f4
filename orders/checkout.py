"""Placing an order: the phones are promised, the order and all that belongs to it are written, or nothing is."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from contextlib import nullcontext
from datetime import datetime, timedelta
from typing import Any, NamedTuple, TypeVar

import psycopg2
from django.conf import settings
from django.db import IntegrityError, connection, transaction
from django.utils import timezone
from django.utils.translation import gettext as _

from api.prepared import Planned, as_row
from catalog.catalogue import current_catalogue
from orders import numbers, pickup_codes, sales, terms
from orders.customers import digest_of
from orders.mobiles import parse_mobile, parse_name
from orders.models import Channel, Language, Message, Order, OrderLine, SaleUse, State
from orders.refusals import (
    BadQuantity,
    OutletNotOpen,
    OutOfStock,
    PhoneNotListed,
    TooManyOfOnePhone,
    TooManyOpenOrders,
)
from stores import refusals as stock_refusals
from stores import stock
from stores.ledger import Shelf
from stores.models import Outlet

# What two orders may both try for in the same instant. Whoever comes second draws again, or finds the first.
DRAWN_AGAIN = {"orders_order_pkey", "order_pickup_code_is_its_own", "order_once_a_form"}
DRAWS = 25

# The statement that places an order, given as one row, and where in its rows the price of a line is, in fen.
PLACING = """
    SELECT outcome, number, phone_id, ordered, on_hand, reserved, safety_stock, outlet_trades, price_fen, window_id,
           total_fen
    FROM orders_place_order(%(draft)s::orders_draft)
"""
PRICE = 8

T = TypeVar("T")


class Line(NamedTuple):
    """A phone as it goes on the order."""

    phone_id: int
    quantity: int
    name_zh: str
    name_en: str
    terms: str


class Fixed(NamedTuple):
    """What each line of an order costs that was placed before, in fen, and by which sale window if by one."""

    prices: Sequence[int]
    ordinary_prices: Sequence[int]
    windows: Sequence[int | None]


class Draft(NamedTuple):
    """An order that is yet to get its number."""

    outlet: Outlet
    lines: Sequence[Line]
    name: str
    mobile: str
    language: str
    channel: str
    form_key: str
    actor: str
    tells: Message.Kind
    # None: what the phones cost is decided when it is placed, and may be as much as `accepted_fen`.
    fixed: Fixed | None = None
    accepted_fen: int | None = None
    moved_from: str = ""
    placed_at: datetime | None = None


def place_order(
    *,
    outlet: Outlet,
    lines: Mapping[int, int],
    name: str,
    mobile: str,
    language: str,
    form_key: str,
    channel: Channel,
    actor: str,
    accepted_fen: int | None = None,
    placed_at: datetime | None = None,
    ask: Ask | None = None,
) -> Order:
    """
    Promise `lines` (phone id: quantity) at `outlet` to the customer and return the order, with a message on its way.

    `form_key` was made when the customer got the form of this outlet: asked again with the same key, the same order is
    returned, whatever became of it since. The phones cost what they cost in the second in which the order is written,
    by the clock of the database: at most `accepted_fen` together, the sum that the customer has seen. Where a sale
    window is used up, that is the next lowest price that is to be had; where nobody has told a price yet (None), only
    the lowest will do. `placed_at` is the moment that it is kept from, now if None. `ask` is for whoever writes down
    more in the same statement (see PLACING); it is asked once, so the caller, whose transaction it is, draws again.

    Raises BadName, BadMobile, BadQuantity, PhoneNotListed, OutletNotOpen, OutOfStock, TooManyOpenOrders,
    TooManyOfOnePhone, PriceRose, SaleLimitReached and SaleQuotaUsedUp.
    """
    draft = Draft(
        outlet=outlet,
        lines=_lines(lines),
        name=parse_name(name),
        mobile=parse_mobile(mobile),
        language=Language(language),
        channel=Channel(channel),
        form_key=form_key,
        actor=actor,
        tells=Message.Kind.PLACED,
        accepted_fen=accepted_fen,
        placed_at=placed_at,
    )
    if ask:
        return write_order(draft, is_limited=True, ask=ask)
    return drawing_again(lambda: write_order(draft, is_limited=True), is_transaction=True)


def drawing_again(write: Callable[[], T], *, is_transaction: bool = False) -> T:
    """
    Return what `write` returns, tried anew while the number or code that it drew turns out to be taken.

    What is a transaction by itself, or one statement, needs none around it unless it is part of a larger one.
    """
    alone = is_transaction and not connection.in_atomic_block
    for draw in range(1, DRAWS + 1):
        try:
            with nullcontext() if alone else transaction.atomic():
                return write()
        except IntegrityError as error:
            if draw == DRAWS or _constraint(error) not in DRAWN_AGAIN:
                raise
    raise AssertionError("unreachable")


def _constraint(error: IntegrityError) -> str | None:
    cause = error.__cause__
    return cause.diag.constraint_name if isinstance(cause, psycopg2.Error) else None


def _lines(lines: Mapping[int, int]) -> list[Line]:
    """Take the names from the catalogue, in the order in which shelves are locked."""
    if not lines or not all(isinstance(quantity, int) and 1 <= quantity <= 99 for quantity in lines.values()):
        raise BadQuantity(_("Please choose at least one phone."))
    listed = {phone.pk: phone for phone in current_catalogue().listed}
    if unlisted := sorted(set(lines) - set(listed)):
        raise PhoneNotListed(_("One of these phones is no longer on sale."), phone_ids=unlisted)
    phones = [(listed[phone_id], quantity) for phone_id, quantity in sorted(lines.items())]
    return [Line(phone.pk, quantity, phone.name_zh, phone.name_en, terms.CURRENT) for phone, quantity in phones]


class Asked(NamedTuple):
    """What `orders_place_order` is given: the fields of the type orders_draft (migration 0021) in turn."""

    outlet: int
    number: str
    form_key: str
    name: str
    mobile: str
    language: str
    channel: str
    actor: str
    tells: str
    moved_from: str
    pickup_fingerprint: bytes
    placed_at: datetime
    held_until: datetime
    phones: list[int]
    quantities: list[int]
    names_zh: list[str]
    names_en: list[str]
    terms: list[str]
    most_orders: int | None
    most_units: int | None
    customer: bytes
    accepted_fen: int | None
    prices: list[int | None] | None
    ordinary_prices: list[int | None] | None
    windows: list[int | None] | None


# Sends the statement PLACING, or more with it; returns its rows.
Ask = Callable[[Asked], list[tuple[Any, ...]]]

# Read and planned once a connection: that takes PostgreSQL as long as the ledger does.
_place = Planned(lambda: PLACING)


def _ask(asked: Asked) -> list[tuple[Any, ...]]:
    return _place.rows(draft=as_row(asked))


def write_order(draft: Draft, *, is_limited: bool, ask: Ask = _ask) -> Order:
    """
    Promise the phones of a draft and write its order under a new number, or return the order of the same form.

    One statement (migration 0021). `is_limited`: the mobile number may have so many open orders and phones, no more.
    Raises OutletNotOpen, OutOfStock, TooManyOpenOrders, TooManyOfOnePhone, PriceRose, SaleLimitReached and
    SaleQuotaUsedUp; IntegrityError as `drawing_again` knows it.
    """
    order = _order(draft, numbers.draw_number(draft.outlet.pk), draft.placed_at or timezone.now())
    phones, quantities, names_zh, names_en, lines_terms = (list(column) for column in zip(*draft.lines, strict=True))
    prices, ordinary_prices, windows = map(list, draft.fixed) if draft.fixed else (None, None, None)
    asked = Asked(
        outlet=order.outlet_id, number=order.number, form_key=order.form_key, name=order.name, mobile=order.mobile,
        language=order.language, channel=order.channel, actor=draft.actor, tells=draft.tells,
        moved_from=order.moved_from, pickup_fingerprint=bytes(order.pickup_fingerprint), placed_at=order.placed_at,
        held_until=order.held_until, phones=phones, quantities=quantities, names_zh=names_zh, names_en=names_en,
        terms=lines_terms, most_orders=settings.MAX_OPEN_ORDERS if is_limited else None,
        most_units=settings.MAX_UNITS_OF_A_PHONE if is_limited else None, customer=digest_of(order.mobile),
        accepted_fen=draft.accepted_fen, prices=prices, ordinary_prices=ordinary_prices, windows=windows,
    )  # fmt: skip
    rows = ask(asked)
    match rows:
        case [("placed", *_, total_fen), *_]:
            order.total_fen = total_fen
            return order
        case [("placed before", number, *_)]:
            return Order.objects.get(outlet=draft.outlet, number=number)
        case [("too many orders", *_)]:
            raise _too_many_orders()
        case [("too many units", _, phone_id, ordered, *_)]:
            raise _too_many_units(phone_id, ordered)
        case [("dearer", *_, total_fen), *_]:
            raise sales.price_rose({row[2]: row[PRICE] for row in rows}, total_fen)
        case [("sale limit" | "sale quota", *_), *_]:
            raise sales.used_up([sales.PassedOver(row[0], row[2], row[3], *row[PRICE:]) for row in rows], draft.outlet)
        case _:
            raise _no_promise(draft, [Shelf(row[2], *row[4:8]) for row in rows])


def lock_customer(mobile: str) -> None:
    """Let nobody else order for this mobile number (E.164) until the transaction ends, as `orders_place_order` does."""
    with connection.cursor() as cursor:
        cursor.execute("SELECT pg_advisory_xact_lock(6812, hashtext(%s))", [mobile])


def _too_many_orders() -> TooManyOpenOrders:
    limit = settings.MAX_OPEN_ORDERS
    return TooManyOpenOrders(
        _("This mobile number has %(limit)d open orders already. Collect or cancel one of them first.")
        % {"limit": limit},
        limit=limit,
    )


def _too_many_units(phone_id: int, ordered: int) -> TooManyOfOnePhone:
    limit = settings.MAX_UNITS_OF_A_PHONE
    return TooManyOfOnePhone(
        _("One mobile number may have at most %(limit)d of the same phone on order.") % {"limit": limit},
        phone_id=phone_id,
        limit=limit,
        ordered=ordered,
    )


def _no_promise(draft: Draft, shelves: Sequence[Shelf]) -> OutletNotOpen | OutOfStock:
    wanted = {line.phone_id: line.quantity for line in draft.lines}
    refusal = stock.no_promise(draft.outlet.pk, wanted, shelves)
    if isinstance(refusal, stock_refusals.OutOfStock):
        short = {shortage.phone_id: (shortage.wanted, shortage.left) for shortage in refusal.shortages}
        return OutOfStock(_in_words(short), outlet=draft.outlet, short=short)
    return OutletNotOpen(_("This outlet is closed at present."), outlet=draft.outlet)


def _in_words(short: Mapping[int, tuple[int, int]]) -> str:
    phones = current_catalogue().by_id
    sentences = []
    for phone_id, (wanted, left) in short.items():
        facts = {"phone": phones[phone_id].name, "wanted": wanted, "left": left}
        if left:
            sentences.append(_("%(phone)s: you asked for %(wanted)d, this outlet has %(left)d left.") % facts)
        else:
            sentences.append(_("%(phone)s: this outlet has none left.") % facts)
    return " ".join(sentences)


def _order(draft: Draft, number: str, now: datetime) -> Order:
    order = Order(
        outlet=draft.outlet,
        number=number,
        state=State.PLACED,
        change_seq=1,
        name=draft.name,
        mobile=draft.mobile,
        language=draft.language,
        channel=draft.channel,
        form_key=draft.form_key,
        pickup_fingerprint=pickup_codes.fingerprint(draft.outlet.pk, pickup_codes.derive_code(number)),
        line_count=len(draft.lines),
        placed_at=now,
        held_until=now + timedelta(hours=_hours_held(draft.outlet)),
        moved_from=draft.moved_from,
    )
    # It is written by hand, since one statement does it all.
    order._state.adding = False
    return order


def _hours_held(outlet: Outlet) -> int:
    # Who is told to call a silent outlet first gets the time to do it.
    return settings.HOLD_HOURS_CALL_FIRST if outlet.call_first else settings.HOLD_HOURS_PLACED


def lines_of(order: Order) -> tuple[list[Line], Fixed]:
    """Return the lines of an order as they were fixed, and at which prices."""
    own = {"outlet_id": order.outlet_id, "number": order.number}
    lines = list(OrderLine.objects.filter(**own).order_by("position"))
    uses = {use.phone_id: use for use in SaleUse.objects.filter(**own)}
    used = [uses.get(line.phone_id) for line in lines]
    fixed = Fixed(
        [line.price_fen for line in lines],
        [use.ordinary_fen if use else line.price_fen for line, use in zip(lines, used, strict=True)],
        [use.window_id if use else None for use in used],
    )
    return [Line(line.phone_id, line.quantity, line.name_zh, line.name_en, line.terms) for line in lines], fixed
