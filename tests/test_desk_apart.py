"""The desk and the shop do not meet: public pages know no session, and pages of the desk are nobody's to keep."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
from django.conf import settings
from django.test import Client

from stores.models import Role
from tests.desk import PASSWORD, create_person, sign_in
from tests.factories import create_outlet

PUBLIC = [
    "/",
    "/en/phones/",
    "/outlets/",
    "/credits/",
    "/basket/",
    "/orders/",
    "/large/en/",
    "/desk",
    "/desks/",
    "/en/x/",
]


@pytest.mark.parametrize("path", PUBLIC)
def test_a_public_page_is_the_same_for_people_of_the_desk(
    db: None, path: str, held_memory: Callable[[], object], django_assert_max_num_queries: Callable[..., Any]
) -> None:
    clerk, stranger = sign_in(create_person(Role.CLERK)), Client()
    held_memory()
    seen = stranger.get(path)
    with django_assert_max_num_queries(10) as asked:
        found = clerk.get(path)

    assert not any("session" in query["sql"] or "stores_person" in query["sql"] for query in asked.captured_queries)
    assert found.status_code == seen.status_code
    assert found["Cache-Control"] == seen["Cache-Control"]
    assert settings.SESSION_COOKIE_NAME not in found.cookies
    assert not hasattr(found.wsgi_request, "session")
    assert not hasattr(found.wsgi_request, "user")


@pytest.mark.parametrize("prefix", ["", "/en", "/large", "/large/en"])
def test_the_desk_has_its_sessions_in_every_language_and_size(db: None, prefix: str) -> None:
    outlet = create_outlet()

    answer = sign_in(create_person(Role.CLERK, outlet)).get(f"{prefix}/desk/{outlet.code}/")

    assert answer.status_code == 200
    assert f'action="{prefix}/desk/sign-out/"' in answer.text


def test_the_cookie_of_the_session_is_for_the_server_alone(db: None, client: Client, settings: Any) -> None:
    settings.SESSION_COOKIE_SECURE = True
    client.post("/desk/sign-in/", {"username": create_person().username, "password": PASSWORD})

    cookie = client.cookies[settings.SESSION_COOKIE_NAME]
    assert (cookie["httponly"], cookie["samesite"], cookie["secure"]) == (True, "Lax", True)
    assert int(cookie["max-age"]) == settings.DESK_IDLE_MINUTES * 60


def test_looking_at_the_sign_in_page_begins_no_session(db: None, client: Client) -> None:
    assert settings.SESSION_COOKIE_NAME not in client.get("/desk/sign-in/").cookies


def test_pages_of_the_desk_may_do_what_they_need_and_are_kept_by_nobody(db: None) -> None:
    outlet = create_outlet()
    answer = sign_in(create_person(Role.CLERK, outlet)).get(f"/desk/{outlet.code}/")
    policy = dict(part.strip().partition(" ")[::2] for part in answer["Content-Security-Policy"].split(";"))

    assert policy["default-src"] == "'none'"
    assert policy["connect-src"] == "'self'"
    assert "'self'" in policy["style-src"]
    assert "'self'" in policy["script-src"]
    assert policy["form-action"] == "'self'"
    assert "unsafe" not in str(policy)
    assert "camera=(self)" in answer["Permissions-Policy"]
    assert answer["Cache-Control"] == "no-store, private"
    assert answer["X-Robots-Tag"] == "noindex"
    assert answer["X-Frame-Options"] == "DENY"
