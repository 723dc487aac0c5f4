"""Addresses of reports: below `/reports/`."""

from django.urls import path, register_converter
from django.urls.converters import StringConverter

from office import report_views, run_out_views

# Addresses of outlets are read as those of the desk are.
from stores.desk_urls import OutletCodeConverter as OutletCodeConverter


class RegionCodeConverter(StringConverter):
    """A code of six digits, as provinces, cities and counties have."""

    regex = "[0-9]{6}"


register_converter(RegionCodeConverter, "region_code")

app_name = "reports"
urlpatterns = [
    path("", report_views.country_report, name="country"),
    path("csv/", report_views.country_file, name="country_file"),
    path("outlets/<outlet_code:code>/", report_views.outlet_report, name="outlet"),
    path("outlets/<outlet_code:code>/csv/", report_views.outlet_file, name="outlet_file"),
    path("run-out/", run_out_views.run_out, name="run_out"),
    path("run-out/csv/", run_out_views.accepted_file, name="run_out_file"),
    path("run-out/<region_code:code>/", run_out_views.run_out, name="run_out_of"),
    path("run-out/proposed/", run_out_views.proposed_file, name="proposed"),
    path("run-out/<region_code:code>/proposed/", run_out_views.proposed_file, name="proposed_in"),
    path("run-out/<region_code:code>/csv/", run_out_views.accepted_file, name="run_out_file_of"),
    path("<region_code:code>/", report_views.region_report, name="region"),
    path("<region_code:code>/csv/", report_views.region_file, name="region_file"),
]
