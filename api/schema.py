"""The OpenAPI description of the API, made from the doors themselves, and what all operations have in common."""

from __future__ import annotations

import json
from functools import cache
from threading import Lock
from typing import Any

from django.http import HttpRequest, HttpResponse
from django.utils import translation
from drf_spectacular.generators import SchemaGenerator
from drf_spectacular.openapi import AutoSchema
from drf_spectacular.utils import OpenApiExample, OpenApiParameter

from api.calls import WITHOUT_CREDENTIALS
from api.idempotency import HEADER, LONGEST_KEY, REPLAYED
from api.problems import MEDIA_TYPE, usual_problem
from api.resources import MONEY_SCHEMA

SCHEMA_TYPE = "application/vnd.oai.openapi+json"
# A new one comes with a new version of the program only.
SECONDS = 3600

_EXAMPLE_SITE = "https://example.com/api/problems/"
INVALID_INPUT: dict[str, Any] = {
    "type": f"{_EXAMPLE_SITE}invalid-input/",
    "title": "Some of the input is not valid",
    "status": 400,
    "errors": [{"parameter": "limit", "detail": "It must be a number from 1 to 1000."}],
}
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
        "short": {
            "type": "array",
            "description": "out-of-stock: phones of which fewer are left than were wanted",
            "items": {
                "type": "object",
                "required": ["phone", "wanted", "left"],
                "properties": {
                    "phone": {"type": "string"},
                    "wanted": {"type": "integer"},
                    "left": {"type": "integer"},
                },
            },
        },
        "outlets": {
            "type": "array",
            "description": "out-of-stock, outlet-not-open: the nearest outlets that have all that was wanted",
            "items": {
                "type": "object",
                "required": ["outlet", "name", "distance"],
                "properties": {
                    "outlet": {"type": "string"},
                    "name": {"type": "object", "properties": {"zh": {"type": "string"}, "en": {"type": "string"}}},
                    "distance": {
                        "type": "object",
                        "properties": {"km": {"type": "integer"}, "precision": {"enum": ["about", "within"]}},
                    },
                },
            },
        },
        "phones": {
            "type": "array",
            "items": {"type": "string"},
            "description": "phone-not-on-sale, sale-limit-reached, sale-quota-used-up: these",
        },
        "total": {
            **MONEY_SCHEMA,
            "description": "price-rose, sale-limit-reached, sale-quota-used-up: what all of it costs now",
        },
        "prices": {
            "type": "array",
            "description": "price-rose, sale-limit-reached, sale-quota-used-up: what these phones cost now",
            "items": {
                "type": "object",
                "required": ["phone", "price", "ordinary_price", "price_valid_until"],
                "properties": {
                    "phone": {"type": "string"},
                    "price": MONEY_SCHEMA,
                    "ordinary_price": MONEY_SCHEMA,
                    "price_valid_until": {"type": ["string", "null"], "format": "date-time"},
                },
            },
        },
        "phone": {"type": "string", "description": "too-many-of-one-phone: this one"},
        "limit": {
            "type": "integer",
            "description": "too-many-orders, too-many-of-one-phone, sale-limit-reached, sale-quota-used-up: no more "
            "than these",
        },
        "state": {"type": "string", "description": "wrong-state: how it stands"},
        "moved_to": {"type": "string", "description": "wrong-state: the number under which the order lives on"},
    },
    "example": INVALID_INPUT,
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
    "Location": {"description": "Where it is from now on.", "schema": {"type": "string", "format": "uri-reference"}},
    REPLAYED: {
        "description": "That this key was answered before, and how; nothing was done this time.",
        "schema": {"type": "string", "const": "true"},
    },
}
# What comes with every webhook: standardwebhooks.com.
_SIGNED_WITH = {
    "webhook-id": "The id of the event: the same each time that it is sent.",
    "webhook-timestamp": "When it was sent, in seconds since 1970.",
    "webhook-signature": "A signature `v1,...`, or two with a blank between them while an old secret is still good.",
}
_ALWAYS = ("RateLimit", "RateLimit-Policy")
_KEY_PARAMETER = OpenApiParameter(
    HEADER,
    {"type": "string", "minLength": 1, "maxLength": LONGEST_KEY, "pattern": "^[!#-+\\--~]+$"},
    OpenApiParameter.HEADER,
    required=True,
    description="Made up by the caller for this request. Sent again with the same key and body within 24 hours, it is "
    "answered as before and nothing more is done.",
    examples=[OpenApiExample("UUID", "8e03978e-40d5-43e8-bc93-6894a57f9324")],
)
# Why which kind of operation is answered with which status.
_TO_ALL = {
    "400": "A parameter or a field that is not known, or has a value that is not valid.",
    "401": "The credentials are missing or not valid.",
    "403": "The credentials do not have the scope.",
    "406": "The Accept header leaves no JSON.",
    "429": "Too many requests.",
}
_TO_READERS = {"410": "The outlet has closed for good."}
_TO_WRITERS = {
    "409": "The rules do not allow it as things stand, or the same request is being worked on (Retry-After).",
    "411": "The body comes in chunks, without its length.",
    "413": "The body is too large.",
    "415": "The body has a format that is not taken.",
    "422": "The rules do not allow it, or the Idempotency-Key belongs to another request.",
}
_MISSING = {"404": "There is no such thing."}


class DoorSchema(AutoSchema):
    """What drf-spectacular cannot see: the parameters `fields` and `expand`, and how long lists in bodies may be."""

    def get_description(self) -> str:  # type: ignore[override]  # drf-spectacular has it so
        """Return nothing where a door says nothing of itself: docstrings are for programmers."""
        return ""

    def get_auth(self) -> list[dict[str, list[str]]]:
        """Name the scope, as OpenAPI 3.1 lets one do for keys."""
        view: Any = self.view
        if not hasattr(view, "scope_for"):
            # A webhook: we are the caller, and sign instead.
            return []
        ways = [{name: [view.scope_for(self.method)] for name in way} for way in super().get_auth()]
        return [*ways, {}] if view.open_to_all else ways

    def get_override_parameters(self) -> list[Any]:
        view: Any = self.view
        if not hasattr(view, "parameters_to_change"):
            return []
        if self.method == "POST":
            return [_KEY_PARAMETER, *view.parameters_to_change]
        if self.method != "GET":
            return []
        resource, known = view.serializer_class, view.get_parameters()
        described = []
        if "fields" in known:
            described.append(_names("fields", "Only these fields; all without it.", resource.field_names()))
        if "expand" in known:
            described.append(_names("expand", "Tell these whole, and not by their code alone.", resource.expandable()))
        return described

    def _unwrap_list_serializer(self, serializer: Any, direction: Any) -> dict[str, Any] | None:
        schema = super()._unwrap_list_serializer(serializer, direction)
        lengths = {"minItems": "min_length", "maxItems": "max_length"}
        known = {word: most for word, name in lengths.items() if (most := getattr(serializer, name, None)) is not None}
        return schema and {**schema, **known}


def _names(name: str, description: str, names: list[str]) -> OpenApiParameter:
    items = {"type": "string", "enum": names}
    return OpenApiParameter(
        name, {"type": "array", "items": items, "minItems": 1}, description=description, style="form", explode=False
    )


def complete(result: dict[str, Any], **_unused: Any) -> dict[str, Any]:
    """Give every operation the headers and the problems that all have. A hook of drf-spectacular."""
    components = result["components"]
    for name, component in components["schemas"].items():
        if name.endswith("Form"):
            component["additionalProperties"] = False
            component.pop("description", None)
        elif not name.startswith("Paginated"):
            # With `fields` an answer has as little as was asked for.
            component.pop("required", None)
    components["schemas"]["Problem"] = PROBLEM_SCHEMA
    components["headers"] = _HEADERS
    for path in result["paths"].values():
        for method, operation in path.items():
            _complete_operation(method, operation)
    for webhook in result.get("webhooks", {}).values():
        webhook["post"]["parameters"] = [
            {"name": name, "in": "header", "required": True, "description": meaning, "schema": {"type": "string"}}
            for name, meaning in _SIGNED_WITH.items()
        ]
    return result


def _complete_operation(method: str, operation: dict[str, Any]) -> None:
    reads = method == "get"
    is_detail = any(parameter["in"] == "path" for parameter in operation.get("parameters", ()))
    answered = dict(operation["responses"])
    for status, response in answered.items():
        more = ["ETag"] if reads else [REPLAYED, "Location"] if status in ("201", "202") else [REPLAYED]
        response["headers"] = _told([*more, *_ALWAYS] if method in ("get", "post") else list(_ALWAYS))
    if reads:
        operation["responses"]["304"] = {"description": "It is as it was: the ETag is one of If-None-Match."}
    whys = _TO_ALL | (_TO_READERS if reads and is_detail else {} if reads else _TO_WRITERS)
    for status, description in (whys | (_MISSING if is_detail else {})).items():
        more = ["Retry-After"] if status == "429" else []
        problem = _problem(description, _problem_example(int(status)))
        operation["responses"][status] = problem | {"headers": _told([*_ALWAYS, *more])}
    operation["responses"]["default"] = _problem("Any other problem.", _problem_example(500))


def _told(names: list[str]) -> dict[str, Any]:
    return {name: {"$ref": f"#/components/headers/{name}"} for name in names}


def _problem(description: str, example: dict[str, Any]) -> dict[str, Any]:
    told = {"schema": {"$ref": "#/components/schemas/Problem"}, "example": example}
    return {"description": description, "content": {MEDIA_TYPE: told}}


def _problem_example(status: int) -> dict[str, Any]:
    """Return the problem that is most often behind a status."""
    if status == INVALID_INPUT["status"]:
        return INVALID_INPUT
    problem = usual_problem(status)
    with translation.override("en"):
        return {"type": f"{_EXAMPLE_SITE}{problem.name}/", "title": str(problem.title), "status": status}


def schema() -> dict[str, Any]:
    """Return the OpenAPI document of version 1 of the API. It is the same for everybody: do not change it."""
    # What makes it was not made for threads: of two that begin together, one fails.
    with _one_at_a_time:
        return _schema()


_one_at_a_time = Lock()


@cache
def _schema() -> dict[str, Any]:
    return SchemaGenerator(api_version="1", urlconf=None).get_schema(request=None, public=True)


@cache
def _as_json() -> bytes:
    return json.dumps(schema(), ensure_ascii=False).encode()


def schema_view(request: HttpRequest) -> HttpResponse:
    """Answer with the schema, the same for everybody: it is kept among the ready pages."""
    return HttpResponse(_as_json(), content_type=SCHEMA_TYPE, headers={"Cache-Control": f"public, max-age={SECONDS}"})


schema_view.methods = ["GET", "HEAD", "OPTIONS"]  # type: ignore[attr-defined]
