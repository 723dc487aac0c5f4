"""The page that tells how to use the API: the OpenAPI document as plain HTML, without script and without a network."""

from __future__ import annotations

import json
from collections.abc import Iterator
from itertools import groupby
from typing import Any, NamedTuple

from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.utils.translation import gettext as _

from api.credentials import SCOPES
from api.problems import DOORS
from api.schema import schema

METHODS = ("get", "post", "put", "patch", "delete")
JSON = "application/json"


class Named(NamedTuple):
    """A parameter or a field: its name, what it holds, and what it means."""

    name: str
    type: str
    description: str


class Operation(NamedTuple):
    """One thing that can be asked: where, what may be said with it, and what comes back."""

    id: str
    tag: str
    method: str
    path: str
    summary: str
    description: str
    scope: str
    parameters: list[Named]
    body: list[Named]
    answer: list[Named]
    is_list: bool
    example: str


def docs(request: HttpRequest) -> HttpResponse:
    told = sorted(operations(), key=lambda operation: (operation.tag, operation.path))
    context = {
        "groups": [(tag, list(inside)) for tag, inside in groupby(told, key=lambda operation: operation.tag)],
        "scopes": [(scope, _(meaning)) for scope, meaning in SCOPES.items()],
        "order": next(operation.example for operation in told if operation.id == "orders_create"),
        "api": request.build_absolute_uri(DOORS).rstrip("/"),
    }
    return render(request, "api/docs.html", context)


def to_docs(request: HttpRequest) -> HttpResponse:
    """Lead whoever knows the address alone to the page."""
    return redirect("api_docs")


def operations() -> Iterator[Operation]:
    """Yield every operation of the schema."""
    for path, methods in schema()["paths"].items():
        for method in METHODS:
            if told := methods.get(method):
                fields, is_list = _answer(told["responses"])
                body, example = _body(told.get("requestBody", {}))
                yield Operation(
                    told["operationId"],
                    told["tags"][0],
                    method.upper(),
                    path,
                    told.get("summary", ""),
                    told.get("description", ""),
                    told["security"][0]["key"][0],
                    [_named(part["name"], part["schema"], part) for part in told.get("parameters", ())],
                    body,
                    fields,
                    is_list,
                    example,
                )


def _answer(responses: dict[str, Any]) -> tuple[list[Named], bool]:
    """Return the fields of what comes back, and whether they are those of each entry of a list."""
    good = next(response for status, response in responses.items() if status.startswith("2"))
    if "content" not in good:
        return [], False
    whole = _resolved(good["content"][JSON]["schema"])
    results = whole.get("properties", {}).get("results")
    return _fields(_resolved(results["items"]) if results else whole), results is not None


def _body(request: dict[str, Any]) -> tuple[list[Named], str]:
    """Return the fields of what is sent as JSON, and an example of it."""
    if JSON not in request.get("content", {}):
        return [], ""
    told = request["content"][JSON]
    whole = _resolved(told["schema"])
    [example] = [each["value"] for each in told.get("examples", {}).values()][:1] or [None]
    written = "" if example is None else json.dumps(example, ensure_ascii=False)
    return _fields(_resolved(whole["items"]) if "items" in whole else whole), written


def _fields(of: dict[str, Any]) -> list[Named]:
    return [_named(name, field, field) for name, field in of.get("properties", {}).items()]


def _named(name: str, of: dict[str, Any], described: dict[str, Any]) -> Named:
    return Named(name, _type(of), described.get("description", ""))


def _type(field: dict[str, Any]) -> str:
    """Say in a few words what a field holds."""
    if "enum" in field:
        return " | ".join(json.dumps(value) for value in field["enum"])
    if "$ref" in field:
        return field["$ref"].rpartition("/")[2] if "properties" in _resolved(field) else _type(_resolved(field))
    for key in ("oneOf", "allOf"):
        if key in field:
            return " | ".join(_type(part) for part in field[key])
    types = field.get("type", "any")
    words = " | ".join(types) if isinstance(types, list) else types
    return f"{words} ({_type(field['items'])})" if "items" in field else words


def _resolved(field: dict[str, Any]) -> dict[str, Any]:
    return schema()["components"]["schemas"][field["$ref"].rpartition("/")[2]] if "$ref" in field else field
