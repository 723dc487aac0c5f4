"""What a partner's credentials allow, as every REST door sees it. Who the partners are is the matter of `partners`."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Protocol, cast

from django.utils.translation import gettext as _
from django.utils.translation import gettext_noop
from rest_framework.exceptions import NotAuthenticated, PermissionDenied
from rest_framework.permissions import BasePermission
from rest_framework.request import Request

from api.limits import Standing

# What there is to allow, and what it means.
SCOPES = {
    "catalog:read": gettext_noop("phones, brands, tiers"),
    "stores:read": gettext_noop("regions, outlets"),
    "stock:read": gettext_noop("what outlets have on their shelves"),
    "stock:write": gettext_noop("counts of shelves"),
    "orders:read": gettext_noop("own orders, with name and mobile number of the customer"),
    "orders:write": gettext_noop("placing and cancelling orders"),
    "events:read": gettext_noop("the feed of changes"),
    "webhooks:manage": gettext_noop("where changes are delivered to"),
}


class Credentials(Protocol):
    """
    What a caller may do. Empty lists restrict nothing.

    With `outlets` or `regions` (codes) they reach only the outlets named or inside, with `phones` (slugs) only these.
    """

    prefix: str
    scopes: Sequence[str]
    outlets: Sequence[str]
    regions: Sequence[str]
    phones: Sequence[str]


class CalledWith(Credentials, Protocol):
    """Credentials that came along with a call, and how many are left with its scope. This one is counted already."""

    standing: Standing


def credentials_of(request: Request) -> CalledWith | None:
    """Return what came along with `request`; None if nothing did."""
    # The stubs know only the tokens of the framework itself.
    return cast("CalledWith | None", request.auth)


class ScopeNeeded(BasePermission):
    """Lets through whoever has the scope of the door, and anybody without credentials where it is open to all."""

    def has_permission(self, request: Request, view: Any) -> bool:
        credentials = credentials_of(request)
        if credentials is None:
            if not view.open_to_all:
                raise NotAuthenticated(_("Send a key, as “Authorization: Bearer …”."))
            return True
        scope = view.scope_for(request.method)
        if scope not in credentials.scopes:
            raise PermissionDenied(_("The key lacks the scope %(scope)s.") % {"scope": scope})
        return True
