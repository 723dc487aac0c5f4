"""What went wrong is said in the visitor's words, and leads on."""

import pytest
from django.core.exceptions import BadRequest, PermissionDenied
from django.http import HttpRequest, HttpResponse
from django.test import Client, RequestFactory, override_settings
from django.urls import path
from django.utils.translation import gettext_lazy
from hypothesis import given
from hypothesis import strategies as st

from catalog.errors import GoneForGood, Suggestion, nearest
from config import urls
from config.addresses import address_middleware
from config.errors import server_error
from tests.pages import Page, read


def _raise(error: Exception):
    def view(request: HttpRequest) -> HttpResponse:
        raise error

    return view


urlpatterns = [
    path("gone/", _raise(GoneForGood(gettext_lazy("This shop has closed for good.")))),
    path("bad/", _raise(BadRequest("for programmers"))),
    path("forbidden/", _raise(PermissionDenied("for programmers"))),
    path("broken/", _raise(ZeroDivisionError("for programmers"))),
    *urls.urlpatterns,
]
handler400, handler403, handler404, handler500 = urls.handler400, urls.handler403, urls.handler404, urls.handler500

ROUTES = pytest.mark.parametrize(
    ("address", "status"), [("gone", 410), ("bad", 400), ("forbidden", 403), ("broken", 500), ("nothing", 404)]
)


@pytest.fixture
def broken_site(client: Client) -> Client:
    client.raise_request_exception = False
    return client


@pytest.mark.django_db
@override_settings(ROOT_URLCONF=__name__)
@ROUTES
@pytest.mark.parametrize("large", ["", "/large"])
def test_each_page_leads_on(broken_site: Client, address: str, status: int, large: str) -> None:
    page = read(broken_site, f"{large}/{address}/", status)

    assert {f"{large}/", f"{large}/phones/", f"{large}/outlets/"} <= set(page.links)
    assert "for programmers" not in page.html
    assert 'rel="canonical"' not in page.html
    assert len(page.html) < 14_600


@pytest.mark.django_db
@pytest.mark.parametrize("address", ["/en/nothing/", "/large/en/nothing/"])
def test_the_error_is_in_the_language_of_the_address(client: Client, address: str) -> None:
    page = read(client, address, 404)

    assert "There is nothing here" in page.text
    assert '<html lang="en"' in page.html


@pytest.mark.django_db
@override_settings(ROOT_URLCONF=__name__)
def test_what_is_gone_for_good_says_why(client: Client) -> None:
    assert "这家营业厅已经关了。" in read(client, "/gone/", 410).text


def test_the_page_for_a_broken_server_needs_no_database() -> None:
    # pytest-django lets no test use the database that does not ask for it.
    response = address_middleware(server_error)(RequestFactory().get("/large/en/phones/"))

    page = Page(response.content.decode())
    assert response.status_code == 500
    assert "Something broke on our side" in page.text
    assert "/large/en/phones/" in page.links


def test_a_request_that_failed_before_it_had_an_address_gets_an_answer() -> None:
    response = server_error(RequestFactory().get("/en/"))

    assert "我们这边出了故障" in response.content.decode()


@pytest.mark.django_db
def test_a_form_without_its_token_is_refused_in_words() -> None:
    client = Client(enforce_csrf_checks=True)

    response = client.post("/en/checkout/")

    assert response.status_code == 403
    assert "This is not open to you" in response.content.decode()


@given(st.text(), st.lists(st.text(max_size=20), max_size=10))
def test_suggestions_are_few_and_never_an_error(wanted: str, names: list[str]) -> None:
    suggestions = nearest(wanted, [(name, Suggestion(name, "/")) for name in names])

    assert len(suggestions) <= 3
    assert {suggestion.name for suggestion in suggestions} <= set(names)


def test_the_likest_name_comes_first() -> None:
    names = [(name, Suggestion(name, f"/{name}/")) for name in ("tcl-t503", "tcl-t553", "coolpad-t551")]

    assert nearest("tcl-t55", names)[0].name == "tcl-t553"
