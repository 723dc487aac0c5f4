"""Strict readers of environment variables.

Each takes the name of a variable and a default for when it is missing or empty, and raises WrongSetting, whose text
is one line that names the variable and says what to write there.
"""

import os
from typing import Any
from urllib.parse import parse_qsl, unquote, urlsplit

from django.core.exceptions import ImproperlyConfigured

YES = {"yes", "true", "on", "1"}
NO = {"no", "false", "off", "0"}
CONNECTION_SECONDS = "60"
# A host that does not answer at all would otherwise hold each page for the two minutes that TCP tries.
SECONDS_TO_CONNECT = "5"


class WrongSetting(ImproperlyConfigured):
    """An environment variable has a value that the program cannot start with."""

    def __init__(self, name: str, advice: str) -> None:
        super().__init__(f"The environment variable {name} {advice}.")


def text(name: str, default: str = "") -> str:
    return os.environ.get(name, "").strip() or default


def flag(name: str, *, default: bool) -> bool:
    value = text(name, "yes" if default else "no").lower()
    if value not in YES | NO:
        raise WrongSetting(name, f"must be yes or no, not {value!r}")
    return value in YES


def number(name: str, default: int, *, least: int, most: int) -> int:
    value = text(name, str(default))
    # isdecimal() alone would let other scripts' digits pass.
    if not (value.isascii() and value.isdecimal() and least <= int(value) <= most):
        raise WrongSetting(name, f"must be a whole number from {least} to {most}, not {value!r}")
    return int(value)


def words(name: str, default: str = "") -> list[str]:
    """Return the values of a list that is separated by commas."""
    return [word.strip() for word in text(name, default).split(",") if word.strip()]


def choice(name: str, default: str, *, among: list[str]) -> str:
    value = text(name, default)
    if value not in among:
        raise WrongSetting(name, f"must be one of {', '.join(among)}, not {value!r}")
    return value


def pairs(name: str) -> dict[str, str]:
    """Return the values of a list as in `one=1,two=2`."""
    found = {}
    for word in words(name):
        key, equals, value = (part.strip() for part in word.partition("="))
        if not (key and equals and value):
            raise WrongSetting(name, f"must be a list as in name=value,name=value; {word!r} is no such pair")
        found[key] = value
    return found


def database(name: str) -> dict[str, Any] | None:
    """Return the database that a URL names, as an entry of DATABASES; None when the variable is missing.

    postgres://USER:PASSWORD@HOST:PORT/NAME, special characters percent-encoded. A query may hold `host` (a socket's
    folder), `port`, `user`, `conn_max_age` (seconds) and any parameter of libpq, such as `sslmode`.
    """
    value = text(name)
    if not value:
        return None
    try:
        url = urlsplit(value)
        query = dict(parse_qsl(url.query, strict_parsing=bool(url.query)))
        port = str(url.port or query.pop("port", ""))
        seconds = int(query.pop("conn_max_age", CONNECTION_SECONDS))
    except ValueError as error:
        raise WrongSetting(name, f"is no URL of a database ({error})") from error
    if url.scheme not in {"postgres", "postgresql"} or not url.path.strip("/"):
        # The value stays unsaid: it may hold a password.
        raise WrongSetting(name, "must look like postgres://user:password@host:5432/name")
    return {
        "ENGINE": "config.database",
        "NAME": unquote(url.path.strip("/")),
        "USER": unquote(url.username or "") or query.pop("user", ""),
        "PASSWORD": unquote(url.password or "") or query.pop("password", ""),
        "HOST": unquote(url.hostname or "") or query.pop("host", ""),
        "PORT": port,
        "CONN_MAX_AGE": seconds,
        "OPTIONS": {"connect_timeout": SECONDS_TO_CONNECT, **query},
    }
