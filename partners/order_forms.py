"""What a partner may send to place and to cancel an order."""

from __future__ import annotations

from typing import Any

from django.core.validators import RegexValidator
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy
from rest_framework import serializers

from api.examples import shown_as
from api.forms import Choice, Form, WholeNumber, Words, Yuan
from catalog.catalogue import current_catalogue
from orders.api import LANGUAGES
from orders.basket import MOST_LINES
from orders.mobiles import parse_mobile, parse_name
from orders.refusals import OrderRefused
from partners.api_examples import ORDER_FORM
from partners.models import LONGEST_REFERENCE

MOST_OF_A_PHONE = 99
LONGEST_REASON = 100
_VISIBLE = RegexValidator(r"^[!-~]+\Z", gettext_lazy("It may have visible ASCII characters only."))


class CustomerForm(Form):
    name = Words(max_length=60, help_text="letters only")
    mobile = Words(max_length=30, help_text="a Chinese mobile number")

    def validate_name(self, name: str) -> str:
        return _read(parse_name, name)

    def validate_mobile(self, mobile: str) -> str:
        return _read(parse_mobile, mobile)


class LineForm(Form):
    phone = Words(max_length=60, help_text="the slug of a phone")
    quantity = WholeNumber(min_value=1, max_value=MOST_OF_A_PHONE)

    def validate_phone(self, slug: str) -> Any:
        phone, reached = current_catalogue().by_slug.get(slug), self.context["credentials"].phones
        if phone is None or (reached and slug not in reached):
            raise serializers.ValidationError(_("We have no phone of this name."))
        return phone


@shown_as(ORDER_FORM)
class OrderForm(Form):
    reference = Words(
        max_length=LONGEST_REFERENCE, validators=[_VISIBLE], help_text="your own name for the order, never used before"
    )
    outlet = Words(max_length=20, help_text="the code of the outlet where it is collected")
    customer = CustomerForm()
    lines: serializers.ListSerializer = serializers.ListSerializer(
        child=LineForm(), min_length=1, max_length=MOST_LINES
    )
    language = Choice(list(LANGUAGES), default="zh", help_text="what messages to the customer are written in")

    accepted_total = Yuan(
        required=False,
        default=None,
        help_text="what the customer was told that it costs together, in yuan: it is never ordered for more",
    )

    def validate_lines(self, lines: list[dict[str, Any]]) -> list[dict[str, Any]]:
        if len({line["phone"].pk for line in lines}) < len(lines):
            raise serializers.ValidationError(_("Each phone may be there once."))
        return lines


@shown_as({})
class CancelForm(Form):
    reason = Words(
        max_length=LONGEST_REASON, allow_blank=True, default="", help_text="for the clerk; name nobody in it"
    )


def _read(reader: Any, text: str) -> str:
    try:
        return reader(text)
    except OrderRefused as refused:
        raise serializers.ValidationError(str(refused)) from None
