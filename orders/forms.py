"""What a customer may type, and what is said beside the field where it cannot be taken."""

from __future__ import annotations

import re
import unicodedata
from functools import cache
from typing import Any

from django import forms
from django.conf import settings
from django.core.exceptions import ValidationError
from django.http import QueryDict
from django.utils.html import escape
from django.utils.safestring import SafeString, mark_safe
from django.utils.translation import get_language
from django.utils.translation import gettext_lazy as _

from catalog.fragments import render_part
from orders.mobiles import parse_mobile, parse_name
from orders.numbers import read_number
from orders.refusals import OrderRefused


class OneLine(forms.TextInput):
    """Draws itself: filling a template for each field of a page takes longer than all else in it."""

    def render(self, name: str, value: Any, attrs: dict[str, Any] | None = None, renderer: Any = None) -> SafeString:
        own = {"type": self.input_type, "name": name, "value": self.format_value(value)}
        return _input(own | self.build_attrs(self.attrs, attrs))


class Tick(forms.CheckboxInput):
    """Draws itself, too."""

    def render(self, name: str, value: Any, attrs: dict[str, Any] | None = None, renderer: Any = None) -> SafeString:
        own = {"type": "checkbox", "name": name, "checked": self.check_test(value)}
        return _input(own | self.build_attrs(self.attrs, attrs))


def _input(attributes: dict[str, Any]) -> SafeString:
    words = [
        name if value is True else f'{name}="{escape(value)}"'
        for name, value in attributes.items()
        if value is not None and value is not False
    ]
    return mark_safe(f"<input {' '.join(words)}>")  # noqa: S308 - names are ours, values are escaped


class _Shared(dict[str, forms.Field]):
    """Fields that no form changes, so that none needs a copy: to make one takes as long as to read the form."""

    def __deepcopy__(self, _memo: Any) -> _Shared:
        return self


class PlainForm(forms.Form):
    """A form whose fields the templates place by themselves, and nobody changes; errors stand beside their fields."""

    def __init__(self, data: QueryDict | None = None, initial: dict[str, Any] | None = None) -> None:
        self.base_fields = _Shared(self.base_fields)  # type: ignore[misc]  # this form's alone
        super().__init__(data, initial=initial, auto_id="%s", label_suffix="")


class ReservationForm(PlainForm):
    """Who comes to collect, and how to tell them. `mobile` is cleaned to E.164."""

    name = forms.CharField(
        label=_("Your name"),
        # Longer text is told of by the rule, so that nothing typed is cut off.
        widget=OneLine({"autocomplete": "name"}),
        error_messages={"required": _("Please write your name.")},
    )
    mobile = forms.CharField(
        label=_("Mobile number"),
        help_text=_("We send a text message to it when the phone is ready. A simple phone is enough."),
        widget=OneLine({"type": "tel", "inputmode": "tel", "autocomplete": "tel"}),
        error_messages={"required": _("Please write your mobile number.")},
    )
    # The template draws the choices.
    language = forms.ChoiceField(label=_("Language of the messages"), choices=settings.LANGUAGES)
    consent = forms.BooleanField(
        widget=Tick,
        error_messages={"required": _("Without this we may not keep your number, and could not tell you anything.")},
    )

    @classmethod
    def blank(cls) -> ReservationForm:
        """Return the form to fill in; messages come in the language of the page unless asked otherwise."""
        return _blank_form(get_language())

    @property
    def drawn(self) -> SafeString:
        """All fields as HTML, with what was typed and what is wrong with it."""
        return _drawn(self) if self.is_bound else _drawn_blank(get_language())

    def clean_name(self) -> str:
        return clean_name(self.cleaned_data["name"])

    def clean_mobile(self) -> str:
        return clean_mobile(self.cleaned_data["mobile"])


@cache
def _blank_form(language: str | None) -> ReservationForm:
    """Return the one that every visitor gets who reads this language; nothing is ever written in it."""
    return ReservationForm(initial={"language": language})


def _drawn(form: ReservationForm) -> SafeString:
    return render_part("orders/_who.html", {"form": form})


@cache
def _drawn_blank(language: str | None) -> SafeString:
    return _drawn(_blank_form(language))


class LookUpForm(PlainForm):
    """Which order, and the proof that it is one's own."""

    number = forms.CharField(
        label=_("Order number"),
        help_text=_("12 digits, in the text message that you got"),
        widget=OneLine({"inputmode": "numeric", "autocomplete": "off"}),
        error_messages={"required": _("Please write the order number.")},
    )
    last_four = forms.CharField(
        label=_("Last four digits of your mobile number"),
        widget=OneLine({"inputmode": "numeric", "autocomplete": "off", "size": 4}),
        error_messages={"required": _("Please write the last four digits.")},
    )

    def clean_number(self) -> str:
        number = read_number(self.cleaned_data["number"])
        if number is None:
            raise ValidationError(_("Please look again: an order number has 12 digits, and one of these is not right."))
        return number

    def clean_last_four(self) -> str:
        digits = unicodedata.normalize("NFKC", self.cleaned_data["last_four"][:40])
        # Whoever writes the whole number has given the last four as well.
        digits = re.sub(r"[\s-]", "", digits)
        if not re.fullmatch(r"[0-9]{4}|(\+?86)?1[0-9]{10}", digits, re.ASCII):
            raise ValidationError(_("Please write four digits."))
        return digits[-4:]


def clean_name(text: str) -> str:
    """Return a customer's name as it is kept; what the rule refuses is the field's error."""
    return _or_refuse(parse_name, text)


def clean_mobile(text: str) -> str:
    """Return a mobile number as E.164; what the rule refuses is the field's error."""
    return _or_refuse(parse_mobile, text)


def _or_refuse(parse: Any, text: str) -> str:
    """Return what the rule reads in `text`; its refusal becomes the field's error."""
    try:
        return parse(text)
    except OrderRefused as refusal:
        raise ValidationError(str(refusal), code=refusal.code) from refusal
