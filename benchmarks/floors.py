"""The floors' pages."""

import json
import os
from functools import cache
from pathlib import Path

from django.db import connection
from django.http import HttpRequest, HttpResponse
from django.urls import path

from catalog.models import Phone


@cache
def statements() -> dict[str, list[str]]:
    """Return the SQL that each page of the product sent, parameters filled in, as the runner wrote it down."""
    return json.loads(Path(os.environ["FLOOR_STATEMENTS"]).read_text())


def bare(request: HttpRequest) -> HttpResponse:
    return HttpResponse("bare")


def phones(request: HttpRequest) -> HttpResponse:
    rows = Phone.objects.values_list("slug", "name_zh", "weight_g", "screen_inches", "battery_mah", "brand__name_zh")
    return HttpResponse("\n".join(" ".join(map(str, row)) for row in rows))


def same_sql(request: HttpRequest, page: str) -> HttpResponse:
    """Run the statements of a page of the product and answer with their rows, plainly."""
    lines = []
    with connection.cursor() as cursor:
        for statement in statements()[page]:
            cursor.execute(statement)
            lines += [" ".join(map(str, row)) for row in cursor.fetchall()]
    return HttpResponse("\n".join(lines) + "\nend of rows")


urlpatterns = [
    path("bare/", bare),
    path("phones/", phones),
    path("sql/<str:page>/", same_sql),
]
