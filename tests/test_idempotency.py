"""One key, one effect: what every door that does something does with the header Idempotency-Key."""

from __future__ import annotations

from datetime import timedelta
from typing import Any
from uuid import uuid4

import pytest
from django.db import IntegrityError, connection, transaction
from django.http import HttpResponse
from django.test import Client, override_settings
from django.urls import path
from django.utils import timezone
from rest_framework import serializers
from rest_framework.request import Request

from api.deeds import DeedDoor
from api.idempotency import KEPT, forget_past_keys
from api.models import CallCount, IdempotencyKey
from api.problems import Refusal
from api.rendering import answer
from config import urls
from partners.keys import issue_key
from partners.models import Partner
from tests.crowd import at_once
from tests.test_api_problems import problem

pytestmark = pytest.mark.django_db

ADDRESS = "/api/v1/doer"


class _Form(serializers.Serializer):
    name = serializers.CharField()


class Doer(DeedDoor):
    """Makes a partner, so that one can see how often it was done."""

    scope = "orders:write"

    def do(self, request: Request, *args: Any, **kwargs: Any) -> HttpResponse:
        form = _Form(data=request.data)
        form.is_valid(raise_exception=True)
        name = form.validated_data["name"]
        if name == "refused":
            raise Refusal("gone", "not today", reason="a reason")
        if name == "broken":
            raise ZeroDivisionError("for programmers")
        with connection.cursor() as cursor:
            cursor.execute("SELECT pg_sleep(0.05)")
        partner = Partner.objects.create(name=f"{name} {Partner.objects.count()}")
        return answer({"name": partner.name}, 201, Location=f"{ADDRESS}/{partner.pk}")


urlpatterns = [path("api/v1/doer", Doer.as_view()), *urls.urlpatterns]
handler400, handler403, handler404, handler500 = urls.handler400, urls.handler403, urls.handler404, urls.handler500


@pytest.fixture(autouse=True)
def door() -> Any:
    with override_settings(ROOT_URLCONF=__name__):
        yield


@pytest.fixture
def key() -> str:
    return issue_key(Partner.objects.create(name="ERP"), ["orders:write"])


def post(key: str, body: Any = '{"name":"made"}', once: str | None = "", **headers: str) -> Any:
    """Send `body` under the key `once`; a new one where it is empty, none where it is None."""
    if once is not None:
        headers["Idempotency-Key"] = once or str(uuid4())
    client = Client(raise_request_exception=False)
    headers["Authorization"] = f"Bearer {key}"
    return client.post(ADDRESS, body, content_type="application/json", headers=headers)


def made() -> int:
    return Partner.objects.filter(name__startswith="made").count()


def test_the_same_call_again_has_the_same_answer_and_no_other_effect(key: str) -> None:
    first, again = post(key, once="one"), post(key, once='"one"')
    assert (first.status_code, again.status_code) == (201, 201)
    assert first.content == again.content
    assert first["Location"] == again["Location"]
    assert "Idempotent-Replayed" not in first
    assert again["Idempotent-Replayed"] == "true"
    assert made() == 1


@pytest.mark.parametrize("once", [None, " ", '"', '""', "ä", "a b", "x" * 256, '"a", "b"'])
def test_a_call_without_a_key_does_nothing(key: str, once: str | None) -> None:
    problem(post(key, once=once), "idempotency-key-missing")
    assert made() == 0


def test_a_key_is_for_one_request(key: str) -> None:
    post(key, once="one")
    problem(post(key, '{"name":"made again"}', once="one"), "idempotency-key-reused")
    assert made() == 1


def test_a_key_of_another_caller_is_another_key(key: str) -> None:
    other = issue_key(Partner.objects.create(name="Merchant"), ["orders:write"])
    answers = [post(key, once="one").json(), post(other, once="one").json()]
    assert answers[0] != answers[1]
    assert made() == 2


def test_a_refusal_is_an_answer_and_a_mistake_can_be_mended(key: str) -> None:
    for _call in range(2):
        refused = post(key, '{"name":"refused"}', once="one")
        told = problem(refused, "gone")
        assert (told["detail"], told["reason"]) == ("not today", "a reason")
    assert refused["Idempotent-Replayed"] == "true"
    problem(post(key, "{", once="two"), "malformed-body")
    problem(post(key, "{}", once="two"), "invalid-input")
    problem(post(key, '{"name":"broken"}', once="two"), "internal-error")
    assert post(key, once="two").status_code == 201


def test_a_day_later_a_key_is_forgotten(key: str, time_machine: Any) -> None:
    post(key, once="one")
    assert forget_past_keys() == 0
    time_machine.move_to(timezone.now() + KEPT + timedelta(seconds=1))
    # Whether it was swept by then or not.
    assert post(key, '{"name":"made of late"}', once="one").status_code == 201
    time_machine.move_to(timezone.now() + KEPT + timedelta(seconds=1))
    assert forget_past_keys() == 1


def test_what_was_sent_is_not_kept(key: str) -> None:
    body = '{"name":"made","mobile":"13800138000"}'
    post(key, body)
    kept = IdempotencyKey.objects.values().get()
    assert "13800138000" not in str({name: bytes(value) if name == "body" else value for name, value in kept.items()})
    with override_settings(SECRET_KEY="another secret key, so that nobody can try numbers without it"):
        post(key, body, once="another")
    first, second = IdempotencyKey.objects.values_list("fingerprint", flat=True)
    assert bytes(first) != bytes(second)


def test_a_body_has_its_limits(key: str) -> None:
    problem(post(key, '{"name":"' + "x" * 100_000 + '"}'), "content-too-large")
    problem(post(key, "x", **{"Content-Encoding": "gzip"}), "unsupported-media-type")
    problem(post(key, '{"name":"x"}', **{"Transfer-Encoding": "chunked"}), "length-required")
    assert made() == 0


@pytest.mark.django_db(transaction=True)
def test_a_crowd_with_one_key_has_one_effect(key: str) -> None:
    CallCount.objects.all().delete()
    answers = at_once([lambda: post(key, once="one")] * 50)
    first = [answer for answer in answers if answer.status_code == 201]
    running = [answer for answer in answers if answer.status_code == 409]
    assert len(first) + len(running) == 50
    assert len({answer.content for answer in first}) == 1
    assert all(answer["Retry-After"] == "1" for answer in running)
    assert running
    problem(running[0], "still-running")
    assert made() == 1
    assert post(key, once="one")["Idempotent-Replayed"] == "true"


@pytest.mark.parametrize(
    ("change", "constraint"),
    [
        ("status = 500", "idempotencykey_holds_no_failure_of_ours"),
        ("key = ''", "idempotencykey_is_somebodys"),
        ("client = ''", "idempotencykey_is_somebodys"),
    ],
)
def test_the_database_refuses_what_cannot_have_been_kept(key: str, change: str, constraint: str) -> None:
    post(key)
    with pytest.raises(IntegrityError, match=constraint), transaction.atomic(), connection.cursor() as cursor:
        cursor.execute(f"UPDATE api_idempotencykey SET {change}")
