"""The product's addresses, and pages that fail on purpose, so that every error page can be looked at."""

import psycopg2
from django.conf.urls.i18n import i18n_patterns
from django.core.exceptions import BadRequest, PermissionDenied
from django.db import OperationalError
from django.http import HttpRequest, HttpResponse
from django.urls import path

from config import urls
from config.urls import *  # noqa: F403


def refuse(request: HttpRequest) -> HttpResponse:
    raise PermissionDenied


def misunderstand(request: HttpRequest) -> HttpResponse:
    raise BadRequest


def fail(request: HttpRequest) -> HttpResponse:
    raise RuntimeError("on purpose")


def lose_the_database(request: HttpRequest) -> HttpResponse:
    raise OperationalError("on purpose") from psycopg2.OperationalError("there is nobody")


urlpatterns = [
    *urls.urlpatterns,
    *i18n_patterns(
        path("errors/400/", misunderstand),
        path("errors/403/", refuse),
        path("errors/500/", fail),
        path("errors/503/", lose_the_database),
        prefix_default_language=False,
    ),
]
