"""How things are told in JSON: texts in both languages, money with its currency, and as much of it as was asked for."""

from __future__ import annotations

from operator import attrgetter
from typing import Any

from drf_spectacular.extensions import OpenApiSerializerFieldExtension
from drf_spectacular.utils import extend_schema_field
from rest_framework import serializers

CURRENCY = "CNY"


class Resource(serializers.Serializer):
    """
    A thing that is only read. The context says how much of it: `fields` (names; all if missing), `expand` (names).

    What `expand` names is told whole, everything else that it refers to by its code alone.
    """

    def __init__(self, *args: Any, **options: Any) -> None:
        super().__init__(*args, **{"read_only": True} | options)

    def get_fields(self) -> dict[str, serializers.Field]:
        fields = super().get_fields()
        wanted = self.context.get("fields")
        return {name: field for name, field in fields.items() if wanted is None or name in wanted}

    @classmethod
    def field_names(cls) -> list[str]:
        return list(cls._declared_fields)

    @classmethod
    def expandable(cls) -> list[str]:
        return [name for name, field in cls._declared_fields.items() if isinstance(field, Reference)]


class Reference(serializers.Field):
    """Another resource: its code, or the whole of it where `expand` names this field. One level, not more."""

    def __init__(self, resource: type[Resource], code: str) -> None:
        """`code` is the path of attributes to the code of the other thing, found without asking the database."""
        super().__init__(read_only=True)
        self.resource = resource
        self.code = attrgetter(code)

    def __deepcopy__(self, memo: Any) -> Reference:
        copy = object.__new__(type(self))
        copy.__dict__ = self.__dict__.copy()
        return copy

    def get_attribute(self, instance: Any) -> Any:
        if self.field_name in self.context.get("expand", ()):
            whole = getattr(instance, str(self.field_name))
            return None if whole is None else self.resource(whole).data
        return self.code(instance)

    def to_representation(self, value: Any) -> Any:
        return value


class ReferenceSchema(OpenApiSerializerFieldExtension):
    """Tells the OpenAPI schema what a Reference is."""

    target_class = "api.resources.Reference"

    def map_serializer_field(self, auto_schema: Any, direction: Any) -> dict[str, Any]:
        whole = auto_schema.resolve_serializer(self.target.resource, direction)
        return {"oneOf": [{"type": ["string", "null"]}, whole.ref]}


@extend_schema_field(
    {
        "type": "object",
        "properties": {"zh": {"type": "string"}, "en": {"type": "string"}},
        "required": ["zh", "en"],
        "example": {"zh": "村铺", "en": "Cunpu"},
    }
)
class Text(serializers.Field):
    """A text in both languages: the attributes `name_zh` and `name_en` for a field called `name`."""

    def __init__(self) -> None:
        super().__init__(read_only=True)

    def get_attribute(self, instance: Any) -> Any:
        return {"zh": getattr(instance, f"{self.field_name}_zh"), "en": getattr(instance, f"{self.field_name}_en")}

    def to_representation(self, value: Any) -> Any:
        return value


@extend_schema_field(
    {
        "type": "object",
        "properties": {
            "zh": {"type": "array", "items": {"type": "string"}},
            "en": {"type": "array", "items": {"type": "string"}},
        },
        "required": ["zh", "en"],
    }
)
class Texts(Text):
    """Several texts in both languages."""


MONEY_SCHEMA: dict[str, Any] = {
    "type": "object",
    "properties": {
        "amount": {"type": "string", "pattern": r"^\d+\.\d{2}$"},
        "currency": {"type": "string", "const": CURRENCY},
    },
    "required": ["amount", "currency"],
    "example": {"amount": "299.00", "currency": CURRENCY},
}


@extend_schema_field(MONEY_SCHEMA)
class Money(serializers.Field):
    """An amount in fen, told in yuan as a decimal string, because programs read bare numbers as floats."""

    def __init__(self, source: str, help_text: str = "") -> None:
        super().__init__(source=source, read_only=True, help_text=help_text or None)

    def to_representation(self, fen: int) -> dict[str, str]:
        return money(fen)


def money(fen: int) -> dict[str, str]:
    """Return an amount as it is told."""
    return {"amount": f"{fen // 100}.{fen % 100:02}", "currency": CURRENCY}
