"""Pages that tell of a person are kept by nobody; search engines find neither them nor the steps that lead there."""

from __future__ import annotations

from collections.abc import Callable
from functools import wraps
from typing import Any, TypeVar

from django.http import HttpRequest
from django.http.response import HttpResponseBase

Response = TypeVar("Response", bound=HttpResponseBase)


def keep_private(response: Response) -> Response:
    response["Cache-Control"] = "no-store, private"
    return _not_to_be_found(response)


def _not_to_be_found(response: Response) -> Response:
    response["X-Robots-Tag"] = "noindex"
    return response


def no_page_to_find(view: Callable[..., HttpResponseBase]) -> Callable[..., HttpResponseBase]:
    """Keep search engines from showing what `view` answers: a step on somebody's way, and nothing to read."""

    @wraps(view)
    def unlisted(request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponseBase:
        return _not_to_be_found(view(request, *args, **kwargs))

    return unlisted


def private_page(view: Callable[..., HttpResponseBase]) -> Callable[..., HttpResponseBase]:
    """Keep whatever `view` answers private, its refusals included."""

    @wraps(view)
    def private(request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponseBase:
        return keep_private(view(request, *args, **kwargs))

    return private
