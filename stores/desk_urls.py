"""Addresses of the desk that know of no order: below `/desk/`."""

from django.urls import path, register_converter
from django.urls.converters import StringConverter

from stores import desk_sign_in


class OutletCodeConverter(StringConverter):
    """A well-formed code of an outlet, so that no word of an address can be taken for one."""

    regex = "[0-9]{9}-[0-9]{2}"


register_converter(OutletCodeConverter, "outlet_code")

app_name = "desk"
urlpatterns = [
    path("sign-in/", desk_sign_in.sign_in, name="sign_in"),
    path("sign-in/code/", desk_sign_in.code, name="code"),
    path("sign-out/", desk_sign_in.sign_out, name="sign_out"),
    path("password/", desk_sign_in.password, name="password"),
    path("second-step/", desk_sign_in.second_step_page, name="second_step"),
]
