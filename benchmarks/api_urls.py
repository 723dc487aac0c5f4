"""The addresses of the product, and the floors beside them."""

import json
from typing import Any

from django.db import connection, transaction
from django.http import HttpRequest, HttpResponse
from django.urls import path
from django.views.decorators.csrf import csrf_exempt
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView

from api.idempotency import Call, _take
from benchmarks import order_rows
from benchmarks.orders import ONE_STATEMENT
from config import urls

# The SQL of each read, filled in by the benchmark.
STATEMENTS: dict[str, list[str]] = {}


class Small(APIView):
    """The least that the REST framework answers."""

    authentication_classes: Any = []
    permission_classes: Any = []
    throttle_classes: Any = []

    def get(self, request: Request) -> Response:
        return Response({"answer": 42})


def same_sql(request: HttpRequest, number: int) -> HttpResponse:
    """Send the statements of a read and write their rows down, plainly."""
    rows = []
    with connection.cursor() as cursor:
        for statement in list(STATEMENTS.values())[number]:
            cursor.execute(statement)
            rows += cursor.fetchall() if cursor.description else []
    return HttpResponse(json.dumps(rows, default=str))


@csrf_exempt
def order(request: HttpRequest) -> HttpResponse:
    """Promise one phone and write an order that says so: nothing is checked, nobody is told."""
    form = json.loads(request.body)
    with connection.cursor() as cursor:
        cursor.execute(ONE_STATEMENT, [form[field] for field in ("outlet", "phone", "number", "name", "mobile")])
    return HttpResponse("done")


@csrf_exempt
def order_without_rules(request: HttpRequest) -> HttpResponse:
    """Check the key, count the call, take the idempotency key, and write the rows of an order."""
    form = json.loads(request.body)
    with connection.cursor() as cursor:
        for statement in STATEMENTS["credentials"]:
            cursor.execute(statement)
        with transaction.atomic():
            _take(Call("benchmark", form["number"], b""))
            cursor.execute(order_rows.CALL, [form[field] for field in ("number", "counter", "outlet", "phone")])
    return HttpResponse("done")


urlpatterns = [
    path("floor/small/", Small.as_view()),
    path("floor/sql/<int:number>/", same_sql),
    path("floor/order/", order),
    path("floor/order/rows/", order_without_rules),
    *urls.urlpatterns,
]
