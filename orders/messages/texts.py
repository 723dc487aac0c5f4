"""What customers are told by text message, in their language and in at most two parts."""

from __future__ import annotations

import re
from collections.abc import Callable
from datetime import datetime
from typing import NamedTuple

from django.conf import settings
from django.utils import timezone, translation
from django.utils.translation import gettext as _

from orders.alternatives import nearest_with_all
from orders.links import order_link
from orders.messages.segments import count_segments
from orders.models import Language, Message, Order, State, WalkInMessage

Kind = Message.Kind
MOST_SEGMENTS = 2
# Facts that may be cut short when a text would not fit; all others are numbers, days and addresses.
MAY_BE_CUT = ("near", "phones", "phone", "outlet")
LEAST_CHARACTERS = 6


class Text(NamedTuple):
    """A message in words: `template` (with the language) filled in with `facts`, as gateways want to be told."""

    words: str
    template: str
    facts: dict[str, str]
    segments: int


def render(kind: str, order: Order) -> Text:
    """Return the message of this kind about `order` in the order's language."""
    name = kind
    if order.state == State.PLACED:
        name = WHILE_PLACED.get(Kind(kind), kind)
    elif not order.outlet.is_open:
        name = WHERE_CLOSED.get(Kind(kind), kind)
    with translation.override(order.language):
        template = TEMPLATES[name]()
        words, facts = _fit(template, _facts(template, order))
    return Text(words, f"{name}.{order.language}", facts, count_segments(words))


def render_walk_in(message: WalkInMessage) -> Text:
    """Return the receipt of a walk-in sale in the customer's language."""
    sale = message.sale
    with translation.override(message.language):
        facts = {
            "sign": _sign(message.language),
            "phone": sale.phone.name,
            "total": _yuan(sale.price_fen),
            "outlet": sale.outlet.name,
            "sold": _moment(sale.sold_at),
            "number": sale.number_at(sale.outlet.code),
        }
        words, facts = _fit(TEMPLATES[WALK_IN](), facts)
    return Text(words, f"{WALK_IN}.{message.language}", facts, count_segments(words))


# What is said differently as long as the outlet has set nothing aside: nobody should travel for it.
WHILE_PLACED = {Kind.REMINDER: "reminder_placed"}
# What is said differently where the outlet itself has shut.
WHERE_CLOSED = {Kind.DECLINED: "declined_closed"}
# The one text that is about no order.
WALK_IN = "walk_in"

# Called when the language is known.
TEMPLATES: dict[str, Callable[[], str]] = {
    Kind.PLACED: lambda: _(
        "%(sign)s%(outlet)s is asked to set aside %(phones)s. Please wait for our next message before you go. "
        "Pickup code %(code)s, kept until %(until)s, pay %(total)s yuan there. Order %(number)s."
    ),
    Kind.READY: lambda: _(
        "%(sign)sReady: %(phones)s at %(outlet)s until %(until)s. "
        "Pickup code %(code)s, pay %(total)s yuan. Order %(number)s."
    ),
    Kind.REMINDER: lambda: _(
        "%(sign)s%(outlet)s keeps your phone until %(until)s only. Pickup code %(code)s. Need more time? %(link)s"
    ),
    WHILE_PLACED[Kind.REMINDER]: lambda: _(
        "%(sign)s%(outlet)s has not set your phone aside yet, and order %(number)s ends on %(until)s. "
        "To have it kept longer or to move it: %(link)s"
    ),
    Kind.EXPIRED: lambda: _("%(sign)sOrder %(number)s has expired, %(outlet)s no longer keeps it. Again: %(site)s"),
    Kind.DECLINED: lambda: _(
        "%(sign)sSorry, %(outlet)s could not find your phone, order %(number)s is closed. "
        "Near you it is at: %(near)s. Move your order there: %(link)s"
    ),
    WHERE_CLOSED[Kind.DECLINED]: lambda: _(
        "%(sign)sSorry, %(outlet)s is closed, order %(number)s cannot be collected there. "
        "Near you the phone is at: %(near)s. Move your order there: %(link)s"
    ),
    Kind.CANCELLED: lambda: _("%(sign)sOrder %(number)s at %(outlet)s is cancelled, nothing to pay."),
    Kind.MOVED: lambda: _(
        "%(sign)sMoved to %(outlet)s, new order %(number)s. Please wait for our next message before you go. "
        "Pickup code %(code)s, kept until %(until)s, pay %(total)s yuan there."
    ),
    Kind.ESCALATED: lambda: _(
        "%(sign)s%(outlet)s has not set your phone aside yet. We have asked again. "
        "Please wait for our next message before you go. Order %(number)s, kept until %(until)s."
    ),
    Kind.RECEIPT: lambda: _(
        "%(sign)sReceipt: %(phones)s, %(total)s yuan paid at %(outlet)s on %(ended)s. Order %(number)s."
    ),
    WALK_IN: lambda: _("%(sign)sReceipt: %(phone)s, %(total)s yuan paid at %(outlet)s on %(sold)s. Sale %(number)s."),
}


def _sign(language: str) -> str:
    company = "Cunpu" if language == Language.ENGLISH else settings.SMS_SIGNATURE
    # Translators: the language's way of signing a text message, in front of it.
    return _("%(company)s: ") % {"company": company}


FACTS: dict[str, Callable[[Order], str]] = {
    "sign": lambda order: _sign(order.language),
    "outlet": lambda order: order.outlet.name,
    "phones": lambda order: _(", ").join(_named(line.name, line.quantity) for line in order.lines.all()),
    "code": lambda order: order.pickup_code,
    "until": lambda order: _moment(order.held_until),
    "ended": lambda order: _moment(order.ended_at) if order.ended_at else "",
    "total": lambda order: _yuan(order.due_fen),
    "number": lambda order: order.number,
    "link": order_link,
    "site": lambda order: settings.SITE_URL,
    "near": lambda order: (
        _(", ").join(outlet.name for outlet in nearest_with_all(order, limit=2)) or _("no other outlet at present")
    ),
}


def _facts(template: str, order: Order) -> dict[str, str]:
    return {name: FACTS[name](order) for name in re.findall(r"%\((\w+)\)s", template)}


def _named(name: str, quantity: int) -> str:
    return name if quantity == 1 else f"{quantity} x {name}"


def _moment(moment: datetime) -> str:
    local = timezone.localtime(moment)
    # Translators: month, day, hour and minute of a moment, as short as can be.
    return _("%(month)d/%(day)d %(hour)d:%(minute)s") % {
        "month": local.month,
        "day": local.day,
        "hour": local.hour,
        "minute": f"{local.minute:02d}",
    }


def _yuan(fen: int) -> str:
    return f"{fen // 100}" if fen % 100 == 0 else f"{fen // 100}.{fen % 100:02d}"


def _fit(template: str, facts: dict[str, str]) -> tuple[str, dict[str, str]]:
    """Fill in the template, with the longest names cut short until it fits."""
    while count_segments(words := template % facts) > MOST_SEGMENTS:
        longest = max((name for name in MAY_BE_CUT if name in facts), key=lambda name: len(facts[name]))
        if len(facts[longest]) <= LEAST_CHARACTERS:
            break
        facts[longest] = facts[longest].removesuffix("..")[:-1].rstrip() + ".."
    return words, facts
