"""The last day to collect, as a calendar file (RFC 5545)."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

from django.utils.translation import gettext as _

from orders.models import Order

# Lines are folded so that none is longer than 75 octets.
_LONGEST_LINE = 73


def calendar_file(order: Order, url: str, now: datetime) -> str:
    """
    Return an event of half an hour that ends when the order is no longer kept, with a reminder the day before.

    Calendars wander through other people's servers: it holds the order's number, but no name, no mobile number and no
    pickup code.
    """
    outlet = order.outlet
    lines = [
        "BEGIN:VCALENDAR",
        "VERSION:2.0",
        "PRODID:-//Cunpu//Orders//EN",
        "BEGIN:VEVENT",
        f"UID:{order.number}@cunpu",
        f"DTSTAMP:{_moment(now)}",
        f"DTSTART:{_moment(order.held_until - timedelta(minutes=30))}",
        f"DTEND:{_moment(order.held_until)}",
        _text("SUMMARY", _("Last time to collect the phone: %(shop)s") % {"shop": outlet.name}),
        _text("LOCATION", f"{outlet.name}, {outlet.address}"),
        _text("DESCRIPTION", _("Order %(number)s") % {"number": order.spoken_number}),
        f"URL:{url}",
        "BEGIN:VALARM",
        "ACTION:DISPLAY",
        "TRIGGER:-P1D",
        _text("DESCRIPTION", _("Collect the phone")),
        "END:VALARM",
        "END:VEVENT",
        "END:VCALENDAR",
    ]
    return "".join(f"{_folded(line)}\r\n" for line in lines)


def _moment(moment: datetime) -> str:
    return moment.astimezone(UTC).strftime("%Y%m%dT%H%M%SZ")


def _text(name: str, value: str) -> str:
    escaped = value.replace("\\", "\\\\").replace(";", "\\;").replace(",", "\\,").replace("\n", "\\n")
    return f"{name}:{escaped}"


def _folded(line: str) -> str:
    """Break a line before it has too many octets, never inside a character."""
    parts, octets = [""], 0
    for character in line:
        size = len(character.encode())
        if octets + size > _LONGEST_LINE:
            parts.append("")
            octets = 1
        parts[-1] += character
        octets += size
    return "\r\n ".join(parts)
