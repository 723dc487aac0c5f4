"""
Forms on pages that anybody may keep: who sent them is told by the browser, not by a token.

A token would make each copy of the page different and set a cookie, so no shared cache could keep it. What such forms
change is a cookie of the visitor's own browser (the basket, my outlet), and those cookies are SameSite=Lax: a form on
someone else's site arrives without them. So it is enough to refuse what a browser says comes from elsewhere. Old
browsers that say nothing at all are let through: the worst that happens to them is a phone in their basket.
"""

from __future__ import annotations

from collections.abc import Callable
from functools import wraps
from typing import Any
from urllib.parse import urlsplit

from django.core.exceptions import PermissionDenied
from django.http import HttpRequest
from django.http.response import HttpResponseBase
from django.views.decorators.csrf import csrf_exempt


def takes_forms_without_token(view: Callable[..., HttpResponseBase]) -> Callable[..., HttpResponseBase]:
    """Let `view` be posted to from our own pages without a CSRF token; 403 for what comes from another site."""

    @wraps(view)
    def checked(request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponseBase:
        if request.method == "POST" and comes_from_elsewhere(request):
            raise PermissionDenied
        return view(request, *args, **kwargs)

    return csrf_exempt(checked)


def comes_from_elsewhere(request: HttpRequest) -> bool:
    """Whether the browser says that another site's page sent this: the first of three headers that it sends decides."""
    site = request.META.get("HTTP_SEC_FETCH_SITE")
    if site is not None:
        return site not in ("same-origin", "none")
    sender = request.META.get("HTTP_ORIGIN") or request.META.get("HTTP_REFERER")
    if not sender:
        return False
    try:
        # The scheme may differ: a proxy may speak HTTPS on our behalf.
        return urlsplit(sender).netloc.lower() != request.get_host().lower()
    except ValueError:
        return True
