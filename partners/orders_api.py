"""Orders for programs: place one, read one, list one's own, cancel one."""

from __future__ import annotations

from datetime import datetime
from typing import Any

import django_filters
from django.http import Http404, HttpResponse
from django.utils.translation import gettext as _
from drf_spectacular.utils import extend_schema, extend_schema_view
from rest_framework import serializers
from rest_framework.request import Request

from api.credentials import Credentials
from api.deeds import DeedDoor
from api.pagination import Key
from api.parameters import MOMENT_SCHEMA, Filters, MomentFilter
from api.rendering import answer
from api.views import DetailDoor, ListDoor
from orders.api import LANGUAGES, OrderResource, OrderWithCustomer, with_lines
from orders.checkout import drawing_again
from orders.choosing import outlet_of
from orders.models import State
from orders.refusals import OrderRefused
from partners import orders
from partners.callers import caller_of
from partners.order_forms import LONGEST_REFERENCE, CancelForm, OrderForm
from partners.order_refusals import problem_of, wanted_of
from stores.api import TextFilter
from stores.models import Outlet
from stores.stock_api import reaches


class OrderFilters(Filters):
    state = django_filters.ChoiceFilter(choices=State.choices, field_name="order__state")
    outlet = TextFilter(field_name="outlet__code")
    reference = TextFilter(max_length=LONGEST_REFERENCE)
    placed_since = MomentFilter(field_name="placed_at", lookup_expr="gte")

    described = {
        "state": {
            "description": "Only orders in this state.",
            "schema": {"type": "string", "enum": list(State.values)},
        },
        "outlet": {
            "description": "The code of an outlet: only orders that were placed there.",
            "schema": {"type": "string", "minLength": 1},
        },
        "reference": {
            "description": "Your own name for the order.",
            "schema": {"type": "string", "minLength": 1, "maxLength": LONGEST_REFERENCE},
        },
        "placed_since": {"description": "Only orders placed at this moment or later.", "schema": MOMENT_SCHEMA},
    }


@extend_schema_view(
    get=extend_schema(
        tags=["orders"],
        summary="Own orders",
        description="Orders that the partner has placed, the oldest first. One that was moved to another outlet stays "
        "in the list under its first number, and says where it went.",
    ),
    post=extend_schema(
        tags=["orders"],
        summary="Place an order",
        description="Sets the phones aside for the customer, who is told by a text message, at the prices of this "
        "moment. The rules are those of the shop: stock, how many of a phone and how many orders one mobile number may "
        "have. The answer has no customer, because it is kept for a day.",
        request=OrderForm,
        responses={201: OrderResource},
    ),
)
class OrderList(ListDoor, DeedDoor):
    scope = "orders:read"
    scope_to_change = "orders:write"
    serializer_class = OrderWithCustomer
    filterset_class = OrderFilters
    order = (Key("placed_at", datetime), Key("number", str))

    def get_queryset(self) -> Any:
        return orders.own_orders(caller_of(self.request))

    def prepare(self, page: Any) -> Any:
        for link in page:
            link.order.reference = link.reference
        return with_lines([link.order for link in page], whole_outlets="expand" in self.request.query_params)

    def post(self, request: Request, *args: Any, **kwargs: Any) -> HttpResponse:
        return drawing_again(lambda: super(OrderList, self).post(request, *args, **kwargs), is_transaction=True)

    def do(self, request: Request, *args: Any, **kwargs: Any) -> HttpResponse:
        caller = caller_of(request)
        asked = OrderForm.read(request.data, credentials=caller.credentials)
        quantities = {line["phone"].pk: line["quantity"] for line in asked["lines"]}
        try:
            order = orders.place(
                caller,
                asked["reference"],
                outlet=_outlet(asked["outlet"], caller.credentials),
                lines=quantities,
                name=asked["customer"]["name"],
                mobile=asked["customer"]["mobile"],
                language=LANGUAGES[asked["language"]],
                accepted_fen=asked["accepted_total"],
            )
        except OrderRefused as refused:
            raise problem_of(refused, wanted_of(quantities), caller.credentials) from None
        return answer(OrderResource.tell(order), 201, Location=f"{request.path}/{order.number}")


@extend_schema(tags=["orders"], summary="An order", description="One of the partner's own.")
class OrderDetail(DetailDoor):
    scope = "orders:read"
    serializer_class = OrderWithCustomer

    def find(self, code: str) -> Any:
        [order] = with_lines([_own(self.request, code)], whole_outlets="expand" in self.request.query_params)
        return order


@extend_schema_view(
    post=extend_schema(
        tags=["orders"],
        summary="Cancel an order",
        description="Gives the phones back to the shelf and tells the customer. An order that is cancelled already "
        "stays so; one that was handed over, declined, moved or not collected in time is refused.",
        request=CancelForm,
        responses={200: OrderResource},
    )
)
class OrderCancel(DeedDoor):
    scope = "orders:write"

    def do(self, request: Request, *args: Any, **kwargs: Any) -> HttpResponse:
        reason = CancelForm.read(request.data)["reason"]
        caller, order = caller_of(request), _own(request, kwargs["code"])
        try:
            [ended] = with_lines([orders.cancel(caller, order, reason)])
            return answer(OrderResource.tell(ended))
        except OrderRefused as refused:
            raise problem_of(refused, None, caller.credentials) from None


def _own(request: Request, number: str) -> Any:
    order = orders.own_order(caller_of(request), number)
    if order is None:
        raise Http404
    return order


def _outlet(code: str, credentials: Credentials) -> Outlet:
    """Return the outlet of this code, unless the credentials do not reach it."""
    outlet = outlet_of(code)
    if outlet is None or not reaches(credentials, outlet.pk):
        raise serializers.ValidationError({"outlet": [_("We have no shop with this code.")]})
    return outlet
