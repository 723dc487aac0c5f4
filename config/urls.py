"""Addresses of the whole site. Language and text size before them are read by `config.addresses`."""

from django.conf import settings
from django.urls import URLPattern, URLResolver, include, path
from django.views.generic import TemplateView

from api import docs, problem_pages
from catalog.caching import catalogue_page
from config import sitemap
from config.remembered import RememberedPages
from office import first_page
from orders import demo

pages: list[URLPattern | URLResolver] = [
    path("", include("catalog.urls")),
    path("", include("stores.urls")),
    path("", include("orders.urls")),
    path("desk/", first_page.first_page, name="staff"),
    path("desk/", include("stores.desk_urls")),
    path("desk/", include("orders.desk_urls")),
    path("admin/", include("office.urls")),
    path("reports/", include("office.report_urls")),
    path("api/", catalogue_page(docs.to_docs)),
    path("api/v1/", catalogue_page(docs.to_docs)),
    path("api/v1/docs/", catalogue_page(docs.docs), name="api_docs"),
    path("api/problems/", catalogue_page(problem_pages.problems), name="problems"),
    path("api/problems/<slug:name>/", catalogue_page(problem_pages.problem), name="problem"),
    path("credits/", catalogue_page(TemplateView.as_view(template_name="credits.html")), name="credits"),
]
if settings.DEMO:
    pages.append(path("demo/messages/", demo.messages, name="demo_messages"))

urlpatterns = [
    # First, because programs ask most often, and their addresses begin like no page's.
    path("api/v1/", include("config.api_urls")),
    RememberedPages(pages),
    path("robots.txt", sitemap.robots),
    path("sitemap.xml", sitemap.index, name="sitemap"),
    path("sitemaps/catalogue.xml", sitemap.catalogue, name="sitemap_of_catalogue"),
    path("sitemaps/<slug:code>.xml", sitemap.city, name="sitemap_of_city"),
]

handler400 = "config.errors.bad_request"
handler403 = "config.errors.forbidden"
handler404 = "config.errors.not_found"
handler500 = "config.errors.server_error"
