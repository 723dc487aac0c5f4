"""What programs are told of an order."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from django.contrib.postgres.fields import ArrayField
from django.db import DEFAULT_DB_ALIAS
from django.db.models import BigIntegerField, CharField
from drf_spectacular.utils import extend_schema_field
from rest_framework import serializers

from api.examples import shown_as
from api.prepared import IsAnyOf, Parameter, PlannedOnce
from api.resources import Money, Reference, Resource, Text
from catalog.catalogue import current_catalogue
from orders.api_examples import ORDER, ORDER_WITH_CUSTOMER
from orders.models import Language, Order, OrderLine, State
from stores.api import OutletResource, outlets_to_tell

# In the API languages are named as the keys of its texts.
LANGUAGES = {"zh": Language.CHINESE, "en": Language.ENGLISH}
_LANGUAGE_NAMES = {language: name for name, language in LANGUAGES.items()}


class OrderLineResource(Resource):
    phone = serializers.SerializerMethodField()
    name = Text()
    quantity = serializers.IntegerField()
    price = Money(source="price_fen", help_text="of one, as it was when the order was placed")
    amount = Money(source="amount_fen")

    def get_phone(self, line: OrderLine) -> str:
        return current_catalogue().by_id[line.phone_id].slug


@shown_as(ORDER)
class OrderResource(Resource):
    """An order, without its customer."""

    number = serializers.CharField(help_text="what customer and clerk call it, twelve digits")
    reference = serializers.CharField(help_text="what the partner calls it")
    outlet = Reference(OutletResource, code="outlet.code")
    state = serializers.ChoiceField(State.choices)
    lines = OrderLineResource(many=True, source="told_lines")
    total = Money(source="total_fen")
    language = serializers.SerializerMethodField()
    placed_at = serializers.DateTimeField()
    ready_at = serializers.DateTimeField(allow_null=True, help_text="when the phones were set aside")
    held_until = serializers.DateTimeField(help_text="until when it is kept")
    ended_at = serializers.DateTimeField(allow_null=True)
    moved_from = serializers.CharField(help_text="the number it had at another outlet; empty without")
    moved_to = serializers.CharField(help_text="the number under which it lives on at another outlet; empty without")

    @extend_schema_field({"type": "string", "enum": list(LANGUAGES)})
    def get_language(self, order: Order) -> str:
        return _LANGUAGE_NAMES[Language(order.language)]


class CustomerResource(Resource):
    name = serializers.CharField()
    mobile = serializers.CharField(help_text="E.164")


@shown_as(ORDER_WITH_CUSTOMER)
class OrderWithCustomer(OrderResource):
    """An order as whoever may know the customer reads it."""

    customer = serializers.SerializerMethodField(help_text="null when it was erased")

    @extend_schema_field(CustomerResource(allow_null=True))
    def get_customer(self, order: Order) -> dict[str, str] | None:
        return None if order.erased_at else {"name": order.name, "mobile": order.mobile}


_LINE_FIELDS = [field.attname for field in OrderLine._meta.concrete_fields]


@PlannedOnce
def _lines() -> Any:
    outlets = Parameter("outlets", ArrayField(BigIntegerField()))
    numbers = Parameter("numbers", ArrayField(CharField(max_length=12)))
    lines = OrderLine.objects.filter(IsAnyOf("outlet", outlets), IsAnyOf("number", numbers))
    return lines.order_by("position").values_list(*_LINE_FIELDS)


def with_lines(orders: Sequence[Any], *, whole_outlets: bool = False) -> Sequence[Any]:
    """Fetch what the resource tells of `orders` beside their rows and their outlets; a fixed number of queries."""
    lines: dict[str, list[OrderLine]] = {order.number: [] for order in orders}
    for row in _lines.rows(outlets=list({order.outlet_id for order in orders}), numbers=list(lines)):
        line = OrderLine.from_db(DEFAULT_DB_ALIAS, _LINE_FIELDS, row)
        lines[line.number].append(line)
    for order in orders:
        order.told_lines = lines[order.number]
    if whole_outlets:
        outlets = outlets_to_tell({order.outlet_id for order in orders})
        for order in orders:
            order.outlet = outlets[order.outlet_id]
    return orders
