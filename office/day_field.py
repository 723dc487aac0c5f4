"""A day in a form."""

from __future__ import annotations

from datetime import date
from typing import Any

from django import forms
from django.core.validators import MaxValueValidator

# What lasts through a day ends at the midnight after it, and behind the last day of the calendar there is none.
LAST_DAY = date(9999, 12, 30)


class DayField(forms.DateField):
    """A day that may be left out, typed or chosen; cleaned to a date that has a day after it, or None."""

    def __init__(self, **options: Any) -> None:
        widget = forms.DateInput(attrs={"type": "date"})
        super().__init__(required=False, widget=widget, validators=[MaxValueValidator(LAST_DAY)], **options)
