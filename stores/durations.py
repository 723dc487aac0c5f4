"""How long something took or will take, and when it was, in words."""

from __future__ import annotations

from datetime import datetime, timedelta

from django.utils import timezone
from django.utils.formats import date_format
from django.utils.translation import gettext as _
from django.utils.translation import ngettext


def duration_in_words(duration: timedelta) -> str:
    """Say a duration in its largest unit, and the one below it where that matters: 20 minutes, 3 h 20 min, 2 days."""
    minutes = max(int(duration.total_seconds() // 60), 0)
    if minutes < 1:
        return _("less than a minute")
    hours, rest = divmod(minutes, 60)
    if hours >= 48:
        return ngettext("%(days)d day", "%(days)d days", hours // 24) % {"days": hours // 24}
    if hours >= 10 or (hours and not rest):
        return ngettext("%(hours)d hour", "%(hours)d hours", hours) % {"hours": hours}
    if hours:
        return _("%(hours)d h %(minutes)d min") % {"hours": hours, "minutes": rest}
    return ngettext("%(minutes)d minute", "%(minutes)d minutes", minutes) % {"minutes": minutes}


def moment_in_words(moment: datetime) -> str:
    """Return day and time in Asia/Shanghai, as short as people at one counter need it."""
    local = timezone.localtime(moment)
    if local.date() == timezone.localdate():
        return date_format(local, "H:i")
    return date_format(local, _("j M, H:i"))
