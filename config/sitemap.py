"""What search engines are told: robots.txt, and a sitemap with one part for the catalogue and one for each city."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from xml.sax.saxutils import escape

from django.http import Http404, HttpRequest, HttpResponse, StreamingHttpResponse
from django.http.response import HttpResponseBase
from django.urls import reverse

from catalog.caching import stock_page
from catalog.catalogue import current_catalogue
from config.addresses import CHINESE, ENGLISH, Address
from stores.models import Outlet, Region

# A city of today has some 60 outlets; a part may name 50,000 pages.
SECONDS = 3600

HEAD = '<?xml version="1.0" encoding="UTF-8"?>\n'
XMLNS = 'xmlns="http://www.sitemaps.org/schemas/sitemap/0.9"'
XHTML = 'xmlns:xhtml="http://www.w3.org/1999/xhtml"'


@stock_page(SECONDS)
def robots(request: HttpRequest) -> HttpResponse:
    """Let robots read everything but the same pages in large text and what only a form leads to."""
    index = request.build_absolute_uri(reverse("sitemap"))
    closed = ["/large/", "/*/choose/"]
    # Nobody's own way to an order is theirs to walk, in either language.
    closed += [f"{language}/{step}/" for language in ("", "/en") for step in ("basket", "checkout", "orders")]
    lines = ["User-agent: *", *(f"Disallow: {path}" for path in closed), "", f"Sitemap: {index}", ""]
    return HttpResponse("\n".join(lines), content_type="text/plain; charset=utf-8")


@stock_page(SECONDS)
def index(request: HttpRequest) -> HttpResponseBase:
    """Name the parts: the catalogue, and every city that has outlets."""
    cities = Region.objects.filter(level=Region.Level.CITY, outlet_count__gt=0).values_list("code", flat=True)
    parts = [reverse("sitemap_of_catalogue"), *(reverse("sitemap_of_city", args=[code]) for code in cities)]
    places = (f"<sitemap><loc>{escape(request.build_absolute_uri(part))}</loc></sitemap>\n" for part in parts)
    return _xml("sitemapindex", XMLNS, places)


@stock_page(SECONDS)
def catalogue(request: HttpRequest) -> HttpResponseBase:
    """Name the phones, the lists and the provinces."""
    lists = [reverse(name) for name in ("catalog:home", "catalog:phones", "stores:outlets", "credits")]
    phones = [phone.get_absolute_url() for phone in current_catalogue().listed]
    provinces = Region.objects.filter(level=Region.Level.PROVINCE, outlet_count__gt=0)
    return _pages(request, [*lists, *phones, *(province.get_absolute_url() for province in provinces)])


@stock_page(SECONDS)
def city(request: HttpRequest, code: str) -> HttpResponseBase:
    """Name a city, the regions in it and their outlets, but for those that are closed for good."""
    top = Region.objects.filter(code=code, level=Region.Level.CITY, outlet_count__gt=0).first()
    if top is None:
        raise Http404(code)
    regions = Region.objects.filter(code__startswith=top.prefix, outlet_count__gt=0).values_list("code", flat=True)
    outlets = Outlet.objects.filter(code__startswith=top.prefix).exclude(state=Outlet.State.CLOSED)
    return _pages(
        request,
        [
            *(reverse("stores:region", args=[region]) for region in regions),
            *(reverse("stores:outlet", args=[outlet]) for outlet in outlets.values_list("code", flat=True)),
        ],
    )


def _pages(request: HttpRequest, paths: Iterable[str]) -> HttpResponseBase:
    return _xml("urlset", f"{XMLNS} {XHTML}", _entries(request, paths))


def _entries(request: HttpRequest, paths: Iterable[str]) -> Iterator[str]:
    """Name each page in both languages, each naming its twin."""
    for path in paths:
        address = Address(root="/", path=path, query="")
        twins = {
            tag: escape(request.build_absolute_uri(str(address.twin(language=language))))
            for tag, language in (("zh-Hans", CHINESE), ("en", ENGLISH))
        }
        links = "".join(
            f'<xhtml:link rel="alternate" hreflang="{tag}" href="{place}"/>' for tag, place in twins.items()
        )
        for place in twins.values():
            yield f"<url><loc>{place}</loc>{links}</url>\n"


def _xml(element: str, namespaces: str, entries: Iterable[str]) -> HttpResponseBase:
    # Streamed: robots read each part once, and it shall not take the place of a ready page.
    text = (HEAD, f"<{element} {namespaces}>\n", *entries, f"</{element}>\n")
    return StreamingHttpResponse(iter(text), content_type="application/xml; charset=utf-8")
