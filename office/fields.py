"""What forms of head office ask for: a day, a moment, an outlet."""

from __future__ import annotations

from datetime import date, datetime
from typing import Any

from django import forms
from django.core.exceptions import ValidationError
from django.core.validators import MaxValueValidator
from django.utils.dateparse import parse_datetime
from django.utils.translation import gettext as _

from catalog.moments import SHANGHAI
from stores.models import Outlet

# What lasts through a day ends at the midnight after it, and behind the last day of the calendar there is none.
LAST_DAY = date(9999, 12, 30)


class DayField(forms.DateField):
    """A day that may be left out, typed or chosen; cleaned to a date that has a day after it, or None."""

    def __init__(self, **options: Any) -> None:
        widget = forms.DateInput(attrs={"type": "date"})
        super().__init__(required=False, widget=widget, validators=[MaxValueValidator(LAST_DAY)], **options)


class MomentField(forms.CharField):
    """A day and time on the clock of Asia/Shanghai that may be left out; cleaned to a moment or None."""

    def __init__(self, **options: Any) -> None:
        widget = forms.DateTimeInput(attrs={"type": "datetime-local"})
        super().__init__(required=False, max_length=40, widget=widget, **options)

    def clean(self, value: Any) -> datetime | None:
        typed = super().clean(value)
        if not typed:
            return None
        try:
            moment = parse_datetime(typed)
            if moment is not None:
                return (moment if moment.tzinfo else moment.replace(tzinfo=SHANGHAI)).astimezone(SHANGHAI)
        except (ValueError, OverflowError):
            pass
        raise ValidationError(_("This is no day and time. Write it as 2026-11-11 20:00."))


class OutletField(forms.CharField):
    """The code of an outlet, which may be left out; cleaned to the outlet or None."""

    def __init__(self, **options: Any) -> None:
        super().__init__(required=False, max_length=20, **options)

    def clean(self, value: Any) -> Outlet | None:
        code = super().clean(value)
        if not code:
            return None
        outlet = Outlet.objects.filter(code=code).first()
        if outlet is None:
            raise ValidationError(_("No outlet has this code."))
        return outlet
