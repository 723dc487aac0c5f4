"""What bodies must be: every field of its own type, and none that is not known."""

from __future__ import annotations

from collections.abc import Mapping
from decimal import Decimal
from threading import local
from typing import Any

from django.utils.translation import get_language
from django.utils.translation import gettext as _
from rest_framework import serializers

_of_thread = local()


class Form(serializers.Serializer):
    """The fields of a JSON object. One that it does not know is refused, as a parameter would be."""

    @classmethod
    def read(cls, body: Any, **context: Any) -> dict[str, Any]:
        """
        Return the fields of a body, each cleaned; its own checks find `context`. Raises ValidationError.

        Each thread keeps its forms: to copy the fields of one for each body takes longer than to read the body.
        """
        made: dict[tuple[type, str | None], Form] = _of_thread.__dict__.setdefault("made", {})
        # The framework puts a limit into words once, in whatever language that is.
        key = cls, get_language()
        form = made.get(key) or made.setdefault(key, cls())
        form._context = context
        return form.run_validation(body)

    def to_internal_value(self, data: Any) -> Any:
        if isinstance(data, Mapping) and (unknown := [name for name in data if name not in self.fields]):
            raise serializers.ValidationError({name: [_("There is no such field here.")] for name in unknown})
        return super().to_internal_value(data)


class Words(serializers.CharField):
    """A string; numbers are none."""

    def to_internal_value(self, data: Any) -> str:
        if not isinstance(data, str):
            self.fail("invalid")
        return super().to_internal_value(data)


class Yuan(serializers.DecimalField):
    """An amount in yuan as a decimal string, because programs write bare numbers as floats; cleaned to fen."""

    def __init__(self, **options: Any) -> None:
        super().__init__(max_digits=10, decimal_places=2, min_value=Decimal(0), **options)

    def to_internal_value(self, data: Any) -> Any:
        if not isinstance(data, str):
            self.fail("invalid")
        return int(super().to_internal_value(data) * 100)


class WholeNumber(serializers.IntegerField):
    """An integer; a string is none, nor is a truth."""

    def to_internal_value(self, data: Any) -> int:
        if type(data) is not int:
            self.fail("invalid")
        return super().to_internal_value(data)
