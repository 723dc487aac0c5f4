"""Addresses of head office: below `/admin/`. Its own pages come before those of the models."""

from django.urls import include, path

from office import back_office, import_views, job_views, life_views, order_list, outlet_state, price_views, trail_views
from office.site import site

__all__ = ["back_office"]

pages = [
    path("prices/", price_views.prices_page, name="prices"),
    path("find/", life_views.find, name="find"),
    path("units/<str:number>/", life_views.unit, name="unit"),
    path("orders/", order_list.orders, name="orders"),
    path("orders/export/", order_list.orders_file, name="orders_file"),
    path("orders/<order_number:number>/", life_views.order, name="order"),
    path("orders/<order_number:number>/customer/", life_views.show_customer, name="show_customer"),
    path("jobs/", job_views.jobs, name="jobs"),
    path("jobs/retry/", job_views.retry_job, name="retry_job"),
    path("outlets/<outlet_code:code>/books/", life_views.books, name="books"),
    path("outlets/<outlet_code:code>/books/<slug:slug>/", life_views.ledger, name="ledger"),
    path("trail/", trail_views.trail_page, name="trail"),
    path("trail/export/", trail_views.trail_file, name="trail_file"),
    path("trail/<slug:thing>/<str:key>/", trail_views.history, name="history"),
    path("import/", import_views.upload, name="imports"),
    path("import/<int:number>/", import_views.preview, name="import"),
    path("import/<int:number>/apply/", import_views.apply_import, name="apply_import"),
    path("import/outlets.<slug:kind>", import_views.template, name="import_template"),
    path("outlets/<outlet_code:code>/state/", outlet_state.outlet_state, name="outlet_state"),
]

urlpatterns = [
    path("", include((pages, "office"))),
    path("", site.urls),
]
