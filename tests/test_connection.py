"""The connection to the database is asked now and then whether it still works, and made anew when it does not."""

from collections.abc import Iterator

import pytest
from django.db import DEFAULT_DB_ALIAS, connections

from config.database.base import DatabaseWrapper

pytestmark = pytest.mark.django_db(transaction=True)


@pytest.fixture
def own_connection() -> Iterator[DatabaseWrapper]:
    """A connection beside the test's own, kept between requests as the web processes keep theirs."""
    connection = connections.create_connection(DEFAULT_DB_ALIAS)
    assert isinstance(connection, DatabaseWrapper)
    connection.settings_dict = connection.settings_dict | {"CONN_MAX_AGE": None, "CONN_HEALTH_CHECKS": True}
    request(connection)
    yield connection
    connection.close()


def request(connection: DatabaseWrapper) -> int:
    """Do what a request does; return the backend that answered."""
    connection.close_if_unusable_or_obsolete()
    with connection.cursor() as cursor:
        cursor.execute("SELECT pg_backend_pid()")
        return cursor.fetchone()[0]


def end(backend: int) -> None:
    with connections[DEFAULT_DB_ALIAS].cursor() as cursor:
        cursor.execute("SELECT pg_terminate_backend(%s, 5000)", [backend])


def test_it_is_asked_again_when_the_time_has_passed(
    own_connection: DatabaseWrapper, monkeypatch: pytest.MonkeyPatch
) -> None:
    checks = []
    is_usable = own_connection.is_usable
    monkeypatch.setattr(own_connection, "is_usable", lambda: checks.append(1) or is_usable())
    monkeypatch.setattr(own_connection, "SECONDS_BETWEEN_CHECKS", 60.0)
    for _ in range(5):
        request(own_connection)
    assert not checks
    monkeypatch.setattr(own_connection, "SECONDS_BETWEEN_CHECKS", 0.0)
    for _ in range(5):
        request(own_connection)
    assert len(checks) == 5


def test_a_transaction_may_outlast_the_answer_at_its_beginning(own_connection: DatabaseWrapper) -> None:
    own_connection.SECONDS_BETWEEN_CHECKS = 60.0
    own_connection.close_if_unusable_or_obsolete()
    own_connection.set_autocommit(False)
    with own_connection.cursor() as cursor:
        cursor.execute("SELECT 1")

    own_connection.SECONDS_BETWEEN_CHECKS = 0.0
    own_connection.commit()
    own_connection.set_autocommit(True)

    assert own_connection.get_autocommit()


def test_a_database_that_was_away_costs_no_request(
    own_connection: DatabaseWrapper, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(own_connection, "SECONDS_BETWEEN_CHECKS", 0.0)
    backend = request(own_connection)
    end(backend)
    assert request(own_connection) != backend


def test_one_that_goes_between_two_checks_costs_one_request(own_connection: DatabaseWrapper) -> None:
    own_connection.SECONDS_BETWEEN_CHECKS = 60.0
    backend = request(own_connection)
    request(own_connection)
    end(backend)
    with pytest.raises(Exception, match=r"terminat|closed"):
        request(own_connection)
    assert request(own_connection) != backend
