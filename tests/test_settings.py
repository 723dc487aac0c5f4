"""The environment is read strictly: a wrong value stops the program with one line that names it."""

import os
import subprocess
import sys
from pathlib import Path

import pytest
from django.conf import settings

from config import env, secret_key

SECRET = "0123456789abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOP"
PRODUCTION = {
    "DEMO": "no",
    "SECRET_KEY": SECRET,
    "ALLOWED_HOSTS": "shop.example",
    "DATABASE_URL": "postgres://shop@db.example/shop",
    "SMS_BACKEND": "console",
}
OURS = {
    *PRODUCTION,
    "DEBUG",
    "HTTPS",
    "TRUSTED_PROXY",
    "PORT",
    "HOST",
    "WORKERS",
    "DJANGO_SETTINGS_MODULE",
    "DJANGO_ALLOW_ASYNC_UNSAFE",
}


def manage(*command: str, **variables: str) -> subprocess.CompletedProcess[str]:
    """Run manage.py with these variables and no others of ours."""
    environment = {name: value for name, value in os.environ.items() if name not in OURS} | variables
    return subprocess.run(
        [sys.executable, "manage.py", *command],
        cwd=settings.BASE_DIR,
        env=environment,
        capture_output=True,
        text=True,
        check=False,
    )


@pytest.mark.parametrize(
    ("name", "value", "others"),
    [
        ("DEMO", "perhaps", {}),
        ("DEBUG", "2", {}),
        ("DEBUG", "yes", PRODUCTION),
        ("SECRET_KEY", "short", {}),
        ("SECRET_KEY", "", PRODUCTION),
        ("SECRET_KEY", "a" * 60, PRODUCTION),
        ("ALLOWED_HOSTS", "", PRODUCTION),
        ("ALLOWED_HOSTS", "*", PRODUCTION),
        ("HTTPS", "si", {}),
        ("TRUSTED_PROXY", "10.0.0.1", {}),
        ("SMS_BACKEND", "pigeon", {}),
        ("SMS_BACKEND", "file", PRODUCTION),
        ("SMS_BACKEND", "", PRODUCTION),
        ("ALIYUN_ACCESS_KEY_ID", "", {"SMS_BACKEND": "aliyun"}),
        ("ALIYUN_SMS_TEMPLATES", "placed.en", {}),
        ("REMINDER_HOURS", "48", {}),
        ("MAX_OPEN_ORDERS", "0", {}),
        ("RETENTION_DAYS", "half a year", {}),
        ("DATABASE_URL", "mysql://shop@db.example/shop", {}),
        ("DATABASE_URL", "postgres://shop@db.example:port/shop", {}),
        ("DATABASE_URL", "postgres://shop@db.example/", {}),
        ("DATABASE_URL", "postgres://shop@db.example/shop?conn_max_age=long", {}),
    ],
)
def test_refuses_a_wrong_value_with_one_line(name: str, value: str, others: dict[str, str]):
    answer = manage("check", **{**others, name: value})

    assert answer.returncode == 1
    assert answer.stderr.startswith(f"The environment variable {name} ")
    assert answer.stderr.count("\n") == 1


@pytest.mark.parametrize(
    ("name", "value"),
    [("PORT", "65536"), ("WORKERS", "many"), ("HOST", "no such host")],
)
def test_refuses_a_wrong_address_with_one_line(name: str, value: str):
    answer = manage("serve", **{name: value})

    assert answer.returncode == 1
    assert f"The environment variable {name} must be" in answer.stderr
    assert answer.stderr.count("\n") == 1


def test_says_in_one_line_that_no_database_answers():
    answer = manage("serve", PORT="8099", DEMO="yes", DATABASE_URL="postgres://shop@127.0.0.1:1/shop")

    assert answer.returncode == 1
    assert "Connection refused" in answer.stderr
    assert answer.stderr.count("\n") == 1


def test_production_settings_pass_the_deployment_check():
    answer = manage("check", "--deploy", "--fail-level", "WARNING", **PRODUCTION)

    assert answer.returncode == 0, answer.stderr


def test_a_database_of_ones_own_means_production_unless_said_otherwise():
    answer = manage("check", DATABASE_URL=PRODUCTION["DATABASE_URL"])

    assert answer.stderr.startswith("The environment variable SECRET_KEY must be set")


@pytest.mark.parametrize("value", ["yes", "YES", "true", "on", "1", " yes "])
def test_yes_may_be_written_in_several_ways(monkeypatch: pytest.MonkeyPatch, value: str):
    monkeypatch.setenv("A_FLAG", value)

    assert env.flag("A_FLAG", default=False) is True


def test_an_empty_variable_counts_as_missing(monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setenv("A_VALUE", " ")

    assert env.flag("A_VALUE", default=True) is True
    assert env.number("A_VALUE", 7, least=1, most=9) == 7
    assert env.words("A_VALUE", "a, b") == ["a", "b"]
    assert env.database("A_VALUE") is None


@pytest.mark.parametrize("value", ["0", "10", "many", "８", "1.5", "-1"])
def test_refuses_what_is_no_number_of_the_range(monkeypatch: pytest.MonkeyPatch, value: str):
    monkeypatch.setenv("A_VALUE", value)

    with pytest.raises(env.WrongSetting, match="A_VALUE must be"):
        env.number("A_VALUE", 7, least=1, most=9)


def test_reads_every_part_of_a_database_url(monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setenv(
        "A_DATABASE", "postgresql://sh%40p:p%2Fw%3F@db.example:5433/sh%20op?conn_max_age=5&sslmode=require"
    )

    database = env.database("A_DATABASE")

    assert database == {
        "ENGINE": "config.database",
        "USER": "sh@p",
        "PASSWORD": "p/w?",
        "HOST": "db.example",
        "PORT": "5433",
        "NAME": "sh op",
        "CONN_MAX_AGE": 5,
        "OPTIONS": {"connect_timeout": "5", "sslmode": "require"},
    }


def test_finds_a_socket_in_the_query_of_a_database_url(monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setenv("A_DATABASE", "postgres:///shop?host=/run/a%20place&port=5434&user=me")

    database = env.database("A_DATABASE")

    assert database is not None
    assert (database["HOST"], database["PORT"], database["USER"]) == ("/run/a place", "5434", "me")
    assert database["OPTIONS"] == {"connect_timeout": "5"}


def test_the_demo_makes_itself_one_secret_that_others_cannot_read(tmp_path: Path):
    path = tmp_path / "var" / "secret_key"

    secret = secret_key.from_file(path)

    assert len(secret) >= 50
    assert secret_key.from_file(path) == secret
    assert path.stat().st_mode & 0o777 == 0o600
    assert os.listdir(path.parent) == ["secret_key"]
