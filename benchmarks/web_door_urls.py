"""The addresses of the product, and the plain view beside it."""

from django.db import connection
from django.http import HttpRequest, HttpResponse
from django.urls import path
from django.views.decorators.csrf import csrf_exempt

from benchmarks.orders import ONE_STATEMENT
from config import urls


@csrf_exempt
def floor(request: HttpRequest) -> HttpResponse:
    """Promise one phone and write an order that says so: nothing is checked, nobody is told."""
    form = request.POST
    parameters = [form[field] for field in ("outlet", "phone", "number", "name", "mobile")]
    with connection.cursor() as cursor:
        cursor.execute(ONE_STATEMENT, parameters)
    return HttpResponse("done")


urlpatterns = [path("floor/", floor), *urls.urlpatterns]
