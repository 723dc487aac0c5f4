"""Addresses of the desk that know of orders: below `/desk/`."""

from typing import Any

from django.urls import URLPattern, path, register_converter
from django.urls.converters import StringConverter

from orders import (
    desk_ending,
    desk_find,
    desk_hand_over,
    desk_new_order,
    desk_orders,
    desk_take_back,
    desk_today,
    desk_walk_in,
)


class OrderNumberConverter(StringConverter):
    """The twelve digits of an order."""

    regex = "[0-9]{12}"


register_converter(OrderNumberConverter, "order_number")


def _of_order(rest: str, view: Any, name: str) -> URLPattern:
    return path(f"<outlet_code:outlet_code>/orders/<order_number:number>/{rest}", view, name=name)


app_name = "order_desk"
urlpatterns = [
    path("", desk_today.home, name="home"),
    path("<outlet_code:outlet_code>/", desk_today.today, name="today"),
    path("<outlet_code:outlet_code>/find/", desk_find.find, name="find"),
    path("<outlet_code:outlet_code>/new-order/", desk_new_order.new_order, name="new_order"),
    path("<outlet_code:outlet_code>/sell/", desk_walk_in.sell, name="sell"),
    path("<outlet_code:outlet_code>/sales/<slug:slug>/<int:seq>/", desk_walk_in.sale, name="sale"),
    path("<outlet_code:outlet_code>/sales/<slug:slug>/<int:seq>/send/", desk_walk_in.send_sale, name="send_sale"),
    path("<outlet_code:outlet_code>/take-back/", desk_take_back.take_back, name="take_back"),
    path("<outlet_code:outlet_code>/refunds/<slug:slug>/<int:back_seq>/", desk_take_back.refund, name="refund"),
    _of_order("", desk_hand_over.order_page, "order"),
    _of_order("set-aside/", desk_orders.set_aside, "set_aside"),
    _of_order("decline/", desk_ending.decline, "decline"),
    _of_order("cancel/", desk_ending.cancel, "cancel"),
    _of_order("receipt/", desk_hand_over.receipt, "receipt"),
    _of_order("receipt/send/", desk_hand_over.send_receipt, "send_receipt"),
]
