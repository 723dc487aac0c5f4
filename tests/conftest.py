"""What all tests share: the database, and Chromium for those that look at pages."""

import os
import shutil
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import hypothesis
import pytest
from django.conf import settings
from django.db import connection
from django.http import HttpRequest
from django.template.backends import jinja2
from django.test import TransactionTestCase
from django.test.signals import template_rendered

from catalog.catalogue import Catalogue, current_catalogue, forget_catalogue
from config import postgres, ready
from stores.context import forget_country
from stores.hours import forget_hours
from tests.databases import MIGRATED_DATABASE, execute, migrated
from tests.emptying import empty_tables
from tests.factories import load_sample_phones
from tests.site import demo as demo
from tests.site import pytest_collection_modifyitems as pytest_collection_modifyitems
from tests.site import site as site

# A machine that is busy with other things takes its time to make up examples, which says nothing of what is tested.
hypothesis.settings.register_profile("busy", deadline=None, suppress_health_check=[hypothesis.HealthCheck.too_slow])
hypothesis.settings.load_profile("busy")

# Playwright keeps an event loop in the thread that runs the tests, and Django would refuse queries there.
os.environ["DJANGO_ALLOW_ASYNC_UNSAFE"] = "true"


def pytest_addoption(parser: pytest.Parser) -> None:
    parser.addoption("--write-docs", action="store_true", help="write the tables and pictures under docs/ anew")


def pytest_ignore_collect(collection_path: Path, config: pytest.Config) -> bool | None:
    """Take pictures for the README only when asked to."""
    return True if collection_path.name.endswith("_screenshots.py") and not config.getoption("--write-docs") else None


def pytest_configure(config: pytest.Config) -> None:
    if settings.DATABASES["default"]["HOST"] == str(postgres.SOCKET):
        try:
            postgres.use()
        except postgres.PostgresError as error:
            pytest.exit(str(error), returncode=1)


@pytest.fixture(scope="session")
def browser_type_launch_args(browser_type_launch_args: dict[str, Any]) -> dict[str, Any]:
    """Launch the system's Chromium, quiet towards the network."""
    return browser_type_launch_args | {
        "executable_path": os.environ.get("CHROMIUM") or shutil.which("chromium"),
        "args": [
            "--no-sandbox",  # Chromium's sandbox does not run as root.
            "--disable-gpu",
            "--disable-dev-shm-usage",  # Containers have little of it.
            "--disable-quic",
            "--no-first-run",
            "--disable-background-networking",
            "--disable-component-update",
            "--disable-sync",
        ],
    }


@pytest.fixture(scope="session")
def django_db_modify_db_settings(django_db_modify_db_settings: None) -> Iterator[None]:
    """Copy each worker's database from one that is migrated: the migrations take longer than many a file of tests."""
    with migrated():
        settings.DATABASES["default"]["TEST"]["TEMPLATE"] = MIGRATED_DATABASE
        yield


@pytest.fixture(scope="session")
def django_db_setup(django_db_setup: None) -> Iterator[None]:
    """Let the database go: threads of the live server keep a connection for as long as a client keeps theirs."""
    yield
    name = connection.settings_dict["NAME"]
    execute("postgres", "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE datname = %s", name)


@pytest.fixture(scope="session", autouse=True)
def tests_empty_the_tables() -> Iterator[None]:
    """Let tests that commit empty the database after themselves in our way."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(TransactionTestCase, "_fixture_teardown", lambda self: empty_tables())
        yield


@pytest.fixture(scope="session", autouse=True)
def answers_know_their_templates() -> Iterator[None]:
    """Let the test client see which templates made an answer, and of what; Django does so for its own engine only."""
    render = jinja2.Template.render

    def tell(self: Any, context: dict[str, Any] | None = None, request: HttpRequest | None = None) -> str:
        template_rendered.send(sender=self, template=self.template, context=context or {})
        return render(self, context, request)

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(jinja2.Template, "render", tell)
        yield


@pytest.fixture(autouse=True)
def nothing_in_memory() -> Iterator[None]:
    """Let no test see the catalogue, the figures or the pages of another one."""
    _forget()
    yield
    _forget()


def _forget() -> None:
    forget_catalogue()
    forget_country()
    forget_hours()
    ready.shelf.clear()
    ready.forget_absence()


@pytest.fixture
def catalogue(db: None) -> Catalogue:
    """The fourteen phones of the sample data."""
    return load_sample_phones()


@pytest.fixture
def held_memory(monkeypatch: pytest.MonkeyPatch) -> Callable[[], object]:
    """
    Load the catalogue into memory when called, and let all that is in memory be believed for the whole test.

    What a page asks is counted without what it asks once a second or minute, which a slow machine would bring along.
    """
    for name in (
        "catalog.catalogue.VERSION_IS_FRESH",
        "stores.hours.HOURS_ARE_FRESH",
        "stores.context.FIGURES_ARE_FRESH",
    ):
        monkeypatch.setattr(name, 3600)
    monkeypatch.setattr("stores.presence._SECONDS", 3600)

    def load() -> object:
        # What was loaded before is believed for a second only.
        forget_catalogue()
        return current_catalogue()

    return load
