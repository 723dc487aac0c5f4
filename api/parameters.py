"""What comes after the question mark: read by forms (django-filter), refused with the name of the parameter."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from copy import copy
from datetime import datetime
from math import isfinite
from typing import Any

import django_filters
from django import forms
from django.http import QueryDict
from django.utils.translation import gettext as _
from django_filters.rest_framework import DjangoFilterBackend
from drf_spectacular.extensions import OpenApiFilterExtension
from rest_framework.exceptions import ValidationError

from api.reasons import only_these

LONGEST_LIST = 2000
# Parameters that list names. They may come several times: many programs that are made from the schema write them so.
LISTS = {"fields", "expand", "types"}


class Filters(django_filters.FilterSet):
    """
    What a list can be narrowed by.

    `described` has the schema of each parameter for OpenAPI, so that what a form accepts is said in one place.
    """

    described: Mapping[str, Mapping[str, Any]] = {}

    def __init__(self, data: Mapping[str, str], queryset: Any, *, request: Any) -> None:
        # The library copies each deeply, with its field and what belongs to that, and puts a form together. Here are
        # copies of only those that are asked, which are few of many, and their fields are those of the class.
        self.__dict__["base_filters"] = {}
        super().__init__(data, queryset, request=request)
        self.filters = {name: self._own(each) for name, each in type(self).base_filters.items() if name in data}
        self.refused: dict[str, list[str]] = {}
        self.cleaned: dict[str, Any] = {}
        for name in self.filters:
            try:
                self.cleaned[name] = self.field_of(name).clean(data[name])
            except forms.ValidationError as error:
                self.refused[name] = self._reasons(name, error)

    def _own(self, each: django_filters.Filter) -> django_filters.Filter:
        own = copy(each)
        own.parent, own.model = self, self.queryset.model
        if each.method:
            # By its name it is found on the parent.
            own.method = each.method
        return own

    def _reasons(self, name: str, error: forms.ValidationError) -> list[str]:
        field = self.field_of(name)
        if isinstance(field, forms.ChoiceField):
            # Who wrote a program wants to know which there are.
            choices: Any = field.choices
            return [only_these(value for value, _label in choices if value)]
        return error.messages

    def field_of(self, name: str) -> forms.Field:
        """Return the field that cleans what is asked under this name."""
        return type(self).base_filters[name].field

    @property
    def errors(self) -> dict[str, list[str]]:
        return self.refused

    def filter_queryset(self, queryset: Any) -> Any:
        for name, value in self.cleaned.items():
            queryset = self.filters[name].filter(queryset, value)
        return queryset


class ReadFilters(DjangoFilterBackend):
    """The filter backend; what a field refuses becomes the error of a problem."""

    def filter_queryset(self, request: Any, queryset: Any, view: Any) -> Any:
        filters = view.filterset_class
        if filters is None or filters.base_filters.keys().isdisjoint(request.query_params):
            return queryset
        asked = filters(request.query_params, queryset, request=request)
        if asked.errors:
            raise ValidationError(asked.errors)
        return asked.qs


class FilterSchema(OpenApiFilterExtension):
    """Tells the OpenAPI schema of the parameters of a list."""

    target_class = "api.parameters.ReadFilters"
    priority = 1

    def get_schema_operation_parameters(self, auto_schema: Any, *args: Any, **kwargs: Any) -> list[dict[str, Any]]:
        filters = auto_schema.view.filterset_class
        if filters is None:
            return []
        return [{"name": name, "in": "query", **filters.described[name]} for name in filters.base_filters]


class PointField(forms.CharField):
    """Latitude and longitude in degrees, as `38.03,114.14`; cleaned to a pair of floats, None where empty."""

    def clean(self, value: Any) -> tuple[float, float] | None:
        text = super().clean(value)
        if not text:
            return None
        parts = text.split(",")
        if len(parts) != 2:
            raise forms.ValidationError(_("Write latitude and longitude in degrees, as 38.03,114.14."))
        return _angle(parts[0], most=90), _angle(parts[1], most=180)


class MomentField(forms.CharField):
    """A moment with its zone, as `2026-11-11T00:00:00Z`; cleaned to an aware datetime, None where empty."""

    def clean(self, value: Any) -> datetime | None:
        text = super().clean(value)
        if not text:
            return None
        try:
            # A plus sign that was not escaped arrives as a blank.
            moment = datetime.fromisoformat(text.replace(" ", "+")) if text.isascii() else None
        except ValueError:
            moment = None
        # At the ends of the calendar no other zone has a date for it.
        if moment is None or moment.tzinfo is None or not 1 < moment.year < 9999:
            raise forms.ValidationError(_("Write a moment with its zone, as 2026-11-11T00:00:00Z."))
        return moment


class MomentFilter(django_filters.Filter):
    field_class = MomentField


MOMENT_SCHEMA: dict[str, Any] = {"type": "string", "format": "date-time", "example": "2026-11-11T00:00:00Z"}


def _angle(text: str, *, most: int) -> float:
    try:
        angle = float(text) if len(text) <= 30 and text.isascii() else float("nan")
    except ValueError:
        angle = float("nan")
    if not isfinite(angle) or abs(angle) > most:
        raise forms.ValidationError(_("It must be a number from -%(most)d to %(most)d.") % {"most": most})
    return angle


def names_in(query: QueryDict, parameter: str, known: Iterable[str]) -> set[str] | None:
    """
    Return the names that one of LISTS has, separated by commas or given one by one; None where it is not there.

    Raises ValidationError for one that is not in `known`.
    """
    text = ",".join(query.getlist(parameter))
    if not text:
        return None
    if len(text) > LONGEST_LIST:
        raise ValidationError({parameter: _("It is too long.")})
    names, known = {name.strip() for name in text.split(",")}, list(known)
    if not names <= set(known):
        raise ValidationError({parameter: only_these(known)})
    return names
