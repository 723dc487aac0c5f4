"""What all REST doors have in common; a door says which resource, which rows and which parameters."""

from __future__ import annotations

from contextlib import AbstractContextManager, nullcontext, suppress
from typing import Any, ClassVar

from django.http import HttpRequest, HttpResponse
from django.http.response import HttpResponseBase
from django.utils import translation
from django.utils.cache import get_conditional_response, patch_vary_headers
from django.utils.translation import gettext as _
from drf_spectacular.utils import OpenApiParameter
from rest_framework import generics
from rest_framework.exceptions import APIException, AuthenticationFailed
from rest_framework.request import Request
from rest_framework.views import APIView

from api import calls
from api.credentials import ScopeNeeded
from api.languages import language_of
from api.limits import Standing
from api.pagination import CursorPages, Key
from api.parameters import LISTS, Filters, names_in
from api.problems import WrongParameters
from api.rendering import answer, tag_of
from api.resources import Resource, Teller

READING = ("GET", "HEAD", "OPTIONS")


class Door(APIView):
    """A view of the API: refuses parameters that it does not know, tells of limits, speaks the caller's language."""

    http_method_names = ["get", "head", "post", "put", "patch", "delete", "options"]
    permission_classes = [ScopeNeeded]
    # What credentials must allow, and to change something, where that is another thing. A door that is `open_to_all`
    # asks no credentials, but none that do not allow it.
    scope = ""
    scope_to_change = ""
    open_to_all = False
    # What its address takes after the question mark: to read, and described for OpenAPI, to change something.
    parameters: ClassVar[tuple[str, ...]] = ()
    parameters_to_change: ClassVar[tuple[OpenApiParameter, ...]] = ()
    standing: Standing | None = None

    def dispatch(self, request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponseBase:
        with _speaking(language_of(request)):
            return super().dispatch(request, *args, **kwargs)

    def initialize_request(self, request: HttpRequest, *args: Any, **kwargs: Any) -> Request:
        asked = super().initialize_request(request, *args, **kwargs)
        # What is asked for again and again: the framework's request looks in itself first, in vain.
        asked.method, asked.META = request.method, request.META
        return asked

    def initial(self, request: Request, *args: Any, **kwargs: Any) -> None:
        try:
            super().initial(request, *args, **kwargs)
        except APIException:
            if self.standing is None:
                # Who is turned away has called, too; trying keys without end is refused like any calling without end.
                with suppress(AuthenticationFailed):
                    request.auth  # noqa: B018 - from here on it is known that there is none
                self.check_throttles(request)
            raise
        if hasattr(self, str(request.method).lower()):
            # Otherwise it is the method that is wrong, whatever else may be.
            self._refuse_wrong_parameters(request)

    def _refuse_wrong_parameters(self, request: Request) -> None:
        asked = request.query_params
        if not asked:
            return
        known = (
            self.get_parameters() if request.method in READING else [known.name for known in self.parameters_to_change]
        )
        wrong = {name: _wrong_use(name, known) for name in asked if name not in known}
        wrong |= {
            name: _("It may be given only once.")
            for name, values in asked.lists()
            if name in known and name not in LISTS and len(values) > 1
        }
        wrong |= {name: _("It is empty.") for name, value in asked.items() if not (str(value).strip() or name in wrong)}
        if wrong:
            raise WrongParameters(wrong)

    def get_parameters(self) -> list[str]:
        return list(self.parameters)

    def scope_for(self, method: str | None) -> str:
        """Return what credentials must allow for a request by `method`."""
        return self.scope if method in READING else self.scope_to_change or self.scope

    def options(self, request: Request, *args: Any, **kwargs: Any) -> HttpResponse:  # type: ignore[override]
        return HttpResponse(status=204, headers={"Allow": ", ".join(self.allowed_methods)})

    def finalize_response(self, request: Request, response: Any, *args: Any, **kwargs: Any) -> Any:
        if response.status_code < 400:
            response["Content-Language"] = "zh-Hans, en"
        response = super().finalize_response(request, response, *args, **kwargs)
        patch_vary_headers(response, ["Authorization"])
        if self.standing:
            calls.tell(response, self.standing)
        if response.status_code == 200 and request.method in ("GET", "HEAD"):
            response["ETag"] = tag_of(response.content)
            if request.method == "HEAD":
                # The middleware that does so for GET never knows whether a view has made the body for HEAD. Ours do.
                return get_conditional_response(request._request, etag=response["ETag"], response=response)
        return response


def _speaking(language: str) -> AbstractContextManager[object]:
    """Speak this language for a while. Most callers want the one that is spoken already."""
    return nullcontext() if translation.get_language() == language else translation.override(language)


def _wrong_use(name: str, known: list[str]) -> str:
    if not known:
        return _("This address takes no parameters.")
    return _("There is no such parameter here. Known are: %(known)s.") % {"known": ", ".join(known)}


class Told(Door, generics.GenericAPIView):
    """A door that tells of resources, as much of each as `fields` and `expand` ask for."""

    serializer_class: type[Resource]

    def get_parameters(self) -> list[str]:
        of_resource = ["fields", "expand"] if self.serializer_class.expandable() else ["fields"]
        return [*super().get_parameters(), *of_resource]

    def asked_for(self) -> tuple[frozenset[str] | None, frozenset[str]]:
        """Return which fields are wanted (None: all), and what whole. Raises ValidationError for what is not there."""
        asked, resource = self.request.query_params, self.serializer_class
        if not asked:
            return None, frozenset()
        fields = names_in(asked, "fields", resource.field_names())
        return frozenset(fields) if fields else None, frozenset(names_in(asked, "expand", resource.expandable()) or ())

    def teller(self) -> Teller:
        """Return what tells a thing as was asked for. Raises ValidationError like `asked_for`."""
        return self.serializer_class.teller(*self.asked_for())


class ListDoor(Told, generics.ListAPIView):
    """A list in pages. `filterset_class` says what it can be narrowed by, `order` in which order it comes."""

    filterset_class: type[Filters] | None = None
    pagination_class = CursorPages
    order: tuple[Key, ...]

    def get_parameters(self) -> list[str]:
        filters = self.filterset_class.base_filters if self.filterset_class else ()
        return [*filters, *super().get_parameters(), "limit", "cursor"]

    def get_order(self) -> tuple[Key, ...]:
        return self.order

    def list(self, request: Request, *args: Any, **kwargs: Any) -> HttpResponse:  # type: ignore[override]
        tell = self.teller()
        page = self.paginate_queryset(self.filter_queryset(self.get_queryset()))
        return self.get_paginated_response([tell(entry) for entry in self.prepare(page)])

    def prepare(self, page: Any) -> Any:
        """Fetch for the entries of one page what their rows do not have, in a fixed number of queries."""
        return page


class DetailDoor(Told):
    """One resource, found by the code in the address."""

    def find(self, code: str) -> Any:
        """Return the thing of this code. Raises Http404 (or `NotHere`)."""
        raise NotImplementedError

    def get(self, request: Request, code: str, *args: Any, **kwargs: Any) -> HttpResponse:
        tell = self.teller()
        return answer(tell(self.find(code)))
