"""The site of Django's admin behind the doors of head office, with the desk's way of signing in."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from django.contrib.admin import AdminSite
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect
from django.utils.translation import gettext_lazy as _
from django.views.decorators.csrf import csrf_protect

from office.doors import in_office_form


class OfficeSite(AdminSite):
    """What the models' pages have in common. Who may do what in them is said by `office.back_office.base`."""

    site_title = _("Cunpu back office")
    site_header = _("Back office")
    index_title = _("Head office")
    enable_nav_sidebar = False

    def has_permission(self, request: HttpRequest) -> bool:
        # The door in front has found out already.
        return hasattr(request, "standing")

    def admin_view(self, view: Callable[..., Any], cacheable: bool = False) -> Any:
        return in_office_form(csrf_protect(view))

    def login(self, request: HttpRequest, extra_context: Any = None) -> HttpResponse:
        return redirect("desk:sign_in")

    def logout(self, request: HttpRequest, extra_context: Any = None) -> Any:
        return redirect("desk:sign_out")


site = OfficeSite(name="admin")
