"""The middleware of ready pages with an empty shelf that nothing is put on."""

from django.http import HttpRequest
from django.http.response import HttpResponseBase

from config.ready import ReadyPages, best_coding


class MadeAnew(ReadyPages):
    def __call__(self, request: HttpRequest) -> HttpResponseBase:
        request.META["HTTP_ACCEPT_ENCODING"] = best_coding(request.META.get("HTTP_ACCEPT_ENCODING", ""))
        return self._make(request)
