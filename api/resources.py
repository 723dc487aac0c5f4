"""How things are told in JSON: texts in both languages, money with its currency, and as much of it as was asked for."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime
from functools import lru_cache
from operator import attrgetter
from typing import Any

from drf_spectacular.extensions import OpenApiSerializerFieldExtension
from drf_spectacular.utils import extend_schema_field
from rest_framework import serializers

CURRENCY = "CNY"


# What tells a thing, or one of its fields, in what JSON has.
Teller = Callable[[Any], dict[str, Any]]
Reader = Callable[[Any], Any]


class Resource(serializers.Serializer):
    """
    A thing that is only read: its fields say for OpenAPI what there is, and how it is found on an object.

    What `expand` names is told whole, everything else that it refers to by its code alone.
    """

    def __init__(self, *args: Any, **options: Any) -> None:
        super().__init__(*args, **{"read_only": True} | options)

    @classmethod
    def teller(cls, fields: frozenset[str] | None = None, expand: frozenset[str] = frozenset()) -> Teller:
        """
        Return what tells things of this kind: these fields (None: all) of an object, whole what `expand` names.

        Worked out once for each choice: lists have thousands of fields, and the framework's own way takes its time.
        """
        return _teller(cls, fields, expand)

    @classmethod
    def tell(cls, entry: Any) -> dict[str, Any]:
        """Tell all of a thing."""
        return cls.teller()(entry)

    @classmethod
    def field_names(cls) -> list[str]:
        return list(cls._declared_fields)

    @classmethod
    def expandable(cls) -> list[str]:
        return [name for name, field in cls._declared_fields.items() if isinstance(field, Reference)]


# Partners use the same few; whoever makes up others without end must not fill the memory.
@lru_cache(maxsize=256)
def _teller(resource: type[Resource], fields: frozenset[str] | None, expand: frozenset[str]) -> Teller:
    chosen = {name: field for name, field in resource().fields.items() if fields is None or name in fields}
    readers = [(name, _reader(field, whole=name in expand)) for name, field in chosen.items()]

    def tell(entry: Any) -> dict[str, Any]:
        return {name: read(entry) for name, read in readers}

    return tell


def _reader(field: Any, *, whole: bool) -> Reader:
    """Return what reads a field off an object. It must have the type that the field says; only these are written."""
    if isinstance(field, Reference):
        return field.reader(whole=whole)
    if isinstance(field, Text):
        return field.reader()
    if isinstance(field, serializers.SerializerMethodField):
        return getattr(field.parent, str(field.method_name))
    take = attrgetter(field.source)
    if isinstance(field, serializers.ListSerializer):
        tell = field.child.teller()  # type: ignore[union-attr]
        return lambda entry: [tell(each) for each in take(entry)]
    for kind, write in _WRITTEN.items():
        if isinstance(field, kind):
            return lambda entry: None if (value := take(entry)) is None else write(value)
    return take


def in_utc(moment: datetime) -> str:
    """Return a moment as programs are told it."""
    return moment.astimezone(UTC).isoformat().replace("+00:00", "Z")


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

    def reader(self, *, whole: bool) -> Reader:
        if not whole:
            return self.code
        take, tell = attrgetter(str(self.field_name)), self.resource.teller()
        return lambda entry: None if (other := take(entry)) is None else tell(other)


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

    def reader(self) -> Reader:
        take = attrgetter(f"{self.field_name}_zh", f"{self.field_name}_en")

        def read(entry: Any) -> dict[str, Any]:
            chinese, english = take(entry)
            return {"zh": chinese, "en": english}

        return read


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


def money(fen: int) -> dict[str, str]:
    """Return an amount as it is told."""
    return {"amount": f"{fen // 100}.{fen % 100:02}", "currency": CURRENCY}


# What is told as something else than it is.
_WRITTEN: dict[type[serializers.Field], Callable[[Any], Any]] = {
    # In the form of `in_utc`, which the writer of JSON makes of it by itself, and faster.
    serializers.DateTimeField: lambda moment: moment.astimezone(UTC),
    serializers.FloatField: float,
    Money: money,
}
