"""Addresses of head office: below `/admin/`. Its own pages come before those of the models."""

from django.urls import include, path

from office import (
    back_office,
    import_views,
    job_views,
    life_files,
    life_views,
    order_list,
    outlet_state,
    price_views,
    trail_views,
)
from office.site import site

__all__ = ["back_office"]

pages = [
    path("prices/", price_views.prices_page, name="prices"),
    path("prices/export/", price_views.prices_file, name="prices_file"),
    path("find/", life_views.find, name="find"),
    path("find/export/", life_files.found_file, name="found_file"),
    path("units/<str:number>/", life_views.unit, name="unit"),
    path("units/<str:number>/export/", life_files.unit_file, name="unit_file"),
    path("orders/", order_list.orders, name="orders"),
    path("orders/export/", order_list.orders_file, name="orders_file"),
    path("orders/<order_number:number>/", life_views.order, name="order"),
    path("orders/<order_number:number>/export/", life_files.order_file, name="order_file"),
    path("orders/<order_number:number>/customer/", life_views.show_customer, name="show_customer"),
    path("jobs/", job_views.jobs, name="jobs"),
    path("jobs/export/", job_views.jobs_file, name="jobs_file"),
    path("jobs/retry/", job_views.retry_job, name="retry_job"),
    path("outlets/<outlet_code:code>/books/", life_views.books, name="books"),
    path("outlets/<outlet_code:code>/books/export/", life_files.books_file, name="books_file"),
    path("outlets/<outlet_code:code>/books/<slug:slug>/", life_views.ledger, name="ledger"),
    path("outlets/<outlet_code:code>/books/<slug:slug>/export/", life_files.ledger_file, name="ledger_file"),
    path("trail/", trail_views.trail_page, name="trail"),
    path("trail/export/", trail_views.trail_file, name="trail_file"),
    path("trail/<slug:thing>/<str:key>/", trail_views.history, name="history"),
    path("trail/<slug:thing>/<str:key>/export/", trail_views.history_file, name="history_file"),
    path("import/", import_views.upload, name="imports"),
    path("import/export/", import_views.files_file, name="imports_file"),
    path("import/<int:number>/", import_views.preview, name="import"),
    path("import/<int:number>/problems/", import_views.problems_file, name="import_problems"),
    path("import/<int:number>/apply/", import_views.apply_import, name="apply_import"),
    path("import/outlets.<slug:kind>", import_views.template, name="import_template"),
    path("outlets/<outlet_code:code>/state/", outlet_state.outlet_state, name="outlet_state"),
]

urlpatterns = [
    path("", include((pages, "office"))),
    path("", site.urls),
]
