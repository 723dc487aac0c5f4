"""What programs get by their short way (`config.programs`), past the middleware of the pages."""

from __future__ import annotations

from typing import Any

import pytest
from django.test import Client

from config.programs import HEADERS

pytestmark = pytest.mark.django_db

# What only tells browsers what a page may do.
FOR_PAGES = ("Permissions-Policy", "Referrer-Policy", "Cross-Origin-Opener-Policy")


@pytest.fixture
def client() -> Client:
    return Client(raise_request_exception=False)


@pytest.mark.parametrize(
    ("call", "status"),
    [
        ({"path": "/api/v1/brands"}, 200),
        ({"path": "/api/v1/brands", "REQUEST_METHOD": "HEAD"}, 200),
        ({"path": "/api/v1/brands", "REQUEST_METHOD": "OPTIONS"}, 204),
        ({"path": "/api/v1/brands", "REQUEST_METHOD": "PROPFIND"}, 405),
        ({"path": "/api/v1/brands?a=b"}, 400),
        ({"path": "/api/v1/brands", "HTTP_HOST": "a b"}, 400),
        ({"path": "/api/v1/stock"}, 401),
        ({"path": "/api/v1/phones/none"}, 404),
    ],
)
def test_every_answer_is_data_that_nobody_keeps(client: Client, call: dict[str, Any], status: int) -> None:
    answer = client.get(**call)
    assert answer.status_code == status
    assert_is_for_programs(answer)


def test_so_is_the_answer_where_something_goes_wrong(client: Client, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("catalog.api.BrandList.get_queryset", lambda door: 1 / 0)
    answer = client.get("/api/v1/brands")
    assert answer.json()["status"] == answer.status_code == 500
    assert_is_for_programs(answer)


def assert_is_for_programs(answer: Any) -> None:
    assert {name: answer[name] for name in HEADERS} == HEADERS
    assert answer["Content-Length"].isdecimal()
    assert not answer.cookies
    assert not [name for name in FOR_PAGES if name in answer]


@pytest.mark.parametrize(
    ("address", "status"),
    [("/api/v1/docs/", 200), ("/api/v1/schema/", 200), ("/api/v1/schema", 301), ("/phones/", 200)],
)
def test_pages_stay_pages_also_below_the_doors(client: Client, address: str, status: int) -> None:
    answer = client.get(address)
    assert answer.status_code == status
    assert all(name in answer for name in FOR_PAGES)


def test_a_key_is_not_listened_to_where_others_could_read_it(client: Client, settings: Any) -> None:
    settings.SECURE_SSL_REDIRECT, settings.SECURE_HSTS_SECONDS = True, 3600
    answer = client.get("/api/v1/brands")
    assert (answer.status_code, answer["Location"]) == (301, "https://testserver/api/v1/brands")
    assert "Strict-Transport-Security" not in answer
    answer = client.get("/api/v1/brands", secure=True)
    assert (answer.status_code, answer["Strict-Transport-Security"]) == (200, "max-age=3600")
