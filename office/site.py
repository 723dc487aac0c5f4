"""The site of Django's admin behind the doors of head office, with the desk's way of signing in."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from django.contrib.admin import AdminSite
from django.contrib.admin.models import LogEntry
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect
from django.utils.translation import gettext_lazy as _
from django.views.decorators.csrf import csrf_protect

from catalog.templating import twin_links
from office.doors import in_office_form
from office.navigation import office_links


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

    def each_context(self, request: HttpRequest) -> dict[str, Any]:
        """Add what the frame shows; its texts come from here, because Django's templates have none of ours."""
        office = {
            "links": office_links(request),
            "twins": twin_links(request),
            "seal": _("Cunpu"),
            "main": _("Main"),
            "password": _("Password"),
            "second_step": _("Code from an app"),
            "sign_out": _("Sign out"),
            "export": _("Take the list (CSV)"),
        }
        return super().each_context(request) | {"office": office}

    def get_log_entries(self, request: HttpRequest) -> Any:
        # The audit trail says more.
        return LogEntry.objects.none()

    def login(self, request: HttpRequest, extra_context: Any = None) -> HttpResponse:
        return redirect("desk:sign_in")

    def logout(self, request: HttpRequest, extra_context: Any = None) -> Any:
        return redirect("desk:sign_out")


site = OfficeSite(name="admin")
# Nothing is removed by the dozen.
site.disable_action("delete_selected")
