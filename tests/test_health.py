"""Whoever starts programs anew is told whether this one runs, and whether it is ready for visitors."""

from __future__ import annotations

import re
from datetime import timedelta
from typing import Any

import pytest
from django.db import connection
from django.test import Client
from django.utils import timezone
from django_q.models import Schedule

from config.health import SIGN_OF_LIFE
from config.jobs import JOBS, arrange

pytestmark = pytest.mark.django_db


@pytest.fixture
def worker() -> Schedule:
    """The trace of a worker that was busy just now."""
    arrange()
    return Schedule.objects.get(name=SIGN_OF_LIFE)


def readiness(client: Client) -> tuple[int, dict[str, Any]]:
    response = client.get("/readyz")
    assert response.headers["Cache-Control"] == "no-store"
    answered = response.json()
    assert answered["ready"] == (response.status_code == 200)
    return response.status_code, answered["missing"]


def test_a_process_that_runs_says_so_without_the_database(client: Client, django_assert_num_queries: Any) -> None:
    with django_assert_num_queries(0):
        response = client.get("/healthz")

    assert (response.status_code, response.text) == (200, "ok\n")
    assert response.headers["Cache-Control"] == "no-store"


def test_all_is_there(client: Client, worker: Schedule, django_assert_num_queries: Any) -> None:
    with django_assert_num_queries(3):
        assert readiness(client) == (200, {})


@pytest.mark.parametrize("path", ["/healthz", "/readyz"])
def test_asked_by_address_of_a_machine_without_https(
    client: Client, worker: Schedule, settings: Any, path: str
) -> None:
    settings.ALLOWED_HOSTS, settings.SECURE_SSL_REDIRECT = ["cunpu.example"], True

    assert client.get(path, headers={"host": "10.1.2.3:8000"}).status_code == 200


def test_a_migration_is_missing(client: Client, worker: Schedule) -> None:
    with connection.cursor() as cursor:
        cursor.execute("DELETE FROM django_migrations WHERE (app, name) = ('orders', '0001_orders')")

    assert readiness(client) == (503, {"migrations": "1 not applied, first orders.0001_orders"})


def test_a_database_with_nothing_in_it(client: Client) -> None:
    with connection.cursor() as cursor:
        cursor.execute("ALTER TABLE django_migrations RENAME TO others")

    status, missing = readiness(client)
    assert status == 503
    assert re.fullmatch(r"1\d\d not applied, first admin\.0001_initial", missing["migrations"])


def test_no_worker_has_ever_run(client: Client) -> None:
    assert readiness(client) == (503, {"worker": "none has run yet"})


def test_the_worker_has_stopped(client: Client, worker: Schedule) -> None:
    Schedule.objects.filter(pk=worker.pk).update(next_run=timezone.now() - timedelta(minutes=7))

    assert readiness(client) == (503, {"worker": "has done nothing for 7 minutes"})


def test_a_worker_that_is_late_by_a_minute_is_at_work(client: Client, worker: Schedule) -> None:
    Schedule.objects.filter(pk=worker.pk).update(next_run=timezone.now() - timedelta(minutes=1))

    assert readiness(client) == (200, {})


def test_the_sign_of_life_comes_every_minute() -> None:
    assert JOBS[SIGN_OF_LIFE].minutes == 1
