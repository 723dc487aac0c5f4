"""Days and times of day as people say them, on the clock of Asia/Shanghai, which China keeps everywhere."""

from __future__ import annotations

from datetime import date, datetime, time, timedelta
from zoneinfo import ZoneInfo

from django.utils.formats import date_format
from django.utils.translation import gettext as _

from catalog.bilingual import speaks_english

SHANGHAI = ZoneInfo("Asia/Shanghai")
_PARTS_OF_DAY = ((6, "凌晨"), (12, "上午"), (13, "中午"), (18, "下午"), (24, "晚上"))


def midnight(day: date) -> datetime:
    """Return when a day begins."""
    return datetime.combine(day, time(), SHANGHAI)


def day_in_words(day: date) -> str:
    """Return a day without its year: March 4, 3 月 4 日."""
    if speaks_english():
        return date_format(day, "F j")
    return f"{day.month} 月 {day.day} 日"


def clock(moment: datetime | time) -> str:
    """Return a time of day as people say it: 8:30 am, 上午 8 点半."""
    hour, minute = moment.hour, moment.minute
    if speaks_english():
        return f"{(hour - 1) % 12 + 1}{f':{minute:02}' if minute else ''} {'am' if hour < 12 else 'pm'}"
    part = next(name for until, name in _PARTS_OF_DAY if hour < until)
    minutes = {0: "", 30: "半"}.get(minute, f" {minute:02} 分")
    return f"{part} {(hour - 1) % 12 + 1} 点{minutes}"


def moment_in_words(moment: datetime) -> str:
    """Return day and time with the year: November 11, 2026, 6 pm; 2026 年 11 月 11 日下午 6 点."""
    local = moment.astimezone(SHANGHAI)
    if speaks_english():
        return f"{date_format(local, 'F j, Y')}, {clock(local)}"
    return f"{local.year} 年 {day_in_words(local)}{clock(local)}"


def until_in_words(moment: datetime) -> str:
    """Say until when something lasts that ends at `moment`: midnight is the end of the day before."""
    local = moment.astimezone(SHANGHAI)
    if local.time() == time():
        return _("until the end of %(day)s") % {"day": day_in_words(local - timedelta(days=1))}
    return _("until %(day)s, %(time)s") % {"day": day_in_words(local), "time": clock(local)}
