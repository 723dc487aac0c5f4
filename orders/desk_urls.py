"""Addresses of the desk that know of orders: below `/desk/`."""

from django.urls import path

from orders import desk_today

app_name = "order_desk"
urlpatterns = [
    path("", desk_today.home, name="home"),
    path("<outlet_code:outlet_code>/", desk_today.today, name="today"),
]
