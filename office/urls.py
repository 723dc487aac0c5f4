"""Addresses of head office: below `/admin/`. Its own pages come before those of the models."""

from django.urls import include, path

from office import back_office, outlet_state, price_views, trail_views
from office.site import site

__all__ = ["back_office"]

pages = [
    path("prices/", price_views.prices_page, name="prices"),
    path("trail/", trail_views.trail_page, name="trail"),
    path("trail/<slug:thing>/<str:key>/", trail_views.history, name="history"),
    path("outlets/<outlet_code:code>/state/", outlet_state.outlet_state, name="outlet_state"),
]

urlpatterns = [
    path("", include((pages, "office"))),
    path("", site.urls),
]
