"""Reading a JSON document without trusting it: every wrong value is a problem with its path, none an exception."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from decimal import Decimal
from typing import Any

from django.core.exceptions import ValidationError
from django.db import models
from django.utils.translation import gettext as _

from catalog.loading.report import Problem
from catalog.loading.text import NOT_TEXT
from catalog.models import Provenance


def read_document(content: bytes, problems: list[Problem]) -> Node:
    """Return the root of a JSON document (UTF-8); an empty one, and a problem, when it is none. Numbers stay exact."""
    try:
        root = json.loads(content.decode("utf-8-sig"), parse_float=Decimal, parse_constant=_no_constant)
    except json.JSONDecodeError as error:
        reason = _("is not JSON: %(detail)s, character %(column)d") % {"detail": error.msg, "column": error.colno}
        problems.append(Problem(error.lineno, "", reason))
    except UnicodeDecodeError as error:
        line = content.count(b"\n", 0, error.start) + 1
        reason = _("is not valid UTF-8 (byte %(byte)s)") % {"byte": f"{content[error.start]:02X}"}
        problems.append(Problem(line, "", reason))
    except (ValueError, RecursionError) as error:
        problems.append(Problem(0, "", _("the file is not JSON: %(detail)s") % {"detail": error}))
    else:
        if isinstance(root, dict):
            return Node("", root, problems)
        problems.append(Problem(0, "", _("the document has to be an object with named values")))
    return Node("", {}, problems, is_broken=True)


def _no_constant(name: str) -> None:
    raise ValueError(_("%(name)s is no number") % {"name": name})


class Node:
    """An object of the document at a path; asks for values by key and notes what is wrong with them."""

    def __init__(
        self, path: str, values: Mapping[str, Any], problems: list[Problem], *, is_broken: bool = False
    ) -> None:
        self.path = path
        self.values = values
        self.problems = problems
        # Nothing more is said about what hangs below a broken node.
        self.is_broken = is_broken
        # What `marked` found, key by key.
        self.provenance: dict[str, str | None] = {}

    def refuse(self, key: str, reason: str) -> None:
        if not self.is_broken:
            self.problems.append(Problem(0, self.place(key), reason))

    def place(self, key: str) -> str:
        return f"{self.path}.{key}" if self.path and key else self.path or key

    def plain(self, key: str, kind: type, default: Any = None) -> Any:
        """Return a value of one JSON type, or `default` when it is absent and there is one; None when refused."""
        value = self.values.get(key, default)
        if key not in self.values and default is None:
            self.refuse(key, _("is missing"))
        elif not _is_kind(value, kind):
            self.refuse(key, _("has to be %(kind)s") % {"kind": _kind_name(kind)})
        elif reason := _unstorable(value):
            self.refuse(key, reason)
        else:
            return value
        return None

    def marked(self, key: str, kind: type) -> Any:
        """Return the value of {"value": ..., "basis": "reported" or "illustrative"}; None when refused."""
        entry = self.plain(key, dict)
        if entry is None:
            return None
        node = Node(self.place(key), entry, self.problems)
        self.provenance[key] = node.basis()
        return node.plain("value", kind)

    def basis(self) -> str | None:
        """Return the mark that stands under "basis"; None when refused."""
        value = self.plain("basis", str)
        if value is None or value in Provenance.values:
            return value
        self.refuse("basis", _("has to be one of %(right)s") % {"right": ", ".join(Provenance.values)})
        return None

    def nodes(self, key: str) -> Iterator[Node]:
        """Yield the objects of a list that stands under `key`."""
        yield from self.objects(self.plain(key, list) or [], key)

    def objects(self, items: list[Any], key: str) -> Iterator[Node]:
        for index, item in enumerate(items):
            path = self.place(f"{key}[{index}]")
            if isinstance(item, dict):
                yield Node(path, item, self.problems)
            else:
                self.problems.append(Problem(0, path, _("has to be %(kind)s") % {"kind": _kind_name(dict)}))


def clean(instance: models.Model, keys: Mapping[str, str], node: Node, *, exclude: set[str]) -> None:
    """
    Hold a model instance to its fields' and the table's rules. `keys` says what a field is called in the document.

    Fields in `exclude` are not looked at: they are known to be wrong already, or are set later.
    """
    found: dict[str, list[str]] = {}
    try:
        instance.clean_fields(exclude=exclude)
    except ValidationError as error:
        found = error.message_dict
    try:
        instance.validate_constraints(exclude=exclude | set(found))
    except ValidationError as error:
        found |= error.message_dict
    for name, reasons in found.items():
        for reason in reasons:
            node.refuse("" if name == "__all__" else keys.get(name, name), reason)


def kind_of(field: models.Field[Any, Any]) -> type:
    """Return the JSON type that suits a model field."""
    if isinstance(field, models.BooleanField):
        return bool
    if isinstance(field, models.IntegerField):
        return int
    return Decimal if isinstance(field, models.DecimalField) else str


def _is_kind(value: object, kind: type) -> bool:
    if kind is bool:
        return isinstance(value, bool)
    return isinstance(value, (int, Decimal) if kind is Decimal else kind) and not isinstance(value, bool)


def _kind_name(kind: type) -> str:
    return {
        bool: _("true or false"),
        int: _("a whole number"),
        Decimal: _("a number"),
        str: _("a text"),
        list: _("a list"),
        dict: _("an object with named values"),
    }[kind]


def _unstorable(value: object) -> str | None:
    if isinstance(value, str):
        if not value.strip():
            return _("is empty")
        if found := NOT_TEXT.search(value):
            return _("holds a control character (%(code)s)") % {"code": f"U+{ord(found[0]):04X}"}
    if isinstance(value, (int, Decimal)) and not -(10**9) <= value <= 10**9:
        return _("is too large")
    return None
