"""Addresses of head office: below `/admin/`."""

from django.urls import URLPattern, URLResolver, path

from office.site import site

urlpatterns: list[URLPattern | URLResolver] = [
    path("", site.urls),
]
