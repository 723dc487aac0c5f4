"""The API's own description, to hold its answers against."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Any

from django.http import HttpResponse
from jsonschema import Draft202012Validator

from api.schema import schema

# What an answer may have, and need not.
MAY_BE_THERE = {"ETag", "Idempotent-Replayed", "Location"}


def operations() -> Iterator[tuple[str, str, dict[str, Any]]]:
    """Yield each operation: its method in capitals, its path, and what the schema tells of it."""
    for path, methods in schema()["paths"].items():
        for method, told in methods.items():
            yield method.upper(), path, told


def check(path: str, response: HttpResponse, method: str = "GET") -> Any:
    """
    Return what `response` holds, after checking it against what the schema says of `path`, as `/api/v1/phones/{code}`.

    A status, a header, a format or a field that the schema does not know fails.
    """
    document = schema()
    told = document["paths"][path][method.lower()]["responses"]
    known = told.get(str(response.status_code)) or told["default"]
    for header in known.get("headers", ()):
        assert header in response.headers or header in MAY_BE_THERE, (path, response.status_code, header)
    if response.status_code in (204, 304):
        return None
    [(media_type, content)] = known["content"].items()
    assert response["Content-Type"] == media_type
    body = response.json()
    # A whole value: sentences for people may name an example.
    local = re.search(r'"[0-9-]{10}T[0-9:.]+\+08:00"', response.content.decode())
    assert local is None, (path, "times are told in UTC")
    Draft202012Validator(content["schema"] | {"components": document["components"]}).validate(body)
    strange = unknown(body, content["schema"], document)
    assert not strange, (path, strange)
    return body


def unknown(value: Any, part: dict[str, Any], document: Any, place: str = "") -> list[str]:
    """Return where `value` has a field that its schema does not name."""
    if "$ref" in part:
        part = document["components"]["schemas"][part["$ref"].rpartition("/")[2]]
    if isinstance(value, list):
        return [name for entry in value for name in unknown(entry, part.get("items", {}), document, place)]
    if not isinstance(value, dict):
        return []
    alternatives = [one for one in part.get("oneOf", [part]) if "$ref" in one or "properties" in one]
    if not alternatives or "additionalProperties" in part:
        return []
    whole = alternatives[0]
    if "$ref" in whole:
        whole = document["components"]["schemas"][whole["$ref"].rpartition("/")[2]]
    known = whole.get("properties", {})
    missing = [f"{place}/{name}" for name in value if name not in known]
    return missing + [
        name
        for key, inner in value.items()
        if key in known
        for name in unknown(inner, known[key], document, f"{place}/{key}")
    ]
