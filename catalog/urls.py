"""Addresses of the catalogue's pages."""

from django.urls import path

from catalog import views

app_name = "catalog"
urlpatterns = [
    path("", views.home, name="home"),
    path("phones/", views.phone_list, name="phones"),
    path("phones/<slug:slug>/", views.phone_page, name="phone"),
    path("compare/", views.comparison, name="compare"),
]
