"""Placing an order: the phones are promised, the order and all that belongs to it are written, or nothing is."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from datetime import datetime, timedelta
from typing import Any, NamedTuple

import psycopg2
from django.conf import settings
from django.db import IntegrityError, connection, transaction
from django.utils import timezone
from django.utils.translation import gettext as _

from catalog.catalogue import current_catalogue
from orders import history, numbers, pickup_codes, terms
from orders.mobiles import parse_mobile, parse_name
from orders.models import Channel, Language, Message, Order, OrderLine, State
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
from stores.models import Outlet

# First half of the advisory locks on mobile numbers; any number that nothing else uses.
LOCK_ON_MOBILE = 6_812
# What two orders may both try for in the same instant. Whoever comes second draws again, or finds the first.
DRAWN_AGAIN = {"orders_order_pkey", "order_pickup_code_is_its_own", "order_once_a_form"}
DRAWS = 25


class Line(NamedTuple):
    """A phone as it goes on the order."""

    phone_id: int
    quantity: int
    name_zh: str
    name_en: str
    price_fen: int
    terms: str


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
    moved_from: str = ""


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
) -> Order:
    """
    Promise `lines` (phone id: quantity) at `outlet` to the customer and return the order, with a message on its way.

    `form_key` was made when the customer got the form of this outlet: asked again with the same key, the same order is
    returned, whatever became of it since. Name and price of the phones are those of this moment.

    Raises BadName, BadMobile, BadQuantity, PhoneNotListed, OutletNotOpen, OutOfStock, TooManyOpenOrders and
    TooManyOfOnePhone.
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
    )
    return drawing_again(lambda: _place(draft))


def drawing_again(write: Callable[[], Order]) -> Order:
    """Return what `write` returns, tried anew while the number or code that it drew turns out to be taken."""
    for draw in range(1, DRAWS + 1):
        try:
            with transaction.atomic():
                return write()
        except IntegrityError as error:
            if draw == DRAWS or _constraint(error) not in DRAWN_AGAIN:
                raise
        except stock_refusals.OperationKeyReused:
            # The number is taken: its order has moved stock.
            if draw == DRAWS:
                raise
    raise AssertionError("unreachable")


def _constraint(error: IntegrityError) -> str | None:
    cause = error.__cause__
    return cause.diag.constraint_name if isinstance(cause, psycopg2.Error) else None


def _lines(lines: Mapping[int, int]) -> list[Line]:
    """Take names and prices from the catalogue, in the order in which shelves are locked."""
    if not lines or not all(isinstance(quantity, int) and 1 <= quantity <= 99 for quantity in lines.values()):
        raise BadQuantity(_("Please choose at least one phone."))
    listed = {phone.pk: phone for phone in current_catalogue().listed}
    if unlisted := sorted(set(lines) - set(listed)):
        raise PhoneNotListed(_("One of these phones is no longer on sale."), phone_ids=unlisted)
    phones = [(listed[phone_id], quantity) for phone_id, quantity in sorted(lines.items())]
    return [
        Line(phone.pk, quantity, phone.name_zh, phone.name_en, phone.price_fen, terms.CURRENT)
        for phone, quantity in phones
    ]


def _place(draft: Draft) -> Order:
    earlier = _check_limits(draft)
    if earlier:
        return Order.objects.get(outlet=draft.outlet, number=earlier)
    number = numbers.draw_number(draft.outlet.pk)
    promise(draft.outlet, {line.phone_id: line.quantity for line in draft.lines}, number, draft.actor)
    return write_order(draft, number)


_OF_THIS_CUSTOMER = """
SELECT number, true, NULL, NULL FROM orders_order WHERE outlet_id = %(outlet)s AND form_key = %(form_key)s
UNION ALL
SELECT o.number, false, l.phone_id, l.quantity
FROM orders_order o JOIN orders_orderline l ON l.outlet_id = o.outlet_id AND l.number = o.number
WHERE o.mobile = %(mobile)s AND o.state IN ('placed', 'ready')
"""


def _check_limits(draft: Draft) -> str | None:
    """
    Return the number that this form's order has already; None when it may be placed.

    Raises TooManyOpenOrders, TooManyOfOnePhone.
    """
    with connection.cursor() as cursor:
        # One order of a mobile number at a time, or two could both find room for one. Always taken before any row.
        cursor.execute("SELECT pg_advisory_xact_lock(%s, hashtext(%s))", [LOCK_ON_MOBILE, draft.mobile])
        parameters: dict[str, Any] = {"mobile": draft.mobile, "outlet": draft.outlet.pk, "form_key": draft.form_key}
        cursor.execute(_OF_THIS_CUSTOMER, parameters)
        rows = cursor.fetchall()
    earlier = next((number for number, same_form, *_rest in rows if same_form), None)
    if not earlier:
        _refuse_too_many(draft, rows)
    return earlier


def _refuse_too_many(draft: Draft, rows: Iterable[tuple[str, bool, int, int]]) -> None:
    rows = list(rows)
    if len({number for number, *_rest in rows}) >= settings.MAX_OPEN_ORDERS:
        limit = settings.MAX_OPEN_ORDERS
        raise TooManyOpenOrders(
            _("This mobile number has %(limit)d open orders already. Collect or cancel one of them first.")
            % {"limit": limit},
            limit=limit,
        )
    for line in draft.lines:
        ordered = sum(quantity for *_rest, phone_id, quantity in rows if phone_id == line.phone_id)
        if ordered + line.quantity > settings.MAX_UNITS_OF_A_PHONE:
            limit = settings.MAX_UNITS_OF_A_PHONE
            raise TooManyOfOnePhone(
                _("One mobile number may have at most %(limit)d of the same phone on order.") % {"limit": limit},
                phone_id=line.phone_id,
                limit=limit,
                ordered=ordered,
            )


def promise(outlet: Outlet, quantities: Mapping[int, int], number: str, actor: str) -> None:
    """Reserve phones for the order `number`. Raises OutletNotOpen, OutOfStock."""
    act = stock.Act(f"order:{number}:placed", actor, history.reference(number))
    try:
        stock.reserve(outlet.pk, quantities, act)
    except stock_refusals.OutletDoesNotTrade as refusal:
        raise OutletNotOpen(_("This outlet is closed at present."), outlet=outlet) from refusal
    except stock_refusals.OutOfStock as refusal:
        short = {shortage.phone_id: (shortage.wanted, shortage.left) for shortage in refusal.shortages}
        raise OutOfStock(_in_words(short), outlet=outlet, short=short) from refusal


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


_WRITE = """
WITH line AS (
    INSERT INTO orders_orderline (outlet_id, number, line_count, position, phone_id, quantity, name_zh, name_en,
                                  price_fen, terms, running_fen, prev_position, prev_running_fen)
    SELECT %(outlet)s, %(number)s, %(line_count)s, position, phone_id, quantity, name_zh, name_en, price_fen, terms,
           running_fen, nullif(position - 1, 0), nullif(running_fen - quantity * price_fen, 0)
    FROM unnest(%(phones)s::bigint[], %(quantities)s::int[], %(names_zh)s::text[], %(names_en)s::text[],
                %(prices)s::int[], %(terms)s::text[], %(running)s::int[]) WITH ORDINALITY
         AS line (phone_id, quantity, name_zh, name_en, price_fen, terms, running_fen, position)
), change AS (
    INSERT INTO orders_orderchange (outlet_id, number, seq, kind, state, actor, reason, created_at)
    VALUES (%(outlet)s, %(number)s, 1, 'placed', 'placed', %(actor)s, %(moved_from)s, %(placed_at)s)
), message AS (
    INSERT INTO orders_message
        (outlet_id, number, change_seq, kind, state, attempts, next_attempt_at, created_at, receipt, error)
    VALUES (%(outlet)s, %(number)s, 1, %(tells)s, 'waiting', 0, %(placed_at)s, %(placed_at)s, '', '')
)
INSERT INTO orders_order (outlet_id, number, state, change_seq, name, mobile, language, channel, form_key,
                          pickup_fingerprint, line_count, total_fen, prepaid_fen, placed_at, held_until,
                          moved_to, moved_from)
VALUES (%(outlet)s, %(number)s, 'placed', 1, %(name)s, %(mobile)s, %(language)s, %(channel)s, %(form_key)s,
        %(pickup_fingerprint)s, %(line_count)s, %(total_fen)s, 0, %(placed_at)s, %(held_until)s, '', %(moved_from)s)
"""


def write_order(draft: Draft, number: str) -> Order:
    """Write a drafted order whose phones are promised, in the transaction that promised them."""
    order = _order(draft, number, timezone.now())
    running = [
        sum(line.quantity * line.price_fen for line in draft.lines[: end + 1]) for end in range(order.line_count)
    ]
    phones, quantities, names_zh, names_en, prices, lines_terms = (
        list(column) for column in zip(*draft.lines, strict=True)
    )
    parameters: dict[str, Any] = {
        "outlet": order.outlet_id,
        **{name: getattr(order, name) for name in _COPIED},
        "actor": draft.actor,
        "tells": draft.tells.value,
        "phones": phones,
        "quantities": quantities,
        "names_zh": names_zh,
        "names_en": names_en,
        "prices": prices,
        "terms": lines_terms,
        "running": running,
    }
    with connection.cursor() as cursor:
        cursor.execute(_WRITE, parameters)
    return order


_COPIED = (
    "number", "name", "mobile", "language", "channel", "form_key", "pickup_fingerprint", "line_count", "total_fen",
    "placed_at", "held_until", "moved_from",
)  # fmt: skip


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
        total_fen=sum(line.quantity * line.price_fen for line in draft.lines),
        placed_at=now,
        held_until=now + timedelta(hours=settings.HOLD_HOURS_PLACED),
        moved_from=draft.moved_from,
    )
    # It is written by hand, since one statement does it all.
    order._state.adding = False
    return order


def lines_of(order: Order) -> list[Line]:
    """Return the lines of an order as they were fixed."""
    return [
        Line(line.phone_id, line.quantity, line.name_zh, line.name_en, line.price_fen, line.terms)
        for line in OrderLine.objects.filter(outlet_id=order.outlet_id, number=order.number).order_by("position")
    ]
