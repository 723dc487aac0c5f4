"""
Lists in pages that a cursor leads through: the next page begins behind the last entry that was told.

An entry that is added or removed meanwhile makes no other one appear twice or be left out.
"""

from __future__ import annotations

import base64
import binascii
import json
from collections.abc import Sequence
from datetime import datetime, timedelta
from math import isfinite
from typing import Any, NamedTuple

from django.db.models import Q, QuerySet
from django.http import HttpResponse
from django.utils.translation import gettext as _
from rest_framework.exceptions import ValidationError
from rest_framework.pagination import BasePagination
from rest_framework.request import Request
from rest_framework.utils.urls import replace_query_param

from api.rendering import answer

USUAL_LIMIT = 100
MOST = 1000
LONGEST_CURSOR = 200
LARGEST_INTEGER = 2**31 - 1


class Key(NamedTuple):
    """One thing that a list is ordered by: an attribute of its entries, and of which type."""

    name: str
    type: type[str] | type[int] | type[float] | type[datetime]


class Question:
    """A list that asks the database in its own way."""

    def entries(self, order: tuple[Key, ...], behind: Sequence[Any] | None, limit: int) -> list[Any]:
        """Return at most `limit` entries in this order, behind one with these values if there are any."""
        raise NotImplementedError


class CursorPages(BasePagination):
    """
    The paginator: of querysets, of what is in memory in its order, and of a Question.

    The view's `order` says by which keys; together they must be different for every entry.
    """

    most = MOST

    def paginate_queryset(self, queryset: Any, request: Request, view: Any = None) -> list[Any]:
        self.request = request
        order: tuple[Key, ...] = view.get_order()
        limit = _read_limit(request.query_params.get("limit", ""), self.most)
        behind = _read_cursor(request.query_params.get("cursor", ""), order)
        if isinstance(queryset, QuerySet):
            queryset = queryset.order_by(*(key.name for key in order))
            found = list((queryset.filter(behind_the(order, behind)) if behind else queryset)[: limit + 1])
        elif isinstance(queryset, Question):
            found = queryset.entries(order, behind, limit + 1)
        else:
            found = [entry for entry in queryset if not behind or _values(entry, order) > behind][: limit + 1]
        self.next = _write_cursor(_values(found[limit - 1], order)) if len(found) > limit else None
        return found[:limit]

    def get_paginated_response(self, data: Any) -> HttpResponse:  # type: ignore[override]
        return answer({"next": self._next_address(), "results": data})

    def _next_address(self) -> str | None:
        if not self.next:
            return None
        here = self.request.build_absolute_uri()
        if "cursor" in self.request.query_params:
            return replace_query_param(here, "cursor", self.next)
        # Nothing in it needs to be escaped.
        return f"{here}{'&' if '?' in here else '?'}cursor={self.next}"

    def get_paginated_response_schema(self, schema: dict[str, Any]) -> dict[str, Any]:
        return {
            "type": "object",
            "required": ["next", "results"],
            "properties": {
                "next": {
                    "type": ["string", "null"],
                    "format": "uri",
                    "description": "Where the next page is; null on the last one.",
                    "example": None,
                },
                "results": schema,
            },
        }

    def get_schema_operation_parameters(self, view: Any) -> list[dict[str, Any]]:
        return [
            {
                "name": "limit",
                "in": "query",
                "description": "How many entries a page has at most.",
                "schema": {"type": "integer", "minimum": 1, "maximum": self.most, "default": USUAL_LIMIT},
            },
            {
                "name": "cursor",
                "in": "query",
                "description": "Which page: taken from `next` of the one before, never made up.",
                "schema": {"type": "string", "minLength": 1},
            },
        ]


def _values(entry: Any, order: tuple[Key, ...]) -> list[Any]:
    return [getattr(entry, key.name) for key in order]


def behind_the(order: tuple[Key, ...], values: Sequence[Any]) -> Q:
    """Return the condition for entries behind the one with these values."""
    (first, *others), (value, *rest) = order, values
    condition = Q(**{f"{first.name}__gt": value})
    if others:
        condition |= Q(**{first.name: value}) & behind_the(tuple(others), rest)
    return condition


def _read_limit(text: str, most: int) -> int:
    if not text:
        return USUAL_LIMIT
    limit = int(text) if text.isascii() and text.isdecimal() and len(text) <= 6 else 0
    if not 1 <= limit <= most:
        raise ValidationError({"limit": _("It must be a number from 1 to %(most)d.") % {"most": most}})
    return limit


def _write_cursor(values: list[Any]) -> str:
    written = json.dumps(values, default=datetime.isoformat)
    return base64.urlsafe_b64encode(written.encode()).decode().rstrip("=")


def _read_cursor(text: str, order: tuple[Key, ...]) -> list[Any] | None:
    """Return the values that `text` holds, None without one. Raises ValidationError for what no list of ours wrote."""
    if not text:
        return None
    try:
        if len(text) > LONGEST_CURSOR:
            raise ValueError
        values = json.loads(base64.b64decode(text + "=" * (-len(text) % 4), altchars=b"-_", validate=True))
        if not isinstance(values, list) or len(values) != len(order):
            raise ValueError
        values = [_moment(value) if key.type is datetime else value for value, key in zip(values, order, strict=True)]
        if not all(_suits(value, key) for value, key in zip(values, order, strict=True)):
            raise ValueError
    except (ValueError, binascii.Error, RecursionError):
        raise ValidationError({"cursor": _("No list of ours has such a cursor; begin without one.")}) from None
    return values


def _moment(text: Any) -> datetime:
    """Read a moment that a cursor of ours has. Raises ValueError for anything else."""
    moment = datetime.fromisoformat(text if isinstance(text, str) else "")
    if moment.utcoffset() != timedelta():
        raise ValueError
    return moment


def _suits(value: Any, key: Key) -> bool:
    if type(value) is not key.type:
        return False
    if isinstance(value, datetime):
        return True
    if isinstance(value, str):
        return value.isascii() and value.isprintable()
    return isfinite(value) and abs(value) <= LARGEST_INTEGER
