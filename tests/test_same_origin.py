"""Forms without a token: ours are taken, another site's are refused."""

import pytest
from django.core.exceptions import PermissionDenied
from django.http import HttpRequest, HttpResponse
from django.test import RequestFactory

from catalog.same_origin import takes_forms_without_token


@takes_forms_without_token
def take(request: HttpRequest) -> HttpResponse:
    return HttpResponse("taken")


def post(**headers: str) -> bytes:
    return take(RequestFactory().post("/", headers={"host": "testserver", **headers})).content


@pytest.mark.parametrize(
    "headers",
    [
        {},
        {"sec-fetch-site": "same-origin"},
        {"origin": "http://testserver"},
        {"origin": "https://testserver"},
        {"referer": "http://testserver/phones/"},
        {"sec-fetch-site": "same-origin", "origin": "null"},
    ],
)
def test_our_own_forms_are_taken(headers: dict[str, str]) -> None:
    assert post(**headers) == b"taken"


@pytest.mark.parametrize(
    "headers",
    [
        {"sec-fetch-site": "cross-site"},
        {"sec-fetch-site": "same-site"},
        {"sec-fetch-site": "cross-site", "origin": "http://testserver"},
        {"origin": "null"},
        {"origin": "http://testserver.evil.example"},
        {"origin": "http://evil.example", "referer": "http://testserver/"},
        {"referer": "http://evil.example/testserver"},
        {"referer": "http://[broken"},
    ],
)
def test_forms_of_other_sites_are_refused(headers: dict[str, str]) -> None:
    with pytest.raises(PermissionDenied):
        post(**headers)


def test_reading_needs_no_sender() -> None:
    request = RequestFactory().get("/", headers={"sec-fetch-site": "cross-site"})
    assert take(request).content == b"taken"
