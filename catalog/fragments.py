"""Pieces of pages: those that depend on the catalogue alone are rendered once and kept beside its copy in memory."""

from __future__ import annotations

from collections.abc import Callable
from functools import wraps
from typing import Any, Concatenate, ParamSpec, TypeVar

from django.template.loader import render_to_string
from django.urls import get_script_prefix
from django.utils.safestring import SafeString, mark_safe
from django.utils.translation import get_language

from catalog.catalogue import Catalogue

P = ParamSpec("P")
T = TypeVar("T")

# Filters make thousands of different pieces; what is asked for more than once finds room among so many.
MOST_FRAGMENTS = 500


def render_part(template: str, context: dict[str, Any]) -> SafeString:
    """Return what `template` makes of `context`, as HTML that goes into a page as it is."""
    return mark_safe(render_to_string(template, context))  # noqa: S308 - templates escape what they are given


def kept_with_catalogue(function: Callable[Concatenate[Catalogue, P], T]) -> Callable[Concatenate[Catalogue, P], T]:
    """
    Remember what `function(catalogue, *args)` returned, per language and text size, as long as the catalogue lives.

    The arguments must be hashable, and the result must not depend on anything else.
    """

    @wraps(function)
    def kept(catalogue: Catalogue, *args: P.args, **kwargs: P.kwargs) -> T:
        fragments = catalogue.fragments
        key = (function, get_language(), get_script_prefix(), args, *sorted(kwargs.items()))
        fragment = fragments.get(key)
        if fragment is not None:
            return fragment
        fragment = function(catalogue, *args, **kwargs)
        if len(fragments) >= MOST_FRAGMENTS:
            fragments.clear()
        fragments[key] = fragment
        return fragment

    return kept
