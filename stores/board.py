"""The stock board of an outlet: each phone with what is there, promised, free, coming, and how it moved this week."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, datetime, timedelta
from typing import Any

from django.db import connection
from django.db.models import Sum
from django.utils import timezone
from django.utils.safestring import SafeString, mark_safe
from django.utils.translation import gettext as _

from catalog.catalogue import current_catalogue
from catalog.models import Phone
from catalog.svg import element
from stores import handsets
from stores.models import Outlet, StockLevel, Transfer, TransferLine

DAYS = 7
# So many lines of each shelf are looked through at most; no counter moves a phone more often in a week.
MOST_LINES = 1000

_WEEK = f"""
SELECT l.phone_id, (m.created_at AT TIME ZONE 'Asia/Shanghai')::date,
       sum(greatest(m.change_on_hand, 0)), -sum(least(m.change_on_hand, 0))
FROM stores_stocklevel l CROSS JOIN LATERAL (
    SELECT created_at, change_on_hand FROM stores_stockmovement
    WHERE outlet_id = l.outlet_id AND phone_id = l.phone_id ORDER BY seq DESC LIMIT {MOST_LINES}
) m
WHERE l.outlet_id = %s AND l.moved_at >= %s AND m.created_at >= %s AND m.change_on_hand <> 0
GROUP BY 1, 2
"""

# The chart: a column a day, arrivals up and departures down from the middle, in units of the picture.
_COLUMN, _HEIGHT = 8, 24
# A column is full with so many phones at least, so that a single one is seen to be few.
_FULL_AT_LEAST = 5


@dataclass(frozen=True)
class Week:
    """How many of a phone came and went on each of the last seven days, the oldest first; `full` fills a column."""

    came: tuple[int, ...]
    went: tuple[int, ...]
    full: int

    def __bool__(self) -> bool:
        return any(self.came) or any(self.went)

    @property
    def words(self) -> str:
        """What the chart shows, for those who do not see it."""
        return _("in seven days %(came)d came, %(went)d went") % {"came": sum(self.came), "went": sum(self.went)}

    @property
    def chart(self) -> SafeString:
        """The chart as SVG; `static/desk.css` colours it."""
        middle = _HEIGHT / 2
        up, down = self._columns(self.came, -1), self._columns(self.went, 1)
        line = element("path", d=f"M0 {middle:g}h{_COLUMN * DAYS}")
        bars = "".join(element("path", **{"class": name, "d": d}) for name, d in (("came", up), ("went", down)) if d)
        label = {"role": "img", "aria-label": self.words}
        size = {"class": "week", "viewBox": f"0 0 {_COLUMN * DAYS} {_HEIGHT}"}
        return mark_safe(element("svg", line + bars, **size, **label))  # noqa: S308 - every part is ours or escaped

    def _columns(self, numbers: tuple[int, ...], sign: int) -> str:
        most = _HEIGHT / 2 - 1
        return "".join(
            f"M{day * _COLUMN + _COLUMN // 2} {_HEIGHT / 2:g}v{sign * max(1, round(most * number / self.full))}"
            for day, number in enumerate(numbers)
            if number
        )


@dataclass(frozen=True)
class Shelf:
    """
    One phone on the board. `free` can be promised; `coming` is on its way here; `counted_at` None: never counted.

    `unseen` handsets are on record here, but fewer phones stand on the shelf: scanning it tells which are gone.
    """

    phone: Phone
    on_hand: int
    reserved: int
    free: int
    coming: int
    counted_at: datetime | None
    week: Week
    unseen: int = 0


def board(outlet: Outlet, now: datetime) -> list[Shelf]:
    """Return the shelves of an outlet: all phones on sale, and others of which there are some. Four queries."""
    levels: Any = StockLevel.objects.filter(outlet=outlet).with_counted_at()
    found = {level.phone_id: level for level in levels}
    coming = _coming(outlet)
    weeks, unseen = _weeks(outlet, now), handsets.unseen(outlet.pk)
    return [
        _shelf(phone, found.get(phone.pk), coming.get(phone.pk, 0), weeks, unseen.get(phone.pk, 0))
        for phone in current_catalogue().phones
        if not phone.is_discontinued or (phone.pk in found and found[phone.pk].on_hand)
    ]


def _shelf(phone: Phone, level: Any, coming: int, weeks: dict[int, Week], unseen: int) -> Shelf:
    week = weeks.get(phone.pk) or Week((), (), 1)
    if level is None:
        return Shelf(phone, 0, 0, 0, coming, None, week, unseen)
    return Shelf(phone, level.on_hand, level.reserved, level.available, coming, level.counted_at, week, unseen)


def _coming(outlet: Outlet) -> dict[int, int]:
    lines = TransferLine.objects.filter(transfer__receiver=outlet, transfer__state=Transfer.State.SENT)
    return dict(lines.order_by().values_list("phone_id").annotate(sum=Sum("sent")))


def _weeks(outlet: Outlet, now: datetime) -> dict[int, Week]:
    """Return the week of each phone that moved, all drawn to one scale. One query."""
    today = timezone.localtime(now).date()
    first = today - timedelta(days=DAYS - 1)
    since = timezone.make_aware(datetime(first.year, first.month, first.day))
    moved: dict[int, dict[date, tuple[int, int]]] = {}
    with connection.cursor() as cursor:
        cursor.execute(_WEEK, [outlet.pk, since, since])
        for phone_id, day, came, went in cursor.fetchall():
            moved.setdefault(phone_id, {})[day] = (int(came), int(went))
    full = max((number for days in moved.values() for each in days.values() for number in each), default=0)
    days = [first + timedelta(days=number) for number in range(DAYS)]
    return {
        phone_id: Week(
            tuple(each.get(day, (0, 0))[0] for day in days),
            tuple(each.get(day, (0, 0))[1] for day in days),
            max(full, _FULL_AT_LEAST),
        )
        for phone_id, each in moved.items()
    }
