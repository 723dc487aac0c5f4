"""Limits on how often one caller may use one door."""

import threading
from concurrent.futures import ThreadPoolExecutor

import pytest
from django.db import IntegrityError, connection, transaction
from django.test import Client, RequestFactory

from api.limits import Limit, TooManyCalls, address_of, count_call, forget_past_calls
from api.models import CallCount
from partners.keys import issue_key
from partners.models import Partner

THREE = Limit("three", most=3, seconds=60)
ONE = Limit("one", most=1, seconds=600)


def let_the_windows_end() -> None:
    with connection.cursor() as cursor:
        cursor.execute("UPDATE api_callcount SET ends_at = now() - interval '1 second'")


@pytest.mark.django_db
def test_calls_up_to_the_limit_pass_and_the_next_says_how_long_to_wait() -> None:
    for _ in range(3):
        count_call((THREE, "a"))
    with pytest.raises(TooManyCalls) as refusal:
        count_call((THREE, "a"))
    assert refusal.value.limit is THREE
    assert 0 < refusal.value.wait_seconds <= 60


@pytest.mark.django_db
def test_callers_and_limits_are_counted_apart() -> None:
    count_call((ONE, "a"))
    count_call((ONE, "b"))
    count_call((THREE, "a"))
    with pytest.raises(TooManyCalls):
        count_call((ONE, "a"))


@pytest.mark.django_db
def test_a_window_begins_with_its_first_call_and_then_anew() -> None:
    count_call((ONE, "a"))
    let_the_windows_end()
    count_call((ONE, "a"))
    with pytest.raises(TooManyCalls) as refusal:
        count_call((ONE, "a"))
    assert refusal.value.wait_seconds > 500


@pytest.mark.django_db
def test_several_limits_cost_one_statement_and_the_longest_wait_is_told(django_assert_num_queries) -> None:
    with django_assert_num_queries(1):
        count_call((THREE, "a"), (ONE, "a"))
    for _ in range(2):
        with pytest.raises(TooManyCalls):
            count_call((THREE, "a"), (ONE, "a"))
    with pytest.raises(TooManyCalls) as refusal:
        count_call((THREE, "a"), (ONE, "a"))
    assert refusal.value.limit is ONE


@pytest.mark.django_db
@pytest.mark.parametrize("caller", ["", "\0", "\ud800", "村" * 10_000])
def test_any_text_may_name_a_caller(caller: str) -> None:
    count_call((ONE, caller))
    with pytest.raises(TooManyCalls):
        count_call((ONE, caller))


@pytest.mark.django_db
def test_the_table_tells_nothing_without_the_secret_key(settings) -> None:
    count_call((ONE, "+8613800138000"))
    settings.SECRET_KEY = "another" * 10
    count_call((ONE, "+8613800138000"))
    assert CallCount.objects.count() == 2


@pytest.mark.django_db
def test_past_windows_are_forgotten_and_running_ones_kept() -> None:
    count_call((ONE, "past"))
    let_the_windows_end()
    count_call((ONE, "running"))
    assert forget_past_calls() == 1
    with pytest.raises(TooManyCalls):
        count_call((ONE, "running"))


@pytest.mark.django_db
def test_the_database_refuses_a_count_of_none() -> None:
    count_call((ONE, "a"))
    with pytest.raises(IntegrityError, match="callcount_begins_with_one"), transaction.atomic():
        CallCount.objects.update(calls=0)


@pytest.mark.django_db
def test_counts_cost_no_write_ahead_log() -> None:
    with connection.cursor() as cursor:
        cursor.execute("SELECT relpersistence FROM pg_class WHERE oid = 'api_callcount'::regclass")
        assert cursor.fetchone() == ("u",)


@pytest.mark.django_db(transaction=True)
def test_a_crowd_is_counted_exactly_and_never_waits_in_a_circle() -> None:
    limits = [Limit(f"crowd {number}", most=100, seconds=60) for number in range(4)]
    start = threading.Barrier(4)

    def call(thread: int) -> int:
        start.wait()
        refused = 0
        turned = limits[thread:] + limits[:thread]
        for _ in range(50):
            try:
                count_call(*[(limit, "all") for limit in turned])
            except TooManyCalls:
                refused += 1
        connection.close()
        return refused

    with ThreadPoolExecutor(4) as pool:
        assert sum(pool.map(call, range(4))) == 100
    assert set(CallCount.objects.values_list("calls", flat=True)) == {200}


@pytest.mark.django_db(transaction=True)
def test_all_processes_count_the_calls_of_a_key_together() -> None:
    key = issue_key(Partner.objects.create(name="ERP"), ["catalog:read"], calls_per_minute=25)

    def call(_number: int) -> list[int]:
        headers = {"Authorization": f"Bearer {key}"}
        statuses = [Client().get("/api/v1/brands", headers=headers).status_code for _ in range(10)]
        connection.close()
        return statuses

    with ThreadPoolExecutor(4) as pool:
        statuses = [status for found in pool.map(call, range(4)) for status in found]
    assert (statuses.count(200), statuses.count(429)) == (25, 15)
    # Not in the memory of this process, which others do not see: what they have counted, whatever it is, counts here.
    assert CallCount.objects.get().calls == 40
    for elsewhere, left in ((10, "14"), (24, "0"), (3, "21"), (25, None)):
        CallCount.objects.update(calls=elsewhere)
        told = Client().get("/api/v1/brands", headers={"Authorization": f"Bearer {key}"})
        assert told.status_code == (429 if left is None else 200)
        assert told["RateLimit"].split(";")[1] == f"r={left or 0}"


@pytest.mark.parametrize(
    ("trusted", "forwarded", "remote", "address"),
    [
        (False, "9.9.9.9", "10.0.0.1", "10.0.0.1"),
        (True, "9.9.9.9, 8.8.8.8", "10.0.0.1", "8.8.8.8"),
        (True, None, "10.0.0.1", "10.0.0.1"),
        (False, None, "2001:db8:1:2:3:4:5:6", "2001:db8:1:2::/64"),
        (False, None, "::ffff:10.0.0.1", "10.0.0.1"),
        (True, "unknown", "10.0.0.1", "unknown"),
        (False, None, "", ""),
    ],
)
def test_the_address_is_the_one_that_we_know_ourselves(settings, trusted, forwarded, remote, address) -> None:
    settings.TRUSTED_PROXY = trusted
    request = RequestFactory().get("/", REMOTE_ADDR=remote)
    if forwarded is not None:
        request.META["HTTP_X_FORWARDED_FOR"] = forwarded
    assert address_of(request) == address
