"""Addresses of the pages from the basket to the counter."""

from django.urls import path, re_path

from orders import order_views, views

app_name = "orders"


def _of_order(rest: str) -> str:
    return rf"^orders/(?P<number>[0-9]{{12}})/{rest}\Z"


urlpatterns = [
    path("basket/", views.basket, name="basket"),
    path("checkout/", views.checkout, name="checkout"),
    path("orders/", order_views.look_up, name="lookup"),
    re_path(_of_order(""), order_views.order_page, name="order"),
    re_path(_of_order("cancel/"), order_views.cancel, name="cancel"),
    re_path(_of_order("extend/"), order_views.extend, name="extend"),
    re_path(_of_order("move/"), order_views.move, name="move"),
    re_path(_of_order("forget/"), order_views.forget, name="forget"),
    re_path(_of_order(r"calendar\.ics"), order_views.calendar, name="calendar"),
]
