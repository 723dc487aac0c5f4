"""A small site of its own for the tests of ready pages: each page says how often it was made."""

from itertools import count

from django.http import Http404, HttpRequest, HttpResponse
from django.urls import path

from catalog.caching import catalogue_page, stock_page
from config import urls

made = count(1)


def _page(request: HttpRequest) -> HttpResponse:
    return HttpResponse(f"<p>page {next(made)}</p>" + "<p>phones on a shelf</p>" * 200)


def _cookie(request: HttpRequest) -> HttpResponse:
    response = catalogue_page(_page)(request)
    response.set_cookie("seen", "1")
    return response


def _missing(request: HttpRequest) -> HttpResponse:
    raise Http404


urlpatterns = [
    *urls.urlpatterns,
    path("catalogue/", catalogue_page(_page)),
    path("stock/", stock_page(10)(_page)),
    path("undeclared/", _page),
    path("cookie/", _cookie),
    path("missing/", catalogue_page(_missing)),
]
