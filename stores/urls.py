"""Addresses of the pages about shops."""

from django.urls import path
from django.views.generic import TemplateView

app_name = "stores"
urlpatterns = [path("outlets/", TemplateView.as_view(template_name="stores/outlets.html"), name="outlets")]
