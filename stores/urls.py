"""Addresses of the pages about shops."""

from django.urls import path, register_converter
from django.urls.converters import StringConverter

from stores import views


class CodeConverter(StringConverter):
    """Anything like a code: one that is wrong gets a page with what is near, other text the ordinary 404."""

    regex = "[0-9A-Za-z-]{1,20}"


register_converter(CodeConverter, "code")

app_name = "stores"
urlpatterns = [
    path("outlets/", views.outlets, name="outlets"),
    path("outlets/mine/forget/", views.forget_my_outlet, name="forget_outlet"),
    path("outlets/<code:code>/", views.outlet, name="outlet"),
    path("outlets/<code:code>/choose/", views.choose_outlet, name="choose_outlet"),
    path("regions/<code:code>/", views.region, name="region"),
]
