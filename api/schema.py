"""The OpenAPI description of the API, made from the doors themselves, and what all operations have in common."""

from __future__ import annotations

import json
from functools import cache
from typing import Any

from django.http import HttpRequest, HttpResponse
from drf_spectacular.generators import SchemaGenerator
from drf_spectacular.openapi import AutoSchema
from drf_spectacular.utils import OpenApiParameter

from api.calls import WITHOUT_CREDENTIALS
from api.problems import MEDIA_TYPE, PROBLEMS, answer

SCHEMA_TYPE = "application/vnd.oai.openapi+json"
# A new one comes with a new version of the program only.
SECONDS = 3600

PROBLEM_SCHEMA: dict[str, Any] = {
    "type": "object",
    "description": "RFC 9457. The page behind `type` explains the problem.",
    "required": ["type", "title", "status"],
    "properties": {
        "type": {"type": "string", "format": "uri"},
        "title": {"type": "string", "description": "in the language of Accept-Language, zh or en"},
        "status": {"type": "integer"},
        "detail": {"type": "string"},
        "errors": {
            "type": "array",
            "items": {
                "type": "object",
                "required": ["detail"],
                "properties": {
                    "detail": {"type": "string"},
                    "parameter": {"type": "string", "description": "which parameter of the address is wrong"},
                    "pointer": {"type": "string", "description": "where in the body it is wrong, RFC 6901"},
                },
            },
        },
    },
    "example": {
        "type": "https://example.com/api/problems/invalid-input/",
        "title": "Some of the input is not valid",
        "status": 400,
        "errors": [{"parameter": "limit", "detail": "It must be a number from 1 to 1000."}],
    },
}
_HEADERS: dict[str, dict[str, Any]] = {
    "RateLimit-Policy": {
        "description": "How many requests (q) may be made in how many seconds (w).",
        "schema": {"type": "string"},
        "example": f'"default";q={WITHOUT_CREDENTIALS.most};w={WITHOUT_CREDENTIALS.seconds}',
    },
    "RateLimit": {
        "description": "How many requests are left (r), and in how many seconds it begins anew (t).",
        "schema": {"type": "string"},
        "example": '"default";r=100;t=30',
    },
    "ETag": {"description": "For If-None-Match.", "schema": {"type": "string"}},
    "Retry-After": {"description": "Seconds to wait.", "schema": {"type": "integer"}},
}
_WHEN = {
    "400": "A parameter that is not known, or has a value that is not valid.",
    "401": "The credentials are missing or not valid.",
    "403": "The credentials do not have the scope.",
    "404": "There is no such thing.",
    "410": "The outlet has closed for good.",
    "406": "The Accept header leaves no JSON.",
    "429": "Too many requests.",
}


class DoorSchema(AutoSchema):
    """What drf-spectacular cannot see: the parameters `fields` and `expand`."""

    def get_description(self) -> str:  # type: ignore[override]  # drf-spectacular has it so
        """Return nothing where a door says nothing of itself: docstrings are for programmers."""
        return ""

    def get_override_parameters(self) -> list[Any]:
        view: Any = self.view
        resource, known = view.serializer_class, view.get_parameters()
        described = []
        if "fields" in known:
            described.append(_names("fields", "Only these fields; all without it.", resource.field_names()))
        if "expand" in known:
            described.append(_names("expand", "Tell these whole, and not by their code alone.", resource.expandable()))
        return described


def _names(name: str, description: str, names: list[str]) -> OpenApiParameter:
    items = {"type": "string", "enum": names}
    return OpenApiParameter(
        name, {"type": "array", "items": items, "minItems": 1}, description=description, style="form", explode=False
    )


def complete(result: dict[str, Any], **_unused: Any) -> dict[str, Any]:
    """Give every operation the headers and the problems that all have. A hook of drf-spectacular."""
    components = result["components"]
    for name, component in components["schemas"].items():
        if not name.startswith("Paginated"):
            # With `fields` an answer has as little as was asked for.
            component.pop("required", None)
    components["schemas"]["Problem"] = PROBLEM_SCHEMA
    components["headers"] = _HEADERS
    for path in result["paths"].values():
        for operation in path.values():
            _complete_operation(operation)
    return result


def _complete_operation(operation: dict[str, Any]) -> None:
    is_detail = any(parameter["in"] == "path" for parameter in operation.get("parameters", ()))
    told = {name: {"$ref": f"#/components/headers/{name}"} for name in _HEADERS}
    for response in operation["responses"].values():
        response["headers"] = {name: told[name] for name in ("ETag", "RateLimit", "RateLimit-Policy")}
    operation["responses"]["304"] = {"description": "It is as it was: the ETag is one of If-None-Match."}
    for status, description in _WHEN.items():
        if is_detail or status not in ("404", "410"):
            headers = {name: told[name] for name in ("RateLimit", "RateLimit-Policy")}
            if status == "429":
                headers["Retry-After"] = told["Retry-After"]
            operation["responses"][status] = _problem(description) | {"headers": headers}
    operation["responses"]["default"] = _problem("Any other problem.")


def _problem(description: str) -> dict[str, Any]:
    return {"description": description, "content": {MEDIA_TYPE: {"schema": {"$ref": "#/components/schemas/Problem"}}}}


@cache
def schema() -> dict[str, Any]:
    """Return the OpenAPI document of version 1 of the API. It is the same for everybody: do not change it."""
    return SchemaGenerator(api_version="1", urlconf=None).get_schema(request=None, public=True)


@cache
def _as_json() -> bytes:
    return json.dumps(schema(), ensure_ascii=False).encode()


def schema_view(request: HttpRequest) -> HttpResponse:
    """Answer with the schema, the same for everybody: it is kept among the ready pages."""
    if request.method not in ("GET", "HEAD"):
        refusal = answer(request, PROBLEMS["method-not-allowed"])
        refusal["Allow"] = "GET, HEAD"
        return refusal
    return HttpResponse(_as_json(), content_type=SCHEMA_TYPE, headers={"Cache-Control": f"public, max-age={SECONDS}"})
