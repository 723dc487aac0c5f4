"""What the description of the API shows of its answers and bodies."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, TypeVar

from drf_spectacular.utils import OpenApiExample, extend_schema_serializer

Kind = TypeVar("Kind")
ANSWERED = ["200", "201", "202"]


def shown_as(example: dict[str, Any]) -> Callable[[type[Kind]], type[Kind]]:
    """Give a resource or a form the example that every operation with it shows, and every list of it."""
    return extend_schema_serializer(examples=[OpenApiExample("Example", example, status_codes=ANSWERED)])
