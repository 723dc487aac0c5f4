"""Which methods a page takes is the page's to say (`catalog.caching`); the others are refused here, for all pages."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from django.http import HttpRequest, HttpResponse
from django.http.response import HttpResponseBase
from django.middleware.csrf import CsrfViewMiddleware

from config.errors import wrong_method

# What a page takes that does not say so itself: Django's own, which are read and take forms.
READ_AND_FILLED_IN = ["GET", "HEAD", "OPTIONS", "POST"]


class MethodsAndForms(CsrfViewMiddleware):
    """
    Django's guard against forms of other sites, which looks at the method first.

    A DELETE would otherwise be told that its form is not ours, where the answer is that nothing here is deleted.
    """

    def process_view(
        self, request: HttpRequest, callback: Callable[..., HttpResponseBase], callback_args: Any, callback_kwargs: Any
    ) -> Any:
        methods = getattr(callback, "methods", None)
        if methods is None and getattr(callback, "csrf_exempt", False):
            # The API's, which refuses by itself.
            return None
        methods = methods or READ_AND_FILLED_IN
        if request.method not in methods:
            return wrong_method(request, methods)
        if request.method == "OPTIONS":
            return HttpResponse(status=204, headers={"Allow": ", ".join(methods)})
        return super().process_view(request, callback, callback_args, callback_kwargs)
