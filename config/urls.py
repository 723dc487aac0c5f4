"""Addresses of the whole site. Language and text size before them are read by `config.addresses`."""

from django.conf.urls.i18n import i18n_patterns
from django.urls import include, path
from django.views.generic import TemplateView

from catalog.caching import catalogue_page
from config import sitemap

urlpatterns = [
    *i18n_patterns(
        path("", include("catalog.urls")),
        path("", include("stores.urls")),
        path("credits/", catalogue_page(TemplateView.as_view(template_name="credits.html")), name="credits"),
        prefix_default_language=False,
    ),
    path("robots.txt", sitemap.robots),
    path("sitemap.xml", sitemap.index, name="sitemap"),
    path("sitemaps/catalogue.xml", sitemap.catalogue, name="sitemap_of_catalogue"),
    path("sitemaps/<slug:code>.xml", sitemap.city, name="sitemap_of_city"),
]

handler400 = "config.errors.bad_request"
handler403 = "config.errors.forbidden"
handler404 = "config.errors.not_found"
handler500 = "config.errors.server_error"
